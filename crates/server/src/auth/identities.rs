//! Who exists, remembered until something changes, so that calls need no SQL.

use std::collections::{HashMap, HashSet};
use std::hash::Hash;
use std::sync::Arc;

use postern_ids::{AccessKeyId, NodeId, PrincipalId, RoleName};
use postern_store::{AccessKey, KeyStatus, Role, Store, StoreError, User};

use super::remembered::Remembered;

/// How many of each kind are remembered, below 1 KiB each. Beyond that all are forgotten and asked for again.
const KEPT_MAX: usize = 16_384;
/// Of nodes only the identifier is remembered.
const NODES_KEPT_MAX: usize = 262_144;

/// The users, keys, roles and nodes that were asked for since identities last changed. What does not exist is not
/// remembered: nodes register without a notice.
pub(super) struct Identities {
    store: Arc<dyn Store>,
    known: Remembered<Known>,
}

/// What is known.
#[derive(Default)]
struct Known {
    keys: HashMap<AccessKeyId, Arc<KeyHolder>>,
    users: HashMap<PrincipalId, Arc<User>>,
    roles: HashMap<PrincipalId, Arc<Role>>,
    roles_by_name: HashMap<RoleName, Arc<Role>>,
    nodes: HashSet<NodeId>,
}

/// An access key that may be used, with the user whose it is.
pub(super) struct KeyHolder {
    pub(super) key: AccessKey,
    pub(super) user: Arc<User>,
}

impl Identities {
    pub(super) fn new(store: Arc<dyn Store>) -> Self {
        let known = Remembered::new(store.identity_generation());
        Self { store, known }
    }

    /// The key `id`, if it exists and is active, with its user.
    pub(super) async fn active_key(&self, id: &AccessKeyId) -> Result<Option<Arc<KeyHolder>>, StoreError> {
        let generation = self.known.generation();
        if let Some(found) = self.known.recall(|known| known.keys.get(id).cloned()) {
            return Ok(Some(found));
        }
        let active = |key: &AccessKey| key.status == KeyStatus::Active;
        let Some(key) = self.store.access_key(id).await?.filter(active) else { return Ok(None) };
        let Some(user) = self.store.user(&key.user).await? else { return Ok(None) };
        let found = Arc::new(KeyHolder { key, user: Arc::new(user) });
        self.known.remember(generation, |known| put(&mut known.keys, id.clone(), &found));
        Ok(Some(found))
    }

    /// The user with this unique identifier.
    pub(super) async fn user(&self, id: &PrincipalId) -> Result<Option<Arc<User>>, StoreError> {
        let generation = self.known.generation();
        if let Some(found) = self.known.recall(|known| known.users.get(id).cloned()) {
            return Ok(Some(found));
        }
        let found = self.store.user_by_id(id).await?.map(Arc::new);
        if let Some(user) = &found {
            self.known.remember(generation, |known| put(&mut known.users, id.clone(), user));
        }
        Ok(found)
    }

    /// The role with this unique identifier.
    pub(super) async fn role(&self, id: &PrincipalId) -> Result<Option<Arc<Role>>, StoreError> {
        let generation = self.known.generation();
        if let Some(found) = self.known.recall(|known| known.roles.get(id).cloned()) {
            return Ok(Some(found));
        }
        let found = self.store.role_by_id(id).await?.map(Arc::new);
        if let Some(role) = &found {
            self.known.remember(generation, |known| put(&mut known.roles, id.clone(), role));
        }
        Ok(found)
    }

    /// The role with this name, for tokens that do not hold the identifier.
    pub(super) async fn role_named(&self, name: &RoleName) -> Result<Option<Arc<Role>>, StoreError> {
        let generation = self.known.generation();
        if let Some(found) = self.known.recall(|known| known.roles_by_name.get(name).cloned()) {
            return Ok(Some(found));
        }
        let found = self.store.role(name).await?.map(Arc::new);
        if let Some(role) = &found {
            self.known.remember(generation, |known| put(&mut known.roles_by_name, name.clone(), role));
        }
        Ok(found)
    }

    /// Whether the node is registered.
    pub(super) async fn has_node(&self, node: &NodeId) -> Result<bool, StoreError> {
        let generation = self.known.generation();
        if self.known.recall(|known| known.nodes.contains(node).then_some(())).is_some() {
            return Ok(true);
        }
        let exists = self.store.node(node).await?.is_some();
        if exists {
            self.known.remember(generation, |known| {
                if known.nodes.len() >= NODES_KEPT_MAX {
                    known.nodes.clear();
                }
                known.nodes.insert(node.clone());
            });
        }
        Ok(exists)
    }
}

fn put<K: Hash + Eq, V>(known: &mut HashMap<K, Arc<V>>, key: K, value: &Arc<V>) {
    if known.len() >= KEPT_MAX {
        known.clear();
    }
    known.insert(key, Arc::clone(value));
}
