//! Roles for nodes, as callers name them.

use jiff::Timestamp;
use postern_api::{ApiError, CommonError};
use postern_ids::{Arn, IamPath, RoleName};
use postern_store::Role;

use crate::app::App;
use crate::auth::{Action, Check};
use crate::routes::failure;

/// The service that takes a role on for its nodes.
pub(super) const SERVICE: &str = "ssm.amazonaws.com";

/// A role that somebody wants to hand to nodes.
pub(super) struct NodeRole {
    /// As the caller named it.
    asked: String,
    name: RoleName,
    found: Option<Role>,
}

impl NodeRole {
    /// The role that `text` names: `service-role/AmazonEC2RunCommandRoleForManagedInstances` and the like.
    pub(super) async fn find(app: &App, text: &str) -> Result<Self, ApiError> {
        let name = name(text)?;
        let found = app.store.role(&name).await.map_err(failure::store)?;
        Ok(Self { asked: text.to_owned(), name, found })
    }

    /// The role's ARN; of a role that does not exist, the one that it would have.
    pub(super) fn arn(&self, app: &App) -> Arn {
        let root = IamPath::root();
        let (path, name) = self.found.as_ref().map_or((&root, &self.name), |role| (&role.path, &role.name));
        Arn::role(&app.account, path, name)
    }

    /// Leave to hand it on to nodes.
    pub(super) fn pass_role(&self, app: &App) -> Check {
        Check::new(Action::PassRole)
            .on(self.arn(app))
            .with("iam:PassedToService", SERVICE)
            .with_iam_tags(self.found.as_ref().map_or(&[], |role| &role.tags))
    }

    /// Its name, if it may be handed to nodes at all: it exists, and trusts the service that takes it on for them.
    pub(super) fn trusting(self, app: &App, at: Timestamp) -> Result<RoleName, ApiError> {
        let trusts = |role: &Role| app.authorizer.trusts_service(role, SERVICE, at);
        let found = self.found.filter(trusts).ok_or_else(|| none(&self.asked))?;
        Ok(found.name)
    }
}

fn name(text: &str) -> Result<RoleName, ApiError> {
    let name = text.rsplit('/').next().unwrap_or(text);
    name.parse().map_err(|_| none(text))
}

fn none(text: &str) -> ApiError {
    let message = format!("Nonexistent role or missing ssm service principal in trust policy: {text}");
    ApiError::new(CommonError::Validation, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_may_be_given_with_its_path() {
        assert_eq!(name("service-role/PosternNode").unwrap().as_str(), "PosternNode");
        assert!(name("").is_err());
    }
}
