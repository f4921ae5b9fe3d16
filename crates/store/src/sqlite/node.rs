//! Nodes in SQLite.

use async_trait::async_trait;
use jiff::Timestamp;
use postern_ids::{NodeId, RoleName, SessionId};
use sqlx::sqlite::SqliteRow;
use sqlx::{QueryBuilder, Sqlite, SqliteConnection};

use super::page::{one_of, paged};
use super::{Fields, SqliteStore, failed, tag};
use crate::{
    Activation, Deregistered, Node, NodeFilter, NodeInfo, NodeStore, Page, Paged, RegisterError,
    Registration, ReplacePublicKeyError, ResourceKey, StoreError,
};

#[async_trait]
impl NodeStore for SqliteStore {
    async fn register_node(&self, registration: &Registration) -> Result<Node, RegisterError> {
        let mut tx = self.begin().await?;
        let activation = usable_activation(&mut tx, registration).await?;
        if let Some(node) = owner_of_key(&mut tx, &registration.public_key_der).await? {
            return Err(RegisterError::PublicKeyInUse { node });
        }
        let node = Node {
            id: registration.id.clone(),
            activation_id: Some(activation.id),
            role: activation.role,
            name: activation.default_instance_name,
            fingerprint: registration.fingerprint.clone(),
            public_key_der: registration.public_key_der.clone(),
            public_key_since: registration.at,
            previous_public_key_der: None,
            registered_at: registration.at,
            info: NodeInfo::default(),
            last_ping_at: None,
        };
        sqlx::query("UPDATE activations SET registrations_count = registrations_count + 1 WHERE id = ?")
            .bind(activation.id.to_string())
            .execute(&mut *tx)
            .await
            .map_err(failed("count a registration"))?;
        insert(&mut tx, &node).await?;
        tag::put_tags(&mut tx, &ResourceKey::node(&node.id), &activation.tags).await?;
        tx.commit().await.map_err(failed("register a node"))?;
        Ok(node)
    }

    async fn node(&self, id: &NodeId) -> Result<Option<Node>, StoreError> {
        let row = sqlx::query("SELECT * FROM nodes WHERE id = ?")
            .bind(id.as_str())
            .fetch_optional(&self.readers)
            .await
            .map_err(failed("read a node"))?;
        row.map(|row| Node::try_from(&row)).transpose()
    }

    async fn nodes(
        &self,
        filters: &[NodeFilter],
        page: &Page<NodeId>,
    ) -> Result<Paged<Node, NodeId>, StoreError> {
        let mut query = QueryBuilder::new("SELECT * FROM nodes WHERE TRUE");
        if let Some(after) = &page.after {
            query.push(" AND id > ").push_bind(after.to_string());
        }
        for filter in filters {
            push_filter(&mut query, filter);
        }
        query.push(" ORDER BY id LIMIT ").push_bind(i64::from(page.limit) + 1);
        let rows = query.build().fetch_all(&self.readers).await.map_err(failed("list nodes"))?;
        paged(&rows, page.limit, |node: &Node| node.id.clone())
    }

    async fn record_ping(&self, id: &NodeId, info: &NodeInfo, at: Timestamp) -> Result<bool, StoreError> {
        let done = sqlx::query(
            "UPDATE nodes SET
                 agent_name = coalesce(?, agent_name),
                 agent_version = coalesce(?, agent_version),
                 agent_status = coalesce(?, agent_status),
                 platform_type = coalesce(?, platform_type),
                 platform_name = coalesce(?, platform_name),
                 platform_version = coalesce(?, platform_version),
                 computer_name = coalesce(?, computer_name),
                 ip_address = coalesce(?, ip_address),
                 connection_channel = coalesce(?, connection_channel),
                 last_ping_at = max(?, coalesce(last_ping_at, 0))
             WHERE id = ?",
        )
        .bind(info.agent_name.as_deref())
        .bind(info.agent_version.as_deref())
        .bind(info.agent_status.as_deref())
        .bind(info.platform_type.map(crate::PlatformType::as_str))
        .bind(info.platform_name.as_deref())
        .bind(info.platform_version.as_deref())
        .bind(info.computer_name.as_deref())
        .bind(info.ip_address.as_deref())
        .bind(info.connection_channel.as_deref())
        .bind(at.as_microsecond())
        .bind(id.as_str())
        .execute(&self.writer)
        .await
        .map_err(failed("record a ping"))?;
        Ok(done.rows_affected() > 0)
    }

