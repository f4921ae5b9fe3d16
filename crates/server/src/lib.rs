//! Postern's control plane: AWS-compatible operations, nodes and sessions, on one TLS port.
//!
//! [`Config`](config::Config) says what the operator wants, [`Server`] is made from it. Inside, a connection becomes
//! a request ([`serve`]), the request an operation (`dispatch`), and the operation one file in `routes/`, which asks
//! [`auth`] for leave before it works. Live channels are the business of the crate `gateway`.

mod app;
mod audit;
pub mod auth;
mod body_budget;
pub mod bootstrap;
pub mod clock;
pub mod config;
mod connection_rights;
mod console;
mod disk_reserve;
mod dispatch;
mod follow;
mod inbound;
mod kms;
pub mod lifecycle;
pub mod log;
mod logs;
mod node_uploads;
mod oidc;
mod page_token;
pub mod random;
mod rate_limit;
mod recordings;
mod revocation;
mod routes;
pub mod serve;
mod server;
mod session_logs;
pub mod tls;
mod token_bucket;

pub use console::{MakeLinkError, SetupLink, SetupLinkError, make_setup_link};
pub use server::{Server, StartError};
