//! The task that carries a tunnel: one owner of everything, which waits for what comes first.

use std::collections::BTreeMap;
use std::future::{pending, poll_fn};
use std::time::{Duration, Instant};

use postern_protocol::payload::{ChannelClosed, Flag};
use postern_protocol::tunnel::{Reason, Refused, StreamId, TUNNEL_MESSAGE_BYTES};
use postern_protocol::{Event, PayloadType};
use postern_tunnel::{Happened, Streams};
use tokio::time::sleep_until;

use super::far::Targets;
use super::{ForwardId, Offered, Order, Remote, TunnelEnds, TunnelEvent};
use crate::line::{Change, Line};
use crate::link::LinkEvent;
use crate::outcome::{Ended, Notice, SessionError};

/// How long a node may take to end the session when the user wants to be gone.
const LEAVE_WITHIN: Duration = Duration::from_secs(2);

/// What ended a wait.
enum Turn {
    Link(LinkEvent),
    Offered(Offered),
    Order(Order),
    Happened(Happened),
    Time,
}

/// A connection that is carried, for those who are told of it.
struct Carried {
    forward: ForwardId,
    source: String,
    destination: String,
}

/// See the [module's documentation](self).
pub(crate) struct Carrier<'a> {
    line: Line<'a>,
    ends: TunnelEnds<'a>,
    /// Nobody offers connections, or gives orders, any more.
    no_offers: bool,
    no_orders: bool,
    streams: Streams,
    targets: Targets,
    carried: BTreeMap<StreamId, Carried>,
    listeners: BTreeMap<StreamId, ForwardId>,
    traffic_at: Option<Instant>,
    leave_by: Option<Instant>,
    closed: Option<ChannelClosed>,
}

impl<'a> Carrier<'a> {
    /// The handshake is complete, and the channel a tunnel's.
    pub(crate) fn new(line: Line<'a>, ends: TunnelEnds<'a>) -> Self {
        let targets = Targets::default();
        let mut carrier = Self {
            line,
            no_offers: false,
            no_orders: false,
            streams: Streams::of_client(Box::new(targets.clone())),
            targets,
            carried: BTreeMap::new(),
            listeners: BTreeMap::new(),
            traffic_at: ends.traffic_every.map(|every| Instant::now() + every),
            leave_by: None,
            closed: None,
            ends,
        };
        (carrier.ends.tell)(TunnelEvent::Ready);
        for remote in std::mem::take(&mut carrier.ends.remotes) {
            carrier.listen(remote);
        }
        carrier
    }

    pub(crate) async fn carry(mut self) -> Result<Ended, SessionError> {
        loop {
            self.handle_events()?;
            if let Some(closed) = self.closed.take() {
                return Ok(Ended::Closed { reason: closed.output, exit_code: closed.exit_code });
            }
            let now = Instant::now();
            if self.leave_by.is_some_and(|by| by <= now) {
                return Ok(Ended::Left);
            }
            self.handle_times(now)?;
            match self.next_turn().await {
                Turn::Link(event) => {
                    if let Change::Ended(ended) = self.line.handle_link(event)? {
                        return Ok(ended);
                    }
                }
                Turn::Offered(offered) => self.open(offered),
                Turn::Order(Order::Listen(remote)) => self.listen(remote),
                Turn::Order(Order::Unlisten(forward)) => self.unlisten(forward),
                Turn::Order(Order::Leave) => {
                    if !self.leave() {
                        return Ok(Ended::Left);
                    }
                }
                Turn::Happened(happened) => self.handle_happened(happened),
                Turn::Time => {}
            }
        }
    }

    /// Waits for the first thing to happen. Which of several is random, so none can starve the others.
    async fn next_turn(&mut self) -> Turn {
        let deadline = self.next_time();
        let timer = async {
            match deadline {
                Some(at) => sleep_until(at.into()).await,
                None => pending().await,
            }
        };
        let is_staying = self.leave_by.is_none();
        let may_open = is_staying && !self.no_offers && self.streams.has_room();
        let may_order = is_staying && !self.no_orders;
        let room = (is_staying && self.line.channel.has_room()).then_some(TUNNEL_MESSAGE_BYTES);
        let Self { line: Line { link, channel, stamps, .. }, streams, ends, .. } = self;
        let reading = channel.wants_frames();
        tokio::select! {
            event = poll_fn(|cx| link.poll(cx, channel, stamps, reading)) => Turn::Link(event),
            happened = poll_fn(|cx| streams.poll(cx, room)) => Turn::Happened(happened),
            offered = ends.offers.recv(), if may_open => match offered {
                Some(offered) => Turn::Offered(offered),
                None => {
                    self.no_offers = true;
                    Turn::Time
                }
            },
            order = ends.orders.recv(), if may_order => match order {
                Some(order) => Turn::Order(order),
                None => {
                    self.no_orders = true;
                    Turn::Time
                }
            },
            () = timer => Turn::Time,
        }
    }

