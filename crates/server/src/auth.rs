//! Who calls, and what they may do: every operation passes [`Authenticator`] and then [`Authorizer`].

mod action;
mod attempts;
mod authenticate;
mod authorizer;
mod caller;
mod check;
mod identities;
mod mfa;
mod node_signature;
mod password;
mod reach;
mod replay;
mod session_token;
mod token_facts;
pub mod totp;
mod unauthenticated;

pub use action::Action;
pub use authenticate::{Authenticator, Received, is_signed};
pub use authorizer::{ADMINISTRATOR, Authorizer, Denied, NotAuthorized, Permit, RequestContext};
pub use caller::{Caller, NodeKey, Principal};
pub use check::{Check, ContextKey, ContextValues};
pub use mfa::{MfaCodes, MfaRefused};
pub use node_signature::{InvalidPublicKey, NodePublicKey};
pub use password::{PasswordRefused, Passwords};
pub use replay::{Invocation, Invocations};
pub use session_token::{
    Bearer, InvalidToken, Issued, SessionTokens, TOKEN_CHARS_MAX, TemporaryCredentials, TokenTooLarge,
};
pub use token_facts::{Federation, TokenFacts};
pub use unauthenticated::Unauthenticated;
