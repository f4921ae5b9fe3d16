//! When access keys and roles were last used, noted in memory with each call and written down now and then.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;
use postern_ids::{AccessKeyId, Region, RoleName};
use postern_store::{AccessKeyUse, KeyLastUsed, RoleLastUsed, RoleUse, Store, StoreError};

/// How many of each kind are noted between two writings; the uses of further ones are not.
const NOTED_MAX: usize = 16_384;

/// The uses that are not written down yet.
#[derive(Debug, Default)]
pub(super) struct LastUsed {
    noted: Mutex<Noted>,
}

#[derive(Debug, Default)]
struct Noted {
    keys: HashMap<AccessKeyId, KeyLastUsed>,
    roles: HashMap<RoleName, Timestamp>,
}

impl LastUsed {
    /// Notes that a user's key signed a call.
    pub(super) fn note_key(&self, key: &AccessKeyId, service: &str, region: &str, at: Timestamp) {
        let mut noted = self.noted.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(used) = noted.keys.get_mut(key) {
            used.at = at;
            if used.service != service || used.region != region {
                (used.service, used.region) = (service.to_owned(), region.to_owned());
            }
        } else if noted.keys.len() < NOTED_MAX {
            let used = KeyLastUsed { at, service: service.to_owned(), region: region.to_owned() };
            noted.keys.insert(key.clone(), used);
        }
    }

    /// Notes that a session of a role made a call.
    pub(super) fn note_role(&self, role: &RoleName, at: Timestamp) {
        let mut noted = self.noted.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(used) = noted.roles.get_mut(role) {
            *used = at;
        } else if noted.roles.len() < NOTED_MAX {
            noted.roles.insert(role.clone(), at);
        }
    }

    /// Writes down what was noted. What cannot be written is forgotten: it is told with the next use.
    pub(super) async fn write(&self, store: &dyn Store, region: &Region) -> Result<(), StoreError> {
        let noted = std::mem::take(&mut *self.noted.lock().unwrap_or_else(PoisonError::into_inner));
        let keys: Vec<_> = noted.keys.into_iter().map(|(id, used)| AccessKeyUse { id, used }).collect();
        if !keys.is_empty() {
            store.touch_access_keys(&keys).await?;
        }
        let used = |at| RoleLastUsed { at, region: region.clone() };
        let roles: Vec<_> =
            noted.roles.into_iter().map(|(role, at)| RoleUse { role, used: used(at) }).collect();
        if !roles.is_empty() {
            store.touch_roles(&roles).await?;
        }
        Ok(())
    }
}
