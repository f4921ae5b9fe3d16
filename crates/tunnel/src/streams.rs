//! All connections of one session, in the dialect of Postern's own ends.
//!
//! What each connection has not taken is kept, as much as its window is; so the data channel below may have its messages
//! acknowledged as soon as they are here, and a connection that stands still holds up nothing else. Connections are read
//! one message each, in turn, and only with room for it.

mod frames;
mod listener;
mod numbers;
mod outgoing;
mod pending;
mod ready;
mod stream;
mod timer;
mod window;

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::fmt;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use bytes::Bytes;
use postern_protocol::tunnel::{
    Accepted, Content, End, Listen, Open, Opened, Protocol, Reason, Refused, Reset, STREAMS_MAX, StreamId,
    TunnelError,
};

use self::listener::Listener;
use self::numbers::Numbers;
use self::ready::Ready;
use self::stream::{Did, Shared, Stream};
use crate::{Far, Socket};

/// How long a conversation in datagrams may be silent.
pub const UDP_IDLE_MAX: Duration = Duration::from_secs(60);

/// How long a connection whose ends have said all may take nothing of it.
pub const LINGER_MAX: Duration = Duration::from_secs(300);

/// What a program that asked in a protocol of its own is answered before the data, and in what words it is refused.
pub type Answers = Box<dyn FnOnce(Result<&Opened, &Refused>) -> Bytes + Send>;

/// Bytes of data.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Traffic {
    /// To the other end.
    pub sent: u64,
    /// From it.
    pub received: u64,
}

/// What happened.
#[derive(Debug, PartialEq, Eq)]
pub enum Happened {
    /// This is to be sent to the other end, as data of the session.
    Message(Bytes),
    /// A connection is there, or a listener.
    Opened {
        /// Whose.
        id: StreamId,
        /// What it leads to, or listens on, if the node says so.
        address: Option<String>,
    },
    /// It is not, and will not be.
    Refused {
        /// Whose.
        id: StreamId,
        /// Why.
        refused: Refused,
    },
    /// Somebody connected to a listener of the node's; whether there is a connection follows.
    Accepted {
        /// The new stream.
        id: StreamId,
        /// Which one.
        listener: StreamId,
        /// Who.
        source: String,
    },
    /// A connection is over, or a listener.
    Closed {
        /// Whose.
        id: StreamId,
        /// Bytes of data to the other end.
        sent: u64,
        /// Bytes of data from it.
        received: u64,
        /// Why, if it was not that both ends had said all.
        message: Option<String>,
    },
    /// [`Streams::poll_timeout`] may have changed.
    Moved,
}

enum Entry {
    Stream(Box<Stream>),
    Listener(Box<Listener>),
    /// A listener of the node's, as the client sees it.
    Asked {
        is_open: bool,
    },
}

/// See the [module's documentation](self).
pub struct Streams {
    end: End,
    far: Box<dyn Far>,
    numbers: Numbers,
    entries: HashMap<StreamId, Entry>,
    /// Those that have a timer.
    timed: BTreeSet<StreamId>,
    ready: Ready,
    /// Those that would read, once there is room.
    parked: Vec<StreamId>,
    happened: VecDeque<Happened>,
    shared: Shared,
    broken: Option<TunnelError>,
}

impl fmt::Debug for Streams {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Streams")
            .field("end", &self.end)
            .field("entries", &self.entries.len())
            .field("traffic", &self.shared.traffic)
            .finish_non_exhaustive()
    }
}

impl Streams {
    /// The client's end; `far` connects what listeners of the node's accepted.
    #[must_use]
    pub fn of_client(far: Box<dyn Far>) -> Self {
        Self::new(End::Client, far)
    }

    /// The node's end; `far` connects and listens.
    #[must_use]
    pub fn of_node(far: Box<dyn Far>) -> Self {
        Self::new(End::Node, far)
    }

    fn new(end: End, far: Box<dyn Far>) -> Self {
        Self {
            end,
            far,
            numbers: Numbers::new(end),
            entries: HashMap::new(),
            timed: BTreeSet::new(),
            ready: Ready::default(),
            parked: Vec::new(),
            happened: VecDeque::new(),
            shared: Shared::default(),
            broken: None,
        }
    }

    /// Whether another stream or listener may be opened: there may be [`STREAMS_MAX`].
    #[must_use]
    pub fn has_room(&self) -> bool {
        self.entries.len() < STREAMS_MAX
    }

