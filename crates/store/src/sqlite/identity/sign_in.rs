//! Passwords and MFA devices in SQLite.

use async_trait::async_trait;
use jiff::Timestamp;
use postern_ids::{MfaSerial, UserName};
use sqlx::{QueryBuilder, SqliteConnection};

use super::super::{console, page::paged};
use super::mfa::{seed_place, select_devices};
use super::tagging::{KeyCase, put_tags, remove_all_tags};
use super::{Fields, SqliteStore, failed, mfa, refuse_while, tags_of, unless_taken, user_id};
use crate::seal::Place;
use crate::{
    Dependent, Entity, IdentityError, LoginProfile, LoginProfileUpdate, MfaCounter, MfaDevice, MfaFilter,
    NewMfaDevice, Page, Paged, Secret, SignInStore, StoreError,
};

#[async_trait]
impl SignInStore for SqliteStore {
    async fn create_login_profile(&self, profile: &LoginProfile) -> Result<(), IdentityError> {
        let mut tx = self.begin().await?;
        let id = user_id(&mut tx, &profile.user).await?;
        sqlx::query(
            "INSERT INTO login_profiles (user_id, password_hash_sealed, reset_required, created_at)
             VALUES (?, ?, ?, ?)",
        )
        .bind(&id)
        .bind(self.seal(hash_place(&id), profile.password_hash.expose_secret().as_bytes())?)
        .bind(profile.reset_required)
        .bind(profile.created_at.as_microsecond())
        .execute(&mut *tx)
        .await
        .map_err(unless_taken("create a login profile", || Entity::LoginProfile(profile.user.clone())))?;
        Ok(self.commit_change(tx, "create a login profile").await?)
    }

    async fn login_profile(&self, user: &UserName) -> Result<Option<LoginProfile>, StoreError> {
        let row = sqlx::query(
            "SELECT login_profiles.*, name FROM login_profiles JOIN users ON id = user_id WHERE name = ?",
        )
        .bind(user.as_str())
        .fetch_optional(&self.readers)
        .await
        .map_err(failed("read a login profile"))?;
        let Some(row) = row else { return Ok(None) };
        let fields = Fields::new(&row, "login_profiles", "user_id");
        Ok(Some(LoginProfile {
            user: fields.parse("name")?,
            password_hash: self.hash_of(&fields)?,
            reset_required: fields.get("reset_required")?,
            created_at: fields.time("created_at")?,
        }))
    }

    async fn update_login_profile(
        &self,
        user: &UserName,
        update: &LoginProfileUpdate,
    ) -> Result<(), IdentityError> {
        let mut tx = self.begin().await?;
        let id = user_id(&mut tx, user).await?;
        if let Some(checked) = &update.checked_hash
            && self.password_hash(&mut tx, &id).await?.is_some_and(|hash| hash != *checked)
        {
            return Err(IdentityError::PasswordChanged(user.clone()));
        }
        let sealed = match &update.password_hash {
            Some(hash) => Some(self.seal(hash_place(&id), hash.expose_secret().as_bytes())?),
            None => None,
        };
        let done = sqlx::query(
            "UPDATE login_profiles SET
                 password_hash_sealed = coalesce(?, password_hash_sealed),
                 reset_required = coalesce(?, reset_required)
             WHERE user_id = ?",
        )
        .bind(sealed)
        .bind(update.reset_required)
        .bind(&id)
        .execute(&mut *tx)
        .await
        .map_err(failed("change a login profile"))?;
        if done.rows_affected() == 0 {
            return Err(IdentityError::NotFound(Entity::LoginProfile(user.clone())));
        }
        if update.password_hash.is_some() {
            console::revoke_all(&mut tx, &id, update.kept_sign_in.as_deref(), None).await?;
        }
        Ok(self.commit_change(tx, "change a login profile").await?)
    }

    async fn delete_login_profile(&self, user: &UserName) -> Result<(), IdentityError> {
        let mut tx = self.begin().await?;
        let id = user_id(&mut tx, user).await?;
        let done = sqlx::query("DELETE FROM login_profiles WHERE user_id = ?")
            .bind(&id)
            .execute(&mut *tx)
            .await
            .map_err(failed("delete a login profile"))?;
        if done.rows_affected() == 0 {
            return Err(IdentityError::NotFound(Entity::LoginProfile(user.clone())));
        }
        console::revoke_all(&mut tx, &id, None, None).await?;
        Ok(self.commit_change(tx, "delete a login profile").await?)
    }