    fn next_time(&self) -> Option<Instant> {
        let times = [self.line.next_time(), self.streams.poll_timeout(), self.traffic_at, self.leave_by];
        times.into_iter().flatten().min()
    }

    fn handle_times(&mut self, now: Instant) -> Result<(), SessionError> {
        self.streams.handle_timeout(now);
        if self.traffic_at.is_some_and(|at| at <= now) {
            self.traffic_at = self.ends.traffic_every.map(|every| now + every);
            self.tell_traffic();
        }
        self.line.handle_times(now)
    }

    fn tell_traffic(&self) {
        let traffic = self.streams.traffic();
        let count = self.streams.count();
        (self.ends.tell)(TunnelEvent::Traffic { count, sent: traffic.sent, received: traffic.received });
    }

    fn handle_events(&mut self) -> Result<(), SessionError> {
        while let Some(event) = self.line.channel.poll_event() {
            match event {
                Event::Stream { sequence_number, payload_type, payload } => {
                    if payload_type == PayloadType::Output {
                        self.streams.receive(payload, Instant::now())?;
                    }
                    // The windows of the connections bound what is held of them.
                    self.line.channel.acknowledge(sequence_number);
                }
                Event::Closed(closed) => self.closed = Some(closed),
                Event::Notice(notice) => (self.line.notify)(Notice::Warning(&notice.text)),
                Event::StartPublication(_) | Event::PausePublication | Event::SessionState(_) => {}
            }
        }
        Ok(())
    }

    fn open(&mut self, offered: Offered) {
        let Offered { forward, open, socket, answers } = offered;
        let (source, destination) = (open.source.clone(), open.destination.to_string());
        // There was room.
        if let Some(id) = self.streams.open(open, socket, answers, Instant::now()) {
            self.carried.insert(id, Carried { forward, source, destination });
        }
    }

    fn listen(&mut self, remote: Remote) {
        let Remote { forward, listen, to } = remote;
        if let Some(id) = self.streams.listen(listen, Instant::now()) {
            self.targets.insert(id, to);
            self.listeners.insert(id, forward);
        }
    }

    fn unlisten(&mut self, forward: ForwardId) {
        let found = self.listeners.iter().find(|(_, known)| **known == forward).map(|(id, _)| *id);
        if let Some(id) = found {
            self.streams.reset(id, "cancelled");
            self.targets.remove(id);
            self.listeners.remove(&id);
        }
    }

    /// Whether there is something to wait for.
    fn leave(&mut self) -> bool {
        if self.leave_by.is_some() || !self.line.channel.has_room() {
            return false;
        }
        self.line.send(PayloadType::Flag, Flag::TerminateSession.to_payload());
        self.leave_by = Some(Instant::now() + LEAVE_WITHIN);
        true
    }

    fn handle_happened(&mut self, happened: Happened) {
        match happened {
            Happened::Message(message) => self.line.send(PayloadType::Output, message),
            Happened::Opened { id, address } => self.handle_opened(id, address.as_deref()),
            Happened::Refused { id, refused } => self.handle_refused(id, &refused),
            Happened::Accepted { id, listener, source } => {
                let Some(forward) = self.listeners.get(&listener) else { return };
                let target = self.targets.find(listener);
                let destination = target.map(|target| target.to_string()).unwrap_or_default();
                self.carried.insert(id, Carried { forward: *forward, source, destination });
            }
            Happened::Closed { id, sent, received, message } => {
                self.handle_closed(id, sent, received, message.as_deref());
            }
            Happened::Moved => {}
        }
    }

    fn handle_opened(&mut self, id: StreamId, address: Option<&str>) {
        if let Some(&forward) = self.listeners.get(&id) {
            (self.ends.tell)(TunnelEvent::Listening { forward, address });
        } else if let Some(Carried { forward, source, destination }) = self.carried.get(&id) {
            let forward = *forward;
            (self.ends.tell)(TunnelEvent::Opened { forward, stream: id, source, destination, address });
        }
    }

    fn handle_refused(&mut self, id: StreamId, refused: &Refused) {
        if let Some(forward) = self.listeners.remove(&id) {
            self.targets.remove(id);
            (self.ends.tell)(TunnelEvent::NotListening { forward, refused });
        } else if let Some(Carried { forward, source, destination }) = self.carried.remove(&id) {
            let (source, destination) = (source.as_str(), destination.as_str());
            (self.ends.tell)(TunnelEvent::Refused { forward, stream: id, source, destination, refused });
        }
    }

    fn handle_closed(&mut self, id: StreamId, sent: u64, received: u64, message: Option<&str>) {
        if let Some(Carried { forward, .. }) = self.carried.remove(&id) {
            (self.ends.tell)(TunnelEvent::Closed { forward, stream: id, sent, received, message });
        } else if let Some(forward) = self.listeners.remove(&id) {
            // It is not this side that took it away.
            self.targets.remove(id);
            let refused = &Refused::new(Reason::Failed, message.unwrap_or_default());
            (self.ends.tell)(TunnelEvent::NotListening { forward, refused });
        }
    }
}
