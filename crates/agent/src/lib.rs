//! The agent on a managed node. It listens on nothing of its own accord: it dials out to the control plane, and runs what
//! users start through it.
//!
//! [`register`] makes this machine a node; [`run`] keeps the node's credentials fresh, its control channel open and
//! its sessions running; [`sftp_server`] is what a session that copies files speaks with, [`relay_socket`] what a
//! connection to a socket file goes through.

mod backoff;
mod control_channel;
mod control_plane;
mod credentials;
pub mod destinations;
mod health;
mod machine;
mod network;
mod node_key;
mod random;
pub mod register;
pub mod relay_socket;
pub mod run;
mod session;
pub mod sftp_server;
mod socket;
mod stamps;
pub mod state;
mod version;

pub use version::{AGENT_NAME, AGENT_VERSION};