    async fn replace_public_key(
        &self,
        id: &NodeId,
        public_key_der: &[u8],
        at: Timestamp,
    ) -> Result<(), ReplacePublicKeyError> {
        let mut tx = self.begin().await?;
        match owner_of_key(&mut tx, public_key_der).await? {
            Some(node) if node == *id => return Ok(()),
            Some(node) => return Err(ReplacePublicKeyError::PublicKeyInUse { node }),
            None => {}
        }
        let done = sqlx::query(
            "UPDATE nodes SET previous_public_key_der = public_key_der, public_key_der = ?, public_key_since = ?
             WHERE id = ?",
        )
        .bind(public_key_der)
        .bind(at.as_microsecond())
        .bind(id.as_str())
        .execute(&mut *tx)
        .await
        .map_err(failed("replace a node's key"))?;
        if done.rows_affected() == 0 {
            return Err(ReplacePublicKeyError::NodeUnknown);
        }
        tx.commit().await.map_err(failed("replace a node's key"))?;
        Ok(())
    }

    async fn set_node_role(&self, id: &NodeId, role: &RoleName) -> Result<bool, StoreError> {
        let done = sqlx::query("UPDATE nodes SET role = ? WHERE id = ?")
            .bind(role.as_str())
            .bind(id.as_str())
            .execute(&self.writer)
            .await
            .map_err(failed("give a node another role"))?;
        Ok(done.rows_affected() > 0)
    }

    async fn deregister_node(&self, id: &NodeId) -> Result<Option<Deregistered>, StoreError> {
        let mut tx = self.begin().await?;
        // Its tokens go with it, by the foreign key.
        let done = sqlx::query("DELETE FROM nodes WHERE id = ?")
            .bind(id.as_str())
            .execute(&mut *tx)
            .await
            .map_err(failed("deregister a node"))?;
        if done.rows_affected() == 0 {
            return Ok(None);
        }
        sqlx::query("DELETE FROM tags WHERE resource_type = 'ManagedInstance' AND resource_id = ?")
            .bind(id.as_str())
            .execute(&mut *tx)
            .await
            .map_err(failed("remove a node's tags"))?;
        let rows = sqlx::query("SELECT id FROM sessions WHERE node_id = ? AND ended_at IS NULL ORDER BY id")
            .bind(id.as_str())
            .fetch_all(&mut *tx)
            .await
            .map_err(failed("read a node's sessions"))?;
        let live_sessions = rows
            .iter()
            .map(|row| Fields::new(row, "sessions", "id").parse("id"))
            .collect::<Result<Vec<SessionId>, _>>()?;
        self.commit_change(tx, "deregister a node").await?;
        Ok(Some(Deregistered { live_sessions }))
    }
}

/// The activation, if one more node may register with it.
async fn usable_activation(
    connection: &mut SqliteConnection,
    registration: &Registration,
) -> Result<Activation, RegisterError> {
    let row = sqlx::query("SELECT * FROM activations WHERE id = ?")
        .bind(registration.activation_id.to_string())
        .fetch_optional(connection)
        .await
        .map_err(failed("read an activation"))?
        .ok_or(RegisterError::ActivationUnknown)?;
    let activation = Activation::try_from(&row)?;
    if activation.expires_at <= registration.at {
        return Err(RegisterError::ActivationExpired { expired_at: activation.expires_at });
    }
    if activation.registrations_count >= activation.registration_limit {
        return Err(RegisterError::LimitReached { limit: activation.registration_limit });
    }
    Ok(activation)
}

