//! The server as a whole, started in this process with a directory of its own and a port of the system's choice.

#![expect(clippy::unwrap_used, reason = "a test ends at the first surprise")]

mod dispatch;
mod expiry;
mod first_start;
mod harness;
mod limits;
mod nodes;
