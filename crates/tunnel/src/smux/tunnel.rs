//! All connections of one session.
//!
//! smux, version 1, lets nobody say how much a single stream may have on its way. What its connection does not take is kept
//! here, and while all that is kept is more than [`BUFFERED_BYTES_MAX`] nothing is acknowledged. The other end then stops
//! sending, for all connections. So that one that stands still does not hold up the others for ever, it is given up
//! after [`STALL_MAX`] in which it took nothing.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::ops::Bound::{Excluded, Unbounded};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use postern_protocol::smux::{Received, STREAMS_MAX, Side, Smux, SmuxError, StreamId, fin, nop, syn};
use tokio::time::Instant;

use super::Opening;
use super::connection::{Connection, Did};
use crate::Socket;

/// What all connections together may have waiting before the other end has to wait: as much as AWS's programs read ahead.
pub const BUFFERED_BYTES_MAX: usize = 4 * 1024 * 1024;

/// How long one connection may hold up the session.
pub const STALL_MAX: Duration = Duration::from_secs(60);

/// The same if the other end has no window and reads on all the while: AWS's plugin begins to lose what it read when 10,000
/// messages of a KiB wait, which it sends in 13 seconds.
pub const STALL_MAX_WITHOUT_WINDOW: Duration = Duration::from_secs(10);

/// How long a connection that was closed may take nothing of what was said before.
pub const LINGER_MAX: Duration = Duration::from_secs(30);

/// Makes a connection for each stream that the other end opens.
pub type Opener = Box<dyn FnMut() -> Opening + Send>;

/// What a tunnel did.
#[derive(Debug, PartialEq, Eq)]
pub enum Happened {
    /// This is to be sent to the other end, as data of the session.
    Message(Bytes),
    /// A connection could not be made; what follows tells the other end that its stream is closed.
    NotOpened(String),
    /// A connection was made.
    Opened,
    /// Something was written or closed: acknowledgements may be due, and so may messages.
    Moved,
}

/// See the [module's documentation](self).
pub struct Tunnel {
    smux: Smux,
    opener: Option<Opener>,
    connections: BTreeMap<StreamId, Connection>,
    /// Closed for the other end, with something still to be written.
    closing: VecDeque<Connection>,
    /// Which connection had its turn last.
    last: StreamId,
    /// Frames without data that are to be sent.
    control: BytesMut,
    /// What waits to be written to connections.
    pending_bytes: usize,
    unacknowledged: VecDeque<i64>,
    acknowledged: VecDeque<i64>,
    /// Since when the other end has to wait.
    held_up_since: Option<Instant>,
    stall_max: Duration,
    scratch: Vec<u8>,
}

impl fmt::Debug for Tunnel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tunnel")
            .field("connections", &self.connections.len())
            .field("closing", &self.closing.len())
            .field("pending_bytes", &self.pending_bytes)
            .finish_non_exhaustive()
    }
}

impl Tunnel {
    /// The user's end, which opens streams for connections that it accepts; `streams_max` at once.
    #[must_use]
    pub fn of_client(streams_max: usize) -> Self {
        Self::new(Smux::new(Side::Client, streams_max), None)
    }

    /// The node's end, which makes a connection for each stream; for `streams_max` at once.
    #[must_use]
    pub fn of_node(streams_max: usize, opener: Opener) -> Self {
        Self::new(Smux::new(Side::Server, streams_max), Some(opener))
    }

    fn new(smux: Smux, opener: Option<Opener>) -> Self {
        Self {
            smux,
            opener,
            connections: BTreeMap::new(),
            closing: VecDeque::new(),
            last: StreamId(0),
            control: BytesMut::new(),
            pending_bytes: 0,
            unacknowledged: VecDeque::new(),
            acknowledged: VecDeque::new(),
            held_up_since: None,
            stall_max: STALL_MAX,
            scratch: Vec::new(),
        }
    }

    /// With another limit than [`STALL_MAX`].
    #[must_use]
    pub fn with_stall_max(self, stall_max: Duration) -> Self {
        Self { stall_max, ..self }
    }

    /// Whether [`Self::add`] would take a connection.
    #[must_use]
    pub fn has_room(&self) -> bool {
        self.smux.has_room()
    }

    /// How many connections are open.
    #[must_use]
    pub fn count(&self) -> usize {
        self.connections.len()
    }

    /// Opens a stream for a connection. `None`, and the connection is closed: there are too many.
    pub fn add(&mut self, socket: Socket, now: Instant) -> Option<StreamId> {
        let id = self.smux.open()?;
        self.control.extend_from_slice(&syn(id));
        self.connections.insert(id, Connection::open(socket, now));
        Some(id)
    }

    /// Takes message `number` from the other end.
    ///
    /// # Errors
    /// The other end does not speak smux, version 1.
    pub fn receive(&mut self, number: i64, mut payload: Bytes, now: Instant) -> Result<(), SmuxError> {
        self.unacknowledged.push_back(number);
        while let Some(received) = self.smux.receive(&mut payload)? {
            match received {
                Received::Opened(id) => match &mut self.opener {
                    Some(opener) => {
                        self.connections.insert(id, Connection::opening(opener(), now));
                    }
                    None => self.end(id),
                },
                Received::Refused(id) => self.control.extend_from_slice(&fin(id)),
                Received::Data(id, data) => {
                    let pushed = self.connections.get_mut(&id).map_or(0, |to| to.push(&data, now));
                    self.pending_bytes += pushed;
                }
                Received::Closed(id) => {
                    self.control.extend_from_slice(&fin(id));
                    self.linger(id);
                }
            }
        }
        self.release();
        Ok(())
    }

