//! Why an answer is not believed.

/// Why an answer is not believed. It is for the log and the audit trail; who answered is told no more than that it failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// A part of it cannot be read.
    #[error("{0} cannot be read")]
    Unreadable(&'static str),
    /// It answers something else: an assertion is no registration.
    #[error("it is an answer of another kind")]
    WrongKind,
    /// It answers another challenge.
    #[error("it answers another challenge")]
    WrongChallenge,
    /// The browser gave it to a page of another origin.
    #[error("it was made for a page of another origin")]
    WrongOrigin,
    /// The page was in a frame of another site's.
    #[error("it was made in a frame of another site")]
    Framed,
    /// It is for another relying party.
    #[error("it is for another relying party")]
    WrongRelyingParty,
    /// Nobody touched the authenticator.
    #[error("nobody was present")]
    NotPresent,
    /// The authenticator did not make sure who touched it.
    #[error("the user was not verified")]
    NotVerified,
    /// A credential that cannot be backed up says that it is, or changed whether it can be.
    #[error("it contradicts itself about being backed up")]
    BackupContradiction,
    /// The public key is of a kind that was not asked for, or no key.
    #[error("its public key is none that was asked for")]
    UnsupportedKey,
    /// The signature is not by the credential's key.
    #[error("the signature is wrong")]
    WrongSignature,
    /// The counter has not grown: there may be a copy of the authenticator.
    #[error("the signature counter is {given} after {known}")]
    CounterWentBack {
        /// The last one.
        known: u32,
        /// The one that came.
        given: u32,
    },
}
