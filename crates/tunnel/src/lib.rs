//! The connections of a multiplexed port session, at either of its ends: sockets joined to streams of smux.
//!
//! [`Tunnel`] belongs to the task that carries the session, which gives it what comes from the other end and sends what
//! it reads. It starts no task of its own: whoever drives it asks when it wants to be called.

mod connection;
mod socket;
mod tunnel;

pub use connection::Opening;
pub use socket::Socket;
pub use tunnel::{
    BUFFERED_BYTES_MAX, Happened, LINGER_MAX, Opener, STALL_MAX, STALL_MAX_WITHOUT_WINDOW, Tunnel,
};
