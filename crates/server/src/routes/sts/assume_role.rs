//! `AssumeRole`: whoever a role trusts gets credentials of the role.

use postern_api::ApiError;
use postern_api::sts::{AssumeRoleInput, AssumeRoleOutput, Operation};
use postern_ids::Arn;
use postern_store::{Role, Tag};

use super::role_checks::RoleChecks;
use super::session_policies::SessionPolicies;
use super::session_tags::{RESERVED_PREFIX, SessionTags};
use super::{credentials, mfa, role};
use crate::auth::{Bearer, Caller, Check, Permit, Principal, TokenFacts};
use crate::routes::call::Call;

pub(super) async fn assume_role(mut call: Call<AssumeRoleInput>) -> Result<AssumeRoleOutput, ApiError> {
    let TakenOn { permit, role: found, bearer, facts } = take_on(&mut call).await?;
    let (input, source_identity) = (&call.input, facts.source_identity.clone());
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

/// A role that somebody may take on, and what the session of it will be.
pub(crate) struct TakenOn {
    pub(crate) permit: Permit,
    pub(crate) role: Role,
    pub(crate) bearer: Bearer,
    pub(crate) facts: TokenFacts,
}

/// Whether the caller may take the role on, and as what.
pub(crate) async fn take_on(call: &mut Call<AssumeRoleInput>) -> Result<TakenOn, ApiError> {
    if call.input.provided_contexts.take().is_some() {
        return Err(credentials::invalid(
            "There is no provider of contexts: ProvidedContexts cannot be given.",
        ));
    }
    let source_identity = source_identity(call)?;
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
    let checks = checks(call, &found, &arn, &tags, source_identity.as_deref(), has_code);
    let permit = call.authorize(checks).await?;

    role::check_session_name(&call.app, &call.caller, &input.role_session_name).await?;
    let is_chained = matches!(call.caller.principal, Principal::RoleSession { .. });
    let duration = role::duration(input.duration_seconds, &found, is_chained)?;
    let facts = TokenFacts {
        // A code given for credentials of the user vouches for the role as well; along a chain of roles it does not.
        mfa_at: if has_code { Some(call.at) } else { mfa_of_user(&call.caller) },
        sign_in: call.caller.token.as_ref().and_then(|token| token.sign_in.clone()),
        issued_by: call.caller.access_key_id.as_deref().and_then(|key| key.parse().ok()),
        source_identity,
        tags: tags.all,
        transitive_tag_keys: tags.transitive,
        policy: policies.inline,
        policy_arns: policies.arns,
        ..TokenFacts::new(call.at, duration)
    };
    let bearer = role::bearer(&found, &input.role_session_name);
    Ok(TakenOn { permit, role: found, bearer, facts })
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

fn checks(
    call: &Call<AssumeRoleInput>,
    role: &Role,
    arn: &Arn,
    tags: &SessionTags,
    source_identity: Option<&str>,
    has_code: bool,
) -> Vec<Check> {
    let mut keys = Vec::new();
    if let Some(id) = &call.input.external_id {
        keys.push(("sts:ExternalId".to_owned(), id.as_str().into()));
    }
    if has_code {
        keys.push(("aws:MultiFactorAuthPresent".to_owned(), true.into()));
        keys.push(("aws:MultiFactorAuthAge".to_owned(), 0_i64.into()));
    }
    let session_name = call.input.role_session_name.as_str();
    RoleChecks { role, arn, session_name, tags, source_identity, keys }.of(Operation::AssumeRole)
}
