//! A session that carries any number of connections in Postern's own dialect.
//!
//! What is listened on here lives outside of the session, as [`LocalListener`]s do, and offers what it accepts through a
//! bounded queue; it outlives the session, so that the next one can go on with it.

mod carrier;
mod datagrams;
mod far;
mod listener;
mod socks;

use std::time::Duration;

use postern_protocol::tunnel::{Listen, Open, Refused, StreamId};
use postern_tunnel::{Answers, Socket};
use tokio::sync::mpsc;

pub use self::far::Target;
pub use self::listener::{Lead, LocalListener};

pub(crate) use self::carrier::Carrier;

/// Which forward something belongs to; a number of the caller's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ForwardId(pub u32);

/// A connection that was accepted here, for the session to carry.
pub struct Offered {
    /// What it was accepted for.
    pub forward: ForwardId,
    /// Where it leads.
    pub open: Open,
    /// The connection.
    pub socket: Socket,
    /// What its program is answered before the data.
    pub answers: Option<Answers>,
}

/// Something that the node listens on.
#[derive(Debug, Clone)]
pub struct Remote {
    /// For events.
    pub forward: ForwardId,
    /// What the node listens on.
    pub listen: Listen,
    /// Where its connections lead, from here.
    pub to: Target,
}

/// What a session is told while it runs.
#[derive(Debug)]
pub enum Order {
    /// The node shall listen.
    Listen(Remote),
    /// And not any more. Its connections stay.
    Unlisten(ForwardId),
    /// The session shall end.
    Leave,
}

/// What happens in a session.
#[derive(Debug)]
pub enum TunnelEvent<'a> {
    /// Node and client agree; connections can be carried.
    Ready,
    /// The node listens there.
    Listening {
        /// For which forward.
        forward: ForwardId,
        /// The node's word for where.
        address: Option<&'a str>,
    },
    /// The node does not listen.
    NotListening {
        /// For which forward.
        forward: ForwardId,
        /// Why not.
        refused: &'a Refused,
    },
    /// A connection is carried from end to end.
    Opened {
        /// Of which forward.
        forward: ForwardId,
        /// Its number in the session.
        stream: StreamId,
        /// Who connected, where it was accepted.
        source: &'a str,
        /// Where it was asked to go; of SOCKS each connection says so.
        destination: &'a str,
        /// Where it went, as far as it is known.
        address: Option<&'a str>,
    },
    /// It could not be opened.
    Refused {
        /// Of which forward.
        forward: ForwardId,
        /// Its number in the session.
        stream: StreamId,
        /// Who connected.
        source: &'a str,
        /// Where it was asked to go.
        destination: &'a str,
        /// Why it is not there.
        refused: &'a Refused,
    },
    /// It is over.
    Closed {
        /// Of which forward.
        forward: ForwardId,
        /// Its number in the session.
        stream: StreamId,
        /// Bytes of data to the node.
        sent: u64,
        /// Bytes of data from the node.
        received: u64,
        /// Why, if it was not its ends that ended it.
        message: Option<&'a str>,
    },
    /// How much all connections have carried; told as often as it was asked for.
    Traffic {
        /// Connections that are open.
        count: usize,
        /// Bytes of data to the node.
        sent: u64,
        /// Bytes of data from the node.
        received: u64,
    },
}

/// What a session has to do with.
pub struct TunnelEnds<'a> {
    /// Connections that were accepted here.
    pub offers: &'a mut mpsc::Receiver<Offered>,
    /// What is to be done besides.
    pub orders: mpsc::Receiver<Order>,
    /// What the node listens on from the beginning.
    pub remotes: Vec<Remote>,
    /// How often traffic is told; never, if not.
    pub traffic_every: Option<Duration>,
    /// Hears what happens.
    pub tell: &'a dyn Fn(TunnelEvent<'_>),
}
