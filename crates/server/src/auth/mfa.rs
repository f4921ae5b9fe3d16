//! Whether a code of a user's MFA device proves that the user is there.

use std::time::{Duration, Instant};

use jiff::Timestamp;
use postern_ids::{MfaSerial, UserName};
use postern_store::{Store, StoreError};

use super::attempts::Attempts;
use super::totp;

/// Wrong codes of one device that are looked at, at once and in each hour after. With three codes of a million good at a
/// time, guessing on takes more than a year for an even chance; the guesser also needs the user's key.
const ATTEMPTS_MAX: u32 = 10;
const ATTEMPTS_TIME: Duration = Duration::from_secs(60 * 60);

/// Why a code proves nothing. `Display` is what the caller is told, in AWS's words.
#[derive(Debug, thiserror::Error)]
pub enum MfaRefused {
    /// The code is wrong, too old, or was used before.
    #[error("MultiFactorAuthentication failed with invalid MFA one time pass code. ")]
    InvalidCode,
    /// The user has no such device.
    #[error(
        "MultiFactorAuthentication failed, unable to validate MFA code.  Please verify your MFA serial number is valid and associated with this user."
    )]
    NotYourDevice,
    /// Only one of serial number and code was given.
    #[error("MultiFactorAuthentication failed, must provide both MFA serial number and one time pass code.")]
    Incomplete,
    /// Too many wrong codes.
    #[error("MultiFactorAuthentication failed, too many invalid codes for this device; wait some minutes.")]
    TooManyAttempts,
    /// Storage failed.
    #[error("An error occurred on the server side.")]
    Store(#[from] StoreError),
}

/// Checks codes, each device's so often.
#[derive(Debug)]
pub struct MfaCodes {
    attempts: Attempts<MfaSerial>,
}

impl Default for MfaCodes {
    fn default() -> Self {
        Self { attempts: Attempts::new(ATTEMPTS_MAX, ATTEMPTS_TIME) }
    }
}

impl MfaCodes {
    /// Accepts `code` of `user`'s device `serial`, once.
    ///
    /// # Errors
    /// [`MfaRefused`], but never `Incomplete`.
    pub async fn accept(
        &self,
        store: &dyn Store,
        user: &UserName,
        serial: &MfaSerial,
        code: &str,
        now: Timestamp,
    ) -> Result<(), MfaRefused> {
        let device = store.mfa_device(serial).await?.filter(|device| device.user.as_ref() == Some(user));
        let device = device.ok_or(MfaRefused::NotYourDevice)?;
        let known = device.counter.ok_or(MfaRefused::NotYourDevice)?;
        // The store knows a device in whatever case it is named: as many attempts as spellings would be too many.
        let serial = &device.serial;
        if !self.attempts.admits(serial.clone(), Instant::now()) {
            return Err(MfaRefused::TooManyAttempts);
        }
        let seed = store.mfa_seed(serial).await?.ok_or(MfaRefused::NotYourDevice)?;
        let found = totp::find_code(seed.expose_secret(), code, known, now).ok_or(MfaRefused::InvalidCode)?;
        if !store.advance_mfa_counter(user, serial, found).await? {
            return Err(MfaRefused::InvalidCode);
        }
        self.attempts.forgive(serial);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use postern_ids::{PrincipalId, PrincipalKind};
    use postern_store::{
        MasterKey, MfaCounter, NewMfaDevice, Secret, SignInStore as _, SqliteOptions, SqliteStore, User,
        UserStore as _,
    };

    use super::*;

    #[tokio::test]
    async fn a_device_has_as_many_attempts_however_it_is_spelled() {
        let directory = tempfile::tempdir().unwrap();
        let options = SqliteOptions::new(directory.path().join("postern.db"));
        let store = SqliteStore::open(&options, MasterKey::new([1; 32])).await.unwrap();
        let now: Timestamp = "2026-11-27T08:00:00Z".parse().unwrap();
        let alice: UserName = "alice".parse().unwrap();
        let id = PrincipalId::from_random(PrincipalKind::User, [1; 17]);
        store.create_user(&User::new(alice.clone(), id, now)).await.unwrap();
        let serial: MfaSerial = "arn:aws:iam::111122223333:mfa/alice".parse().unwrap();
        let seed = Secret::new(b"12345678901234567890".to_vec());
        let device = NewMfaDevice { serial: serial.clone(), seed, created_at: now, tags: Vec::new() };
        store.create_mfa_device(&device).await.unwrap();
        let counter = MfaCounter { last: 1, drift_steps: 0 };
        store.enable_mfa_device(&alice, &serial, counter, now).await.unwrap();
        let codes = MfaCodes::default();
        for attempt in 0..ATTEMPTS_MAX + 5 {
            let spelled = match attempt % 3 {
                0 => serial.clone(),
                1 => serial.as_str().to_uppercase().parse().unwrap(),
                _ => serial.as_str().replace("alice", "aLIce").parse().unwrap(),
            };
            let refused = codes.accept(&store, &alice, &spelled, "no code", now).await.unwrap_err();
            let is_too_many = matches!(refused, MfaRefused::TooManyAttempts);
            assert_eq!(is_too_many, attempt >= ATTEMPTS_MAX, "{attempt}: {refused:?}");
        }
    }
}
