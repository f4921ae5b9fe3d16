//! Tunnels: the scripted agent has the node's end of the dialect.

use std::cell::RefCell;
use std::future::poll_fn;
use std::time::Duration;

use postern_client::{
    Destination, ForwardId, Lead, Listen, LocalListener, Order, Reason, Refused, Remote, Target, TunnelEnds,
    TunnelEvent, run_tunnel,
};
use postern_protocol::tunnel::{Accepted, Open, StreamId, TUNNEL_MESSAGE_BYTES};
use postern_tunnel::{Bound, Connected, Far, Happened, Listening, Opening, Streams};
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::*;

/// Connects to and listens on whatever it is asked for.
struct Anywhere;

impl Far for Anywhere {
    fn connect(&mut self, open: &Open) -> Opening {
        let address = open.destination.to_string();
        Box::pin(async move {
            match TcpStream::connect(&address).await {
                Ok(stream) => Ok(Connected { socket: stream.into(), address }),
                Err(error) => Err(Refused::new(Reason::RefusedByPeer, error.to_string())),
            }
        })
    }

    fn accept(&mut self, _: StreamId, _: &Accepted) -> Opening {
        unreachable!("nodes accept for others")
    }

    fn listen(&mut self, listen: &Listen) -> Listening {
        let place = (listen.host.clone(), listen.port);
        Box::pin(async move {
            let listener = TcpListener::bind(place).await.unwrap();
            let address = listener.local_addr().unwrap().to_string();
            Ok(Bound { listener, address })
        })
    }
}

impl Agent {
    /// Offers the dialect; gives what the client answers.
    async fn offer(&mut self, properties: Value) -> HandshakeResponse {
        let action = RequestedAction::SessionType { session_type: "Port".into(), properties };
        let request =
            HandshakeRequest { agent_version: "3.3.9999.0".into(), requested_client_actions: vec![action] };
        self.send(PayloadType::HandshakeRequest, request.to_json()).await;
        let (_, payload) = self.receive().await;
        HandshakeResponse::from_json(&payload).unwrap()
    }

    /// The node's end, until the client says that it wants to be gone.
    async fn carry(&mut self) {
        self.channel.begin_tunnel();
        self.send(PayloadType::HandshakeComplete, HandshakeComplete::default().to_json()).await;
        let mut streams = Streams::of_node(Box::new(Anywhere));
        loop {
            while let Some(event) = self.channel.poll_event() {
                let Event::Stream { sequence_number, payload_type, payload } = event else { continue };
                self.channel.acknowledge(sequence_number);
                match payload_type {
                    PayloadType::Output => streams.receive(payload, Instant::now()).unwrap(),
                    PayloadType::Flag => {
                        assert_eq!(Flag::from_payload(&payload), Ok(Flag::TerminateSession));
                        return self.flush().await;
                    }
                    _ => {}
                }
            }
            self.flush().await;
            let room = self.channel.has_room().then_some(TUNNEL_MESSAGE_BYTES);
            let Self { websocket, channel } = self;
            tokio::select! {
                message = websocket.next() => {
                    let message = message.unwrap().unwrap();
                    if message.is_binary() {
                        channel.handle_frame(message.into_payload().into(), Instant::now()).unwrap();
                    }
                }
                happened = poll_fn(|cx| streams.poll(cx, room)) => if let Happened::Message(message) = happened {
                    channel.send(PayloadType::Output, message, stamp(), Instant::now()).unwrap();
                }
            }
        }
    }
}

/// A server that repeats what it hears, and ends when nothing more comes.
async fn echo() -> (u16, JoinSet<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let mut serving = JoinSet::new();
    serving.spawn(async move {
        let mut connections = JoinSet::new();
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            connections.spawn(async move {
                let mut all = Vec::new();
                stream.read_to_end(&mut all).await.unwrap();
                stream.write_all(&all).await.unwrap();
            });
        }
    });
    (port, serving)
}

