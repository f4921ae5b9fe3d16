//! Users, access keys and roles in SQLite.

use async_trait::async_trait;
use postern_ids::{AccessKeyId, RoleName, UserName};
use sqlx::sqlite::SqliteRow;

use super::{Fields, SqliteStore, failed};
use crate::seal::Place;
use crate::{AccessKey, CreateIdentityError, IdentityStore, Role, Secret, StoreError, User};

#[async_trait]
impl IdentityStore for SqliteStore {
    async fn create_user(&self, user: &User) -> Result<(), CreateIdentityError> {
        sqlx::query("INSERT INTO users (name, id, created_at) VALUES (?, ?, ?)")
            .bind(user.name.as_str())
            .bind(user.id.as_str())
            .bind(user.created_at.as_microsecond())
            .execute(&self.writer)
            .await
            .map_err(refused("create a user"))?;
        Ok(())
    }

    async fn user(&self, name: &UserName) -> Result<Option<User>, StoreError> {
        let row = sqlx::query("SELECT * FROM users WHERE name = ?")
            .bind(name.as_str())
            .fetch_optional(&self.readers)
            .await
            .map_err(failed("read a user"))?;
        row.map(|row| User::try_from(&row)).transpose()
    }

    async fn create_access_key(&self, key: &AccessKey) -> Result<(), CreateIdentityError> {
        let sealed = self.seal(secret_place(key.id.as_str()), key.secret.expose_secret().as_bytes())?;
        sqlx::query(
            "INSERT INTO access_keys (id, secret_sealed, user_name, status, created_at) VALUES (?, ?, ?, ?, ?)",
        )
        .bind(key.id.as_str())
        .bind(sealed)
        .bind(key.user.as_str())
        .bind(key.status.as_str())
        .bind(key.created_at.as_microsecond())
        .execute(&self.writer)
        .await
        .map_err(refused("create an access key"))?;
        Ok(())
    }

    async fn access_key(&self, id: &AccessKeyId) -> Result<Option<AccessKey>, StoreError> {
        let row = sqlx::query("SELECT * FROM access_keys WHERE id = ?")
            .bind(id.as_str())
            .fetch_optional(&self.readers)
            .await
            .map_err(failed("read an access key"))?;
        row.map(|row| self.access_key_from(&row)).transpose()
    }

    async fn create_role(&self, role: &Role) -> Result<(), CreateIdentityError> {
        sqlx::query("INSERT INTO roles (name, id, created_at) VALUES (?, ?, ?)")
            .bind(role.name.as_str())
            .bind(role.id.as_str())
            .bind(role.created_at.as_microsecond())
            .execute(&self.writer)
            .await
            .map_err(refused("create a role"))?;
        Ok(())
    }

    async fn role(&self, name: &RoleName) -> Result<Option<Role>, StoreError> {
        let row = sqlx::query("SELECT * FROM roles WHERE name = ?")
            .bind(name.as_str())
            .fetch_optional(&self.readers)
            .await
            .map_err(failed("read a role"))?;
        row.map(|row| Role::try_from(&row)).transpose()
    }
}

impl SqliteStore {
    fn access_key_from(&self, row: &SqliteRow) -> Result<AccessKey, StoreError> {
        let fields = Fields::new(row, "access_keys", "id");
        let secret = self.unseal(secret_place(fields.id()), fields.get("secret_sealed")?)?;
        Ok(AccessKey {
            id: fields.parse("id")?,
            secret: String::from_utf8(secret)
                .map(Secret::new)
                .map_err(|error| fields.invalid("secret_sealed", error.utf8_error()))?,
            user: fields.parse("user_name")?,
            status: fields.parse("status")?,
            created_at: fields.time("created_at")?,
        })
    }
}

impl TryFrom<&SqliteRow> for User {
    type Error = StoreError;

    fn try_from(row: &SqliteRow) -> Result<Self, StoreError> {
        let fields = Fields::new(row, "users", "name");
        Ok(Self {
            name: fields.parse("name")?,
            id: fields.parse("id")?,
            created_at: fields.time("created_at")?,
        })
    }
}

impl TryFrom<&SqliteRow> for Role {
    type Error = StoreError;

    fn try_from(row: &SqliteRow) -> Result<Self, StoreError> {
        let fields = Fields::new(row, "roles", "name");
        Ok(Self {
            name: fields.parse("name")?,
            id: fields.parse("id")?,
            created_at: fields.time("created_at")?,
        })
    }
}

/// Where an access key's secret is sealed for.
fn secret_place(id: &str) -> Place<'_> {
    Place { table: "access_keys", column: "secret_sealed", id }
}

/// Tells the constraints that were meant to refuse from failures.
fn refused(action: &'static str) -> impl FnOnce(sqlx::Error) -> CreateIdentityError {
    move |error| match error.as_database_error().map(sqlx::error::DatabaseError::kind) {
        Some(sqlx::error::ErrorKind::UniqueViolation) => CreateIdentityError::AlreadyExists,
        Some(sqlx::error::ErrorKind::ForeignKeyViolation) => CreateIdentityError::UserUnknown,
        _ => failed(action)(error).into(),
    }
}
