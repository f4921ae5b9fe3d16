//! Passkeys in SQLite.

use async_trait::async_trait;
use jiff::Timestamp;
use postern_ids::PrincipalId;
use sqlx::SqliteConnection;
use sqlx::sqlite::SqliteRow;

use super::{Fields, SqliteStore, console, failed};
use crate::{
    ConsoleSignIn, IdentityError, Passkey, PasskeyCreation, PasskeySignIn, PasskeyStore, PasskeyUse,
    SpentChallenge, StoreError, TokenHash,
};

#[async_trait]
impl PasskeyStore for SqliteStore {
    async fn create_passkey(
        &self,
        passkey: &Passkey,
        challenge: &SpentChallenge,
    ) -> Result<PasskeyCreation, IdentityError> {
        let mut tx = self.begin().await?;
        if !spend(&mut tx, challenge, passkey.created_at).await? {
            return Ok(PasskeyCreation::ChallengeSpent);
        }
        if !insert(&mut tx, passkey).await? {
            return Ok(PasskeyCreation::Known);
        }
        self.check_mfa_devices(&mut tx, passkey.user.as_str()).await?;
        self.commit_change(tx, "remember a passkey").await?;
        Ok(PasskeyCreation::Created)
    }

    async fn passkey(&self, credential_id: &[u8]) -> Result<Option<Passkey>, StoreError> {
        let row = sqlx::query("SELECT * FROM passkeys WHERE credential_id = ?")
            .bind(credential_id)
            .fetch_optional(&self.readers)
            .await
            .map_err(failed("read a passkey"))?;
        row.map(|row| Passkey::try_from(&row)).transpose()
    }

    async fn passkeys_of_user(&self, user: &PrincipalId) -> Result<Vec<Passkey>, StoreError> {
        let rows = sqlx::query("SELECT * FROM passkeys WHERE user_id = ? ORDER BY created_at, id")
            .bind(user.as_str())
            .fetch_all(&self.readers)
            .await
            .map_err(failed("list passkeys"))?;
        rows.iter().map(Passkey::try_from).collect()
    }

    async fn rename_passkey(&self, user: &PrincipalId, id: &str, name: &str) -> Result<bool, StoreError> {
        let done = sqlx::query("UPDATE passkeys SET name = ? WHERE user_id = ? AND id = ?")
            .bind(name)
            .bind(user.as_str())
            .bind(id)
            .execute(&self.writer)
            .await
            .map_err(failed("rename a passkey"))?;
        Ok(done.rows_affected() > 0)
    }

    async fn delete_passkey(&self, user: &PrincipalId, id: &str) -> Result<bool, StoreError> {
        let mut tx = self.begin().await?;
        let done = sqlx::query("DELETE FROM passkeys WHERE user_id = ? AND id = ?")
            .bind(user.as_str())
            .bind(id)
            .execute(&mut *tx)
            .await
            .map_err(failed("remove a passkey"))?;
        if done.rows_affected() == 0 {
            return Ok(false);
        }
        self.commit_change(tx, "remove a passkey").await?;
        Ok(true)
    }

    async fn sign_in_with_passkey(
        &self,
        used: &PasskeyUse,
        half: Option<&TokenHash>,
        next: &ConsoleSignIn,
    ) -> Result<PasskeySignIn, StoreError> {
        let mut tx = self.begin().await?;
        if !spend(&mut tx, &used.challenge, used.at).await? {
            return Ok(PasskeySignIn::ChallengeSpent);
        }
        if !has_password(&mut tx, used.passkey.user.as_str()).await? {
            return Ok(PasskeySignIn::Gone);
        }
        let step = use_passkey(&mut tx, used).await?;
        if step != PasskeySignIn::SignedIn {
            return Ok(step);
        }
        if let Some(half) = half
            && !console::take_half_done(&mut tx, half).await?
        {
            return Ok(PasskeySignIn::Gone);
        }
        self.insert_sign_in(&mut tx, next).await?;
        console::forget_old(&mut tx, next).await?;
        tx.commit().await.map_err(failed("sign in with a passkey"))?;
        Ok(PasskeySignIn::SignedIn)
    }
}