/// Says `data` and that nothing follows; gives the answer.
async fn exchange(port: u16, data: &[u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    stream.write_all(data).await.unwrap();
    stream.shutdown().await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    answer
}

/// What happened, in words.
fn word(event: &TunnelEvent<'_>) -> String {
    match event {
        TunnelEvent::Ready => "ready".to_owned(),
        TunnelEvent::Listening { forward, .. } => format!("{} listens", forward.0),
        TunnelEvent::NotListening { forward, refused } => {
            format!("{} does not listen: {:?}", forward.0, refused.reason)
        }
        TunnelEvent::Opened { forward, stream, .. } => format!("{} opened {stream}", forward.0),
        TunnelEvent::Refused { forward, stream, refused, .. } => {
            format!("{} refused {stream}: {:?}", forward.0, refused.reason)
        }
        TunnelEvent::Closed { forward, stream, sent, received, message } => {
            format!("{} closed {stream} after {sent} and {received}: {message:?}", forward.0)
        }
        TunnelEvent::Traffic { count, sent, received } => format!("{count} carried {sent} and {received}"),
    }
}

#[tokio::test]
async fn connections_of_both_sides_are_carried_with_their_ends() {
    let server = Server::start().await;
    let (api, session) = start(&server);
    let (far, _serving) = echo().await;
    let local = LocalListener::port("127.0.0.1:0".parse().unwrap()).unwrap();
    let port = local.address().unwrap().port();
    let (offer, mut offers) = mpsc::channel(4);
    let (order, orders) = mpsc::channel(4);
    let mut listening = JoinSet::new();
    let to = Destination::Tcp { host: "127.0.0.1".into(), port: far };
    listening.spawn(local.serve(ForwardId(1), Lead::Fixed(to), offer));
    let (told, mut listens) = mpsc::channel(1);
    let events = RefCell::new(Vec::new());
    let tell = |event: TunnelEvent<'_>| {
        if let TunnelEvent::Listening { address: Some(address), .. } = event {
            told.try_send(address.rsplit(':').next().unwrap().parse::<u16>().unwrap()).unwrap();
        }
        events.borrow_mut().push(word(&event));
    };
    let remote = Remote {
        forward: ForwardId(2),
        listen: Listen { host: "127.0.0.1".into(), port: 0 },
        to: Target::Port { host: "127.0.0.1".into(), port: far },
    };
    let ends =
        TunnelEnds { offers: &mut offers, orders, remotes: vec![remote], traffic_every: None, tell: &tell };
    let script = async {
        let mut agent = Agent::new(server.accept().await.0);
        let response = agent.offer(json!({"type": "Tunnel", "posternTunnel": "1"})).await;
        assert_eq!(response.processed_client_actions[0].action_result, json!({"posternTunnel": "1"}));
        agent.carry().await;
        agent.close("", None).await;
        server.serve_calls().await;
    };
    let user = async {
        let data: Vec<u8> = (0..3_000_000_u32).map(|number| number.to_le_bytes()[0]).collect();
        assert!(exchange(port, &data).await == data);
        let there = listens.recv().await.unwrap();
        assert_eq!(exchange(there, b"from the node").await, b"from the node");
        order.send(Order::Unlisten(ForwardId(2))).await.unwrap();
        while TcpStream::connect(("127.0.0.1", there)).await.is_ok() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        order.send(Order::Leave).await.unwrap();
        std::future::pending::<()>().await;
    };
    let ended = tokio::select! {
        ended = run_tunnel(&api, &session, ends, &|_| {}) => ended.unwrap(),
        () = script => unreachable!("it serves for ever"),
        () = user => unreachable!("it waits for ever"),
    };
    assert_eq!(ended, closed(None));
    let events = events.into_inner();
    for expected in [
        "ready",
        "2 listens",
        "1 opened 3",
        "1 closed 3 after 3000000 and 3000000: None",
        "2 opened 2",
        "2 closed 2 after 13 and 13: None",
    ] {
        assert!(events.iter().any(|event| event == expected), "{expected}: {events:?}");
    }
}

#[tokio::test]
async fn a_refusal_is_told_and_socks_answers_it() {
    let server = Server::start().await;
    let (api, session) = start(&server);
    let local = LocalListener::port("127.0.0.1:0".parse().unwrap()).unwrap();
    let port = local.address().unwrap().port();
    let (offer, mut offers) = mpsc::channel(4);
    let (order, orders) = mpsc::channel(4);
    let mut listening = JoinSet::new();
    listening.spawn(local.serve(ForwardId(1), Lead::Socks, offer));
    let events = RefCell::new(Vec::new());
    let tell = |event: TunnelEvent<'_>| events.borrow_mut().push(word(&event));
    let ends = TunnelEnds { offers: &mut offers, orders, remotes: vec![], traffic_every: None, tell: &tell };
    let script = async {
        let mut agent = Agent::new(server.accept().await.0);
        agent.offer(json!({"type": "Tunnel", "posternTunnel": "1"})).await;
        agent.carry().await;
        agent.close("", None).await;
        server.serve_calls().await;
    };
    let user = async {
        let mut program = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        // Nobody listens at port 1.
        program.write_all(b"\x05\x01\x00\x05\x01\x00\x01\x7f\x00\x00\x01\x00\x01").await.unwrap();
        let mut answer = [0; 12];
        program.read_exact(&mut answer).await.unwrap();
        assert_eq!(answer, *b"\x05\x00\x05\x05\x00\x01\0\0\0\0\0\0");
        assert_eq!(program.read(&mut answer).await.unwrap(), 0);
        order.send(Order::Leave).await.unwrap();
        std::future::pending::<()>().await;
    };
    let ended = tokio::select! {
        ended = run_tunnel(&api, &session, ends, &|_| {}) => ended.unwrap(),
        () = script => unreachable!("it serves for ever"),
        () = user => unreachable!("it waits for ever"),
    };
    assert_eq!(ended, closed(None));
    assert_eq!(events.into_inner(), ["ready", "1 refused 1: RefusedByPeer"]);
}

#[tokio::test]
async fn an_agent_without_the_dialect_is_refused() {
    let server = Server::start().await;
    let (api, session) = start(&server);
    let (_offer, mut offers) = mpsc::channel(1);
    let (_order, orders) = mpsc::channel(1);
    let ends =
        TunnelEnds { offers: &mut offers, orders, remotes: vec![], traffic_every: None, tell: &|_| {} };
    let script = async {
        let mut agent = Agent::new(server.accept().await.0);
        let response = agent.offer(json!({"type": "LocalPortForwarding", "portNumber": "80"})).await;
        let failure = response.failure().unwrap();
        assert!(failure.error.contains("wants a tunnel"), "{failure:?}");
        agent.close("no tunnel", None).await;
        server.serve_calls().await;
    };
    let ended = tokio::select! {
        ended = run_tunnel(&api, &session, ends, &|_| {}) => ended.unwrap(),
        () = script => unreachable!("it serves for ever"),
    };
    assert_eq!(ended, Ended::Closed { reason: "no tunnel".into(), exit_code: None });
}
