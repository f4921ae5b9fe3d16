//! A session from the user's side.
//!
//! [`Api`] makes the signed calls (StartSession and its neighbours), [`run`] carries one session between the
//! user's terminal and its data channel: raw mode, window size, escapes, back-pressure, reconnection. What the
//! user reads besides the session's own output is the caller's business, through [`Notice`].

mod api;
mod caller;
mod connection;
mod descriptor;
mod encryption;
mod end_of_input;
mod escape;
mod follow;
mod forward;
mod handshake;
mod input;
mod line;
mod link;
mod outcome;
mod output;
mod raw_mode;
mod resume;
mod session;
mod signals;
mod simulate;
mod sso;
mod stamps;
mod start;
mod sts;
mod tunnel;
mod window;

pub use api::{Api, CallError, CredentialError, CredentialSource};
pub use connection::OpenError;
pub use follow::{FollowError, Following, Seen, SessionEnd};
pub use outcome::{Ended, Notice, SessionError};
pub use output::{Layout, end_stdout};
pub use postern_protocol::tunnel::{Destination, Listen, Reason, Refused, StreamId};
pub use raw_mode::restore_terminal_on_panic;
pub use session::{run, run_tunnel};
pub use simulate::{Explained, Question};
pub use sso::{PortalCredentials, SsoPortal};
pub use start::{SessionStart, Stdio, carries_stream};
pub use sts::{MfaCode, RoleRequest, Sts, TemporaryCredentials};
pub use tunnel::{ForwardId, Lead, LocalListener, Offered, Order, Remote, Target, TunnelEnds, TunnelEvent};
