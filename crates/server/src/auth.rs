//! Who calls, and what they may do: every operation passes [`Authenticator`] and then [`Authorizer`].

mod action;
mod attempts;
mod authenticate;
mod authorizer;
mod caller;
mod check;
mod compiled;
mod denied;
mod destination;
mod identities;
mod last_used;
mod mfa;
mod node_signature;
mod password;
mod policies_in_force;
mod reach;
mod remembered;
mod replay;
mod request_context;
mod session_owner;
mod session_right;
mod session_token;
mod token_facts;
pub mod totp;
mod unauthenticated;

pub use action::Action;
pub use authenticate::{Acting, Authenticated, Authenticator, Lost, Received, is_signed};
pub use authorizer::{Authorizer, Permit};
pub use caller::{Caller, NodeKey, Principal};
pub use check::Check;
pub use denied::{Denied, NotAuthorized, Undecided};
pub use destination::Destination;
pub use mfa::{MfaCodes, MfaRefused};
pub use node_signature::{InvalidPublicKey, NodePublicKey};
pub use password::{PasswordRefused, Passwords};
pub use policies_in_force::PoliciesError;
pub(crate) use remembered::Remembered;
pub use replay::{Invocation, Invocations};
pub use request_context::RequestContext;
pub use session_owner::SessionFacts;
pub use session_right::{
    Circumstances, DocumentChoice, SessionRight, for_each_destination, start_session_checks,
};
pub use session_token::{
    Bearer, InvalidToken, Issued, SessionTokens, TOKEN_CHARS_MAX, TemporaryCredentials, TokenTooLarge,
};
pub use token_facts::{Federation, TokenFacts};
pub use unauthenticated::Unauthenticated;
