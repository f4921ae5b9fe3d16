//! Sign-ins to the console in SQLite.

use async_trait::async_trait;
use jiff::Timestamp;
use sqlx::SqliteConnection;
use sqlx::sqlite::SqliteRow;

use super::{Fields, SqliteStore, failed};
use crate::seal::Place;
use crate::{
    ConsoleSignIn, ConsoleSignInStore, PasswordProof, SIGN_INS_KEPT, SIGN_INS_PER_OWNER_MAX, Secret,
    SignInEnd, SignInStage, StoreError, TokenHash,
};

/// Where what is known of a sign-in is sealed for.
fn place(id: &str) -> Place<'_> {
    Place { table: "console_sign_ins", column: "content_sealed", id }
}

/// Revokes the sign-ins of an owner, whether their time is over or not.
pub(super) async fn revoke_all(
    connection: &mut SqliteConnection,
    owner: &str,
    except: Option<&str>,
    at: Option<Timestamp>,
) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE console_sign_ins SET ended = 'revoked', ended_at = coalesce(ended_at, ?1, expires_at)
         WHERE owner = ?2 AND id IS NOT ?3 AND ended IS NOT 'revoked'",
    )
    .bind(at.map(Timestamp::as_microsecond))
    .bind(owner)
    .bind(except)
    .execute(connection)
    .await
    .map_err(failed("revoke sign-ins"))?;
    Ok(())
}

/// Takes a half-done sign-in away. `false`: there is none with this secret.
pub(super) async fn take_half_done(
    connection: &mut SqliteConnection,
    secret: &TokenHash,
) -> Result<bool, StoreError> {
    let taken = sqlx::query(
        "DELETE FROM console_sign_ins WHERE secret_hash = ? AND ended IS NULL AND stage <> 'done'",
    )
    .bind(secret.0.as_slice())
    .execute(connection)
    .await
    .map_err(failed("take a half-done sign-in"))?;
    Ok(taken.rows_affected() > 0)
}

#[async_trait]
impl ConsoleSignInStore for SqliteStore {
    async fn create_console_sign_in(&self, sign_in: &ConsoleSignIn) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        self.insert_sign_in(&mut tx, sign_in).await?;
        forget_old(&mut tx, sign_in).await?;
        tx.commit().await.map_err(failed("remember a sign-in"))
    }

    async fn create_proved_console_sign_in(
        &self,
        sign_in: &ConsoleSignIn,
        proof: &PasswordProof,
    ) -> Result<bool, StoreError> {
        let mut tx = self.begin().await?;
        let hash = self.password_hash(&mut tx, &sign_in.owner).await?;
        let has_mfa: bool = sqlx::query_scalar(
            "SELECT EXISTS (SELECT 1 FROM mfa_devices WHERE user_id = ?1)
                 OR EXISTS (SELECT 1 FROM passkeys WHERE user_id = ?1)",
        )
        .bind(&sign_in.owner)
        .fetch_one(&mut *tx)
        .await
        .map_err(failed("look for MFA devices"))?;
        if hash.as_ref() != Some(&proof.password_hash) || has_mfa != proof.has_mfa {
            return Ok(false);
        }
        self.insert_sign_in(&mut tx, sign_in).await?;
        forget_old(&mut tx, sign_in).await?;
        tx.commit().await.map_err(failed("remember a sign-in"))?;
        Ok(true)
    }

    async fn console_sign_in(&self, secret: &TokenHash) -> Result<Option<ConsoleSignIn>, StoreError> {
        let row = sqlx::query("SELECT * FROM console_sign_ins WHERE secret_hash = ? AND ended IS NULL")
            .bind(secret.0.as_slice())
            .fetch_optional(&self.readers)
            .await
            .map_err(failed("read a sign-in"))?;
        row.map(|row| self.sign_in_of(&row)).transpose()
    }

    async fn console_sign_ins(
        &self,
        owner: Option<&str>,
        at: Timestamp,
        limit: u32,
    ) -> Result<Vec<ConsoleSignIn>, StoreError> {
        let rows = sqlx::query(
            "SELECT * FROM console_sign_ins
             WHERE (?1 IS NULL OR owner = ?1) AND expires_at > ?2 AND ended IS NULL AND stage = 'done'
             ORDER BY created_at DESC, id LIMIT ?3",
        )
        .bind(owner)
        .bind(at.as_microsecond())
        .bind(limit)
        .fetch_all(&self.readers)
        .await
        .map_err(failed("list sign-ins"))?;
        rows.iter().map(|row| self.sign_in_of(row)).collect()
    }

    async fn advance_console_sign_in(
        &self,
        secret: &TokenHash,
        next: &ConsoleSignIn,
    ) -> Result<bool, StoreError> {
        let mut tx = self.begin().await?;
        if !take_half_done(&mut tx, secret).await? {
            return Ok(false);
        }
        self.insert_sign_in(&mut tx, next).await?;
        forget_old(&mut tx, next).await?;
        tx.commit().await.map_err(failed("advance a sign-in"))?;
        Ok(true)
    }

    async fn touch_console_sign_in(&self, id: &str, at: Timestamp) -> Result<(), StoreError> {
        sqlx::query("UPDATE console_sign_ins SET last_used_at = max(last_used_at, ?) WHERE id = ?")
            .bind(at.as_microsecond())
            .bind(id)
            .execute(&self.writer)
            .await
            .map_err(failed("remember the use of a sign-in"))?;
        Ok(())
    }

    async fn change_console_sign_in(&self, id: &str, content: &Secret<Vec<u8>>) -> Result<bool, StoreError> {
        let done = sqlx::query(
            "UPDATE console_sign_ins SET content_sealed = ? WHERE id = ? AND ended IS NULL AND stage = 'done'",
        )
        .bind(self.seal(place(id), content.expose_secret())?)
        .bind(id)
        .execute(&self.writer)
        .await
        .map_err(failed("change a sign-in"))?;
        Ok(done.rows_affected() > 0)
    }

    async fn end_console_sign_in(&self, id: &str, end: SignInEnd, at: Timestamp) -> Result<bool, StoreError> {
        let mut tx = self.begin().await?;
        let done = sqlx::query(
            "UPDATE console_sign_ins SET ended = ?1, ended_at = ?2
             WHERE id = ?3 AND (ended IS NULL OR (ended = 'signed-out' AND ?1 = 'revoked'))",
        )
        .bind(end.as_str())
        .bind(at.as_microsecond())
        .bind(id)
        .execute(&mut *tx)
        .await
        .map_err(failed("end a sign-in"))?;
        if done.rows_affected() == 0 {
            return Ok(false);
        }
        match end {
            SignInEnd::SignedOut => tx.commit().await.map_err(failed("end a sign-in"))?,
            // What it started has to be looked at again.
            SignInEnd::Revoked => self.commit_change(tx, "revoke a sign-in").await?,
        }
        Ok(true)
    }

    async fn revoke_console_sign_ins(
        &self,
        owner: &str,
        except: Option<&str>,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        revoke_all(&mut tx, owner, except, Some(at)).await?;
        self.commit_change(tx, "revoke sign-ins").await
    }

    async fn is_console_sign_in_trusted(&self, id: &str) -> Result<bool, StoreError> {
        let found: Option<i64> = sqlx::query_scalar(
            "SELECT 1 FROM console_sign_ins WHERE id = ? AND ended IS NOT 'revoked' AND stage = 'done'",
        )
        .bind(id)
        .fetch_optional(&self.readers)
        .await
        .map_err(failed("look whether a sign-in was revoked"))?;
        Ok(found.is_some())
    }
}

