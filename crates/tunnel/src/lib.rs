//! The connections of a multiplexed port session, at either of its ends: sockets joined to streams.
//!
//! [`Streams`] speaks the dialect of Postern's own ends, [`smux::Tunnel`] what AWS's programs speak. Either belongs to the
//! task that carries the session, which gives it what comes from the other end and sends what it reads. It starts no task
//! of its own: whoever drives it asks when it wants to be called.

mod far;
pub mod smux;
mod socket;
mod streams;

pub use far::{Bound, Connected, Far, Listening, Opening};
pub use socket::{DATAGRAMS_MAX, Datagrams, Pipes, Socket};
pub use streams::{Answers, Happened, LINGER_MAX, Streams, Traffic, UDP_IDLE_MAX};
