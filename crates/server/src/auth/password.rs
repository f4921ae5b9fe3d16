//! Passwords: how they are kept, and how they are checked without giving a guesser anything.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use argon2::password_hash::phc::PasswordHash;
use argon2::{Algorithm, Argon2, Params, PasswordHasher as _, PasswordVerifier as _, Version};
use postern_ids::UserName;
use postern_store::{LoginProfile, Secret, Store, StoreError};
use tokio::sync::Semaphore;
use tokio::task::JoinError;

use super::attempts::Attempts;
use crate::random::Random;
use crate::rate_limit::network;

/// argon2id with 19 MiB, two passes and one lane, the first choice of OWASP's Password Storage Cheat Sheet.
const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
const LANES: u32 = 1;
/// Passwords hashed at a time, each for some 30 ms of a processor.
const AT_A_TIME: usize = 2;
/// The longest password, as in IAM's `passwordType`. Longer ones are not even hashed.
const PASSWORD_CHARS_MAX: usize = 128;
/// Wrong passwords for one user, at once and in each quarter of an hour after.
const ATTEMPTS_PER_USER: u32 = 10;
/// Wrong passwords from one address, whoever they were for. Many people may share one.
const ATTEMPTS_PER_ADDRESS: u32 = 50;
const ATTEMPTS_TIME: Duration = Duration::from_secs(15 * 60);

/// Why a password is not accepted. Whether the user exists, or has a password, nobody is told.
#[derive(Debug, thiserror::Error)]
pub enum PasswordRefused {
    /// It is not this user's.
    #[error("the user name or the password is wrong")]
    Wrong,
    /// Too many wrong ones for this user or from this address.
    #[error("too many wrong passwords; wait some minutes")]
    TooManyAttempts,
    /// The hash in the store cannot be read, or hashing failed.
    #[error("passwords cannot be checked")]
    Hash(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// Storage failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Hashes and checks passwords.
pub struct Passwords {
    /// Bounds memory and processors: hashing is meant to be costly.
    room: Arc<Semaphore>,
    users: Attempts<String>,
    addresses: Attempts<IpAddr>,
    /// What is checked for users without a password, so that they take as long. Nobody knows its password.
    nobodys: Secret<String>,
}

impl Passwords {
    /// Ready to check; draws a salt and a password for nobody.
    #[must_use]
    pub fn new(random: &dyn Random) -> Self {
        let nobodys = hash_now(&random.bytes::<32>(), &random.bytes()).expect("the parameters are valid");
        Self {
            room: Arc::new(Semaphore::new(AT_A_TIME)),
            users: Attempts::new(ATTEMPTS_PER_USER, ATTEMPTS_TIME),
            addresses: Attempts::new(ATTEMPTS_PER_ADDRESS, ATTEMPTS_TIME),
            nobodys,
        }
    }

    /// The hash of a new password, for the store: a PHC string.
    ///
    /// # Errors
    /// Only [`PasswordRefused::Hash`], when there is no memory.
    pub async fn hash(&self, password: &str, random: &dyn Random) -> Result<Secret<String>, PasswordRefused> {
        let (password, salt) = (Secret::from(password.to_owned()), random.bytes());
        let hashed = self.costly(move || hash_now(password.expose_secret().as_bytes(), &salt)).await?;
        hashed.map_err(|error| PasswordRefused::Hash(error.into()))
    }

    /// The sign-in profile of `user`, if `password` is the user's. It takes the same time whether the user exists or
    /// not. The caller answers every refusal but one alike.
    ///
    /// # Errors
    /// [`PasswordRefused`].
    pub async fn check(
        &self,
        store: &dyn Store,
        user: &UserName,
        password: &str,
        address: IpAddr,
    ) -> Result<LoginProfile, PasswordRefused> {
        if !self.admits(Some(user), address) {
            return Err(PasswordRefused::TooManyAttempts);
        }
        let profile = store.login_profile(user).await?;
        let hash = profile.as_ref().map_or(&self.nobodys, |profile| &profile.password_hash).clone();
        let is_right = self.is_password_of(hash, password).await?;
        let profile = profile.filter(|_| is_right).ok_or(PasswordRefused::Wrong)?;
        self.forgive(Some(user), address);
        Ok(profile)
    }

    /// Counts an attempt to prove to be `user`, whatever with; `false` if it is one too many. Who it is for may not be
    /// known.
    #[must_use]
    pub fn admits(&self, user: Option<&UserName>, address: IpAddr) -> bool {
        let now = Instant::now();
        self.addresses.admits(network(address), now)
            && user.is_none_or(|user| self.users.admits(account(user), now))
    }

    /// Gives back an attempt that succeeded.
    pub fn forgive(&self, user: Option<&UserName>, address: IpAddr) {
        if let Some(user) = user {
            self.users.forgive(&account(user));
        }
        // An IPv6 host has more than one address.
        self.addresses.forgive(&network(address));
    }

    async fn is_password_of(&self, hash: Secret<String>, password: &str) -> Result<bool, PasswordRefused> {
        let is_possible = password.len() <= PASSWORD_CHARS_MAX * 4;
        let password = Secret::from(if is_possible { password.to_owned() } else { String::new() });
        let verify = move || {
            let hash = PasswordHash::new(hash.expose_secret())?;
            match argon2().verify_password(password.expose_secret().as_bytes(), &hash) {
                Ok(()) => Ok(true),
                Err(argon2::password_hash::Error::PasswordInvalid) => Ok(false),
                Err(error) => Err(error),
            }
        };
        let is_right: Result<bool, argon2::password_hash::Error> = self.costly(verify).await?;
        Ok(is_right.map_err(|error| PasswordRefused::Hash(error.into()))? && is_possible)
    }

    /// Runs `work` on a thread for blocking work, a few at a time; `work` goes on if the caller gives up.
    async fn costly<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, PasswordRefused> {
        let permit = Arc::clone(&self.room).acquire_owned().await.expect("the semaphore is never closed");
        let done = tokio::task::spawn_blocking(move || {
            let result = work();
            drop(permit);
            result
        });
        done.await.map_err(|error: JoinError| PasswordRefused::Hash(error.into()))
    }
}

/// IAM's names differ in more than their case.
fn account(user: &UserName) -> String {
    user.as_str().to_ascii_lowercase()
}

fn argon2() -> Argon2<'static> {
    let params = Params::new(MEMORY_KIB, PASSES, LANES, None).expect("the parameters are valid");
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
}

fn hash_now(password: &[u8], salt: &[u8; 16]) -> Result<Secret<String>, argon2::password_hash::Error> {
    Ok(argon2().hash_password_with_salt(password, salt)?.to_string().into())
}

#[cfg(test)]
mod tests;
