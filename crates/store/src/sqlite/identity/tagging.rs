//! Tags of identities in SQLite.

use async_trait::async_trait;
use sqlx::SqliteConnection;

use super::{Fields, SqliteStore, count_of, failed, find_id, role_id, user_id};
use crate::{IdentityError, IdentityTagStore, Quota, StoreError, Tag, TaggedIdentity};

/// Whether keys that differ only in case are the same key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum KeyCase {
    Ignored,
    Kept,
}

#[async_trait]
impl IdentityTagStore for SqliteStore {
    async fn tag_identity(&self, identity: &TaggedIdentity, tags: &[Tag]) -> Result<(), IdentityError> {
        let mut tx = self.begin().await?;
        let owner = owner_id(&mut tx, identity).await?;
        put_tags(&mut tx, &owner, tags, key_case(identity)).await?;
        self.check_tags(&mut tx, &owner).await?;
        Ok(self.commit_change(tx, "tag an identity").await?)
    }

    async fn untag_identity(&self, identity: &TaggedIdentity, keys: &[String]) -> Result<(), IdentityError> {
        let mut tx = self.begin().await?;
        let owner = owner_id(&mut tx, identity).await?;
        for key in keys {
            remove_tag(&mut tx, &owner, key, key_case(identity)).await?;
        }
        Ok(self.commit_change(tx, "untag an identity").await?)
    }

    async fn identity_tags(&self, identity: &TaggedIdentity) -> Result<Vec<Tag>, IdentityError> {
        let mut tx = self.snapshot().await?;
        let owner = owner_id(&mut tx, identity).await?;
        let rows = sqlx::query("SELECT * FROM identity_tags WHERE owner_id = ? ORDER BY key")
            .bind(owner)
            .fetch_all(&mut *tx)
            .await
            .map_err(failed("read tags"))?;
        let tag = |row| -> Result<Tag, StoreError> {
            let fields = Fields::new(row, "identity_tags", "owner_id");
            Ok(Tag { key: fields.get("key")?, value: fields.get("value")? })
        };
        Ok(rows.iter().map(tag).collect::<Result<_, _>>()?)
    }
}

impl SqliteStore {
    /// Refuses more tags than there may be.
    pub(super) async fn check_tags(
        &self,
        connection: &mut SqliteConnection,
        owner: &str,
    ) -> Result<(), IdentityError> {
        let sql = "SELECT count(*) FROM identity_tags WHERE owner_id = ?";
        self.within(Quota::Tags, count_of(connection, sql, owner).await?)
    }
}

/// What the tags' rows name their owner by.
async fn owner_id(
    connection: &mut SqliteConnection,
    identity: &TaggedIdentity,
) -> Result<String, IdentityError> {
    let (sql, name) = match identity {
        TaggedIdentity::User(name) => return user_id(connection, name).await,
        TaggedIdentity::Role(name) => return role_id(connection, name).await,
        TaggedIdentity::Policy(arn) => ("SELECT id FROM managed_policies WHERE arn = ?", arn.as_str()),
        TaggedIdentity::InstanceProfile(name) => {
            ("SELECT id FROM instance_profiles WHERE name = ?", name.as_str())
        }
        TaggedIdentity::MfaDevice(serial) => {
            ("SELECT serial FROM mfa_devices WHERE serial = ?", serial.as_str())
        }
        TaggedIdentity::OidcProvider(issuer) => {
            ("SELECT 'oidc-provider/' || issuer FROM oidc_providers WHERE issuer = ?", issuer.as_str())
        }
    };
    find_id(connection, sql, name, || identity.clone().into()).await
}

fn key_case(identity: &TaggedIdentity) -> KeyCase {
    match identity {
        TaggedIdentity::User(_) | TaggedIdentity::Role(_) => KeyCase::Ignored,
        _ => KeyCase::Kept,
    }
}

/// Writes tags inside a transaction, over those with the same keys.
pub(super) async fn put_tags(
    connection: &mut SqliteConnection,
    owner: &str,
    tags: &[Tag],
    key_case: KeyCase,
) -> Result<(), StoreError> {
    for tag in tags {
        remove_tag(connection, owner, &tag.key, key_case).await?;
        sqlx::query("INSERT INTO identity_tags (owner_id, key, value) VALUES (?, ?, ?)")
            .bind(owner)
            .bind(tag.key.as_str())
            .bind(tag.value.as_str())
            .execute(&mut *connection)
            .await
            .map_err(failed("write a tag"))?;
    }
    Ok(())
}

async fn remove_tag(
    connection: &mut SqliteConnection,
    owner: &str,
    key: &str,
    key_case: KeyCase,
) -> Result<(), StoreError> {
    let sql = match key_case {
        KeyCase::Ignored => "DELETE FROM identity_tags WHERE owner_id = ? AND key = ? COLLATE NOCASE",
        KeyCase::Kept => "DELETE FROM identity_tags WHERE owner_id = ? AND key = ?",
    };
    sqlx::query(sql).bind(owner).bind(key).execute(connection).await.map_err(failed("remove a tag"))?;
    Ok(())
}

/// Removes the tags of what is being deleted.
pub(super) async fn remove_all_tags(
    connection: &mut SqliteConnection,
    owner: &str,
) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM identity_tags WHERE owner_id = ?")
        .bind(owner)
        .execute(connection)
        .await
        .map_err(failed("remove tags"))?;
    Ok(())
}
