//! What policies are asked: an action, on a thing, with what is known about the thing.

use postern_ids::{Arn, NodeId};
use postern_store::Tag;

use super::Action;

/// One question of a call. Every question of a call must be answered with yes.
#[derive(Debug, Clone)]
#[must_use = "a check decides nothing until it is handed to the authorizer"]
pub struct Check {
    pub(super) action: Action,
    pub(super) names: Vec<Arn>,
    pub(super) keys: Vec<ContextKey>,
    pub(super) node: Option<NodeId>,
}

/// A key of the request context with its values, as conditions and policy variables name it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContextKey {
    /// Such as `aws:ResourceTag/team`.
    pub name: String,
    /// One value, or the values of a key that has many.
    pub values: ContextValues,
}

/// The values of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ContextValues {
    /// A key that has one value.
    One(String),
    /// A key that has any number of them, such as `aws:TagKeys`.
    Many(Vec<String>),
}

impl Check {
    /// `action` on no resource: only statements on `*` allow it.
    pub fn new(action: impl Into<Action>) -> Self {
        Self { action: action.into(), names: Vec::new(), keys: Vec::new(), node: None }
    }

    /// On `resource`. A thing may have two names: then an explicit deny of either denies, and an allow of either
    /// allows.
    pub fn on(mut self, resource: Arn) -> Self {
        self.names.push(resource);
        self
    }

    /// The node that it is about, or that the session runs on: nodes act for themselves only.
    pub fn about_node(mut self, node: Option<&NodeId>) -> Self {
        self.node = node.cloned();
        self
    }

    /// With a key of the request context.
    pub fn with(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.keys.push(ContextKey { name: name.into(), values: ContextValues::One(value.into()) });
        self
    }

    /// With a key that has many values.
    pub fn with_all(mut self, name: impl Into<String>, values: Vec<String>) -> Self {
        self.keys.push(ContextKey { name: name.into(), values: ContextValues::Many(values) });
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

    /// The resource in messages.
    pub(super) fn resource(&self) -> &str {
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
        let names: Vec<&str> = check.keys.iter().map(|key| key.name.as_str()).collect();
        assert_eq!(
            names,
            ["ssm:resourceTag/team", "aws:ResourceTag/team", "aws:RequestTag/team", "aws:TagKeys"]
        );
        assert_eq!(check.keys[3].values, ContextValues::Many(vec!["team".to_owned()]));
    }

    #[test]
    fn no_tags_in_a_request_are_an_absent_key() {
        assert_eq!(Check::new(Operation::CreateActivation).with_request_tags(&[]).keys, []);
        assert_eq!(Check::new(Operation::CreateActivation).resource(), "*");
    }
}
