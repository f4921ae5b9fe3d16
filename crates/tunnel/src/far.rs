//! What the other end of a session asks this one for.

use std::future::Future;
use std::pin::Pin;

use postern_protocol::tunnel::{Accepted, Listen, Open, Refused, StreamId};
use tokio::net::TcpListener;

use crate::Socket;

/// A connection that is being made. It gives up of its own accord.
pub type Opening = Pin<Box<dyn Future<Output = Result<Connected, Refused>> + Send>>;

/// A listener that is being made.
pub type Listening = Pin<Box<dyn Future<Output = Result<Bound, Refused>> + Send>>;

/// A connection that was made.
#[derive(Debug)]
pub struct Connected {
    /// The connection.
    pub socket: Socket,
    /// What it leads to: the very address with its port, or a path. The other end is told.
    pub address: String,
}

/// A listener that was made.
#[derive(Debug)]
pub struct Bound {
    /// It listens.
    pub listener: TcpListener,
    /// Where: an address and its port. The other end is told.
    pub address: String,
}

/// Does what the other end asks for, as far as it may be.
pub trait Far: Send {
    /// The node's: makes the connection that the client asks for.
    fn connect(&mut self, open: &Open) -> Opening;

    /// The client's: makes the connection for one that a listener of the node's accepted.
    fn accept(&mut self, listener: StreamId, accepted: &Accepted) -> Opening;

    /// The node's: listens.
    fn listen(&mut self, listen: &Listen) -> Listening;
}
