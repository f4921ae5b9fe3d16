//! Passkeys: credentials of WebAuthn with which users sign in to the console.

use async_trait::async_trait;
use jiff::Timestamp;
use postern_ids::PrincipalId;

use crate::{ConsoleSignIn, IdentityError, StoreError, TokenHash};

/// A passkey. Nothing in it is secret: what proves that it is there, only the authenticator has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Passkey {
    /// Names it to people, and in its serial number as an MFA device.
    pub id: String,
    /// The identifier that the authenticator gave it.
    pub credential_id: Vec<u8>,
    /// Whose it is.
    pub user: PrincipalId,
    /// By which the authenticator knows the user.
    pub user_handle: Vec<u8>,
    /// The host that it was made for, and is good for.
    pub relying_party: String,
    /// The public key, in COSE (RFC 9052).
    pub public_key: Vec<u8>,
    /// The authenticator's last signature counter; 0 from one that does not count.
    pub sign_count: u32,
    /// Whether it may be on several devices.
    pub is_backup_eligible: bool,
    /// Whether it was backed up when it was last used.
    pub is_backed_up: bool,
    /// Ways to the authenticator, in the words of WebAuthn.
    pub transports: Vec<String>,
    /// What the user calls it.
    pub name: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last used.
    pub last_used_at: Option<Timestamp>,
}

/// A challenge that was answered well.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpentChallenge {
    /// Its hash.
    pub hash: TokenHash,
    /// From then on it is good for nothing, so that nobody need remember it.
    pub expires_at: Timestamp,
}

/// A passkey's answer to a challenge, which was checked against what was known of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PasskeyUse {
    /// The passkey as it was known.
    pub passkey: Passkey,
    /// The authenticator's counter now.
    pub sign_count: u32,
    /// Whether it is backed up now.
    pub is_backed_up: bool,
    /// What it answered.
    pub challenge: SpentChallenge,
    /// When.
    pub at: Timestamp,
}

/// What became of a new passkey.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PasskeyCreation {
    /// It is there.
    Created,
    /// Somebody has it already.
    Known,
    /// The challenge was answered before.
    ChallengeSpent,
}

/// What a use of a passkey came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PasskeySignIn {
    /// The sign-in is remembered.
    SignedIn,
    /// The challenge was answered before.
    ChallengeSpent,
    /// Another use came between and its counter is no smaller: there may be a copy.
    CounterWentBack,
    /// What it rested on is gone: the passkey, the user's password, or the half-done sign-in.
    Gone,
}

/// Passkeys.
#[async_trait]
pub trait PasskeyStore: Send + Sync {
    /// Remembers a new passkey. Of any number of calls with one challenge at most one succeeds.
    ///
    /// # Errors
    /// `LimitExceeded`: passkeys count among the user's MFA devices. Of a user who is gone the store fails.
    async fn create_passkey(
        &self,
        passkey: &Passkey,
        challenge: &SpentChallenge,
    ) -> Result<PasskeyCreation, IdentityError>;

    /// The passkey with this identifier of the authenticator's.
    async fn passkey(&self, credential_id: &[u8]) -> Result<Option<Passkey>, StoreError>;

    /// A user's passkeys, the oldest first.
    async fn passkeys_of_user(&self, user: &PrincipalId) -> Result<Vec<Passkey>, StoreError>;

    /// Calls a user's passkey something else. `false`: the user has none with this `id`.
    async fn rename_passkey(&self, user: &PrincipalId, id: &str, name: &str) -> Result<bool, StoreError>;

    /// Removes a user's passkey. `false`: the user has none with this `id`.
    async fn delete_passkey(&self, user: &PrincipalId, id: &str) -> Result<bool, StoreError>;

    /// Remembers `next`, which a passkey has brought about: in the place of the half-done sign-in `half`, or of none. All
    /// that was checked is checked again, and of any number of calls with one challenge exactly one succeeds.
    async fn sign_in_with_passkey(
        &self,
        used: &PasskeyUse,
        half: Option<&TokenHash>,
        next: &ConsoleSignIn,
    ) -> Result<PasskeySignIn, StoreError>;
}
