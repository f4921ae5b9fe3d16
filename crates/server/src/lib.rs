//! Postern's control plane: AWS-compatible operations, nodes and sessions, on one TLS port.

pub mod auth;
pub mod bootstrap;
pub mod clock;
pub mod config;
pub mod random;
