//! The connections of a session with AWS's programs, which speak smux.

mod connection;
mod tunnel;

pub use self::connection::Opening;
pub use self::tunnel::{
    BUFFERED_BYTES_MAX, Happened, LINGER_MAX, Opener, STALL_MAX, STALL_MAX_WITHOUT_WINDOW, Tunnel,
};