/// Notes that a challenge was answered. `false`: it had been before.
async fn spend(
    connection: &mut SqliteConnection,
    challenge: &SpentChallenge,
    now: Timestamp,
) -> Result<bool, StoreError> {
    sqlx::query("DELETE FROM spent_challenges WHERE expires_at <= ?")
        .bind(now.as_microsecond())
        .execute(&mut *connection)
        .await
        .map_err(failed("forget old challenges"))?;
    let sql = "INSERT INTO spent_challenges (hash, expires_at) VALUES (?, ?) ON CONFLICT DO NOTHING";
    let done = sqlx::query(sql)
        .bind(challenge.hash.0.as_slice())
        .bind(challenge.expires_at.as_microsecond())
        .execute(connection)
        .await
        .map_err(failed("note a challenge"))?;
    Ok(done.rows_affected() > 0)
}

/// `false`: somebody has it already.
async fn insert(connection: &mut SqliteConnection, passkey: &Passkey) -> Result<bool, StoreError> {
    let transports = serde_json::to_string(&passkey.transports).expect("texts are JSON");
    let done = sqlx::query(
        "INSERT INTO passkeys (id, credential_id, user_id, user_handle, relying_party, public_key, sign_count,
             is_backup_eligible, is_backed_up, transports, name, created_at, last_used_at)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (credential_id) DO NOTHING",
    )
    .bind(&passkey.id)
    .bind(&passkey.credential_id)
    .bind(passkey.user.as_str())
    .bind(&passkey.user_handle)
    .bind(&passkey.relying_party)
    .bind(&passkey.public_key)
    .bind(passkey.sign_count)
    .bind(passkey.is_backup_eligible)
    .bind(passkey.is_backed_up)
    .bind(transports)
    .bind(&passkey.name)
    .bind(passkey.created_at.as_microsecond())
    .bind(passkey.last_used_at.map(Timestamp::as_microsecond))
    .execute(connection)
    .await
    .map_err(failed("remember a passkey"))?;
    Ok(done.rows_affected() > 0)
}

async fn has_password(connection: &mut SqliteConnection, user_id: &str) -> Result<bool, StoreError> {
    sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM login_profiles WHERE user_id = ?)")
        .bind(user_id)
        .fetch_one(connection)
        .await
        .map_err(failed("look for a password"))
}

/// Moves the counter on, if it is still there and still behind.
async fn use_passkey(
    connection: &mut SqliteConnection,
    used: &PasskeyUse,
) -> Result<PasskeySignIn, StoreError> {
    let last: Option<u32> =
        sqlx::query_scalar("SELECT sign_count FROM passkeys WHERE id = ? AND user_id = ? AND public_key = ?")
            .bind(&used.passkey.id)
            .bind(used.passkey.user.as_str())
            .bind(&used.passkey.public_key)
            .fetch_optional(&mut *connection)
            .await
            .map_err(failed("read a passkey's counter"))?;
    let Some(last) = last else { return Ok(PasskeySignIn::Gone) };
    if (last != 0 || used.sign_count != 0) && used.sign_count <= last {
        return Ok(PasskeySignIn::CounterWentBack);
    }
    sqlx::query("UPDATE passkeys SET sign_count = ?, is_backed_up = ?, last_used_at = ? WHERE id = ?")
        .bind(used.sign_count)
        .bind(used.is_backed_up)
        .bind(used.at.as_microsecond())
        .bind(&used.passkey.id)
        .execute(connection)
        .await
        .map_err(failed("remember the use of a passkey"))?;
    Ok(PasskeySignIn::SignedIn)
}

impl TryFrom<&SqliteRow> for Passkey {
    type Error = StoreError;

    fn try_from(row: &SqliteRow) -> Result<Self, StoreError> {
        let fields = Fields::new(row, "passkeys", "id");
        Ok(Self {
            id: fields.id().to_owned(),
            credential_id: fields.get("credential_id")?,
            user: fields.parse("user_id")?,
            user_handle: fields.get("user_handle")?,
            relying_party: fields.get("relying_party")?,
            public_key: fields.get("public_key")?,
            sign_count: fields.get("sign_count")?,
            is_backup_eligible: fields.get("is_backup_eligible")?,
            is_backed_up: fields.get("is_backed_up")?,
            transports: fields.json("transports")?,
            name: fields.get("name")?,
            created_at: fields.time("created_at")?,
            last_used_at: fields.time_option("last_used_at")?,
        })
    }
}
