//! Sessions of type `Port`: connections of the user's to a port of this node or of another host, or to the file server that
//! this agent is itself.
//!
//! A session carries one connection (a plain stream, as SSH wants it, or one after another for clients that know no other
//! way), or any number of them, multiplexed, for clients with a listening port.

mod carry;
mod far;
mod place;
mod reach;
mod relay;
mod task;

pub(super) use carry::PortCarrier;
pub(super) use task::PortTask;
