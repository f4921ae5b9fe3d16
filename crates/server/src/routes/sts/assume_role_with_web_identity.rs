//! `AssumeRoleWithWebIdentity`: whoever a registered OIDC provider vouches for gets credentials of a role that trusts the
//! provider. The request is not signed: the provider's token is the proof.

use std::time::Instant;

use postern_api::sts::{AssumeRoleWithWebIdentityInput, AssumeRoleWithWebIdentityOutput, Operation, errors};
use postern_api::{ApiError, CommonError};
use postern_iam::Value;
use postern_ids::Arn;
use postern_store::{Role, Tag};

use super::assume_role::TakenOn;
use super::role_checks::RoleChecks;
use super::session_policies::SessionPolicies;
use super::session_tags::{RESERVED_PREFIX, SessionTags};
use super::{credentials, role};
use crate::auth::{Check, Federation, Principal, TokenFacts};
use crate::oidc::{Identity, OidcError};
use crate::rate_limit::network;
use crate::routes::call::Call;
use crate::routes::failure;

/// As `sourceIdentityType` of the model.
const SOURCE_IDENTITY_CHARS: std::ops::RangeInclusive<usize> = 2..=64;

pub(super) async fn assume_role_with_web_identity(
    mut call: Call<AssumeRoleWithWebIdentityInput>,
) -> Result<AssumeRoleWithWebIdentityOutput, ApiError> {
    if !call.app.unsigned_calls.admits(network(call.caller.source_ip), Instant::now()) {
        return Err(ApiError::new(CommonError::Throttling, "Rate exceeded"));
    }
    if call.input.provider_id.is_some() {
        return Err(credentials::invalid(
            "ProviderId is for OAuth 2.0 access tokens, which are not accepted.",
        ));
    }
    let identity = verify(&call).await?;
    let TakenOn { permit, role: found, bearer, facts } = take_on(&mut call, &identity).await?;
    let input = &call.input;
    let issued = credentials::issue(&call.app, permit, bearer, facts, input.minimum_session_token_size)?;
    Ok(AssumeRoleWithWebIdentityOutput {
        credentials: Some(credentials::answered(&issued)),
        subject_from_web_identity_token: Some(identity.subject),
        assumed_role_user: Some(role::assumed_role_user(&call.app, &found, &input.role_session_name)),
        packed_policy_size: Some(credentials::token_utilization(&issued)),
        provider: Some(identity.issuer_url),
        audience: Some(identity.audience),
        source_identity: identity.source_identity,
        session_token_utilization: Some(credentials::token_utilization(&issued)),
        session_token_size: Some(credentials::token_size(&issued)),
        trusted_identity_propagation_context: None,
    })
}

/// Whether somebody whom a provider vouches for may take the role on, and as what.
pub(crate) async fn take_on(
    call: &mut Call<AssumeRoleWithWebIdentityInput>,
    identity: &Identity,
) -> Result<TakenOn, ApiError> {
    let provider = Arn::oidc_provider(&call.app.account, &identity.issuer);
    // From here on it is somebody: what is denied is denied to, and recorded of, this identity.
    call.caller.principal = Principal::WebIdentity {
        provider: provider.clone(),
        subject: identity.subject.clone(),
        audience: identity.audience.clone(),
    };
    call.caller.access_key_id = None;
    call.caller.token = None;
    call.entry.caller(&call.caller);
    check_source_identity(identity)?;
    let given = identity.tags.iter().map(|(key, value)| Tag { key: key.clone(), value: value.clone() });
    let tags = SessionTags::new(given.collect(), identity.transitive_tag_keys.clone(), None)?;
    let policies = (call.input.policy.take(), call.input.policy_arns.take());
    let policies = SessionPolicies::read(&*call.app.store, policies.0, policies.1).await?;
    let input = &call.input;
    let action = "sts:AssumeRoleWithWebIdentity";
    let (found, arn) = role::find(&call.app, &call.caller, &input.role_arn, action).await?;
    let permit = call.authorize(checks(call, &found, &arn, &tags, identity)).await?;

    role::check_session_name(&call.app, &call.caller, &input.role_session_name).await?;
    let facts = TokenFacts {
        source_identity: identity.source_identity.clone(),
        tags: tags.all,
        transitive_tag_keys: tags.transitive,
        policy: policies.inline,
        policy_arns: policies.arns,
        federation: Some(Federation { provider, claims: identity.kept_claims() }),
        ..TokenFacts::new(call.at, role::duration(input.duration_seconds, &found, false)?)
    };
    let bearer = role::bearer(&found, &input.role_session_name);
    Ok(TakenOn { permit, role: found, bearer, facts })
}

/// Whom the token is about.
async fn verify(call: &Call<AssumeRoleWithWebIdentityInput>) -> Result<Identity, ApiError> {
    let token = call.input.web_identity_token.expose_secret();
    let verified = call.app.oidc.verify(&*call.app.store, token, call.at).await;
    verified.map_err(|error| match error {
        OidcError::Store(error) => failure::store(error),
        refused => {
            let (cause, source_ip): (&dyn std::error::Error, _) = (&refused, call.caller.source_ip);
            tracing::info!(error = cause, %source_ip, "a token of an OIDC provider was refused");
            ApiError::from(&refused)
        }
    })
}

fn check_source_identity(identity: &Identity) -> Result<(), ApiError> {
    let Some(name) = &identity.source_identity else { return Ok(()) };
    let is_valid = SOURCE_IDENTITY_CHARS.contains(&name.len())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"_+=,.@-".contains(&b))
        && !name.to_lowercase().starts_with(RESERVED_PREFIX);
    if is_valid {
        return Ok(());
    }
    let message = "The source identity in the ID Token is not valid.";
    Err(ApiError::new(errors::IDP_REJECTED_CLAIM_EXCEPTION, message))
}

/// What the role's trust policy must allow.
fn checks(
    call: &Call<AssumeRoleWithWebIdentityInput>,
    role: &Role,
    arn: &Arn,
    tags: &SessionTags,
    identity: &Identity,
) -> Vec<Check> {
    let claims = identity.claims.iter();
    let keys = claims.map(|(claim, values)| (format!("{}:{claim}", identity.issuer), context_value(values)));
    let (keys, source_identity) = (keys.collect(), identity.source_identity.as_deref());
    let session_name = call.input.role_session_name.as_str();
    let checks = RoleChecks { role, arn, session_name, tags, source_identity, keys };
    checks.of(Operation::AssumeRoleWithWebIdentity)
}

/// A claim that is a list of one is that one.
fn context_value(values: &[String]) -> Value {
    match values {
        [one] => one.as_str().into(),
        many => many.to_vec().into(),
    }
}
