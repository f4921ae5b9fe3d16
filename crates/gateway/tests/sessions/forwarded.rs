//! Connections inside port sessions: what is allowed, on record, replaced, and followed on by the next process.

use std::collections::BTreeSet;
use std::sync::Mutex;

use async_trait::async_trait;
use postern_gateway::{
    Connection, ConnectionAuthorizer, ConnectionDenied, ConnectionsUndecided, NotWitnessed, OpenRoute, Route,
    SessionEvent, Witness,
};
use postern_protocol::smux;
use postern_protocol::tunnel::{
    Content, Destination, Frame, Frames, Open, Opened, Reason, Refused, Reset, StreamId,
};

use super::connected::running_port_in;
use super::*;

/// Keeps a record of connections, and knows where they may not lead.
#[derive(Default)]
pub(crate) struct Book {
    events: Mutex<Vec<String>>,
    barred: Mutex<BTreeSet<String>>,
    is_full: Mutex<bool>,
}

impl Book {
    fn bar(&self, host: &str) {
        self.barred.lock().unwrap().insert(host.to_owned());
    }

    fn events(&self) -> Vec<String> {
        std::mem::take(&mut self.events.lock().unwrap())
    }

    fn is_barred(&self, route: &Route) -> bool {
        self.barred.lock().unwrap().contains(&route.host)
    }
}

#[async_trait]
impl Witness for Book {
    async fn witness(&self, _: &SessionRecord, event: SessionEvent) -> Result<(), NotWitnessed> {
        let shown = |connection: &Connection| {
            let route = connection.route.as_ref().map(ToString::to_string).unwrap_or_default();
            format!("{} {route}", connection.id)
        };
        let event = match event {
            SessionEvent::ConnectionOpened(connection) => format!("opened {}", shown(&connection)),
            SessionEvent::ConnectionDenied(connection, denied) => {
                format!("denied {}: {}", shown(&connection), denied.message)
            }
            SessionEvent::ConnectionClosed { connection, end, .. } => {
                let since = if connection.counted_since.is_some() { " since" } else { "" };
                let bytes = connection.bytes;
                format!(
                    "closed {} {} {}/{}{since}",
                    shown(&connection),
                    end.code(),
                    bytes.input,
                    bytes.output
                )
            }
            _ => return Ok(()),
        };
        if *self.is_full.lock().unwrap() {
            return Err(NotWitnessed);
        }
        self.events.lock().unwrap().push(event);
        Ok(())
    }
}

#[async_trait]
impl ConnectionAuthorizer for Book {
    fn settled_route(&self, _: &SessionRecord) -> Option<Route> {
        None
    }

    async fn authorize(&self, _: &SessionRecord, route: &Route) -> Result<Route, ConnectionDenied> {
        if self.is_barred(route) {
            return Err(ConnectionDenied {
                route: route.clone(),
                message: "barred".to_owned(),
                decision: None,
            });
        }
        Ok(route.clone())
    }

    async fn review(&self, _: &SessionRecord, open: &[OpenRoute]) -> Result<Vec<u32>, ConnectionsUndecided> {
        Ok(open.iter().filter(|open| self.is_barred(&open.route)).map(|open| open.id).collect())
    }
}

/// A port session whose ends have shaken hands.
async fn shaken(document: &str, properties: &str, result: &str) -> (World, SessionId, End, End, End) {
    shaken_in(World::new().await, document, properties, result).await
}

async fn shaken_in(
    world: World,
    document: &str,
    properties: &str,
    result: &str,
) -> (World, SessionId, End, End, End) {
    let (world, session, control, mut agent, mut client) = running_port_in(world, document).await;
    eventually_attached(&mut agent).await;
    let request = format!(
        r#"{{"AgentVersion":"3.3.4002.0","RequestedClientActions":[{{"ActionType":"SessionType","ActionParameters":{{"SessionType":"Port","Properties":{properties}}}}}]}}"#
    );
    agent.send_typed(PayloadType::HandshakeRequest, request.as_bytes()).await;
    client.output().await;
    let response = format!(
        r#"{{"ClientVersion":"1.2.707.0","ProcessedClientActions":[{{"ActionType":"SessionType","ActionStatus":1,"ActionResult":{result}}}]}}"#
    );
    client.send_typed(PayloadType::HandshakeResponse, response.as_bytes()).await;
    (world, session, control, agent, client)
}

async fn tunnel() -> (World, SessionId, End, End, End) {
    tunnel_in(World::new().await).await
}

