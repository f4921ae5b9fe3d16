//! What is told of connections, however they are carried, cut and restarted.

use postern_protocol::payload::Flag;
use postern_protocol::smux;
use postern_protocol::tunnel::{Accepted, Destination, Frames, Listen, Open, Opened, Reset};
use proptest::prelude::*;

use super::*;
use crate::witness::Traffic;

const AT: Timestamp = Timestamp::UNIX_EPOCH;

fn route() -> Route {
    Route {
        direction: Direction::Local,
        protocol: Protocol::Tcp,
        host: "db".to_owned(),
        port: "5432".to_owned(),
        path: String::new(),
    }
}

fn request(properties: &str) -> Bytes {
    format!(
        r#"{{"AgentVersion":"3.3.4002.0","RequestedClientActions":[{{"ActionType":"SessionType","ActionParameters":{{"SessionType":"Port","Properties":{properties}}}}}]}}"#
    )
    .into()
}

fn response(result: &str) -> Bytes {
    format!(
        r#"{{"ClientVersion":"1.2.707.0","ProcessedClientActions":[{{"ActionType":"SessionType","ActionStatus":1,"ActionResult":{result}}}]}}"#
    )
    .into()
}

/// A follower with what it has told.
struct Told {
    forwarded: Forwarded,
    happened: Vec<Happened>,
}

impl Told {
    fn of(properties: &str, result: &str) -> Self {
        let mut told = Self { forwarded: Forwarded::new(Some(route())), happened: Vec::new() };
        told.take(Side::Agent, PayloadType::HandshakeRequest, request(properties)).unwrap();
        told.take(Side::Client, PayloadType::HandshakeResponse, response(result)).unwrap();
        assert_eq!(told.happened.remove(0), Happened::Offered);
        told
    }

