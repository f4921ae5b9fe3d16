//! Port sessions: what is on record of them, and what may not go on without.

use postern_sftp::{Attributes, Message as Sftp, OpenFlags, Reply, Request, StatusCode};

use super::*;

/// A world with a port session that runs.
pub(crate) async fn running_port(document_name: &str) -> (World, SessionId, End, End, End) {
    running_port_in(World::new().await, document_name).await
}

pub(crate) async fn running_port_in(
    mut world: World,
    document_name: &str,
) -> (World, SessionId, End, End, End) {
    let mut control = world.connect_node().await;
    let (session, mut new) = world.new_session();
    new.record.session_type = "Port".into();
    new.record.document_name = document_name.into();
    let token = world.gateway.start_session(new).await.unwrap();
    control.control().await;
    let agent = world.open_agent(&session).await;
    let client = world.open_client(&session, token.expose_secret()).await;
    world.wait_for(&session, SessionStatus::Connected).await;
    (world, session, control, agent, client)
}

async fn running_files() -> (World, SessionId, End, End, End) {
    running_port("Postern-StartSFTPSession").await
}

fn request(id: u32, request: Request<'_>) -> Vec<u8> {
    let mut packet = Vec::new();
    Sftp::Request { id, request }.put(&mut packet);
    packet
}

fn reply(id: u32, reply: &Reply<'_>) -> Vec<u8> {
    let mut packet = Vec::new();
    reply.put(id, &mut packet);
    packet
}

fn init() -> Vec<u8> {
    let mut packet = Vec::new();
    Sftp::Init(3).put(&mut packet);
    packet
}

impl World {
    /// The lines of a recording.
    pub(crate) fn lines(&self, session: &SessionId) -> Vec<String> {
        let recording = self.recording(session);
        let events = recording.lines().skip(1).map(|line| serde_json::from_str(line).unwrap());
        let text: String = events.map(|(_, _, text): (f64, String, String)| text).collect();
        text.lines().map(str::to_owned).collect()
    }

    pub(crate) async fn end(&self, session: &SessionId) {
        self.gateway.end_session(session, EndReason::Terminated).await.unwrap();
    }
}

#[tokio::test]
async fn of_a_connection_the_record_has_how_much_went_each_way() {
    let (world, session, _control, mut agent, mut client) = running_port("AWS-StartSSHSession").await;
    client.send(b"a secret").await;
    eventually_attached(&mut agent).await;
    assert_eq!(agent.output().await, "a secret");
    agent.send(b"no secret either").await;
    assert_eq!(client.output().await, "no secret either");
    world.end(&session).await;
    client.closed().await;
    drop(client);
    world.wait_for(&session, SessionStatus::Terminated).await;
    let expected = [
        "A connection. What goes over it is not recorded.",
        "Connection 1.",
        "Connection 1 ended (session-ended): 8 bytes to the node, 16 bytes from it.",
        "The end. 8 bytes to the node, 16 bytes from it.",
    ];
    assert_eq!(world.lines(&session), expected);
}

#[tokio::test]
async fn a_connection_survives_a_restart_in_both_directions() {
    let (mut world, session, _control, mut agent, mut client) = running_port("AWS-StartSSHSession").await;
    eventually_attached(&mut agent).await;
    for text in [&b"one"[..], b"two"] {
        agent.send(text).await;
        assert_eq!(client.output().await, text);
    }
    world.restart().await;
    let _control = world.connect_node().await;
    let Resumed::Live(token) = world.gateway.resume_session(&session).await.unwrap() else { panic!() };
    let mut agent = agent.move_to(world.open_agent(&session).await);
    let mut client = client.move_to(world.open_client(&session, token.expose_secret()).await);
    agent.send(b"three").await;
    assert_eq!(client.output().await, "three");
    client.send(b"four").await;
    eventually_attached(&mut agent).await;
    assert_eq!(agent.output().await, "four");
}

