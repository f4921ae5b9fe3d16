//! What must be allowed to take a role on, by whatever proof.

use postern_iam::Value;
use postern_ids::Arn;
use postern_store::Role;

use super::session_tags::SessionTags;
use crate::auth::{Action, Check};

/// A role that somebody wants to take on, with what policies can ask about that.
pub(super) struct RoleChecks<'a> {
    pub(super) role: &'a Role,
    pub(super) arn: &'a Arn,
    pub(super) session_name: &'a str,
    pub(super) tags: &'a SessionTags,
    pub(super) source_identity: Option<&'a str>,
    /// Keys that only one kind of proof has.
    pub(super) keys: Vec<(String, Value)>,
}

impl RoleChecks<'_> {
    /// `action` on the role and, where they are used, tags and a source identity. What is inherited counts as used, so
    /// that each role along a chain has to agree to it.
    pub(super) fn of(&self, action: impl Into<Action>) -> Vec<Check> {
        let mut checks = vec![self.about_role(action.into())];
        if !self.tags.all.is_empty() {
            checks.push(self.about_role(Action::TagSession));
        }
        if self.source_identity.is_some() {
            checks.push(self.about_role(Action::SetSourceIdentity));
        }
        checks
    }

    fn about_role(&self, action: Action) -> Check {
        let mut check = Check::new(action)
            .on(self.arn.clone())
            .with_trust_policy(self.role.trust_policy.as_str())
            .with_iam_tags(&self.role.tags)
            .with_request_tags(&self.tags.given)
            .with("sts:RoleSessionName", self.session_name);
        if let Some(name) = self.source_identity {
            check = check.with("sts:SourceIdentity", name);
        }
        if !self.tags.given_transitive.is_empty() {
            check = check.with_all("sts:TransitiveTagKeys", self.tags.given_transitive.clone());
        }
        self.keys.iter().fold(check, |check, (name, value)| check.with(name.clone(), value.clone()))
    }
}