async fn tunnel_in(world: World) -> (World, SessionId, End, End, End) {
    let properties = r#"{"type":"Tunnel","posternTunnel":"1"}"#;
    let (world, session, control, mut agent, client) =
        shaken_in(world, "Postern-StartTunnelSession", properties, r#"{"posternTunnel":"1"}"#).await;
    agent.output().await;
    (world, session, control, agent, client)
}

fn open(host: &str) -> Content {
    let destination = Destination::Tcp { host: host.to_owned(), port: 80 };
    Content::Open(Open { destination, source: "127.0.0.1:4711".to_owned() })
}

fn data(text: &'static str) -> Content {
    Content::Data(Bytes::from_static(text.as_bytes()))
}

impl End {
    async fn say(&mut self, id: u32, content: Content) {
        self.send(&Frame::new(StreamId(id), content).to_bytes()).await;
    }

    async fn frames(&mut self) -> Vec<(u32, Content)> {
        Frames::new(self.output().await)
            .map(Result::unwrap)
            .map(|frame| (frame.id.0, frame.content))
            .collect()
    }
}

#[tokio::test]
async fn what_is_allowed_is_on_record_and_what_is_not_is_replaced() {
    let (world, session, _control, mut agent, mut client) = tunnel().await;
    world.book.bar("secret");
    client.say(1, open("web")).await;
    client.say(3, open("secret")).await;
    client.say(1, data("GET")).await;
    assert_eq!(agent.frames().await, [(1, open("web"))]);
    assert_eq!(agent.frames().await, [(3, Content::Denied(Refused::new(Reason::Denied, "barred")))]);
    assert_eq!(agent.frames().await, [(1, data("GET"))]);
    eventually(|| world.book.events.lock().unwrap().len() == 2).await;
    assert_eq!(world.book.events(), ["opened 1 web:80", "denied 3 secret:80: barred"]);
    agent.say(1, Content::Opened(Opened { address: Some("10.0.0.5:80".to_owned()) })).await;
    agent.say(3, Content::Refused(Refused::new(Reason::Denied, "barred"))).await;
    agent.say(1, data("hello")).await;
    agent.say(1, Content::End).await;
    for _ in 0..4 {
        client.frames().await;
    }
    client.say(1, Content::End).await;
    agent.frames().await;
    eventually(|| !world.book.events.lock().unwrap().is_empty()).await;
    assert_eq!(world.book.events(), ["closed 1 web:80 node 3/5"]);
    assert_eq!(
        world.lines(&session)[1..],
        [
            "Connection 1 to web:80, from 127.0.0.1:4711.",
            "Connection 3 to secret:80, from 127.0.0.1:4711 was denied: barred",
            "Connection 1 to web:80 (10.0.0.5:80) ended (node): 3 bytes to the node, 5 bytes from it.",
        ]
    );
}

#[tokio::test]
async fn what_cannot_be_witnessed_ends_the_session_at_once() {
    let (world, session, _control, _agent, mut client) = tunnel().await;
    *world.book.is_full.lock().unwrap() = true;
    client.say(1, open("web")).await;
    let (reason, _) = client.closed().await;
    assert!(reason.contains("audit trail"), "{reason}");
    drop(client);
    world.wait_for(&session, SessionStatus::Failed).await;
}

#[tokio::test]
async fn where_records_are_to_be_durable_first_it_does_not_reach_the_node_either() {
    let world = World::of(Durability::PowerFailure).await;
    let (world, session, _control, mut agent, mut client) = tunnel_in(world).await;
    *world.book.is_full.lock().unwrap() = true;
    client.say(1, open("web")).await;
    let (reason, _) = client.closed().await;
    assert!(reason.contains("audit trail"), "{reason}");
    drop(client);
    world.wait_for(&session, SessionStatus::Failed).await;
    assert!(matches!(agent.event().await, Some(Event::Closed(_))));
}

#[tokio::test]
async fn what_is_no_frame_ends_the_session() {
    let (_world, _session, _control, _agent, mut client) = tunnel().await;
    client.send(b"GET / HTTP/1.0").await;
    let (reason, _) = client.closed().await;
    assert!(reason.contains("cannot be told apart"), "{reason}");
}

#[tokio::test]
async fn a_client_that_does_not_ask_for_connections_has_no_tunnel() {
    let properties = r#"{"type":"Tunnel","posternTunnel":"1"}"#;
    let (_world, _session, _control, _agent, mut client) =
        shaken("Postern-StartTunnelSession", properties, "null").await;
    let (reason, _) = client.closed().await;
    assert!(reason.contains("postern forward"), "{reason}");
}

#[tokio::test]
async fn connections_are_followed_on_after_a_restart() {
    let (mut world, session, _control, mut agent, mut client) = tunnel().await;
    client.say(1, open("web")).await;
    client.say(3, open("db")).await;
    for _ in 0..2 {
        agent.frames().await;
    }
    agent.say(3, Content::Reset(Reset::new(""))).await;
    client.frames().await;
    eventually(|| world.book.events.lock().unwrap().len() == 3).await;
    world.book.events();
    // Neither end knows that the other has had it all.
    client.say(1, data("before")).await;
    agent.frames().await;
    world.restart().await;
    let _control = world.connect_node().await;
    let Resumed::Live(token) = world.gateway.resume_session(&session).await.unwrap() else { panic!() };
    let mut agent = agent.move_to(world.open_agent(&session).await);
    let mut client = client.move_to(world.open_client(&session, token.expose_secret()).await);
    client.say(1, data("after")).await;
    eventually_attached(&mut agent).await;
    assert_eq!(agent.frames().await, [(1, data("after"))]);
    client.say(5, open("new")).await;
    assert_eq!(agent.frames().await, [(5, open("new"))]);
    client.say(1, Content::Reset(Reset::new("done"))).await;
    agent.frames().await;
    world.end(&session).await;
    client.closed().await;
    drop(client);
    world.wait_for(&session, SessionStatus::Terminated).await;
    eventually(|| world.book.events.lock().unwrap().len() == 3).await;
    let events = world.book.events();
    assert_eq!(events[0], "opened 5 new:80");
    assert!(
        events[1].starts_with("closed 1 web:80 client-reset") && events[1].ends_with("since"),
        "{events:?}"
    );
    assert_eq!(events[2], "closed 5 new:80 session-ended 0/0");
    assert!(!world.book.events().iter().any(|event| event.starts_with("opened 1")), "not twice");
}

#[tokio::test]
async fn smux_is_counted_as_a_whole_after_a_restart() {
    let forwarding = r#"{"type":"LocalPortForwarding","portNumber":"80"}"#;
    let (mut world, session, _control, mut agent, mut client) =
        shaken("AWS-StartPortForwardingSession", forwarding, "null").await;
    agent.output().await;
    client.send(&smux::syn(smux::StreamId(3))).await;
    agent.output().await;
    eventually(|| !world.book.events.lock().unwrap().is_empty()).await;
    assert_eq!(world.book.events(), ["opened 3 "]);
    world.restart().await;
    let _control = world.connect_node().await;
    let Resumed::Live(token) = world.gateway.resume_session(&session).await.unwrap() else { panic!() };
    let mut agent = agent.move_to(world.open_agent(&session).await);
    let mut client = client.move_to(world.open_client(&session, token.expose_secret()).await);
    client.send(&smux::data_head(smux::StreamId(3), 5)[3..]).await;
    eventually_attached(&mut agent).await;
    assert_eq!(agent.output().await.len(), 5);
    world.end(&session).await;
    client.closed().await;
    drop(client);
    world.wait_for(&session, SessionStatus::Terminated).await;
    eventually(|| !world.book.events.lock().unwrap().is_empty()).await;
    assert_eq!(world.book.events(), ["closed 3  session-ended 0/0 since"]);
    let lines = world.lines(&session);
    assert!(lines.iter().any(|line| line.contains("connections are not told apart")), "{lines:?}");
}

#[tokio::test]
async fn what_is_not_allowed_any_more_is_cut_off_and_the_others_go_on() {
    let (world, session, _control, mut agent, mut client) = tunnel().await;
    client.say(1, open("web")).await;
    client.say(3, open("db")).await;
    for _ in 0..2 {
        agent.frames().await;
    }
    world.book.bar("web");
    world.gateway.review_connections(&session).await;
    eventually(|| world.book.events.lock().unwrap().len() == 3).await;
    assert_eq!(world.book.events()[2], "closed 1 web:80 permission-revoked 0/0");
    let reset = || Content::Reset(Reset::new("the permission for it was revoked"));
    client.say(1, data("secret")).await;
    assert_eq!(agent.frames().await, [(1, reset())]);
    client.say(3, data("fine")).await;
    assert_eq!(agent.frames().await, [(3, data("fine"))]);
    agent.say(3, data("fine")).await;
    assert_eq!(client.frames().await, [(3, data("fine")), (1, reset())]);
}
