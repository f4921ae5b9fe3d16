//! Instance profiles in SQLite.

use async_trait::async_trait;
use postern_ids::{InstanceProfileName, RoleName};
use sqlx::sqlite::SqliteRow;
use sqlx::{QueryBuilder, SqliteConnection};

use super::super::page::paged;
use super::tagging::{KeyCase, put_tags, remove_all_tags};
use super::{Fields, SqliteStore, count, failed, find_id, refuse_while, role_id, tags_of, unless_taken};
use crate::{
    Dependent, Entity, IdentityError, InstanceProfile, InstanceProfileStore, Page, Paged, Quota, StoreError,
};

/// Reads profiles with their tags and the names of their roles.
macro_rules! select_profiles {
    ($rest:literal) => {
        concat!(
            "SELECT instance_profiles.*, ",
            tags_of!("instance_profiles.id"),
            ", (SELECT name FROM roles WHERE id = role_id) AS role_name FROM instance_profiles ",
            $rest
        )
    };
}

#[async_trait]
impl InstanceProfileStore for SqliteStore {
    async fn create_instance_profile(&self, profile: &InstanceProfile) -> Result<(), IdentityError> {
        let mut tx = self.begin().await?;
        let role = match &profile.role {
            Some(role) => Some(role_id(&mut tx, role).await?),
            None => None,
        };
        sqlx::query(
            "INSERT INTO instance_profiles (name, id, path, created_at, role_id) VALUES (?, ?, ?, ?, ?)",
        )
        .bind(profile.name.as_str())
        .bind(profile.id.as_str())
        .bind(profile.path.as_str())
        .bind(profile.created_at.as_microsecond())
        .bind(role)
        .execute(&mut *tx)
        .await
        .map_err(unless_taken("create an instance profile", || {
            Entity::InstanceProfile(profile.name.clone())
        }))?;
        let sql = "SELECT count(*) FROM instance_profiles";
        self.within(Quota::InstanceProfiles, count(&mut tx, sql).await?)?;
        put_tags(&mut tx, profile.id.as_str(), &profile.tags, KeyCase::Kept).await?;
        self.check_tags(&mut tx, profile.id.as_str()).await?;
        Ok(self.commit_change(tx, "create an instance profile").await?)
    }

    async fn instance_profile(
        &self,
        name: &InstanceProfileName,
    ) -> Result<Option<InstanceProfile>, StoreError> {
        let row = sqlx::query(select_profiles!("WHERE name = ?"))
            .bind(name.as_str())
            .fetch_optional(&self.readers)
            .await
            .map_err(failed("read an instance profile"))?;
        row.map(|row| InstanceProfile::try_from(&row)).transpose()
    }

    async fn instance_profiles(
        &self,
        path_prefix: &str,
        page: &Page<InstanceProfileName>,
    ) -> Result<Paged<InstanceProfile, InstanceProfileName>, StoreError> {
        let mut query = QueryBuilder::new(select_profiles!("WHERE TRUE"));
        let after = page.after.as_ref().map(InstanceProfileName::as_str);
        super::push_page(&mut query, path_prefix, after, page.limit);
        let rows = query.build().fetch_all(&self.readers).await.map_err(failed("list instance profiles"))?;
        paged(&rows, page.limit, |profile: &InstanceProfile| profile.name.clone())
    }

    async fn instance_profiles_of_role(
        &self,
        role: &RoleName,
    ) -> Result<Vec<InstanceProfile>, IdentityError> {
        let mut tx = self.snapshot().await?;
        let id = role_id(&mut tx, role).await?;
        let rows = sqlx::query(select_profiles!("WHERE role_id = ? ORDER BY name"))
            .bind(id)
            .fetch_all(&mut *tx)
            .await
            .map_err(failed("list a role's instance profiles"))?;
        Ok(rows.iter().map(InstanceProfile::try_from).collect::<Result<_, _>>()?)
    }

    async fn add_role_to_instance_profile(
        &self,
        name: &InstanceProfileName,
        role: &RoleName,
    ) -> Result<(), IdentityError> {
        let mut tx = self.begin().await?;
        let id = profile_id(&mut tx, name).await?;
        let role = role_id(&mut tx, role).await?;
        let done = sqlx::query("UPDATE instance_profiles SET role_id = ? WHERE id = ? AND role_id IS NULL")
            .bind(role)
            .bind(id)
            .execute(&mut *tx)
            .await
            .map_err(failed("put a role in an instance profile"))?;
        // Nothing was written when there is one already.
        self.within(Quota::RolesPerInstanceProfile, if done.rows_affected() == 0 { 2 } else { 1 })?;
        Ok(self.commit_change(tx, "put a role in an instance profile").await?)
    }

    async fn remove_role_from_instance_profile(
        &self,
        name: &InstanceProfileName,
        role: &RoleName,
    ) -> Result<(), IdentityError> {
        let mut tx = self.begin().await?;
        let id = profile_id(&mut tx, name).await?;
        let role_id = role_id(&mut tx, role).await?;
        let done = sqlx::query("UPDATE instance_profiles SET role_id = NULL WHERE id = ? AND role_id = ?")
            .bind(id)
            .bind(role_id)
            .execute(&mut *tx)
            .await
            .map_err(failed("take a role out of an instance profile"))?;
        if done.rows_affected() == 0 {
            return Err(IdentityError::NotFound(Entity::ProfileRole(role.clone())));
        }
        Ok(self.commit_change(tx, "take a role out of an instance profile").await?)
    }

    async fn delete_instance_profile(&self, name: &InstanceProfileName) -> Result<(), IdentityError> {
        let mut tx = self.begin().await?;
        let id = profile_id(&mut tx, name).await?;
        let role = "SELECT count(role_id) FROM instance_profiles WHERE id = ?";
        refuse_while(&mut tx, Entity::InstanceProfile(name.clone()), &id, &[(Dependent::Role, role)]).await?;
        remove_all_tags(&mut tx, &id).await?;
        sqlx::query("DELETE FROM instance_profiles WHERE id = ?")
            .bind(&id)
            .execute(&mut *tx)
            .await
            .map_err(failed("delete an instance profile"))?;
        Ok(self.commit_change(tx, "delete an instance profile").await?)
    }
}

async fn profile_id(
    connection: &mut SqliteConnection,
    name: &InstanceProfileName,
) -> Result<String, IdentityError> {
    let sql = "SELECT id FROM instance_profiles WHERE name = ?";
    find_id(connection, sql, name.as_str(), || Entity::InstanceProfile(name.clone())).await
}

impl TryFrom<&SqliteRow> for InstanceProfile {
    type Error = StoreError;

    fn try_from(row: &SqliteRow) -> Result<Self, StoreError> {
        let fields = Fields::new(row, "instance_profiles", "name");
        Ok(Self {
            name: fields.parse("name")?,
            id: fields.parse("id")?,
            path: fields.parse("path")?,
            created_at: fields.time("created_at")?,
            role: fields.parse_option("role_name")?,
            tags: fields.json("tags")?,
        })
    }
}
