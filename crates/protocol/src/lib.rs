//! The wire protocol of Session Manager: agent messages, their payloads, the handshake, and the reliable stream
//! that numbers, acknowledges and resends them.
//!
//! Everything here is a value or a state machine. Nothing touches a socket, reads a clock or draws a random
//! number: time and message IDs are arguments, so every behaviour can be tested in virtual time.

pub mod channel;
pub mod control;
pub mod encryption;
pub mod handshake;
pub mod inbox;
mod json;
pub mod keep_alive;
pub mod message;
pub mod notice;
pub mod outbox;
pub mod payload;
pub mod rto;
pub mod smux;
pub mod tunnel;
pub mod version;

pub use channel::{ChannelLimits, DataChannel, Event, Role};
pub use json::PayloadError;
pub use keep_alive::{KeepAlive, Silence};
pub use message::{AgentMessage, DecodeError, Flags, MessageType, PayloadDigest, PayloadType};
pub use outbox::Full;
pub use payload::{Stamp, Stamps};
