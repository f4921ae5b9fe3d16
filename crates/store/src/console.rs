//! Sign-ins to the console: what stands behind the cookie of a browser.

use std::net::IpAddr;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};

use crate::{Secret, StoreError, TokenHash, text_enum};

/// How long a sign-in is remembered after its time: live sessions that it started end with it when it is revoked, also
/// later.
pub const SIGN_INS_KEPT: SignedDuration = SignedDuration::from_hours(30 * 24);
/// Sign-ins of one owner that are remembered, of those done and those half done each. The oldest are forgotten, which ends
/// what they started.
pub const SIGN_INS_PER_OWNER_MAX: u32 = 200;

text_enum!(
    /// How far a sign-in has come.
    SignInStage,
    "a stage of a sign-in" {
        /// The password was right; a second factor is asked for.
        SecondFactor = "second-factor",
        /// Everything was right, but the password has to be changed.
        NewPassword = "new-password",
        /// It is done.
        Done = "done",
    }
);

text_enum!(
    /// How a sign-in ended before its time.
    SignInEnd,
    "an end of a sign-in" {
        /// Its owner signed out. What it started goes on.
        SignedOut = "signed-out",
        /// It is no longer trusted: somebody ended it, or its owner's password was changed or taken. What it started ends
        /// as well.
        Revoked = "revoked",
    }
);

/// A sign-in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsoleSignIn {
    /// Names it to people. It is no secret.
    pub id: String,
    /// The hash of the secret in the cookie.
    pub secret: TokenHash,
    /// `aws:userid` of who signed in; for a user that is the unique identifier, whose password it ends with.
    pub owner: String,
    /// How far it has come.
    pub stage: SignInStage,
    /// Who acts with it, in the words of the server's authentication; sealed in the store.
    pub content: Secret<Vec<u8>>,
    /// When it began.
    pub created_at: Timestamp,
    /// When it was last used, to a minute or so.
    pub last_used_at: Timestamp,
    /// From then on it is good for nothing.
    pub expires_at: Timestamp,
    /// Where it began.
    pub source_ip: IpAddr,
    /// The browser's description of itself.
    pub user_agent: Option<String>,
}

/// What a sign-in with a password rests on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PasswordProof {
    /// The hash of the password that was right.
    pub password_hash: Secret<String>,
    /// Whether the user had MFA devices or passkeys, which decides what is asked for next.
    pub has_mfa: bool,
}

/// Sign-ins to the console.
#[async_trait]
pub trait ConsoleSignInStore: Send + Sync {
    /// Remembers a sign-in.
    async fn create_console_sign_in(&self, sign_in: &ConsoleSignIn) -> Result<(), StoreError>;

    /// Remembers a sign-in of a user, by whose unique identifier it is owned, if the proof still holds. `false`: the
    /// password was changed or taken meanwhile, or the first MFA device or passkey came or the last one went.
    async fn create_proved_console_sign_in(
        &self,
        sign_in: &ConsoleSignIn,
        proof: &PasswordProof,
    ) -> Result<bool, StoreError>;

    /// The sign-in with this secret, unless it has ended. Whether its time is over, the caller looks.
    async fn console_sign_in(&self, secret: &TokenHash) -> Result<Option<ConsoleSignIn>, StoreError>;

    /// The sign-ins that are done, have not ended and are good at `at`, newest first: those of `owner`, or all.
    async fn console_sign_ins(
        &self,
        owner: Option<&str>,
        at: Timestamp,
        limit: u32,
    ) -> Result<Vec<ConsoleSignIn>, StoreError>;

    /// Puts `next` in the place of a sign-in that is half done. Of several calls for one secret exactly one gets `true`.
    async fn advance_console_sign_in(
        &self,
        secret: &TokenHash,
        next: &ConsoleSignIn,
    ) -> Result<bool, StoreError>;

    /// Remembers that a sign-in was used.
    async fn touch_console_sign_in(&self, id: &str, at: Timestamp) -> Result<(), StoreError>;

    /// Changes who acts with a sign-in that is done. `false`: it has ended.
    async fn change_console_sign_in(&self, id: &str, content: &Secret<Vec<u8>>) -> Result<bool, StoreError>;

    /// Ends a sign-in. Only the first end counts, but for one that was signed out and is then revoked. `false`: there is
    /// none, or it has ended so already.
    async fn end_console_sign_in(&self, id: &str, end: SignInEnd, at: Timestamp) -> Result<bool, StoreError>;

    /// Revokes all sign-ins of an owner, those whose time is over included, but for `except`.
    async fn revoke_console_sign_ins(
        &self,
        owner: &str,
        except: Option<&str>,
        at: Timestamp,
    ) -> Result<(), StoreError>;

    /// Whether what a sign-in started may go on: it is known, and was not revoked.
    async fn is_console_sign_in_trusted(&self, id: &str) -> Result<bool, StoreError>;
}