    /// The number of a message that the other end may forget.
    pub fn poll_acknowledge(&mut self) -> Option<i64> {
        self.acknowledged.pop_front()
    }

    /// Sends a sign of life, unless something is to be sent anyway.
    pub fn keep_alive(&mut self) {
        if self.control.is_empty() {
            self.control.extend_from_slice(&nop());
        }
    }

    /// Waits for what happens next. With `room` for a message of so many bytes, connections are read, each in its turn;
    /// without, nothing is to be sent.
    pub fn poll(&mut self, cx: &mut Context<'_>, room: Option<usize>) -> Poll<Happened> {
        if let Some(room) = room
            && !self.control.is_empty()
        {
            let message = self.control.split_to(self.control.len().min(room)).freeze();
            self.release();
            return Poll::Ready(Happened::Message(message));
        }
        if self.poll_closing(cx) {
            return Poll::Ready(Happened::Moved);
        }
        match self.poll_connections(cx, room) {
            Some((id, did)) => Poll::Ready(self.handle(id, did)),
            None => Poll::Pending,
        }
    }

    /// Begins with the connection after the one whose turn it was, so that all get the same.
    fn poll_connections(&mut self, cx: &mut Context<'_>, room: Option<usize>) -> Option<(StreamId, Did)> {
        let Self { connections, last, scratch, .. } = self;
        let mut poll =
            |(&id, connection): (&StreamId, &mut Connection)| match connection.poll(cx, id, room, scratch) {
                Poll::Ready(did) => Some((id, did)),
                Poll::Pending => None,
            };
        let later = connections.range_mut((Excluded(*last), Unbounded)).find_map(&mut poll);
        let found = later.or_else(|| connections.range_mut(..=*last).find_map(&mut poll))?;
        *last = found.0;
        Some(found)
    }

    fn handle(&mut self, id: StreamId, did: Did) -> Happened {
        match did {
            Did::Opened => Happened::Opened,
            Did::NotOpened(error) => {
                self.end(id);
                Happened::NotOpened(error)
            }
            Did::Wrote(count) => {
                self.pending_bytes -= count;
                self.release();
                Happened::Moved
            }
            Did::Read(frame) => Happened::Message(frame),
            Did::Ended => {
                self.close(id);
                self.linger(id);
                Happened::Moved
            }
        }
    }

    fn poll_closing(&mut self, cx: &mut Context<'_>) -> bool {
        for index in 0..self.closing.len() {
            let Some(connection) = self.closing.get_mut(index) else { break };
            let Poll::Ready(did) = connection.poll_write(cx, true) else { continue };
            let rest = connection.pending_bytes();
            let (settled, is_over) = match did {
                Did::Wrote(count) => (count, rest == 0),
                Did::NotOpened(_) | Did::Ended => (rest, true),
                Did::Opened | Did::Read(_) => (0, false),
            };
            self.pending_bytes -= settled;
            if is_over {
                self.closing.remove(index);
            }
            self.release();
            return true;
        }
        false
    }

    /// When to call [`Self::handle_timeout`], if nothing happens before.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        let stalled = self.stalling().map(|(_, since)| since + self.stall_max);
        let lingering = self.closing.iter().map(|connection| connection.moved_at() + LINGER_MAX);
        stalled.chain(lingering).min()
    }

    /// Gives up connections that have taken nothing for too long; returns how many.
    pub fn handle_timeout(&mut self, now: Instant) -> usize {
        let stalled: Vec<StreamId> =
            self.stalling().filter(|(_, since)| *since + self.stall_max <= now).map(|(id, _)| id).collect();
        for id in &stalled {
            self.end(*id);
        }
        let mut given_up = 0;
        self.closing.retain(|connection| {
            let is_kept = now < connection.moved_at() + LINGER_MAX;
            given_up += if is_kept { 0 } else { connection.pending_bytes() };
            is_kept
        });
        self.pending_bytes -= given_up;
        self.release();
        stalled.len()
    }

    /// The connections for which the session waits, and since when.
    fn stalling(&self) -> impl Iterator<Item = (StreamId, Instant)> {
        let held_up = self.held_up_since.into_iter();
        held_up.flat_map(|held_up_since| {
            let waiting = self.connections.iter().filter(|(_, connection)| connection.pending_bytes() > 0);
            waiting.map(move |(id, connection)| (*id, connection.moved_at().max(held_up_since)))
        })
    }

    /// Closes a stream, and its connection at once.
    fn end(&mut self, id: StreamId) {
        self.close(id);
        if let Some(connection) = self.connections.remove(&id) {
            self.pending_bytes -= connection.pending_bytes();
        }
        self.release();
    }

    fn close(&mut self, id: StreamId) {
        if self.smux.close(id) {
            self.control.extend_from_slice(&fin(id));
        }
    }

    /// Closes the connection of a stream that is closed, once it has taken what waits for it.
    fn linger(&mut self, id: StreamId) {
        let Some(connection) = self.connections.remove(&id) else { return };
        if connection.pending_bytes() == 0 {
            return;
        }
        self.closing.push_back(connection);
        if self.closing.len() > STREAMS_MAX
            && let Some(oldest) = self.closing.pop_front()
        {
            self.pending_bytes -= oldest.pending_bytes();
        }
    }

    /// Lets the other end go on, if little enough waits.
    fn release(&mut self) {
        if self.pending_bytes + self.control.len() <= BUFFERED_BYTES_MAX {
            self.acknowledged.append(&mut self.unacknowledged);
            self.held_up_since = None;
        } else if self.held_up_since.is_none() {
            self.held_up_since = Some(Instant::now());
        }
    }
}
