//! Who calls, and what they may do: every operation passes [`Authenticator`] and then [`authorize`].

mod action;
mod authenticate;
mod authorize;
mod caller;
mod node_signature;
mod replay;
mod session_token;
mod unauthenticated;

pub use action::Action;
pub use authenticate::{Authenticator, Received, is_signed};
pub use authorize::{ADMINISTRATOR, Context, Denied, Permit, authorize};
pub use caller::{Caller, NodeKey, Principal};
pub use node_signature::{InvalidPublicKey, NodePublicKey};
pub use replay::{Invocation, Invocations};
pub use session_token::{InvalidToken, Issued, SessionTokens, TemporaryCredentials};
pub use unauthenticated::Unauthenticated;
