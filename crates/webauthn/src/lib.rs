//! The relying party of WebAuthn: what an authenticator's answer must say before anything is believed of it.
//!
//! [`Registration`] and [`Assertion`] are the answers as browsers write them in JSON. [`Registration::check`] gives the
//! credential to remember, [`Assertion::check`] says that one that was remembered has answered a challenge. Nothing here
//! does I/O, reads a clock or draws random bytes: challenges are the caller's, and so is it that each counts once.
//!
//! User verification is always demanded, so that a credential is two factors in one. No attestation is asked for, and
//! what comes of it is not looked at: any authenticator will do.
//!
//! Source: "Web Authentication: An API for accessing Public Key Credentials", Level 3, W3C, sections 7.1 and 7.2.

mod assertion;
mod authenticator_data;
mod base64url;
mod client_data;
mod key;
mod party;
mod refused;
mod registration;
#[cfg(test)]
mod software;

pub use assertion::{Assertion, AssertionResponse, Known, Proved};
pub use base64url::Base64Url;
pub use key::{ALGORITHMS, InvalidKey, PublicKey};
pub use party::RelyingParty;
pub use refused::Refused;
pub use registration::{Credential, Registration, RegistrationResponse, TRANSPORTS_MAX};

/// The longest identifier of a credential. Source: WebAuthn Level 3, section 4, "Credential ID".
pub const CREDENTIAL_ID_BYTES_MAX: usize = 1023;
