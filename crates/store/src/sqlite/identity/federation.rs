//! OIDC providers in SQLite.

use async_trait::async_trait;
use postern_ids::OidcIssuer;
use sqlx::sqlite::SqliteRow;

use super::tagging::{KeyCase, put_tags, remove_all_tags};
use super::{Fields, SqliteStore, count, failed, tags_of, unless_taken};
use crate::{Entity, IdentityError, OidcProvider, OidcStore, OidcUpdate, Quota, StoreError};

/// Reads providers with their tags.
macro_rules! select_providers {
    ($rest:literal) => {
        concat!(
            "SELECT oidc_providers.*, ",
            tags_of!("'oidc-provider/' || issuer"),
            " FROM oidc_providers ",
            $rest
        )
    };
}

#[async_trait]
impl OidcStore for SqliteStore {
    async fn create_oidc_provider(&self, provider: &OidcProvider) -> Result<(), IdentityError> {
        let mut tx = self.begin().await?;
        sqlx::query(
            "INSERT INTO oidc_providers (issuer, client_ids, thumbprints, created_at) VALUES (?, ?, ?, ?)",
        )
        .bind(provider.issuer.as_str())
        .bind(serde_json::to_string(&provider.client_ids).expect("strings are always JSON"))
        .bind(serde_json::to_string(&provider.thumbprints).expect("strings are always JSON"))
        .bind(provider.created_at.as_microsecond())
        .execute(&mut *tx)
        .await
        .map_err(unless_taken("create an OIDC provider", || Entity::OidcProvider(provider.issuer.clone())))?;
        self.within(Quota::OidcProviders, count(&mut tx, "SELECT count(*) FROM oidc_providers").await?)?;
        let owner = tag_owner(&provider.issuer);
        put_tags(&mut tx, &owner, &provider.tags, KeyCase::Kept).await?;
        self.check_tags(&mut tx, &owner).await?;
        Ok(self.commit_change(tx, "create an OIDC provider").await?)
    }

    async fn oidc_provider(&self, issuer: &OidcIssuer) -> Result<Option<OidcProvider>, StoreError> {
        let row = sqlx::query(select_providers!("WHERE issuer = ?"))
            .bind(issuer.as_str())
            .fetch_optional(&self.readers)
            .await
            .map_err(failed("read an OIDC provider"))?;
        row.map(|row| OidcProvider::try_from(&row)).transpose()
    }

    async fn oidc_providers(&self) -> Result<Vec<OidcProvider>, StoreError> {
        let rows = sqlx::query(select_providers!("ORDER BY issuer"))
            .fetch_all(&self.readers)
            .await
            .map_err(failed("list OIDC providers"))?;
        rows.iter().map(OidcProvider::try_from).collect()
    }

    async fn update_oidc_provider(
        &self,
        issuer: &OidcIssuer,
        update: &OidcUpdate,
    ) -> Result<(), IdentityError> {
        let json = |texts: &Vec<String>| serde_json::to_string(texts).expect("strings are always JSON");
        let mut tx = self.begin().await?;
        let done = sqlx::query(
            "UPDATE oidc_providers SET client_ids = coalesce(?, client_ids), thumbprints = coalesce(?, thumbprints)
             WHERE issuer = ?",
        )
        .bind(update.client_ids.as_ref().map(json))
        .bind(update.thumbprints.as_ref().map(json))
        .bind(issuer.as_str())
        .execute(&mut *tx)
        .await
        .map_err(failed("update an OIDC provider"))?;
        if done.rows_affected() == 0 {
            return Err(IdentityError::NotFound(Entity::OidcProvider(issuer.clone())));
        }
        Ok(self.commit_change(tx, "update an OIDC provider").await?)
    }

    async fn delete_oidc_provider(&self, issuer: &OidcIssuer) -> Result<(), IdentityError> {
        let mut tx = self.begin().await?;
        let done = sqlx::query("DELETE FROM oidc_providers WHERE issuer = ?")
            .bind(issuer.as_str())
            .execute(&mut *tx)
            .await
            .map_err(failed("delete an OIDC provider"))?;
        if done.rows_affected() == 0 {
            return Err(IdentityError::NotFound(Entity::OidcProvider(issuer.clone())));
        }
        remove_all_tags(&mut tx, &tag_owner(issuer)).await?;
        Ok(self.commit_change(tx, "delete an OIDC provider").await?)
    }
}

/// What the tags' rows name a provider by: an issuer alone could be taken for a unique identifier.
fn tag_owner(issuer: &OidcIssuer) -> String {
    format!("oidc-provider/{issuer}")
}

impl TryFrom<&SqliteRow> for OidcProvider {
    type Error = StoreError;

    fn try_from(row: &SqliteRow) -> Result<Self, StoreError> {
        let fields = Fields::new(row, "oidc_providers", "issuer");
        Ok(Self {
            issuer: fields.parse("issuer")?,
            client_ids: fields.json("client_ids")?,
            thumbprints: fields.json("thumbprints")?,
            created_at: fields.time("created_at")?,
            tags: fields.json("tags")?,
        })
    }
}