#[tokio::test]
async fn what_is_done_with_files_is_on_record_before_the_node_may_do_it() {
    let (world, session, _control, mut agent, mut client) = running_files().await;
    eventually_attached(&mut agent).await;
    let open = Request::Open { path: b"/a", flags: OpenFlags::READ, attributes: Attributes::default() };
    let stream = [init(), request(1, open), request(2, Request::Remove { path: b"/b" })].concat();
    // Cut where no packet ends.
    let (first, rest) = stream.split_at(20);
    client.send(first).await;
    assert_eq!(agent.output().await, first);
    assert_eq!(world.lines(&session).len(), 1, "nothing is asked for yet");
    client.send(rest).await;
    assert_eq!(agent.output().await, rest);
    assert_eq!(world.lines(&session)[1..], [r#"open "/a" to read"#, r#"remove "/b""#]);
    let refused = Reply::status(StatusCode::PermissionDenied);
    let replies = [reply(1, &Reply::Handle(b"h")), reply(2, &refused)].concat();
    agent.send(&replies).await;
    assert_eq!(client.output().await, replies);
    assert_eq!(world.lines(&session)[3..], [r#"failed: remove "/b": permission denied"#]);
    world.end(&session).await;
    client.closed().await;
    drop(client);
    world.wait_for(&session, SessionStatus::Terminated).await;
    let lines = world.lines(&session);
    assert_eq!(lines[4], r#"close "/a": 0 bytes read; the session ended before it was closed"#);
    assert!(lines[5].starts_with("The end. "), "{lines:?}");
}

#[tokio::test]
async fn what_is_not_sftp_does_not_reach_the_node() {
    let (world, session, _control, mut agent, mut client) = running_files().await;
    eventually_attached(&mut agent).await;
    client.send(b"GET / HTTP/1.0\r\n\r\n").await;
    let (reason, _) = client.closed().await;
    assert!(reason.contains("has to be recorded, and cannot be told"), "{reason}");
    drop(client);
    world.wait_for(&session, SessionStatus::Failed).await;
    while let Some(event) = agent.event().await {
        assert!(!matches!(event, Event::Stream { .. }), "{event:?}");
    }
    assert!(world.lines(&session)[1].starts_with("This cannot be understood, and the session ends: "));
}

#[tokio::test]
async fn a_message_that_was_examined_is_not_replaced_by_a_repetition() {
    let (_world, _session, _control, mut agent, mut client) = running_files().await;
    eventually_attached(&mut agent).await;
    client.send(&init()).await;
    assert_eq!(agent.output().await, init());
    let frame = |payload: Vec<u8>| {
        AgentMessage {
            message_type: MessageType::InputStreamData,
            created_ms: 1,
            sequence_number: 1,
            flags: postern_protocol::Flags::NONE,
            message_id: uuid::Uuid::from_u128(9),
            payload_type: PayloadType::Output,
            payload: payload.into(),
        }
        .encode()
    };
    let shown = request(1, Request::Stat { path: b"/harmless" });
    let hidden = request(1, Request::Remove { path: b"/etc/passwd" });
    for payload in [shown.clone(), hidden] {
        client.socket.send(Message::binary(frame(payload))).await.unwrap();
    }
    assert_eq!(agent.output().await, shown);
    client.channel.send(PayloadType::Output, Bytes::new(), stamp(), std::time::Instant::now()).unwrap();
    let third = request(2, Request::Stat { path: b"." });
    client.send(&third).await;
    loop {
        let output = agent.output().await;
        assert!(!output.windows(11).any(|window| window == b"/etc/passwd"), "{output:?}");
        if output == third {
            return;
        }
    }
}

#[tokio::test]
async fn a_session_with_files_does_not_go_on_after_a_restart() {
    let (mut world, session, _control, mut agent, mut client) = running_files().await;
    eventually_attached(&mut agent).await;
    client.send(&init()).await;
    agent.output().await;
    world.restart().await;
    assert!(matches!(world.gateway.resume_session(&session).await.unwrap(), Resumed::Over));
    let record = world.store.session(&session).await.unwrap().unwrap();
    assert_eq!(record.end_reason.as_deref(), Some("failed:not-understood"));
    assert!(world.gateway.data_channel_token(&world.node, &session).is_none());
}
