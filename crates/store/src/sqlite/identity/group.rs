//! Groups in SQLite.

use async_trait::async_trait;
use postern_ids::{GroupName, IamPath, UserName};
use sqlx::QueryBuilder;
use sqlx::sqlite::SqliteRow;

use super::super::page::paged;
use super::tags_of;
use super::user::select_users;
use super::{
    Fields, HELD_POLICIES, SqliteStore, count, count_of, failed, group_id, refuse_while, unless_taken,
    user_id,
};
use crate::{
    Dependent, Entity, Group, GroupStore, IdentityError, NewName, Page, Paged, Quota, StoreError, User,
};

#[async_trait]
impl GroupStore for SqliteStore {
    async fn create_group(&self, group: &Group) -> Result<(), IdentityError> {
        let mut tx = self.begin().await?;
        sqlx::query("INSERT INTO user_groups (name, id, path, created_at) VALUES (?, ?, ?, ?)")
            .bind(group.name.as_str())
            .bind(group.id.as_str())
            .bind(group.path.as_str())
            .bind(group.created_at.as_microsecond())
            .execute(&mut *tx)
            .await
            .map_err(unless_taken("create a group", || Entity::Group(group.name.clone())))?;
        self.within(Quota::Groups, count(&mut tx, "SELECT count(*) FROM user_groups").await?)?;
        Ok(self.commit_change(tx, "create a group").await?)
    }

    async fn group(&self, name: &GroupName) -> Result<Option<Group>, StoreError> {
        let row = sqlx::query("SELECT * FROM user_groups WHERE name = ?")
            .bind(name.as_str())
            .fetch_optional(&self.readers)
            .await
            .map_err(failed("read a group"))?;
        row.map(|row| Group::try_from(&row)).transpose()
    }

    async fn groups(
        &self,
        path_prefix: &str,
        page: &Page<GroupName>,
    ) -> Result<Paged<Group, GroupName>, StoreError> {
        let mut query = QueryBuilder::new("SELECT * FROM user_groups WHERE TRUE");
        super::push_page(&mut query, path_prefix, page.after.as_ref().map(GroupName::as_str), page.limit);
        let rows = query.build().fetch_all(&self.readers).await.map_err(failed("list groups"))?;
        paged(&rows, page.limit, |group: &Group| group.name.clone())
    }

    async fn update_group(&self, name: &GroupName, new: &NewName<GroupName>) -> Result<(), IdentityError> {
        let mut tx = self.begin().await?;
        let id = group_id(&mut tx, name).await?;
        sqlx::query("UPDATE user_groups SET name = coalesce(?, name), path = coalesce(?, path) WHERE id = ?")
            .bind(new.name.as_ref().map(GroupName::as_str))
            .bind(new.path.as_ref().map(IamPath::as_str))
            .bind(&id)
            .execute(&mut *tx)
            .await
            .map_err(unless_taken("rename a group", || {
                Entity::Group(new.name.clone().unwrap_or_else(|| name.clone()))
            }))?;
        Ok(self.commit_change(tx, "rename a group").await?)
    }

    async fn delete_group(&self, name: &GroupName) -> Result<(), IdentityError> {
        let mut tx = self.begin().await?;
        let id = group_id(&mut tx, name).await?;
        let checks = [
            HELD_POLICIES[0],
            HELD_POLICIES[1],
            (Dependent::Users, "SELECT count(*) FROM group_members WHERE group_id = ?"),
        ];
        refuse_while(&mut tx, Entity::Group(name.clone()), &id, &checks).await?;
        sqlx::query("DELETE FROM user_groups WHERE id = ?")
            .bind(&id)
            .execute(&mut *tx)
            .await
            .map_err(failed("delete a group"))?;
        Ok(self.commit_change(tx, "delete a group").await?)
    }

    async fn add_user_to_group(&self, group: &GroupName, user: &UserName) -> Result<(), IdentityError> {
        let mut tx = self.begin().await?;
        let group_id = group_id(&mut tx, group).await?;
        let user_id = user_id(&mut tx, user).await?;
        sqlx::query("INSERT INTO group_members (user_id, group_id) VALUES (?, ?) ON CONFLICT DO NOTHING")
            .bind(&user_id)
            .bind(&group_id)
            .execute(&mut *tx)
            .await
            .map_err(failed("add a user to a group"))?;
        let sql = "SELECT count(*) FROM group_members WHERE user_id = ?";
        self.within(Quota::GroupsPerUser, count_of(&mut tx, sql, &user_id).await?)?;
        Ok(self.commit_change(tx, "add a user to a group").await?)
    }

    async fn remove_user_from_group(&self, group: &GroupName, user: &UserName) -> Result<(), IdentityError> {
        let mut tx = self.begin().await?;
        let group_id = group_id(&mut tx, group).await?;
        let user_id = user_id(&mut tx, user).await?;
        let done = sqlx::query("DELETE FROM group_members WHERE user_id = ? AND group_id = ?")
            .bind(&user_id)
            .bind(&group_id)
            .execute(&mut *tx)
            .await
            .map_err(failed("remove a user from a group"))?;
        if done.rows_affected() == 0 {
            return Err(IdentityError::NotFound(Entity::User(user.clone())));
        }
        Ok(self.commit_change(tx, "remove a user from a group").await?)
    }

    async fn group_members(
        &self,
        group: &GroupName,
        page: &Page<UserName>,
    ) -> Result<Paged<User, UserName>, IdentityError> {
        let mut tx = self.snapshot().await?;
        let id = group_id(&mut tx, group).await?;
        let mut query = QueryBuilder::new(select_users!(
            "WHERE id IN (SELECT user_id FROM group_members WHERE group_id = "
        ));
        query.push_bind(id).push(")");
        if let Some(after) = &page.after {
            query.push(" AND name > ").push_bind(after.to_string());
        }
        query.push(" ORDER BY name LIMIT ").push_bind(i64::from(page.limit) + 1);
        let rows = query.build().fetch_all(&mut *tx).await.map_err(failed("list a group's users"))?;
        Ok(paged(&rows, page.limit, |user: &User| user.name.clone())?)
    }

    async fn groups_of_user(&self, user: &UserName) -> Result<Vec<Group>, IdentityError> {
        let mut tx = self.snapshot().await?;
        let id = user_id(&mut tx, user).await?;
        let rows = sqlx::query(
            "SELECT * FROM user_groups WHERE id IN (SELECT group_id FROM group_members WHERE user_id = ?)
             ORDER BY name",
        )
        .bind(id)
        .fetch_all(&mut *tx)
        .await
        .map_err(failed("list a user's groups"))?;
        Ok(rows.iter().map(Group::try_from).collect::<Result<_, _>>()?)
    }
}

impl TryFrom<&SqliteRow> for Group {
    type Error = StoreError;

    fn try_from(row: &SqliteRow) -> Result<Self, StoreError> {
        let fields = Fields::new(row, "user_groups", "name");
        Ok(Self {
            name: fields.parse("name")?,
            id: fields.parse("id")?,
            path: fields.parse("path")?,
            created_at: fields.time("created_at")?,
        })
    }
}