    /// How many connections there are, with those that are being made.
    #[must_use]
    pub fn count(&self) -> usize {
        self.entries.values().filter(|entry| matches!(entry, Entry::Stream(_))).count()
    }

    /// What all of them together have carried.
    #[must_use]
    pub fn traffic(&self) -> Traffic {
        self.shared.traffic
    }

    /// Asks the node to connect. What the socket says is sent at once; what its program is told before anything else, in
    /// whatever protocol it asked for this, `answers` say. `None`, and the connection is closed: there is no room.
    pub fn open(
        &mut self,
        open: Open,
        socket: Socket,
        answers: Option<Answers>,
        _now: Instant,
    ) -> Option<StreamId> {
        if self.end != End::Client || !self.has_room() {
            return None;
        }
        let id = self.numbers.give()?;
        self.shared.outgoing.push(id, Content::Open(open));
        self.insert(Stream::own(id, socket, answers, self.ready.bell(id)));
        Some(id)
    }

    /// Asks the node to listen. `None`: there is no room.
    pub fn listen(&mut self, listen: Listen, _now: Instant) -> Option<StreamId> {
        if self.end != End::Client || !self.has_room() {
            return None;
        }
        let id = self.numbers.give()?;
        self.shared.outgoing.push(id, Content::Listen(listen));
        self.entries.insert(id, Entry::Asked { is_open: false });
        Some(id)
    }

    /// Ends a stream at once in both directions, or takes a listener away; the other end is told why. One that is over
    /// stays as it is.
    pub fn reset(&mut self, id: StreamId, message: &str) {
        let was_opening = match self.entries.get(&id) {
            Some(Entry::Stream(stream)) => stream.is_opening(),
            Some(Entry::Listener(listener)) => listener.is_opening(),
            Some(Entry::Asked { .. }) => false,
            None => return,
        };
        self.shared.outgoing.push(
            id,
            if was_opening {
                Content::Refused(Refused::new(Reason::Failed, message))
            } else {
                Content::Reset(Reset::new(message))
            },
        );
        self.close(id, Some(message.to_owned()));
    }

    fn insert(&mut self, stream: Stream) {
        let id = stream.id;
        if stream.timer.is_some() {
            self.timed.insert(id);
        }
        self.entries.insert(id, Entry::Stream(Box::new(stream)));
    }

    /// Removes it, and leaves what becomes of its connection to the caller.
    fn remove(&mut self, id: StreamId) -> Option<Entry> {
        let was_full = !self.has_room();
        let mut removed = self.entries.remove(&id)?;
        self.timed.remove(&id);
        if let Entry::Stream(stream) = &mut removed {
            stream.release(&mut self.shared);
        }
        if was_full {
            let listeners = self.entries.values().filter_map(|entry| match entry {
                Entry::Listener(listener) => Some(listener),
                _ => None,
            });
            listeners.for_each(|listener| listener.bell.ring());
        }
        Some(removed)
    }

    /// Removes it, with a message as one that broke, and tells of it.
    fn close(&mut self, id: StreamId, message: Option<String>) {
        let Some(removed) = self.remove(id) else { return };
        let mut traffic = Traffic::default();
        if let Entry::Stream(stream) = removed {
            traffic = stream.traffic;
            match &message {
                Some(message) => stream.give_up(&Refused::new(Reason::Failed, message.as_str())),
                None => drop(stream),
            }
        }
        let Traffic { sent, received } = traffic;
        self.happened.push_back(Happened::Closed { id, sent, received, message });
    }

    /// Waits for what happens next. With `room` for a message of so many bytes (16 KiB at least), connections are read, each
    /// in its turn; without, nothing is to be sent.
    pub fn poll(&mut self, cx: &mut Context<'_>, room: Option<usize>) -> Poll<Happened> {
        self.ready.listen(cx.waker());
        if room.is_some() {
            self.unpark();
        }
        if let Some(happened) = self.next_happened(room) {
            return Poll::Ready(happened);
        }
        // Whoever comes anew meanwhile has its turn when the others that drive this task have had theirs.
        for _ in 0..self.ready.count() {
            let Some(id) = self.ready.next() else { break };
            if let Some(happened) = self.poll_one(id, room).or_else(|| self.next_happened(room)) {
                return Poll::Ready(happened);
            }
        }
        Poll::Pending
    }

    fn unpark(&mut self) {
        for id in self.parked.drain(..) {
            if let Some(Entry::Stream(stream)) = self.entries.get_mut(&id) {
                stream.wants_room = false;
                stream.bell.ring();
            }
        }
    }

