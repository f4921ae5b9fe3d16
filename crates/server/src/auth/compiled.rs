//! Policy documents, each compiled once for as long as it is in use.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use postern_iam::{NamedPolicy, Policy, PolicyError, PolicyKind};

/// How many documents are kept compiled. Most principals share a few; beyond that all are compiled anew when they are
/// asked for.
const KEPT_MAX: usize = 2048;

/// A policy that is in force and cannot be read. Nobody can tell what it denies, so nothing is allowed.
#[derive(Debug, thiserror::Error)]
#[error("the policy {name} cannot be read")]
pub struct UnreadablePolicy {
    name: String,
    source: PolicyError,
}

/// See the [module's documentation](self).
#[derive(Debug, Default)]
pub(super) struct CompiledPolicies {
    kept: Mutex<Kept>,
}

/// By kind and text.
type Kept = HashMap<(PolicyKind, Arc<str>), Arc<Policy>>;

impl CompiledPolicies {
    /// The document `text`, compiled.
    pub(super) fn compile(
        &self,
        name: impl Into<Arc<str>>,
        kind: PolicyKind,
        text: &str,
    ) -> Result<NamedPolicy, UnreadablePolicy> {
        let (name, key) = (name.into(), (kind, Arc::from(text)));
        if let Some(policy) = self.kept().get(&key) {
            return Ok(NamedPolicy::new(name, Arc::clone(policy)));
        }
        let policy = Policy::parse(kind, text)
            .map(Arc::new)
            .map_err(|source| UnreadablePolicy { name: name.to_string(), source })?;
        let mut kept = self.kept();
        if kept.len() >= KEPT_MAX {
            kept.clear();
        }
        kept.insert(key, Arc::clone(&policy));
        Ok(NamedPolicy::new(name, policy))
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        // A map is consistent between any two of its operations.
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALLOW: &str =
        r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}"#;

    #[test]
    fn a_document_is_compiled_once_whatever_its_name() {
        let compiled = CompiledPolicies::default();
        let compile = |name| compiled.compile(name, PolicyKind::Identity, ALLOW).unwrap();
        let (one, two) = (compile("one"), compile("two"));
        assert!(Arc::ptr_eq(&one.policy, &two.policy));
        assert_eq!((&*one.name, &*two.name), ("one", "two"));
        assert!(compiled.compile("three", PolicyKind::Trust, ALLOW).is_err(), "it has a Resource");
    }

    #[test]
    fn so_many_are_kept_and_no_more() {
        let compiled = CompiledPolicies::default();
        for number in 0..=KEPT_MAX {
            let text = ALLOW.replace("\"Action\":\"*\"", &format!("\"Action\":\"ssm:A{number}\""));
            compiled.compile("one", PolicyKind::Identity, &text).unwrap();
        }
        assert!(compiled.kept().len() <= KEPT_MAX);
    }
}
