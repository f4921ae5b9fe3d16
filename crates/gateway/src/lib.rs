//! The live side of the server: which nodes are connected, and the sessions that run between them and clients.
//!
//! The gateway takes over connections that have been upgraded to websockets and authorised; it knows neither
//! HTTP routes nor policies. One task carries a control channel, one a session; they meet through two small
//! tables ([`Gateway`]). Nothing a peer does or fails to do holds up another.

mod authorizer;
mod connections;
mod control_channel;
mod data_channel;
mod data_keys;
mod follower;
mod forwarded;
mod gateway;
mod nodes;
pub mod relay;
mod sequence_set;
mod session;
mod sessions;
mod socket;
mod stamps;
mod token;
mod witness;

use jiff::Timestamp;

pub use authorizer::{
    ConnectionAuthorizer, ConnectionDenied, ConnectionsUndecided, EveryConnection, OpenRoute,
};
pub use data_keys::{DataKeys, NoDataKeys, NotOpened, SealedDataKey};
pub use follower::{FollowEnd, Followed};
pub use forwarded::{Connection, ConnectionEnd, Direction, Protocol, Route};
pub use gateway::{
    ClientToken, Gateway, GatewayConfig, GatewayStore, NewSession, NodeDescription, ResumeSessionError,
    Resumed, StartSessionError,
};
pub use nodes::Presence;
pub use session::{EndReason, SessionLimits};
pub use socket::Io;
pub use witness::{
    NoWitness, NotWitnessed, RecordingEnded, SessionEnded, SessionEvent, Side, Traffic, Witness,
};

/// The time of day. Durations are measured by the runtime's own clock.
pub trait Clock: Send + Sync {
    /// Now.
    fn now(&self) -> Timestamp;
}
