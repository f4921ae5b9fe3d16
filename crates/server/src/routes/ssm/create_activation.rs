//! `CreateActivation`: permission for a number of nodes to register within some time.

use jiff::{SignedDuration, Timestamp};
use postern_api::ssm::{CreateActivationInput, CreateActivationOutput};
use postern_api::{ApiError, CommonError};
use postern_ids::ActivationId;
use postern_store::Activation;

use super::node_role::NodeRole;
use super::{activation, tag};
use crate::auth::Permit;
use crate::routes::call::Call;
use crate::routes::failure;

/// Source: AWS SSM API reference, `CreateActivation`.
const LIFE_DEFAULT: SignedDuration = SignedDuration::from_hours(24);
const LIFE_MAX: SignedDuration = SignedDuration::from_hours(30 * 24);
const REGISTRATION_LIMIT_DEFAULT: u32 = 1;

pub(super) async fn create_activation(
    call: Call<CreateActivationInput>,
) -> Result<CreateActivationOutput, ApiError> {
    let expires_at = expiration(call.input.expiration_date.map(Timestamp::from), call.at)?;
    if call.input.registration_metadata.as_ref().is_some_and(|items| !items.is_empty()) {
        let message = "RegistrationMetadata is not kept by this server: leave it out.";
        return Err(ApiError::new(CommonError::Validation, message));
    }
    let tags = tag::checked(call.input.tags.clone().unwrap_or_default())?;
    if tags.len() > tag::TAGS_MAX {
        let message = format!("A node has at most {} tags.", tag::TAGS_MAX);
        return Err(ApiError::new(CommonError::Validation, message));
    }
    let role = NodeRole::find(&call.app, &call.input.iam_role).await?;
    let permit = call.authorize([call.check().with_request_tags(&tags), role.pass_role(&call.app)]).await?;
    let role = role.trusting(&call.app, call.at)?;
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
}
