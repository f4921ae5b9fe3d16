//! Connections in the tunnel dialect: each is asked for by the client, or accepted by a listener that was.

use bytes::{Bytes, BytesMut};
use jiff::Timestamp;
use postern_protocol::tunnel::{
    Accepted, Content, Destination, End, Frame, Frames, Listen, Reset, StreamId, TUNNEL_MESSAGE_BYTES,
    TunnelError,
};

use super::connection::{Connection, ConnectionEnd, Open};
use super::{Direction, Happened, NotFollowed, Protocol, Route};
use crate::relay::Side;

/// See the [module's documentation](self).
#[derive(Debug, Default)]
pub(super) struct Dialect {
    /// The last number that the client has used, and the node.
    last_of_client: u32,
    last_of_node: u32,
    /// An earlier process followed the session up to there: what has such a number may come again.
    restored: (u32, u32),
    is_restored: bool,
    /// Of connections that are not allowed any more, whom nobody has told yet.
    untold: Vec<(Side, StreamId)>,
}

/// What a payload becomes on its way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Passage {
    /// It goes on as it is.
    Unchanged,
    /// This goes in its place.
    Replaced(Bytes),
}

impl Dialect {
    pub(super) fn restored(last_of_client: u32, last_of_node: u32, open: &Open) -> Self {
        let restored = (last_of_client, last_of_node);
        let revoked = open.iter().filter(|connection| connection.is_revoked);
        let untold = revoked.flat_map(|connection| to_be_told(connection.id)).collect();
        Self { last_of_client, last_of_node, restored, is_restored: true, untold }
    }

    pub(super) fn last(&self) -> (u32, u32) {
        (self.last_of_client, self.last_of_node)
    }

    /// Takes the next payload of `side`.
    pub(super) fn handle(
        &mut self,
        side: Side,
        payload: &Bytes,
        open: &mut Open,
        at: Timestamp,
        happened: &mut Vec<Happened>,
    ) -> Result<Passage, NotFollowed> {
        let mut has_revoked = false;
        let mut is_alone = false;
        for frame in Frames::new(payload.clone()) {
            let frame = frame?;
            has_revoked |= open.get(frame.id.0).is_some_and(|connection| connection.is_revoked);
            is_alone |= stands_alone(&frame.content);
            self.frame(side, frame, open, at, happened)?;
        }
        let is_due = self.untold.iter().any(|(to, _)| *to == side.other());
        if is_alone || !(has_revoked || is_due) {
            return Ok(Passage::Unchanged);
        }
        self.without_revoked(side, payload, open, happened).map(Passage::Replaced)
    }

    fn frame(
        &mut self,
        side: Side,
        frame: Frame,
        open: &mut Open,
        at: Timestamp,
        happened: &mut Vec<Happened>,
    ) -> Result<(), NotFollowed> {
        let Frame { id, content } = frame;
        let misplaced = TunnelError::Misplaced { kind: content.kind(), id };
        match (side, content) {
            (Side::Client, Content::Open(asked)) => {
                let route = route_to(asked.destination);
                let connection =
                    Connection { source: asked.source, ..Connection::new(id.0, Some(route), at) };
                self.ask(connection, open, happened)
            }
            (Side::Client, Content::Listen(Listen { host, port })) => {
                let direction = Direction::Remote;
                let path = String::new();
                let route = Route { direction, protocol: Protocol::Tcp, host, port: port.to_string(), path };
                let connection = Connection { is_listener: true, ..Connection::new(id.0, Some(route), at) };
                self.ask(connection, open, happened)
            }
            (Side::Agent, Content::Accepted(accepted)) => self.accept(id, accepted, open, at, happened),
            (Side::Client, Content::Accepted(_) | Content::Denied(_))
            | (Side::Agent, Content::Open(_) | Content::Listen(_) | Content::Denied(_)) => {
                Err(misplaced.into())
            }
            (_, content) => {
                self.require_used(id)?;
                self.of_stream(side, id, content, open, happened)
            }
        }
    }

    /// The client asks for something.
    fn ask(
        &mut self,
        connection: Connection,
        open: &mut Open,
        happened: &mut Vec<Happened>,
    ) -> Result<(), NotFollowed> {
        let id = StreamId(connection.id);
        if End::giver_of(id) != End::Client {
            return Err(TunnelError::Reused(id).into());
        }
        if id.0 > self.last_of_client {
            self.last_of_client = id.0;
            open.insert(connection.clone())?;
            happened.push(Happened::Asked(connection));
            return Ok(());
        }
        if id.0 > self.restored.0 {
            return Err(TunnelError::Reused(id).into());
        }
        // It comes again after a restart. If the node has had it, it takes no notice.
        match open.get(id.0) {
            Some(known) if known.is_listener == connection.is_listener => {
                happened.push(Happened::AskedAgain(connection));
                Ok(())
            }
            Some(_) => Err(TunnelError::Reused(id).into()),
            // It is over, and not to be begun by a repetition.
            None => {
                happened.push(Happened::AskedTooLate(id.0));
                Ok(())
            }
        }
    }

    /// Somebody connected to a listener.
    fn accept(
        &mut self,
        id: StreamId,
        accepted: Accepted,
        open: &mut Open,
        at: Timestamp,
        happened: &mut Vec<Happened>,
    ) -> Result<(), NotFollowed> {
        if End::giver_of(id) != End::Node || (id.0 <= self.last_of_node && id.0 > self.restored.1) {
            return Err(TunnelError::Reused(id).into());
        }
        self.require_used(StreamId(accepted.listener))?;
        if id.0 <= self.last_of_node {
            return Ok(());
        }
        self.last_of_node = id.0;
        // A listener may have been taken away just now.
        let listener = open.get(accepted.listener).filter(|listener| listener.is_listener);
        let route = listener.and_then(|listener| listener.route.clone());
        let address = listener.and_then(|listener| listener.address.clone());
        let connection = Connection {
            listener: Some(accepted.listener),
            source: accepted.source,
            address,
            ..Connection::new(id.0, route, at)
        };
        open.insert(connection.clone())?;
        happened.push(Happened::Opened(connection));
        Ok(())
    }

