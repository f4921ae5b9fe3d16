//! `AssumeRole`: whoever a role trusts gets credentials of the role.

use postern_api::ApiError;
use postern_api::sts::{AssumeRoleInput, AssumeRoleOutput, Operation};
use postern_ids::Arn;
use postern_store::{Role, Tag};

use super::session_policies::SessionPolicies;
use super::session_tags::{RESERVED_PREFIX, SessionTags};
use super::{credentials, mfa, role};
use crate::auth::{Action, Caller, Check, Principal, TokenFacts};
use crate::routes::call::Call;

pub(super) async fn assume_role(mut call: Call<AssumeRoleInput>) -> Result<AssumeRoleOutput, ApiError> {
    if call.input.provided_contexts.take().is_some() {
        return Err(credentials::invalid(
            "There is no provider of contexts: ProvidedContexts cannot be given.",
        ));
    }
    let source_identity = source_identity(&call)?;
    let (given, transitive) = (call.input.tags.take(), call.input.transitive_tag_keys.take());
    let given = given.unwrap_or_default().into_iter().map(|tag| Tag { key: tag.key, value: tag.value });
    let tags =
        SessionTags::new(given.collect(), transitive.unwrap_or_default(), call.caller.token.as_deref())?;
    let policies = (call.input.policy.take(), call.input.policy_arns.take());
    let policies = SessionPolicies::read(&*call.app.store, policies.0, policies.1).await?;
    let input = &call.input;
    let (found, arn) = role::find(&call.app, &call.caller, &input.role_arn, "sts:AssumeRole").await?;

    let code = (input.serial_number.as_deref(), input.token_code.as_ref());
    let has_code = mfa::is_proved(&call.app, &call.caller, code.0, code.1, call.at).await?;
    let checks = checks(&call, &found, &arn, &tags, source_identity.as_deref(), has_code);
    let permit = call.authorize(checks).await?;

    role::check_session_name(&call.app, &call.caller, &input.role_session_name).await?;
    let is_chained = matches!(call.caller.principal, Principal::RoleSession { .. });
    let duration = role::duration(input.duration_seconds, &found, is_chained)?;
    let facts = TokenFacts {
        // A code given for credentials of the user vouches for the role as well; along a chain of roles it does not.
        mfa_at: if has_code { Some(call.at) } else { mfa_of_user(&call.caller) },
        issued_by: call.caller.access_key_id.as_deref().and_then(|key| key.parse().ok()),
        source_identity: source_identity.clone(),
        tags: tags.all,
        transitive_tag_keys: tags.transitive,
        policy: policies.inline,
        policy_arns: policies.arns,
        ..TokenFacts::new(call.at, duration)
    };
    let bearer = role::bearer(&found, &input.role_session_name);
    let issued = credentials::issue(&call.app, permit, bearer, facts, input.minimum_session_token_size)?;
    Ok(AssumeRoleOutput {
        credentials: Some(credentials::answered(&issued)),
        assumed_role_user: Some(role::assumed_role_user(&call.app, &found, &input.role_session_name)),
        packed_policy_size: Some(credentials::token_utilization(&issued)),
        source_identity,
        session_token_utilization: Some(credentials::token_utilization(&issued)),
        session_token_size: Some(credentials::token_size(&issued)),
    })
}

/// The source identity of the new session: once set it stays.
fn source_identity(call: &Call<AssumeRoleInput>) -> Result<Option<String>, ApiError> {
    let set = call.caller.token.as_ref().and_then(|token| token.source_identity.clone());
    let given = call.input.source_identity.clone();
    if given.as_ref().is_some_and(|given| given.to_lowercase().starts_with(RESERVED_PREFIX)) {
        return Err(credentials::invalid("A source identity cannot begin with aws:."));
    }
    match (set, given) {
        (Some(set), Some(given)) if set != given => {
            Err(credentials::denied("The source identity of a session cannot be changed by role chaining."))
        }
        (Some(set), _) => Ok(Some(set)),
        (None, given) => Ok(given),
    }
}

fn mfa_of_user(caller: &Caller) -> Option<jiff::Timestamp> {
    match caller.principal {
        Principal::User { .. } => caller.token.as_ref().and_then(|token| token.mfa_at),
        _ => None,
    }
}

/// What must be allowed: the role itself and, where they are used, tags and a source identity. What is inherited counts
/// as used, so that each role along a chain has to agree to it.
fn checks(
    call: &Call<AssumeRoleInput>,
    role: &Role,
    arn: &Arn,
    tags: &SessionTags,
    source_identity: Option<&str>,
    has_code: bool,
) -> Vec<Check> {
    let input = &call.input;
    let about_role = |action: Action| {
        let mut check = Check::new(action)
            .on(arn.clone())
            .with_trust_policy(role.trust_policy.as_str())
            .with_iam_tags(&role.tags)
            .with_request_tags(&tags.given)
            .with("sts:RoleSessionName", input.role_session_name.as_str());
        if let Some(id) = &input.external_id {
            check = check.with("sts:ExternalId", id.as_str());
        }
        if let Some(name) = source_identity {
            check = check.with("sts:SourceIdentity", name);
        }
        if !tags.given_transitive.is_empty() {
            check = check.with_all("sts:TransitiveTagKeys", tags.given_transitive.clone());
        }
        if has_code {
            check = check.with("aws:MultiFactorAuthPresent", true).with("aws:MultiFactorAuthAge", 0_i64);
        }
        check
    };
    let mut checks = vec![about_role(Operation::AssumeRole.into())];
    if !tags.all.is_empty() {
        checks.push(about_role(Action::TagSession));
    }
    if source_identity.is_some() {
        checks.push(about_role(Action::SetSourceIdentity));
    }
    checks
}
