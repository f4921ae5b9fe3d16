//! Outbound connections, as the command line and the agent make them: to an [`Endpoint`], directly or through
//! a proxy, over TLS that trusts what a [`Trust`] says, for HTTPS requests and websockets.
//!
//! Nothing here runs in the background: an idle connection is only a socket. Every wait is bounded by
//! [`Limits`], and every error names the host and what was being done.

mod backoff;
mod connect;
mod dialer;
mod endpoint;
mod error;
mod http1;
mod pin;
mod proxy;
mod signed;
mod stream;
mod trust;
mod websocket;

pub use backoff::{Backoff, jittered};
pub use connect::AddressFilter;
pub use dialer::{Dialer, Limits};
pub use endpoint::Endpoint;
pub use error::{DialError, Step};
pub use http1::Http;
pub use pin::Fingerprint;
pub use proxy::Proxies;
pub use signed::{Credentials, Signer};
pub use stream::Stream;
pub use trust::{Trust, TrustError};
pub use websocket::{Message, WebSocket, WebSocketError};
