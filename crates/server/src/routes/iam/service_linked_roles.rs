//! `CreateServiceLinkedRole`: the role with which a service acts for the account.
//!
//! Postern needs none; scripts for Systems Manager create it all the same. It holds no policies.

use postern_api::ApiError;
use postern_api::iam::{CreateServiceLinkedRoleInput, CreateServiceLinkedRoleOutput};
use postern_ids::{PrincipalId, PrincipalKind, RoleName};
use postern_store::{Entity, IdentityError, Role};

use super::{refusal, roles, users};
use crate::routes::call::Call;

/// The one service of AWS's with such a role that is here, and the role's name.
/// Source: "Using service-linked roles for Systems Manager", Systems Manager User Guide.
const SERVICE: &str = "ssm.amazonaws.com";
const ROLE: &str = "AWSServiceRoleForAmazonSSM";
const TRUST_POLICY: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"ssm.amazonaws.com"},"Action":"sts:AssumeRole"}]}"#;

pub(super) async fn create_service_linked_role(
    call: Call<CreateServiceLinkedRoleInput>,
) -> Result<CreateServiceLinkedRoleOutput, ApiError> {
    let service = call.input.aws_service_name.as_str();
    let name: RoleName = users::parsed(ROLE)?;
    let id = PrincipalId::from_random(PrincipalKind::Role, call.app.random.bytes());
    let mut role = Role::new(name, id, TRUST_POLICY, call.at);
    role.path = users::path(Some(&format!("{}{service}/", roles::SERVICE_PATH)))?;
    role.description = call.input.description.clone().filter(|text| !text.is_empty());
    let check = call.check().on(roles::arn(&call.app.account, &role)).with("iam:AWSServiceName", service);
    let _permit = call.authorize([check]).await?;
    if service != SERVICE {
        return Err(refusal::invalid_input(format!("There is no service-linked role for {service} here.")));
    }
    if call.input.custom_suffix.is_some() {
        return Err(refusal::invalid_input("Custom suffix is not allowed for this service."));
    }
    call.app.store.create_role(&role).await.map_err(|error| match error {
        IdentityError::AlreadyExists(Entity::Role(name)) => refusal::invalid_input(format!(
            "Service role name {name} has been taken in this account, please try a different suffix."
        )),
        error => refusal::identity(error),
    })?;
    Ok(CreateServiceLinkedRoleOutput { role: Some(roles::shown(&call.app.account, role)) })
}
