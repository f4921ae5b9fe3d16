//! The policies that bind a principal, compiled, and remembered until identities change.

use std::collections::HashMap;
use std::sync::Arc;

use postern_iam::{NamedPolicy, PolicyKind, managed};
use postern_ids::{PolicyArn, PrincipalId};
use postern_store::{
    AttachedPolicy, HeldPolicies, Principal, PrincipalName, PrincipalPolicies, Store, StoreError, Tag,
};

use super::TokenFacts;
use super::compiled::{CompiledPolicies, UnreadablePolicy};
use super::remembered::Remembered;

/// How many principals are remembered, a few KiB each. Beyond that all are forgotten and asked for again.
const KEPT_MAX: usize = 4096;

/// Why it cannot be told what binds a principal.
#[derive(Debug, thiserror::Error)]
pub enum PoliciesError {
    /// A policy in force cannot be read.
    #[error(transparent)]
    Unreadable(#[from] UnreadablePolicy),
    /// An AWS managed policy in force is none that is known here.
    #[error("there is no AWS managed policy {0}")]
    NotManaged(PolicyArn),
    /// Storage failed.
    #[error("the policies cannot be looked up")]
    Store(#[from] StoreError),
}

/// A user or role with its policies.
#[derive(Debug)]
pub(super) struct KnownPrincipal {
    /// Its unique identifier: a name may be given again.
    pub id: PrincipalId,
    /// Its tags.
    pub tags: Vec<Tag>,
    /// Its own policies and those of its groups.
    pub identity: Vec<NamedPolicy>,
    /// What it can have at most.
    pub boundary: Option<NamedPolicy>,
}

/// Limits of the account, level by level.
pub(super) type Guardrails = Arc<[Vec<NamedPolicy>]>;

/// See the [module's documentation](self).
pub(super) struct PoliciesInForce {
    store: Arc<dyn Store>,
    compiled: CompiledPolicies,
    known: Remembered<Known>,
}

/// What is known.
#[derive(Default)]
struct Known {
    principals: HashMap<PrincipalName, Arc<KnownPrincipal>>,
    guardrails: Option<Guardrails>,
    /// `None`: there is no such policy.
    managed: HashMap<PolicyArn, Option<NamedPolicy>>,
}

impl PoliciesInForce {
    pub(super) fn new(store: Arc<dyn Store>) -> Self {
        let known = Remembered::new(store.identity_generation());
        Self { store, compiled: CompiledPolicies::default(), known }
    }

    /// The generation that decisions are made from, at least. Read before anything is asked, so that a change in the
    /// meantime makes what was read worthless.
    pub(super) fn generation(&self) -> u64 {
        self.known.generation()
    }

    /// The user or role with this name. `None`: it does not exist.
    pub(super) async fn principal(
        &self,
        name: &PrincipalName,
    ) -> Result<Option<Arc<KnownPrincipal>>, PoliciesError> {
        if let Some(found) = self.known.recall(|known| known.principals.get(name).cloned()) {
            return Ok(Some(found));
        }
        let Some(found) = self.store.principal_policies(name).await? else { return Ok(None) };
        let generation = found.generation;
        let principal = Arc::new(self.known_principal(found)?);
        self.known.remember(generation, |known| {
            if known.principals.len() >= KEPT_MAX {
                known.principals.clear();
            }
            known.principals.insert(name.clone(), Arc::clone(&principal));
        });
        Ok(Some(principal))
    }

    /// Limits of the account.
    pub(super) async fn guardrails(&self) -> Result<Guardrails, PoliciesError> {
        if let Some(found) = self.known.recall(|known| known.guardrails.clone()) {
            return Ok(found);
        }
        let generation = self.generation();
        let mut levels: Vec<(u32, Vec<NamedPolicy>)> = Vec::new();
        for guardrail in self.store.guardrails().await? {
            let policy =
                self.compiled.compile(guardrail.name.as_str(), PolicyKind::Guardrail, &guardrail.document)?;
            match levels.last_mut() {
                Some((level, policies)) if *level == guardrail.level => policies.push(policy),
                _ => levels.push((guardrail.level, vec![policy])),
            }
        }
        let guardrails: Guardrails = levels.into_iter().map(|(_, policies)| policies).collect();
        self.known.remember(generation, |known| known.guardrails = Some(Arc::clone(&guardrails)));
        Ok(guardrails)
    }

    /// What limits the sessions that a token opens. `None`: nothing does. A managed policy among them that is gone
    /// makes the whole layer silent, since nobody can tell what it denied.
    pub(super) async fn session(
        &self,
        token: &TokenFacts,
    ) -> Result<Option<Vec<NamedPolicy>>, PoliciesError> {
        if !token.is_limited() {
            return Ok(None);
        }
        let mut policies = Vec::new();
        if let Some(text) = &token.policy {
            policies.push(self.compiled.compile("the session policy", PolicyKind::Identity, text)?);
        }
        for arn in &token.policy_arns {
            let Some(policy) = self.managed(arn.as_str()).await? else { return Ok(Some(Vec::new())) };
            policies.push(policy);
        }
        Ok(Some(policies))
    }

    /// The policy of a role that says who may take it on, or of a key. `None`: it cannot be read, so it allows nobody.
    /// Roles of earlier servers have one without statements.
    pub(super) fn of_resource(&self, kind: PolicyKind, name: &str, text: &str) -> Option<NamedPolicy> {
        let compiled = self.compiled.compile(name, kind, text);
        if let Err(error) = &compiled {
            let error: &dyn std::error::Error = error;
            tracing::debug!(error, "{kind} of {name} cannot be read");
        }
        compiled.ok()
    }

    /// The default version of a managed policy. `None`: there is no such policy.
    async fn managed(&self, arn: &str) -> Result<Option<NamedPolicy>, PoliciesError> {
        let Ok(arn) = arn.parse::<PolicyArn>() else { return Ok(None) };
        if let Some(found) = self.known.recall(|known| known.managed.get(&arn).cloned()) {
            return Ok(found);
        }
        let generation = self.generation();
        let found = if arn.is_aws_managed() { aws_managed(&arn).ok() } else { self.stored(&arn).await? };
        self.known.remember(generation, |known| {
            if known.managed.len() >= KEPT_MAX {
                known.managed.clear();
            }
            known.managed.insert(arn, found.clone());
        });
        Ok(found)
    }

    async fn stored(&self, arn: &PolicyArn) -> Result<Option<NamedPolicy>, PoliciesError> {
        let Some(policy) = self.store.policy(arn).await? else { return Ok(None) };
        let version = self.store.policy_version(arn, policy.default_version).await?;
        let Some(version) = version else { return Ok(None) };
        Ok(Some(self.compiled.compile(arn.as_str(), PolicyKind::Identity, &version.document)?))
    }

    fn known_principal(&self, found: PrincipalPolicies) -> Result<KnownPrincipal, PoliciesError> {
        let place = match &found.principal {
            Principal::User(user) => format!("user/{}", user.name),
            Principal::Role(role) => format!("role/{}", role.name),
        };
        let mut identity = self.held(&place, &found.policies)?;
        for group in &found.groups {
            identity.extend(self.held(&format!("group/{}", group.group.name), &group.policies)?);
        }
        Ok(KnownPrincipal {
            id: found.principal.id().clone(),
            tags: found.principal.tags().to_vec(),
            identity,
            boundary: found.boundary.as_ref().map(|policy| self.attached(policy)).transpose()?,
        })
    }

    fn held(&self, place: &str, held: &HeldPolicies) -> Result<Vec<NamedPolicy>, PoliciesError> {
        let inline = held.inline.iter().map(|policy| {
            let name = format!("{place}/inline/{}", policy.name);
            Ok(self.compiled.compile(name, PolicyKind::Identity, &policy.document)?)
        });
        inline.chain(held.attached.iter().map(|policy| self.attached(policy))).collect()
    }

    fn attached(&self, policy: &AttachedPolicy) -> Result<NamedPolicy, PoliciesError> {
        match policy {
            AttachedPolicy::AwsManaged(arn) => aws_managed(arn),
            AttachedPolicy::CustomerManaged { arn, document, .. } => {
                Ok(self.compiled.compile(arn.as_str(), PolicyKind::Identity, document)?)
            }
        }
    }
}

/// One that every account has.
fn aws_managed(arn: &PolicyArn) -> Result<NamedPolicy, PoliciesError> {
    let found = managed::find(arn.as_str()).ok_or_else(|| PoliciesError::NotManaged(arn.clone()))?;
    Ok(found.policy())
}