    async fn record_password_use(&self, user: &UserName, at: Timestamp) -> Result<bool, StoreError> {
        let done = sqlx::query("UPDATE users SET password_last_used_at = ? WHERE name = ?")
            .bind(at.as_microsecond())
            .bind(user.as_str())
            .execute(&self.writer)
            .await
            .map_err(failed("remember a sign-in"))?;
        Ok(done.rows_affected() > 0)
    }

    async fn create_mfa_device(&self, device: &NewMfaDevice) -> Result<(), IdentityError> {
        let serial = device.serial.as_str();
        let sealed = self.seal(seed_place(serial), device.seed.expose_secret())?;
        let mut tx = self.begin().await?;
        sqlx::query("INSERT INTO mfa_devices (serial, seed_sealed, created_at) VALUES (?, ?, ?)")
            .bind(serial)
            .bind(sealed)
            .bind(device.created_at.as_microsecond())
            .execute(&mut *tx)
            .await
            .map_err(unless_taken("create an MFA device", || Entity::MfaDevice(device.serial.clone())))?;
        put_tags(&mut tx, serial, &device.tags, KeyCase::Kept).await?;
        self.check_tags(&mut tx, serial).await?;
        Ok(self.commit_change(tx, "create an MFA device").await?)
    }

    async fn mfa_device(&self, serial: &MfaSerial) -> Result<Option<MfaDevice>, StoreError> {
        let row = sqlx::query(select_devices!("WHERE serial = ?"))
            .bind(serial.as_str())
            .fetch_optional(&self.readers)
            .await
            .map_err(failed("read an MFA device"))?;
        row.map(|row| MfaDevice::try_from(&row)).transpose()
    }

    async fn mfa_seed(&self, serial: &MfaSerial) -> Result<Option<Secret<Vec<u8>>>, StoreError> {
        let row = sqlx::query("SELECT serial, seed_sealed FROM mfa_devices WHERE serial = ?")
            .bind(serial.as_str())
            .fetch_optional(&self.readers)
            .await
            .map_err(failed("read an MFA device"))?;
        let Some(row) = row else { return Ok(None) };
        let fields = Fields::new(&row, "mfa_devices", "serial");
        let seed = self.unseal(seed_place(fields.id()), fields.get("seed_sealed")?)?;
        Ok(Some(Secret::new(seed)))
    }

    async fn mfa_devices(
        &self,
        filter: MfaFilter,
        page: &Page<MfaSerial>,
    ) -> Result<Paged<MfaDevice, MfaSerial>, StoreError> {
        let mut query = QueryBuilder::new(select_devices!("WHERE "));
        query.push(match filter {
            MfaFilter::Assigned => "user_id IS NOT NULL",
            MfaFilter::Unassigned => "user_id IS NULL",
            MfaFilter::Any => "TRUE",
        });
        if let Some(after) = &page.after {
            query.push(" AND serial > ").push_bind(after.to_string());
        }
        query.push(" ORDER BY serial LIMIT ").push_bind(i64::from(page.limit) + 1);
        let rows = query.build().fetch_all(&self.readers).await.map_err(failed("list MFA devices"))?;
        paged(&rows, page.limit, |device: &MfaDevice| device.serial.clone())
    }

    async fn mfa_devices_of_user(&self, user: &UserName) -> Result<Vec<MfaDevice>, IdentityError> {
        let mut tx = self.snapshot().await?;
        let id = user_id(&mut tx, user).await?;
        let rows = sqlx::query(select_devices!("WHERE user_id = ? ORDER BY serial"))
            .bind(id)
            .fetch_all(&mut *tx)
            .await
            .map_err(failed("list MFA devices"))?;
        Ok(rows.iter().map(MfaDevice::try_from).collect::<Result<_, _>>()?)
    }

    async fn enable_mfa_device(
        &self,
        user: &UserName,
        serial: &MfaSerial,
        counter: MfaCounter,
        at: Timestamp,
    ) -> Result<(), IdentityError> {
        let mut tx = self.begin().await?;
        let id = user_id(&mut tx, user).await?;
        mfa::require(&mut tx, serial).await?;
        let done = sqlx::query(
            "UPDATE mfa_devices SET user_id = ?1, enabled_at = ?2, drift_steps = ?4,
                 last_counter = max(?3, coalesce(last_counter, ?3))
             WHERE serial = ?5 AND user_id IS NULL",
        )
        .bind(&id)
        .bind(at.as_microsecond())
        .bind(mfa::stored(counter.last))
        .bind(counter.drift_steps)
        .bind(serial.as_str())
        .execute(&mut *tx)
        .await
        .map_err(failed("enable an MFA device"))?;
        if done.rows_affected() == 0 {
            return Err(IdentityError::AlreadyExists(Entity::MfaDevice(serial.clone())));
        }
        self.check_mfa_devices(&mut tx, &id).await?;
        Ok(self.commit_change(tx, "enable an MFA device").await?)
    }

