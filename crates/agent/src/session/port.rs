//! Sessions of type `Port` that carry one connection: a plain stream to a port of this node, as SSH wants it, or to the
//! file server that this agent is itself.
//!
//! Multiplexed ones, which clients with a listening port want, are not here yet.

mod carry;
mod far;
mod task;

pub(super) use carry::PortCarrier;
pub(super) use task::PortTask;