    /// What is said of a stream whose number was used.
    fn of_stream(
        &mut self,
        side: Side,
        id: StreamId,
        content: Content,
        open: &mut Open,
        happened: &mut Vec<Happened>,
    ) -> Result<(), NotFollowed> {
        // What comes for one that is no more was on its way.
        let Some(connection) = open.get_mut(id.0).filter(|connection| !connection.is_revoked) else {
            return Ok(());
        };
        let end = match content {
            Content::Data(data) => {
                connection.bytes.count(side, data.len());
                None
            }
            Content::Opened(opened) => {
                let is_answer = End::giver_of(id) != end_of(side);
                if is_answer && side == Side::Agent {
                    connection.address = opened.address;
                }
                None
            }
            Content::End => {
                let first = if connection.has_ended(side.other()) { side.other() } else { side };
                let is_over = connection.end(side);
                happened.push(Happened::Changed(connection.clone()));
                is_over.then_some(ConnectionEnd::Closed(first))
            }
            Content::Refused(refused) => {
                let reason = refused.reason.as_str().to_owned();
                Some(ConnectionEnd::Refused { reason, message: refused.message })
            }
            Content::Reset(reset) => Some(ConnectionEnd::Reset(side, reset.message)),
            Content::Credit(_)
            | Content::Open(_)
            | Content::Listen(_)
            | Content::Accepted(_)
            | Content::Denied(_) => None,
        };
        if let Some(end) = end
            && let Some(connection) = open.remove(id.0)
        {
            happened.push(Happened::Closed(connection, end));
        }
        Ok(())
    }

    fn require_used(&self, id: StreamId) -> Result<(), NotFollowed> {
        let last = match End::giver_of(id) {
            End::Client => self.last_of_client,
            End::Node => self.last_of_node,
        };
        // Of what began in the last moment before a crash this process never heard. It was allowed then: the node has opened
        // nothing else, and breaks off at what it does not know.
        if id.0 <= last || self.is_restored { Ok(()) } else { Err(TunnelError::NeverOpened(id).into()) }
    }

    /// Policies do not allow it any more. From now on nothing of it passes, and both sides learn it with the next that
    /// they are sent.
    pub(super) fn revoke<'a>(&mut self, id: u32, open: &'a mut Open) -> Option<&'a Connection> {
        let connection = open.get_mut(id).filter(|connection| !connection.is_revoked)?;
        connection.is_revoked = true;
        self.untold.extend(to_be_told(id));
        Some(connection)
    }

    /// The payload without the frames of connections that are not allowed any more, and with the news of them.
    fn without_revoked(
        &mut self,
        side: Side,
        payload: &Bytes,
        open: &mut Open,
        happened: &mut Vec<Happened>,
    ) -> Result<Bytes, NotFollowed> {
        let mut kept = BytesMut::with_capacity(payload.len());
        let mut dropped = None;
        for frame in Frames::new(payload.clone()) {
            let frame = frame?;
            if open.get(frame.id.0).is_some_and(|connection| connection.is_revoked) {
                dropped = Some(frame.id);
            } else {
                frame.write_to(&mut kept);
            }
        }
        let to = side.other();
        while let Some(place) = self.untold.iter().position(|(whom, _)| *whom == to) {
            let id = self.untold.get(place).map_or(StreamId(0), |(_, id)| *id);
            let news = revoked(id).to_bytes();
            if kept.len() + news.len() > TUNNEL_MESSAGE_BYTES {
                break;
            }
            kept.extend_from_slice(&news);
            self.untold.swap_remove(place);
            let is_told = !self.untold.iter().any(|(_, other)| *other == id);
            if is_told {
                open.remove(id.0);
                happened.push(Happened::Forgotten(id.0));
            }
        }
        // A message without a frame is none. Whoever knows that it is over takes no notice.
        if kept.is_empty()
            && let Some(id) = dropped
        {
            revoked(id).write_to(&mut kept);
        }
        Ok(kept.freeze())
    }
}

fn to_be_told(id: u32) -> [(Side, StreamId); 2] {
    [(Side::Client, StreamId(id)), (Side::Agent, StreamId(id))]
}

/// What both sides are told of a connection that is not allowed any more.
fn revoked(id: StreamId) -> Frame {
    Frame::new(id, Content::Reset(Reset::new("the permission for it was revoked")))
}

/// What has to be alone in its message.
fn stands_alone(content: &Content) -> bool {
    matches!(content, Content::Open(_) | Content::Listen(_) | Content::Accepted(_) | Content::Denied(_))
}

fn end_of(side: Side) -> End {
    match side {
        Side::Client => End::Client,
        Side::Agent => End::Node,
    }
}

fn route_to(destination: Destination) -> Route {
    let direction = Direction::Local;
    let protocol = destination.protocol();
    match destination {
        Destination::Tcp { host, port } | Destination::Udp { host, port } => {
            Route { direction, protocol, host, port: port.to_string(), path: String::new() }
        }
        Destination::Unix { path } => {
            Route { direction, protocol, host: String::new(), port: String::new(), path }
        }
    }
}