    fn next_happened(&mut self, room: Option<usize>) -> Option<Happened> {
        let happened = self.happened.pop_front();
        happened.or_else(|| room.and_then(|_| self.shared.outgoing.pop()).map(Happened::Message))
    }

    fn poll_one(&mut self, id: StreamId, room: Option<usize>) -> Option<Happened> {
        let may_accept = self.has_room();
        match self.entries.get_mut(&id)? {
            Entry::Stream(stream) => {
                stream.bell.answer();
                let is_parked = stream.wants_room;
                let polled = stream.poll(room, &mut self.shared);
                if stream.wants_room && !is_parked {
                    self.parked.push(id);
                }
                match polled {
                    Poll::Ready(did) => self.handle_did(id, did),
                    Poll::Pending => None,
                }
            }
            Entry::Listener(listener) => {
                listener.bell.answer();
                let waker = listener.bell.waker().clone();
                match listener.poll(&mut Context::from_waker(&waker), may_accept) {
                    Poll::Ready(did) => self.handle_listener(id, did),
                    Poll::Pending => {}
                }
                None
            }
            Entry::Asked { .. } => None,
        }
    }

    fn handle_did(&mut self, id: StreamId, did: Did) -> Option<Happened> {
        match did {
            Did::Read(frame) => return Some(Happened::Message(frame)),
            Did::Opened(address) => self.opened(id, address),
            Did::Refused(refused) => {
                self.remove(id);
                self.refuse(id, refused);
            }
            Did::Lingers => {
                self.timed.insert(id);
                return Some(Happened::Moved);
            }
            Did::Broke(message) => self.reset(id, &message),
            Did::Finished => self.close(id, None),
        }
        None
    }

    fn handle_listener(&mut self, id: StreamId, did: listener::Did) {
        if let Some(Entry::Listener(listener)) = self.entries.get(&id) {
            // There may be more.
            listener.bell.ring();
        }
        match did {
            listener::Did::Bound(address) => self.opened(id, address),
            listener::Did::Refused(refused) => {
                self.remove(id);
                self.refuse(id, refused);
            }
            listener::Did::Accepted { stream, source } => {
                let Some(new) = self.numbers.give() else { return };
                let accepted = Accepted { listener: id.0, source: source.clone() };
                self.shared.outgoing.push(new, Content::Accepted(accepted));
                self.insert(Stream::own(new, stream.into(), None, self.ready.bell(new)));
                self.happened.push_back(Happened::Accepted { id: new, listener: id, source });
            }
        }
    }

    fn opened(&mut self, id: StreamId, address: String) {
        let address = Some(address);
        self.shared.outgoing.push(id, Content::Opened(Opened { address: address.clone() }));
        self.happened.push_back(Happened::Opened { id, address });
    }

    /// Tells both sides that what the other end asked for is not there.
    fn refuse(&mut self, id: StreamId, refused: Refused) {
        self.shared.outgoing.push(id, Content::Refused(refused.clone()));
        self.happened.push_back(Happened::Refused { id, refused });
    }

    /// When to call [`Self::handle_timeout`], if nothing happens before.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        let now = Instant::now;
        self.timers().map(|timer| timer.due().unwrap_or_else(now)).min()
    }

    fn timers(&self) -> impl Iterator<Item = &timer::Timer> {
        self.timed.iter().filter_map(|id| match self.entries.get(id)? {
            Entry::Stream(stream) => stream.timer.as_ref(),
            _ => None,
        })
    }

    /// Gives up what has stood still for too long.
    pub fn handle_timeout(&mut self, now: Instant) {
        let over: Vec<(StreamId, &'static str)> = self
            .timed
            .iter()
            .filter_map(|id| match self.entries.get_mut(id)? {
                Entry::Stream(stream) => {
                    let is_over = stream.timer.as_mut()?.is_over(now);
                    is_over.then(|| (*id, stream.idle_message()))
                }
                _ => None,
            })
            .collect();
        for (id, message) in over {
            self.reset(id, message);
        }
    }
}

impl Drop for Streams {
    /// What is not over has not ended well.
    fn drop(&mut self) {
        for entry in std::mem::take(&mut self.entries).into_values() {
            if let Entry::Stream(stream) = entry {
                stream.give_up(&Refused::new(Reason::Failed, "the session is over"));
            }
        }
    }
}

/// Whether what is asked for is a conversation in datagrams.
fn is_of_datagrams(open: &Open) -> bool {
    open.destination.protocol() == Protocol::Udp
}