/// The node whose current key this is.
async fn owner_of_key(
    connection: &mut SqliteConnection,
    public_key_der: &[u8],
) -> Result<Option<NodeId>, StoreError> {
    let row = sqlx::query("SELECT id FROM nodes WHERE public_key_der = ?")
        .bind(public_key_der)
        .fetch_optional(connection)
        .await
        .map_err(failed("look for a key"))?;
    row.map(|row| Fields::new(&row, "nodes", "id").parse("id")).transpose()
}

/// Writes a node that has not said anything about itself yet.
async fn insert(connection: &mut SqliteConnection, node: &Node) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO nodes (id, activation_id, role, name, fingerprint, public_key_der, public_key_since, registered_at)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(node.id.as_str())
    .bind(node.activation_id.map(|id| id.to_string()))
    .bind(node.role.as_str())
    .bind(node.name.as_deref())
    .bind(node.fingerprint.as_str())
    .bind(node.public_key_der.as_slice())
    .bind(node.public_key_since.as_microsecond())
    .bind(node.registered_at.as_microsecond())
    .execute(connection)
    .await
    .map_err(failed("write a node"))?;
    Ok(())
}

fn push_filter(query: &mut QueryBuilder<Sqlite>, filter: &NodeFilter) {
    const TAGGED: &str =
        " AND EXISTS (SELECT 1 FROM tags WHERE resource_type = 'ManagedInstance' AND resource_id = nodes.id";
    match filter {
        NodeFilter::Ids(ids) => one_of(query, "id", ids.iter().map(ToString::to_string)),
        NodeFilter::PlatformTypes(types) => {
            one_of(query, "platform_type", types.iter().map(ToString::to_string));
        }
        NodeFilter::Activations(ids) => one_of(query, "activation_id", ids.iter().map(ToString::to_string)),
        NodeFilter::Roles(roles) => one_of(query, "role", roles.iter().map(ToString::to_string)),
        NodeFilter::AgentVersions(versions) => one_of(query, "agent_version", versions.iter().cloned()),
        NodeFilter::TagKeys(keys) => {
            query.push(TAGGED);
            one_of(query, "key", keys.iter().cloned());
            query.push(")");
        }
        NodeFilter::Tag { key, values } => {
            query.push(TAGGED).push(" AND key = ").push_bind(key.clone());
            one_of(query, "value", values.iter().cloned());
            query.push(")");
        }
    }
}

impl TryFrom<&SqliteRow> for Node {
    type Error = StoreError;

    fn try_from(row: &SqliteRow) -> Result<Self, StoreError> {
        let fields = Fields::new(row, "nodes", "id");
        Ok(Self {
            id: fields.parse("id")?,
            activation_id: fields.parse_option("activation_id")?,
            role: fields.parse("role")?,
            name: fields.get("name")?,
            fingerprint: fields.get("fingerprint")?,
            public_key_der: fields.get("public_key_der")?,
            public_key_since: fields.time("public_key_since")?,
            previous_public_key_der: fields.get("previous_public_key_der")?,
            registered_at: fields.time("registered_at")?,
            info: NodeInfo {
                agent_name: fields.get("agent_name")?,
                agent_version: fields.get("agent_version")?,
                agent_status: fields.get("agent_status")?,
                platform_type: fields.parse_option("platform_type")?,
                platform_name: fields.get("platform_name")?,
                platform_version: fields.get("platform_version")?,
                computer_name: fields.get("computer_name")?,
                ip_address: fields.get("ip_address")?,
                connection_channel: fields.get("connection_channel")?,
            },
            last_ping_at: fields.time_option("last_ping_at")?,
        })
    }
}