    fn tunnel() -> Self {
        Self::of(r#"{"type":"Tunnel","posternTunnel":"1"}"#, r#"{"posternTunnel":"1"}"#)
    }

    fn multiplexed() -> Self {
        Self::of(r#"{"type":"LocalPortForwarding"}"#, "null")
    }

    fn single() -> Self {
        Self::of(r#"{"portNumber":"22"}"#, "null")
    }

    fn take(
        &mut self,
        side: Side,
        payload_type: PayloadType,
        payload: Bytes,
    ) -> Result<Passage, NotFollowed> {
        self.forwarded.handle(side, payload_type, &payload, AT, &mut self.happened)
    }

    fn data(&mut self, side: Side, payload: impl Into<Bytes>) -> Result<Passage, NotFollowed> {
        self.take(side, PayloadType::Output, payload.into())
    }

    fn frame(&mut self, side: Side, id: u32, content: Content) -> Result<Passage, NotFollowed> {
        self.data(side, Frame::new(StreamId(id), content).to_bytes())
    }

    fn lines(&mut self) -> Vec<String> {
        std::mem::take(&mut self.happened).iter().map(line).collect()
    }
}

fn line(happened: &Happened) -> String {
    let shown = |connection: &Connection| {
        let Traffic { input, output } = connection.bytes;
        let route = connection.route.as_ref().map(ToString::to_string).unwrap_or_default();
        format!("{} {route} {input}/{output}", connection.id)
    };
    match happened {
        Happened::Offered => "offered".to_owned(),
        Happened::Blinded => "blinded".to_owned(),
        Happened::Forgotten(id) => format!("forgotten {id}"),
        Happened::Agreed(carriage) => format!("{carriage:?}"),
        Happened::Asked(connection) => format!("asked {}", shown(connection)),
        Happened::AskedAgain(connection) => format!("again {}", shown(connection)),
        Happened::AskedTooLate(id) => format!("late {id}"),
        Happened::Opened(connection) => format!("opened {}", shown(connection)),
        Happened::Changed(connection) => format!("changed {}", connection.id),
        Happened::Closed(connection, end) => format!("closed {} {}", shown(connection), end.code()),
    }
}

fn open_to(host: &str) -> Content {
    let destination = Destination::Tcp { host: host.to_owned(), port: 80 };
    Content::Open(Open { destination, source: "127.0.0.1:4711".to_owned() })
}

fn data(text: &str) -> Content {
    Content::Data(Bytes::copy_from_slice(text.as_bytes()))
}

#[test]
fn smux_is_followed_wherever_it_is_cut() {
    let mut stream = Vec::new();
    let id = smux::StreamId(3);
    stream.extend(smux::syn(id));
    stream.extend(smux::data_head(id, 5));
    stream.extend(b"hello");
    stream.extend(smux::nop());
    stream.extend(smux::fin(id));
    for size in 1..stream.len() {
        let mut told = Told::multiplexed();
        for piece in stream.chunks(size) {
            told.data(Side::Client, Bytes::copy_from_slice(piece)).unwrap();
        }
        told.data(Side::Agent, smux::fin(id).to_vec()).unwrap();
        assert_eq!(
            told.lines(),
            ["Multiplexed", "opened 3 db:5432 0/0", "closed 3 db:5432 5/0 client"],
            "{size}"
        );
    }
}

#[test]
fn a_number_may_be_used_again_before_the_node_has_closed_the_former() {
    let mut told = Told::multiplexed();
    let id = smux::StreamId(3);
    let stream = [&smux::syn(id)[..], &smux::syn(id), &smux::fin(id), &smux::syn(id)].concat();
    told.data(Side::Client, stream).unwrap();
    assert_eq!(
        told.lines(),
        ["Multiplexed", "opened 3 db:5432 0/0", "closed 3 db:5432 0/0 client", "opened 3 db:5432 0/0"]
    );
}

#[test]
fn what_is_no_smux_is_not_followed() {
    assert!(matches!(Told::multiplexed().data(Side::Client, &b"GET / HT"[..]), Err(NotFollowed::Smux(_))));
}

#[test]
fn a_plain_stream_is_one_connection_after_the_other() {
    let mut told = Told::single();
    told.data(Side::Agent, &b"SSH-2.0"[..]).unwrap();
    told.data(Side::Client, &b"hi"[..]).unwrap();
    told.take(Side::Client, PayloadType::Flag, Flag::DisconnectToPort.to_payload()).unwrap();
    told.data(Side::Agent, &b"late"[..]).unwrap();
    told.data(Side::Client, &b"again"[..]).unwrap();
    assert_eq!(
        told.lines(),
        ["Single", "opened 1 db:5432 0/0", "closed 1 db:5432 2/7 client", "opened 2 db:5432 0/0"]
    );
    assert_eq!(told.forwarded.finish().map(|left| left.bytes.input).collect::<Vec<_>>(), [5]);
}

#[test]
fn data_goes_nowhere_before_it_is_known_what_it_is() {
    let mut told = Told { forwarded: Forwarded::new(None), happened: Vec::new() };
    told.take(Side::Agent, PayloadType::HandshakeRequest, request("{}")).unwrap();
    assert_eq!(told.data(Side::Client, &b"x"[..]), Err(NotFollowed::TooEarly));
    let mut told = Told { forwarded: Forwarded::new(None), happened: Vec::new() };
    told.data(Side::Client, &b"x"[..]).unwrap();
    assert_eq!(
        told.take(Side::Agent, PayloadType::HandshakeRequest, request("{}")),
        Err(NotFollowed::TooLate)
    );
}

#[test]
fn an_answer_before_the_question_settles_nothing() {
    let mut told = Told { forwarded: Forwarded::new(Some(route())), happened: Vec::new() };
    let early = told.take(Side::Client, PayloadType::HandshakeResponse, response("null"));
    assert_eq!(early, Err(NotFollowed::Unasked));
}

#[test]
fn a_connection_of_the_dialect_from_its_opening_to_its_end() {
    let mut told = Told::tunnel();
    told.frame(Side::Client, 1, open_to("web")).unwrap();
    told.forwarded.allow(1, Route { host: "web".to_owned(), port: "80".to_owned(), ..route() }).unwrap();
    told.frame(Side::Client, 1, data("GET")).unwrap();
    told.frame(Side::Agent, 1, Content::Opened(Opened { address: Some("10.0.0.5:80".to_owned()) })).unwrap();
    told.frame(Side::Agent, 1, data("hello")).unwrap();
    told.frame(Side::Agent, 1, Content::End).unwrap();
    assert_eq!(told.forwarded.connection(1).unwrap().address.as_deref(), Some("10.0.0.5:80"));
    told.frame(Side::Client, 1, Content::End).unwrap();
    assert_eq!(
        told.lines(),
        ["Tunnel", "asked 1 web:80 0/0", "changed 1", "changed 1", "closed 1 web:80 3/5 node"]
    );
    // What was on its way says nothing.
    told.frame(Side::Agent, 1, Content::Credit(7)).unwrap();
    assert_eq!(told.lines(), [""; 0]);
}

#[test]
fn what_is_denied_is_replaced_and_forgotten() {
    let mut told = Told::tunnel();
    told.frame(Side::Client, 1, open_to("secret")).unwrap();
    let replaced = told.forwarded.deny(1, Reason::Denied, "no");
    let frames: Vec<_> = Frames::new(replaced).map(Result::unwrap).collect();
    assert_eq!(frames, [Frame::new(StreamId(1), Content::Denied(Refused::new(Reason::Denied, "no")))]);
    told.frame(Side::Client, 1, data("early")).unwrap();
    told.frame(Side::Agent, 1, Content::Refused(Refused::new(Reason::Denied, "no"))).unwrap();
    assert_eq!(told.lines(), ["Tunnel", "asked 1 secret:80 0/0"]);
    assert_eq!(told.forwarded.connections().count(), 0);
}

#[test]
fn connections_of_a_listener_have_numbers_of_their_own() {
    let mut told = Told::tunnel();
    told.frame(Side::Client, 1, Content::Listen(Listen { host: "127.0.0.1".to_owned(), port: 0 })).unwrap();
    told.frame(Side::Agent, 1, Content::Opened(Opened { address: Some("127.0.0.1:8080".to_owned()) }))
        .unwrap();
    let accepted = || Content::Accepted(Accepted { listener: 1, source: "192.0.2.1:4711".to_owned() });
    told.frame(Side::Agent, 2, accepted()).unwrap();
    told.frame(Side::Client, 2, Content::Refused(Refused::new(Reason::Failed, "gone"))).unwrap();
    told.frame(Side::Client, 1, Content::Reset(Reset::new(""))).unwrap();
    assert_eq!(
        told.lines(),
        [
            "Tunnel",
            "asked 1 127.0.0.1:0 0/0",
            "opened 2 127.0.0.1:0 0/0",
            "closed 2 127.0.0.1:0 0/0 refused:Failed",
            "closed 1 127.0.0.1:0 0/0 client-reset",
        ]
    );
    assert!(matches!(
        told.frame(Side::Agent, 2, accepted()),
        Err(NotFollowed::Tunnel(TunnelError::Reused(_)))
    ));
}

#[test]
fn what_does_not_keep_to_the_dialect_is_not_followed() {
    for (name, side, id, content) in [
        ("the node opens", Side::Agent, 2, open_to("web")),
        ("a number of the node's", Side::Client, 2, open_to("web")),
        ("a number that was used", Side::Client, 1, open_to("web")),
        ("the client denies", Side::Client, 3, Content::Denied(Refused::new(Reason::Denied, ""))),
        (
            "the client accepts",
            Side::Client,
            2,
            Content::Accepted(Accepted { listener: 1, source: String::new() }),
        ),
        ("never opened", Side::Client, 5, Content::End),
        (
            "no such listener",
            Side::Agent,
            2,
            Content::Accepted(Accepted { listener: 9, source: String::new() }),
        ),
    ] {
        let mut told = Told::tunnel();
        told.frame(Side::Client, 1, open_to("web")).unwrap();
        assert!(told.frame(side, id, content).is_err(), "{name}");
    }
}

#[test]
fn memory_is_bounded() {
    let mut told = Told::tunnel();
    let outcome = (0..10_000).try_for_each(|n| told.frame(Side::Client, 2 * n + 1, open_to("web")).map(drop));
    assert_eq!(outcome, Err(NotFollowed::TooMany));
}

#[test]
fn what_is_revoked_passes_no_more_and_both_sides_learn_it() {
    let mut told = Told::tunnel();
    told.frame(Side::Client, 1, open_to("web")).unwrap();
    told.frame(Side::Client, 3, open_to("db")).unwrap();
    told.lines();
    assert_eq!(told.forwarded.revoke(1).map(|revoked| revoked.id), Some(1));
    assert_eq!(told.forwarded.revoke(1), None);
    assert_eq!(told.forwarded.connections().map(|open| open.id).collect::<Vec<_>>(), [3]);
    let mut both = bytes::BytesMut::new();
    Frame::new(StreamId(1), data("secret")).write_to(&mut both);
    Frame::new(StreamId(3), data("fine")).write_to(&mut both);
    let contents = |passage: Passage| {
        let Passage::Replaced(payload) = passage else { panic!("unchanged") };
        Frames::new(payload)
            .map(Result::unwrap)
            .map(|frame| (frame.id.0, frame.content.kind()))
            .collect::<Vec<_>>()
    };
    let (is_data, is_reset) = (data("").kind(), Content::Reset(Reset::new("")).kind());
    let passage = told.data(Side::Client, both.freeze()).unwrap();
    assert_eq!(contents(passage), [(3, is_data), (1, is_reset)]);
    // Nothing but what is revoked: a message without frames would be none.
    let passage = told.frame(Side::Client, 1, data("more")).unwrap();
    assert_eq!(contents(passage), [(1, is_reset)]);
    let passage = told.frame(Side::Agent, 3, data("fine")).unwrap();
    assert_eq!(contents(passage), [(3, is_data), (1, is_reset)]);
    assert_eq!(told.lines(), ["forgotten 1"]);
    assert_eq!(told.frame(Side::Agent, 3, data("fine")), Ok(Passage::Unchanged));
}

#[test]
fn a_restart_knows_what_comes_again() {
    let mut before = Told::tunnel();
    before.frame(Side::Client, 1, open_to("web")).unwrap();
    before.frame(Side::Client, 3, open_to("db")).unwrap();
    before.frame(Side::Agent, 1, Content::Reset(Reset::new(""))).unwrap();
    let left: Vec<Connection> = before.forwarded.connections().cloned().collect();
    let kept = before.forwarded.remembered().unwrap();
    let stored: Remembered = serde_json::from_value(serde_json::to_value(kept).unwrap()).unwrap();
    let stored_left: Vec<Connection> = serde_json::from_value(serde_json::to_value(&left).unwrap()).unwrap();
    let forwarded = Forwarded::restored(Some(stored), stored_left, None, AT);
    let mut after = Told { forwarded, happened: Vec::new() };
    after.frame(Side::Client, 1, open_to("elsewhere")).unwrap();
    after.frame(Side::Client, 3, open_to("db")).unwrap();
    after.frame(Side::Client, 5, open_to("new")).unwrap();
    after.frame(Side::Client, 3, data("goes on")).unwrap();
    after.frame(Side::Client, 3, Content::Reset(Reset::new(""))).unwrap();
    assert_eq!(
        after.lines(),
        ["late 1", "again 3 db:80 0/0", "asked 5 new:80 0/0", "closed 3 db:80 7/0 client-reset"]
    );
    assert!(after.frame(Side::Client, 5, open_to("new")).is_err());
}

#[test]
fn what_began_in_the_last_moment_before_a_crash_goes_on() {
    let before = Told::tunnel();
    let forwarded = Forwarded::restored(before.forwarded.remembered(), [], None, AT);
    let mut after = Told { forwarded, happened: Vec::new() };
    assert_eq!(after.frame(Side::Client, 1, data("of one that is open")), Ok(Passage::Unchanged));
    after.frame(Side::Client, 1, open_to("web")).unwrap();
    assert_eq!(after.lines(), ["asked 1 web:80 0/0"]);
    let mut new = Told::tunnel();
    assert!(new.frame(Side::Client, 1, data("of none")).is_err());
}

#[test]
fn a_restart_before_the_handshake_is_answered_loses_nothing_of_it() {
    let mut before = Told { forwarded: Forwarded::new(None), happened: Vec::new() };
    before.take(Side::Agent, PayloadType::HandshakeRequest, request(r#"{"posternTunnel":"1"}"#)).unwrap();
    let forwarded = Forwarded::restored(before.forwarded.remembered(), [], None, AT);
    let mut after = Told { forwarded, happened: Vec::new() };
    after.take(Side::Client, PayloadType::HandshakeResponse, response(r#"{"posternTunnel":"1"}"#)).unwrap();
    assert_eq!(after.lines(), ["Tunnel"]);
}

#[test]
fn after_a_restart_streams_that_make_sense_from_the_beginning_only_are_not_told_apart() {
    let kept = Told::multiplexed().forwarded.remembered();
    let mut told = Told { forwarded: Forwarded::restored(kept, [], None, AT), happened: Vec::new() };
    assert!(told.forwarded.is_blind());
    told.data(Side::Client, &b"half a frame"[..]).unwrap();
    assert_eq!(told.lines(), [""; 0]);
    // Nor is a session of whose beginning nothing is known.
    let mut told = Told { forwarded: Forwarded::restored(None, [], None, AT), happened: Vec::new() };
    told.data(Side::Client, &b"anything"[..]).unwrap();
    assert_eq!(told.lines(), ["blinded"]);
}

#[test]
fn what_was_revoked_before_a_restart_still_is() {
    let mut before = Told::tunnel();
    before.frame(Side::Client, 1, open_to("web")).unwrap();
    let revoked = before.forwarded.revoke(1).unwrap().clone();
    let forwarded = Forwarded::restored(before.forwarded.remembered(), [revoked], None, AT);
    let mut after = Told { forwarded, happened: Vec::new() };
    assert!(matches!(after.frame(Side::Client, 1, data("secret")), Ok(Passage::Replaced(_))));
    assert_eq!(after.forwarded.finish().count(), 0);
}

proptest! {
    #[test]
    fn whatever_is_sent_is_followed_or_refused(messages in prop::collection::vec((any::<bool>(), prop::collection::vec(any::<u8>(), 0..40)), 0..40)) {
        for mut told in [Told::tunnel(), Told::multiplexed(), Told::single()] {
            for (is_client, message) in &messages {
                let side = if *is_client { Side::Client } else { Side::Agent };
                if told.data(side, message.clone()).is_err() {
                    break;
                }
            }
        }
    }
}