    async fn advance_mfa_counter(
        &self,
        user: &UserName,
        serial: &MfaSerial,
        counter: MfaCounter,
    ) -> Result<bool, StoreError> {
        let done = sqlx::query(
            "UPDATE mfa_devices SET last_counter = ?1, drift_steps = ?2
             WHERE serial = ?3 AND user_id = (SELECT id FROM users WHERE name = ?4)
               AND (last_counter IS NULL OR last_counter < ?1)",
        )
        .bind(mfa::stored(counter.last))
        .bind(counter.drift_steps)
        .bind(serial.as_str())
        .bind(user.as_str())
        .execute(&self.writer)
        .await
        .map_err(failed("accept an MFA code"))?;
        Ok(done.rows_affected() > 0)
    }

    async fn realign_mfa_device(
        &self,
        user: &UserName,
        serial: &MfaSerial,
        counter: MfaCounter,
    ) -> Result<bool, StoreError> {
        let done = sqlx::query(
            "UPDATE mfa_devices SET last_counter = max(?1, coalesce(last_counter, ?1)), drift_steps = ?2
             WHERE serial = ?3 AND user_id = (SELECT id FROM users WHERE name = ?4)
               AND last_counter IS NOT ?1",
        )
        .bind(mfa::stored(counter.last))
        .bind(counter.drift_steps)
        .bind(serial.as_str())
        .bind(user.as_str())
        .execute(&self.writer)
        .await
        .map_err(failed("realign an MFA device"))?;
        Ok(done.rows_affected() > 0)
    }

    async fn deactivate_mfa_device(&self, user: &UserName, serial: &MfaSerial) -> Result<(), IdentityError> {
        let mut tx = self.begin().await?;
        let id = user_id(&mut tx, user).await?;
        let done = sqlx::query(
            "UPDATE mfa_devices SET user_id = NULL, enabled_at = NULL WHERE serial = ? AND user_id = ?",
        )
        .bind(serial.as_str())
        .bind(&id)
        .execute(&mut *tx)
        .await
        .map_err(failed("deactivate an MFA device"))?;
        if done.rows_affected() == 0 {
            return Err(IdentityError::NotFound(Entity::MfaDevice(serial.clone())));
        }
        Ok(self.commit_change(tx, "deactivate an MFA device").await?)
    }

    async fn delete_mfa_device(&self, serial: &MfaSerial) -> Result<(), IdentityError> {
        let mut tx = self.begin().await?;
        let stored = mfa::require(&mut tx, serial).await?;
        let owner = "SELECT count(user_id) FROM mfa_devices WHERE serial = ?";
        refuse_while(&mut tx, Entity::MfaDevice(serial.clone()), &stored, &[(Dependent::Owner, owner)])
            .await?;
        remove_all_tags(&mut tx, &stored).await?;
        sqlx::query("DELETE FROM mfa_devices WHERE serial = ?")
            .bind(&stored)
            .execute(&mut *tx)
            .await
            .map_err(failed("delete an MFA device"))?;
        Ok(self.commit_change(tx, "delete an MFA device").await?)
    }
}

impl SqliteStore {
    /// The hash of a user's password, as a transaction sees it.
    pub(in crate::sqlite) async fn password_hash(
        &self,
        connection: &mut SqliteConnection,
        user_id: &str,
    ) -> Result<Option<Secret<String>>, StoreError> {
        let row = sqlx::query("SELECT user_id, password_hash_sealed FROM login_profiles WHERE user_id = ?")
            .bind(user_id)
            .fetch_optional(connection)
            .await
            .map_err(failed("read a password's hash"))?;
        row.map(|row| self.hash_of(&Fields::new(&row, "login_profiles", "user_id"))).transpose()
    }

    fn hash_of(&self, fields: &Fields<'_>) -> Result<Secret<String>, StoreError> {
        let hash = self.unseal(hash_place(fields.id()), fields.get("password_hash_sealed")?)?;
        String::from_utf8(hash)
            .map(Secret::new)
            .map_err(|error| fields.invalid("password_hash_sealed", error.utf8_error()))
    }
}

/// Where a password's hash is sealed for.
fn hash_place(user_id: &str) -> Place<'_> {
    Place { table: "login_profiles", column: "password_hash_sealed", id: user_id }
}
