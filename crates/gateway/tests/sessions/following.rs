//! Whoever follows a session sees its recording from the beginning, and is never waited for.

use postern_gateway::{FollowEnd, Followed};
use tokio::sync::oneshot;
use tokio_websockets::CloseCode;

use super::*;

struct Watcher {
    socket: WebSocketStream<DuplexStream>,
    following: JoinSet<Followed>,
    dismiss: Option<oneshot::Sender<()>>,
    /// All that was shown.
    shown: String,
}

impl Watcher {
    fn new(world: &World, session: &SessionId) -> Self {
        let (io, gateway, _) = world.pipe();
        let (session, (dismiss, dismissed)) = (session.clone(), oneshot::channel());
        let mut following = JoinSet::new();
        following.spawn(async move {
            let dismissed = async { dismissed.await.unwrap_or(()) };
            gateway.serve_follower(io.1, &session, dismissed).await
        });
        let socket = ClientBuilder::new().take_over(io.0);
        Self { socket, following, dismiss: Some(dismiss), shown: String::new() }
    }

    /// The next text, or the code of the close frame.
    async fn next(&mut self) -> Result<String, CloseCode> {
        loop {
            let next = timeout(PATIENCE, self.socket.next()).await.expect("nothing comes");
            let message = next.expect("the connection is gone").unwrap();
            if let Some(text) = message.as_text() {
                return Ok(text.to_owned());
            }
            if let Some((code, _)) = message.as_close() {
                return Err(code);
            }
        }
    }

    async fn followed(&mut self) -> Followed {
        self.following.join_next().await.unwrap().unwrap()
    }

    /// Reads until all that was shown ends with an event that holds this.
    async fn until(&mut self, expected: &str) {
        while !self.shown.lines().last().is_some_and(|line| line.contains(expected)) {
            let text = self.next().await.unwrap();
            assert!(text.ends_with('\n'), "a piece of a line: {text}");
            self.shown += &text;
        }
    }
}

#[tokio::test]
async fn a_watcher_sees_the_beginning_then_what_comes_then_the_end() {
    let (world, session, _control, mut agent, mut client) = running().await;
    agent.send(b"before").await;
    client.output().await;
    let mut watcher = Watcher::new(&world, &session);
    watcher.until("before").await;
    assert!(watcher.shown.starts_with(r#"{"version":3,"#), "{}", watcher.shown);
    for number in 0..100 {
        agent.send(format!("line {number};").as_bytes()).await;
        client.output().await;
        watcher.until(&format!("line {number};")).await;
    }
    agent.send_state(State::Terminating, Some(3)).await;
    client.closed().await;
    drop(client);
    watcher.until(r#""x","3""#).await;
    assert_eq!(watcher.shown, world.recording(&session));
    let end: serde_json::Value = serde_json::from_str(&watcher.next().await.unwrap()).unwrap();
    let expected = serde_json::json!({"ended": {
        "reason": "shell-exit", "status": "Terminated", "details": null, "exitCode": 3,
    }});
    assert_eq!(end, expected);
    assert_eq!(watcher.next().await, Err(CloseCode::NORMAL_CLOSURE));
    let followed = watcher.followed().await;
    assert_eq!(followed.end, FollowEnd::SessionEnded);
    assert_eq!(followed.bytes, u64::try_from(watcher.shown.len()).unwrap());
}

#[tokio::test]
async fn a_watcher_that_reads_nothing_holds_nobody_up() {
    let (world, session, _control, mut agent, mut client) = running().await;
    let mut watcher = Watcher::new(&world, &session);
    // It does not read acknowledgements meanwhile.
    let limits = ChannelLimits {
        unacknowledged_bytes_max: 64 << 20,
        unacknowledged_messages_max: 1 << 20,
        ..ChannelLimits::default()
    };
    agent.channel = DataChannel::new(Role::Agent, limits);
    agent.channel.handle_connected(std::time::Instant::now());
    for _ in 0..200 {
        agent.send(&[b'x'; 32 << 10]).await;
        client.output().await;
    }
    agent.send(b"the end").await;
    assert_eq!(client.output().await, "the end");
    watcher.until("the end").await;
    assert_eq!(watcher.shown, world.recording(&session));
}

#[tokio::test]
async fn a_watcher_that_reads_nothing_is_given_up_though_it_sends_pongs() {
    let (world, session, _control, mut agent, mut client) = running().await;
    for _ in 0..20 {
        agent.send(&[b'x'; 32 << 10]).await;
        client.output().await;
    }
    let mut watcher = Watcher::new(&world, &session);
    tokio::time::pause();
    let since = tokio::time::Instant::now();
    let followed = loop {
        watcher.socket.send(Message::pong("here")).await.unwrap();
        let followed = timeout(Duration::from_secs(10), watcher.following.join_next()).await;
        if let Ok(followed) = followed {
            break followed.unwrap().unwrap();
        }
        assert!(since.elapsed() < Duration::from_secs(120), "it is still believed to read");
    };
    assert_eq!(followed.end, FollowEnd::Left);
    assert!(since.elapsed() >= Duration::from_secs(45), "{:?}", since.elapsed());
    assert!(followed.bytes < u64::try_from(world.recording(&session).len()).unwrap());
}

#[tokio::test]
async fn a_watcher_whose_right_is_gone_sees_nothing_more() {
    let (world, session, _control, mut agent, mut client) = running().await;
    let mut watcher = Watcher::new(&world, &session);
    agent.send(b"before").await;
    watcher.until("before").await;
    watcher.dismiss.take().unwrap().send(()).unwrap();
    assert_eq!(watcher.next().await, Err(CloseCode::POLICY_VIOLATION));
    assert_eq!(watcher.followed().await.end, FollowEnd::Dismissed);
    // The session goes on.
    client.output().await;
    agent.send(b"after").await;
    assert_eq!(client.output().await, "after");
}

#[tokio::test]
async fn a_watcher_has_nothing_to_say() {
    let (world, session, _control, mut agent, mut client) = running().await;
    let mut watcher = Watcher::new(&world, &session);
    watcher.socket.send(Message::text("rm -rf /")).await.unwrap();
    assert_eq!(watcher.next().await, Err(CloseCode::POLICY_VIOLATION));
    assert_eq!(watcher.followed().await.end, FollowEnd::Left);
    agent.send(b"on").await;
    assert_eq!(client.output().await, "on");
}

#[tokio::test]
async fn a_watcher_comes_back_after_a_restart() {
    let (mut world, session, _control, mut agent, mut client) = running().await;
    agent.send(b"before").await;
    client.output().await;
    let mut watcher = Watcher::new(&world, &session);
    watcher.until("before").await;
    world.restart().await;
    assert_eq!(watcher.next().await, Err(CloseCode::GOING_AWAY));
    assert_eq!(watcher.followed().await.end, FollowEnd::Draining);
    let mut watcher = Watcher::new(&world, &session);
    watcher.until("before").await;
    assert!(watcher.shown.starts_with(r#"{"version":3,"#));
}

#[tokio::test]
async fn of_a_session_that_is_over_the_whole_is_shown() {
    let (world, session, _control, mut agent, mut client) = running().await;
    agent.send(b"all of it").await;
    client.output().await;
    agent.send_state(State::Terminating, None).await;
    client.closed().await;
    drop(client);
    world.wait_for(&session, SessionStatus::Terminated).await;
    let mut watcher = Watcher::new(&world, &session);
    while !watcher.shown.contains("ended") {
        let text = watcher.next().await.unwrap();
        watcher.shown += &text;
    }
    assert!(watcher.shown.starts_with(&world.recording(&session)));
}
