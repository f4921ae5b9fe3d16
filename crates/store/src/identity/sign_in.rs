//! What users prove themselves with beside access keys: passwords and MFA devices.

use async_trait::async_trait;
use jiff::Timestamp;
use postern_ids::{MfaSerial, UserName};

use super::IdentityError;
use crate::{Page, Paged, Secret, StoreError, Tag};

/// A user's password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoginProfile {
    /// Whose it is.
    pub user: UserName,
    /// The password's hash as a PHC string, made with argon2id; sealed in the store on top of that.
    pub password_hash: Secret<String>,
    /// Whether the user must choose another one at the next sign-in.
    pub reset_required: bool,
    /// When it was created.
    pub created_at: Timestamp,
}

/// A change of a password; what is `None` stays.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LoginProfileUpdate {
    /// The new password's hash.
    pub password_hash: Option<Secret<String>>,
    /// The hash of the old password that was checked: there is no change if it has become another one meanwhile.
    pub checked_hash: Option<Secret<String>>,
    /// Whether it must be changed.
    pub reset_required: Option<bool>,
    /// The sign-in to the console that a new password does not revoke: the one that it was changed in.
    pub kept_sign_in: Option<String>,
}

/// A virtual MFA device: a seed that codes are made from (TOTP, RFC 6238). The seed is read with
/// [`SignInStore::mfa_seed`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MfaDevice {
    /// Its serial number.
    pub serial: MfaSerial,
    /// When it was created.
    pub created_at: Timestamp,
    /// Whom it is enabled for.
    pub user: Option<UserName>,
    /// When it was enabled.
    pub enabled_at: Option<Timestamp>,
    /// Where the device's clock stands.
    pub counter: Option<MfaCounter>,
    /// Its tags, ordered by key.
    pub tags: Vec<Tag>,
}

/// What codes of a device taught about its clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MfaCounter {
    /// The time step of the last code that was accepted; a code of it or an earlier one is refused.
    pub last: u64,
    /// How many time steps the device's clock is ahead of ours.
    pub drift_steps: i32,
}

/// A device to create, enabled for nobody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewMfaDevice {
    /// Its serial number.
    pub serial: MfaSerial,
    /// The seed, sealed in the store.
    pub seed: Secret<Vec<u8>>,
    /// When it is created.
    pub created_at: Timestamp,
    /// Its tags.
    pub tags: Vec<Tag>,
}

/// Which devices to list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MfaFilter {
    /// Those that are enabled for a user.
    Assigned,
    /// Those that are not.
    Unassigned,
    /// All.
    Any,
}

/// Passwords and MFA devices.
#[async_trait]
pub trait SignInStore: Send + Sync {
    /// Gives a user a password.
    ///
    /// # Errors
    /// `NotFound` for the user, `AlreadyExists`.
    async fn create_login_profile(&self, profile: &LoginProfile) -> Result<(), IdentityError>;

    /// A user's password; `None` also when there is no such user.
    async fn login_profile(&self, user: &UserName) -> Result<Option<LoginProfile>, StoreError>;

    /// Changes a user's password. With a new one the user's sign-ins to the console are revoked.
    ///
    /// # Errors
    /// `NotFound` for the user or the profile, `PasswordChanged`.
    async fn update_login_profile(
        &self,
        user: &UserName,
        update: &LoginProfileUpdate,
    ) -> Result<(), IdentityError>;

    /// Removes a user's password; the user's sign-ins to the console are revoked.
    ///
    /// # Errors
    /// `NotFound` for the user or the profile.
    async fn delete_login_profile(&self, user: &UserName) -> Result<(), IdentityError>;

    /// Remembers that a user signed in with the password. `false`: there is no such user.
    async fn record_password_use(&self, user: &UserName, at: Timestamp) -> Result<bool, StoreError>;

    /// Creates a device.
    ///
    /// # Errors
    /// `AlreadyExists`, `LimitExceeded` for tags.
    async fn create_mfa_device(&self, device: &NewMfaDevice) -> Result<(), IdentityError>;

    /// The device with this serial number.
    async fn mfa_device(&self, serial: &MfaSerial) -> Result<Option<MfaDevice>, StoreError>;

    /// The seed of the device with this serial number.
    async fn mfa_seed(&self, serial: &MfaSerial) -> Result<Option<Secret<Vec<u8>>>, StoreError>;

    /// All devices, ordered by serial number.
    async fn mfa_devices(
        &self,
        filter: MfaFilter,
        page: &Page<MfaSerial>,
    ) -> Result<Paged<MfaDevice, MfaSerial>, StoreError>;

    /// The devices of a user, ordered by serial number.
    ///
    /// # Errors
    /// `NotFound`.
    async fn mfa_devices_of_user(&self, user: &UserName) -> Result<Vec<MfaDevice>, IdentityError>;

    /// Enables a device for a user; `counter` is that of the second of the two codes that proved it, and counts unless
    /// a later one is on record.
    ///
    /// # Errors
    /// `NotFound` for the user or the device; `AlreadyExists` when it is enabled for anybody already;
    /// `LimitExceeded`.
    async fn enable_mfa_device(
        &self,
        user: &UserName,
        serial: &MfaSerial,
        counter: MfaCounter,
        at: Timestamp,
    ) -> Result<(), IdentityError>;

    /// Accepts a code once: moves the counter of a device of this user to `counter`, and the drift with it. Of any
    /// number of calls with one counter exactly one gets `true`; `false` also for an earlier counter and for a device
    /// that is not this user's.
    async fn advance_mfa_counter(
        &self,
        user: &UserName,
        serial: &MfaSerial,
        counter: MfaCounter,
    ) -> Result<bool, StoreError>;

    /// Sets where the clock of a device of this user stands, by the second of two codes that show it. A clock may have been
    /// set back, but the last code that was accepted stays the last, since those before it would work twice: the device
    /// is good again once it has passed that. `false`: the code is that very last one, or the device is not this user's.
    async fn realign_mfa_device(
        &self,
        user: &UserName,
        serial: &MfaSerial,
        counter: MfaCounter,
    ) -> Result<bool, StoreError>;

    /// Takes a device from its user. Its counter stays, so that no code works twice.
    ///
    /// # Errors
    /// `NotFound` for the user or the device, also when it is not this user's.
    async fn deactivate_mfa_device(&self, user: &UserName, serial: &MfaSerial) -> Result<(), IdentityError>;

    /// Deletes a device and its tags.
    ///
    /// # Errors
    /// `NotFound`; `DeleteConflict` while it is enabled for a user.
    async fn delete_mfa_device(&self, serial: &MfaSerial) -> Result<(), IdentityError>;
}
