//! `CreateActivation`: permission for a number of nodes to register within some time.

use jiff::{SignedDuration, Timestamp};
use postern_api::ssm::{CreateActivationInput, CreateActivationOutput};
use postern_api::{ApiError, CommonError};
use postern_ids::{ActivationId, Arn, IamPath, RoleName};
use postern_store::{Activation, Role, Tag};

use super::{activation, tag};
use crate::auth::{Action, Check, Permit};
use crate::routes::call::Call;
use crate::routes::failure;

/// Source: AWS SSM API reference, `CreateActivation`.
const LIFE_DEFAULT: SignedDuration = SignedDuration::from_hours(24);
const LIFE_MAX: SignedDuration = SignedDuration::from_hours(30 * 24);
const REGISTRATION_LIMIT_DEFAULT: u32 = 1;
/// The service that takes a role on for its nodes.
pub(super) const SERVICE: &str = "ssm.amazonaws.com";

pub(super) async fn create_activation(
    call: Call<CreateActivationInput>,
) -> Result<CreateActivationOutput, ApiError> {
    let expires_at = expiration(call.input.expiration_date.map(Timestamp::from), call.at)?;
    let role = role_name(&call.input.iam_role)?;
    if call.input.registration_metadata.as_ref().is_some_and(|items| !items.is_empty()) {
        let message = "RegistrationMetadata is not kept by this server: leave it out.";
        return Err(ApiError::new(CommonError::Validation, message));
    }
    let tags = tag::checked(call.input.tags.clone().unwrap_or_default())?;
    if tags.len() > tag::TAGS_MAX {
        let message = format!("A node has at most {} tags.", tag::TAGS_MAX);
        return Err(ApiError::new(CommonError::Validation, message));
    }
    let found = call.app.store.role(&role).await.map_err(failure::store)?;
    let permit = authorize(&call, &tags, found.as_ref(), &role).await?;
    if !trusts_ssm(&call, found.as_ref()) {
        return Err(no_such_role(&call.input.iam_role));
    }
    let input = &call.input;
    let limit = input.registration_limit.and_then(|limit| u32::try_from(limit).ok());
    let code = activation::new_code(&*call.app.random);
    let new = Activation {
        id: ActivationId::from_random(call.app.random.bytes()),
        code_hash: activation::hash(&code),
        description: input.description.clone(),
        default_instance_name: input.default_instance_name.clone(),
        role,
        registration_limit: limit.unwrap_or(REGISTRATION_LIMIT_DEFAULT),
        registrations_count: 0,
        expires_at,
        created_at: call.at,
        tags,
    };
    create(&call, permit, &new).await?;
    Ok(CreateActivationOutput { activation_id: Some(new.id.to_string()), activation_code: Some(code.into()) })
}

/// Leave to create it, and to hand its role on to the nodes.
async fn authorize(
    call: &Call<CreateActivationInput>,
    tags: &[Tag],
    found: Option<&Role>,
    name: &RoleName,
) -> Result<Permit, ApiError> {
    let root = IamPath::root();
    let (path, name) = found.map_or((&root, name), |role| (&role.path, &role.name));
    let pass_role = Check::new(Action::PassRole)
        .on(Arn::role(&call.app.account, path, name))
        .with("iam:PassedToService", SERVICE)
        .with_iam_tags(found.map_or(&[], |role| &role.tags));
    call.authorize([call.check().with_request_tags(tags), pass_role]).await
}

/// Whether the role may be handed to nodes at all.
fn trusts_ssm(call: &Call<CreateActivationInput>, found: Option<&Role>) -> bool {
    found.is_some_and(|role| call.app.authorizer.trusts_service(role, SERVICE, call.at))
}

async fn create(
    call: &Call<CreateActivationInput>,
    _permit: Permit,
    new: &Activation,
) -> Result<(), ApiError> {
    call.app.store.create_activation(new).await.map_err(failure::store)
}

fn expiration(asked: Option<Timestamp>, now: Timestamp) -> Result<Timestamp, ApiError> {
    let expires_at = asked.unwrap_or(now + LIFE_DEFAULT);
    let life = expires_at.duration_since(now);
    if life <= SignedDuration::ZERO || life > LIFE_MAX {
        let message = "ExpirationDate must be in the future, and at most 30 days from now.";
        return Err(ApiError::new(CommonError::Validation, message));
    }
    Ok(expires_at)
}

/// The name in `service-role/AmazonEC2RunCommandRoleForManagedInstances` and the like.
fn role_name(text: &str) -> Result<RoleName, ApiError> {
    let name = text.rsplit('/').next().unwrap_or(text);
    name.parse().map_err(|_| no_such_role(text))
}

fn no_such_role(text: &str) -> ApiError {
    let message = format!("Nonexistent role or missing ssm service principal in trust policy: {text}");
    ApiError::new(CommonError::Validation, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_activation_lives_a_day_and_at_most_thirty() {
        let now: Timestamp = "2026-11-25T00:00:00Z".parse().unwrap();
        assert_eq!(expiration(None, now).unwrap(), now + LIFE_DEFAULT);
        assert!(expiration(Some(now + LIFE_MAX), now).is_ok());
        let second = SignedDuration::from_secs(1);
        for wrong in [now, now - second, now + LIFE_MAX + second] {
            assert!(expiration(Some(wrong), now).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_role_may_be_given_with_its_path() {
        assert_eq!(role_name("service-role/PosternNode").unwrap().as_str(), "PosternNode");
        assert!(role_name("").is_err());
    }
}
