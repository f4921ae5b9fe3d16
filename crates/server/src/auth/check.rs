//! What policies are asked: an action, on a thing, with what is known about the thing.

use postern_iam::{PolicyKind, Value};
use postern_ids::{AccountId, Arn, NodeId, Region, SessionId};
use postern_store::Tag;

use super::Action;
use super::session_owner::{SessionFacts, SessionOwner};

/// One question of a call. Every question of a call must be answered with yes.
#[derive(Debug, Clone)]
#[must_use = "a check decides nothing until it is handed to the authorizer"]
pub struct Check {
    pub(super) action: Action,
    pub(super) names: Vec<Arn>,
    pub(super) keys: Vec<(String, Value)>,
    pub(super) node: Option<NodeId>,
    /// The policy of the resource itself, which must allow, too.
    pub(super) resource_policy: Option<(PolicyKind, String)>,
    /// Of a session, who started it.
    pub(super) owner: Option<SessionOwner>,
}

impl Check {
    /// `action` on no resource: only statements on `*` allow it.
    pub fn new(action: impl Into<Action>) -> Self {
        Self {
            action: action.into(),
            names: Vec::new(),
            keys: Vec::new(),
            node: None,
            resource_policy: None,
            owner: None,
        }
    }

    /// The names of the resource; none for actions on no resource.
    #[must_use]
    pub fn names(&self) -> &[Arn] {
        &self.names
    }

    /// On `resource`. A thing may have two names: then an explicit deny of either denies, and an allow of either
    /// allows.
    pub fn on(mut self, resource: Arn) -> Self {
        self.names.push(resource);
        self
    }

    /// On a session, under both of the names that published policies give it: `session/<name of its owner>-…`, as
    /// its identifier is, and `session/<aws:userid of its owner>-…`. Both hold the owner, so a policy that knows only
    /// one of them opens no more than the other would. With the session's tags; without them if it does not exist.
    ///
    /// Source: "Sample IAM policies for Session Manager", AWS Systems Manager User Guide, in its versions until 2024
    /// and from 2025.
    ///
    /// Policies match the beginnings of these names, and a name may begin with another's, or have been another's. Whose
    /// the session is stands in its record: [`SessionOwner`] keeps beginnings from giving it to somebody else.
    pub fn on_session<'a>(
        self,
        region: &Region,
        account: &AccountId,
        id: &SessionId,
        found: Option<impl Into<SessionFacts<'a>>>,
    ) -> Self {
        let check = self.on(Arn::session(region, account, id));
        let Some(found) = found.map(Into::into) else { return check };
        let owner = SessionOwner::new(region, account, id, found);
        let check = match owner.name_with(found.owner_user_id) {
            Some(name) => check.on(name),
            None => check,
        };
        let check = Self { owner: Some(owner), ..check };
        check
            .about_node(Some(found.node))
            .with("ssm:resourceTag/aws:ssmmessages:session-id", found.owner_user_id)
            .with("aws:ResourceTag/aws:ssmmessages:session-id", found.owner_user_id)
            .with("ssm:resourceTag/aws:ssmmessages:target-id", found.node.as_str())
            .with("aws:ResourceTag/aws:ssmmessages:target-id", found.node.as_str())
    }

    /// The node that it is about, or that the session runs on: nodes act for themselves only.
    pub fn about_node(mut self, node: Option<&NodeId>) -> Self {
        self.node = node.cloned();
        self
    }

    /// With a key of the request context, as conditions and policy variables name it.
    pub fn with(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.keys.push((name.into(), value.into()));
        self
    }

    /// With a key that has any number of values, such as `aws:TagKeys`.
    pub fn with_all(self, name: impl Into<String>, values: Vec<String>) -> Self {
        self.with(name, values)
    }

    /// The resource is a role, and this is its trust policy: it must allow, too.
    pub fn with_trust_policy(mut self, document: impl Into<String>) -> Self {
        self.resource_policy = Some((PolicyKind::Trust, document.into()));
        self
    }

    /// The resource is an encryption key, and this is its key policy: it must allow, too, or leave it to IAM.
    pub fn with_key_policy(mut self, document: impl Into<String>) -> Self {
        self.resource_policy = Some((PolicyKind::Key, document.into()));
        self
    }

    /// With the tags that a resource of Systems Manager has, under both names that its policies use.
    pub fn with_resource_tags(self, tags: &[Tag]) -> Self {
        self.with_tags("ssm:resourceTag/", tags).with_tags("aws:ResourceTag/", tags)
    }

    /// With the tags that a user, a role or a policy has, under both names that its policies use.
    pub fn with_iam_tags(self, tags: &[Tag]) -> Self {
        self.with_tags("iam:ResourceTag/", tags).with_tags("aws:ResourceTag/", tags)
    }

    /// With the tags that an encryption key has, under the one name that its policies use.
    pub fn with_kms_tags(self, tags: &[Tag]) -> Self {
        self.with_tags("aws:ResourceTag/", tags)
    }

    /// With the tags that the request gives: `aws:RequestTag/…` and `aws:TagKeys`.
    pub fn with_request_tags(self, tags: &[Tag]) -> Self {
        self.with_tags("aws:RequestTag/", tags)
            .with_tag_keys(tags.iter().map(|tag| tag.key.clone()).collect())
    }

    /// With the keys of the tags that the request gives or takes away: `aws:TagKeys`.
    pub fn with_tag_keys(self, keys: Vec<String>) -> Self {
        if keys.is_empty() { self } else { self.with_all("aws:TagKeys", keys) }
    }

    fn with_tags(self, prefix: &str, tags: &[Tag]) -> Self {
        tags.iter().fold(self, |check, tag| check.with(format!("{prefix}{}", tag.key), tag.value.as_str()))
    }

    /// What it asks.
    #[must_use]
    pub fn action(&self) -> Action {
        self.action
    }

    /// The resource in messages: its ARN, or `*`.
    #[must_use]
    pub fn resource(&self) -> &str {
        self.names.first().map_or("*", Arn::as_str)
    }
}

#[cfg(test)]
mod tests {
    use postern_api::ssm::Operation;

    use super::*;

    #[test]
    fn tags_have_the_names_that_policies_use() {
        let tag = Tag { key: "team".to_owned(), value: "web".to_owned() };
        let check = Check::new(Operation::AddTagsToResource)
            .with_resource_tags(std::slice::from_ref(&tag))
            .with_request_tags(&[tag]);
        let names: Vec<&str> = check.keys.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(
            names,
            ["ssm:resourceTag/team", "aws:ResourceTag/team", "aws:RequestTag/team", "aws:TagKeys"]
        );
        assert_eq!(check.keys[3].1, Value::Multi(vec!["team".to_owned()]));
    }

    #[test]
    fn no_tags_in_a_request_are_an_absent_key() {
        assert_eq!(Check::new(Operation::CreateActivation).with_request_tags(&[]).keys, []);
        assert_eq!(Check::new(Operation::CreateActivation).resource(), "*");
    }
}