impl SqliteStore {
    pub(super) async fn insert_sign_in(
        &self,
        connection: &mut SqliteConnection,
        sign_in: &ConsoleSignIn,
    ) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO console_sign_ins (id, secret_hash, owner, stage, content_sealed, created_at,
                 last_used_at, expires_at, source_ip, user_agent)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        )
        .bind(&sign_in.id)
        .bind(sign_in.secret.0.as_slice())
        .bind(&sign_in.owner)
        .bind(sign_in.stage.as_str())
        .bind(self.seal(place(&sign_in.id), sign_in.content.expose_secret())?)
        .bind(sign_in.created_at.as_microsecond())
        .bind(sign_in.last_used_at.as_microsecond())
        .bind(sign_in.expires_at.as_microsecond())
        .bind(sign_in.source_ip.to_string())
        .bind(sign_in.user_agent.as_deref())
        .execute(connection)
        .await
        .map_err(failed("write a sign-in"))?;
        Ok(())
    }

    fn sign_in_of(&self, row: &SqliteRow) -> Result<ConsoleSignIn, StoreError> {
        let fields = Fields::new(row, "console_sign_ins", "id");
        Ok(ConsoleSignIn {
            id: fields.id().to_owned(),
            secret: TokenHash(fields.hash("secret_hash")?),
            owner: fields.get("owner")?,
            stage: fields.parse::<SignInStage>("stage")?,
            content: self.unseal(place(fields.id()), fields.get("content_sealed")?)?.into(),
            created_at: fields.time("created_at")?,
            last_used_at: fields.time("last_used_at")?,
            expires_at: fields.time("expires_at")?,
            source_ip: fields.parse("source_ip")?,
            user_agent: fields.get("user_agent")?,
        })
    }
}

/// Forgets what is of no use any more, and what the owner of `newest` has too many of.
pub(super) async fn forget_old(
    connection: &mut SqliteConnection,
    newest: &ConsoleSignIn,
) -> Result<(), StoreError> {
    let now = newest.created_at;
    let kept_since = now.checked_sub(SIGN_INS_KEPT).unwrap_or(Timestamp::MIN);
    // A half-done one is good for nothing once its time is over.
    let forget = sqlx::query(
        "DELETE FROM console_sign_ins WHERE expires_at < ?1 OR (expires_at <= ?2 AND stage <> 'done')",
    )
    .bind(kept_since.as_microsecond())
    .bind(now.as_microsecond());
    forget.execute(&mut *connection).await.map_err(failed("forget old sign-ins"))?;
    let crowd = sqlx::query(
        "DELETE FROM console_sign_ins WHERE id IN (
             SELECT id FROM console_sign_ins WHERE owner = ?1 AND (stage = 'done') = ?2
             ORDER BY created_at DESC, id LIMIT -1 OFFSET ?3)",
    )
    .bind(&newest.owner)
    .bind(newest.stage == SignInStage::Done)
    .bind(SIGN_INS_PER_OWNER_MAX);
    crowd.execute(connection).await.map_err(failed("forget the oldest sign-ins"))?;
    Ok(())
}
