//! Managed policies: the account's own, and those that every account has and nobody can change.

use std::collections::BTreeMap;

use postern_api::iam::{
    self, CreatePolicyInput, CreatePolicyOutput, DeletePolicyInput, DeletePolicyOutput, GetPolicyInput,
    GetPolicyOutput, ListPoliciesInput, ListPoliciesOutput, PolicyScopeType, PolicyUsageType,
};
use postern_api::{ApiError, CommonError, Request};
use postern_iam::PolicyKind;
use postern_iam::managed::{self, ManagedPolicy as AwsPolicy};
use postern_ids::{Arn, PolicyArn, PolicyName, PolicyVersionId, PrincipalId, PrincipalKind};
use postern_store::{ManagedPolicy, NewPolicy, Page, PolicyQuery, PolicyUsage, PolicyUse};

use super::marker::Asked;
use super::named::Named;
use super::{document, refusal, shown_count, shown_time, tags, users};
use crate::routes::call::Call;
use crate::routes::failure;

/// A managed policy of either kind.
pub(super) enum AnyPolicy {
    /// One that every account has.
    Aws(&'static AwsPolicy),
    /// One of the account.
    Own(ManagedPolicy),
}

/// The ARN of a managed policy.
pub(super) fn parsed(arn: &str) -> Result<PolicyArn, ApiError> {
    arn.parse().map_err(|_| refusal::invalid_input(format!("ARN {arn} is not valid.")))
}

/// The policy of this ARN that every account has.
pub(super) fn aws_managed(arn: &PolicyArn) -> Option<&'static AwsPolicy> {
    managed::find(arn.as_str())
}

/// The policy of this ARN, to read it.
pub(super) async fn named<T: Request>(call: &Call<T>, arn: &str) -> Result<Named<AnyPolicy>, ApiError> {
    let arn = parsed(arn)?;
    let found = match aws_managed(&arn) {
        Some(policy) => Some(AnyPolicy::Aws(policy)),
        None => call.app.store.policy(&arn).await.map_err(failure::store)?.map(AnyPolicy::Own),
    };
    let check = call.check().on(resource(&arn)?);
    Ok(match found {
        Some(AnyPolicy::Own(policy)) => {
            Named::new(check.with_iam_tags(&policy.tags), Ok(AnyPolicy::Own(policy)))
        }
        Some(policy) => Named::new(check, Ok(policy)),
        None => Named::new(check, Err(refusal::no_such_entity(format!("Policy {arn} was not found.")))),
    })
}

/// The account's policy of this ARN, to do what is not done to those that every account has.
pub(super) async fn named_own<T: Request>(
    call: &Call<T>,
    arn: &str,
) -> Result<Named<ManagedPolicy>, ApiError> {
    let caller = call.caller.principal.name().to_owned();
    Ok(named(call, arn).await?.and_then(|policy| match policy {
        AnyPolicy::Own(policy) => Ok(policy),
        AnyPolicy::Aws(policy) => Err(ApiError::new(
            CommonError::AccessDenied,
            format!(
                "User: {caller} is not authorized to perform: iam:{} on resource: policy {}: it is managed by AWS, \
                 and nobody can change it",
                T::OPERATION.name(),
                policy.arn
            ),
        )),
    }))
}

/// The ARN as authorization takes it.
fn resource(arn: &PolicyArn) -> Result<Arn, ApiError> {
    users::parsed(arn.as_str())
}

/// A policy as operations on one policy show it.
pub(super) fn shown(policy: ManagedPolicy) -> iam::Policy {
    iam::Policy {
        policy_name: Some(policy.arn.name().to_string()),
        policy_id: Some(policy.id.into()),
        path: Some(policy.arn.path().into()),
        arn: Some(policy.arn.into()),
        default_version_id: Some(policy.default_version.to_string()),
        attachment_count: Some(shown_count(policy.used.attachments_count)),
        permissions_boundary_usage_count: Some(shown_count(policy.used.boundaries_count)),
        is_attachable: Some(true),
        description: policy.description,
        create_date: Some(shown_time(policy.created_at)),
        update_date: Some(shown_time(policy.updated_at)),
        tags: tags::shown_if_any(policy.tags),
    }
}

/// One that every account has, so often used in this one.
pub(super) fn shown_aws(policy: &AwsPolicy, used: PolicyUse) -> Result<iam::Policy, ApiError> {
    let arn = parsed(policy.arn)?;
    Ok(iam::Policy {
        policy_name: Some(arn.name().to_string()),
        policy_id: Some(policy.id.to_owned()),
        path: Some(arn.path().into()),
        arn: Some(arn.into()),
        default_version_id: Some(policy.version.to_owned()),
        attachment_count: Some(shown_count(used.attachments_count)),
        permissions_boundary_usage_count: Some(shown_count(used.boundaries_count)),
        is_attachable: Some(true),
        description: Some(policy.description.to_owned()),
        create_date: policy.created.parse().ok(),
        update_date: policy.updated.parse().ok(),
        tags: None,
    })
}

/// A policy as listings show it: without tags and description, as IAM leaves them out.
fn listed(policy: iam::Policy) -> iam::Policy {
    iam::Policy { tags: None, description: None, ..policy }
}

pub(super) async fn create_policy(call: Call<CreatePolicyInput>) -> Result<CreatePolicyOutput, ApiError> {
    let name: PolicyName = users::parsed(&call.input.policy_name)?;
    let path = users::path(call.input.path.as_deref())?;
    let policy = NewPolicy {
        arn: PolicyArn::customer_managed(&call.app.account, &path, &name),
        id: PrincipalId::from_random(PrincipalKind::Policy, call.app.random.bytes()),
        description: call.input.description.clone().filter(|text| !text.is_empty()),
        document: call.input.policy_document.clone(),
        tags: tags::checked(call.input.tags.as_deref())?,
        created_at: call.at,
    };
    let check = call.check().on(resource(&policy.arn)?).with_request_tags(&policy.tags);
    let _permit = call.authorize([check]).await?;
    document::check(PolicyKind::Identity, &policy.document)?;
    let created = call.app.store.create_policy(&policy).await.map_err(refusal::identity)?;
    Ok(CreatePolicyOutput { policy: Some(shown(created)) })
}

pub(super) async fn get_policy(call: Call<GetPolicyInput>) -> Result<GetPolicyOutput, ApiError> {
    let (policy, _permit) = named(&call, &call.input.policy_arn).await?.permitted(&call).await?;
    let policy = match policy {
        AnyPolicy::Own(policy) => shown(policy),
        AnyPolicy::Aws(policy) => shown_aws(policy, use_of(&call, policy).await?)?,
    };
    Ok(GetPolicyOutput { policy: Some(policy) })
}

async fn use_of<T>(call: &Call<T>, policy: &AwsPolicy) -> Result<PolicyUse, ApiError> {
    let uses = call.app.store.policy_uses().await.map_err(failure::store)?;
    Ok(uses.get(&parsed(policy.arn)?).copied().unwrap_or_default())
}

pub(super) async fn delete_policy(call: Call<DeletePolicyInput>) -> Result<DeletePolicyOutput, ApiError> {
    let (policy, _permit) = named_own(&call, &call.input.policy_arn).await?.permitted(&call).await?;
    call.app.store.delete_policy(&policy.arn).await.map_err(refusal::identity)?;
    Ok(DeletePolicyOutput {})
}

/// Where a listing of policies goes on: those that every account has come first, each kind ordered by name.
type Cursor = (IsOwn, PolicyName);
type IsOwn = bool;

pub(super) async fn list_policies(call: Call<ListPoliciesInput>) -> Result<ListPoliciesOutput, ApiError> {
    let _permit = call.authorize([call.check()]).await?;
    let input = &call.input;
    let filters = (&input.scope, &input.only_attached, &input.path_prefix, &input.policy_usage_filter);
    let asked: Asked<Cursor> = Asked::new(&call, &filters, input.marker.as_deref(), input.max_items)?;
    let scope = input.scope.clone().unwrap_or(PolicyScopeType::All);
    let mut found = Vec::new();
    let mut next = None;
    if scope != PolicyScopeType::Local && !matches!(asked.page.after, Some((true, _))) {
        let uses = call.app.store.policy_uses().await.map_err(failure::store)?;
        let (policies, more) = asked.cut(aws_policies(input, &uses)?, |(cursor, _, _)| cursor.clone());
        for (_, policy, used) in policies {
            found.push(listed(shown_aws(policy, used)?));
        }
        next = more;
    }
    if scope != PolicyScopeType::Aws && next.is_none() {
        next = list_own(&call, &asked, &mut found).await?;
    }
    let rest = asked.rest(&call, next);
    Ok(ListPoliciesOutput { policies: Some(found), is_truncated: rest.is_truncated, marker: rest.marker })
}

/// Those that every account has and that match.
fn aws_policies(
    input: &ListPoliciesInput,
    uses: &BTreeMap<PolicyArn, PolicyUse>,
) -> Result<Vec<(Cursor, &'static AwsPolicy, PolicyUse)>, ApiError> {
    let prefix = input.path_prefix.as_deref().unwrap_or("/");
    let mut found = Vec::new();
    for policy in managed::all() {
        let arn = parsed(policy.arn)?;
        let used = uses.get(&arn).copied().unwrap_or_default();
        let is_used = match usage(input.policy_usage_filter.as_ref()) {
            Some(PolicyUsage::PermissionsPolicy) => used.attachments_count > 0,
            Some(PolicyUsage::PermissionsBoundary) => used.boundaries_count > 0,
            None => used != PolicyUse::default() || input.only_attached != Some(true),
        };
        if is_used && arn.path().as_str().starts_with(prefix) {
            found.push(((false, arn.name()), policy, used));
        }
    }
    Ok(found)
}

/// Fills the page up with the account's own policies.
async fn list_own(
    call: &Call<ListPoliciesInput>,
    asked: &Asked<Cursor>,
    found: &mut Vec<iam::Policy>,
) -> Result<Option<Cursor>, ApiError> {
    let input = &call.input;
    let room = asked.page.limit.saturating_sub(u32::try_from(found.len()).unwrap_or(u32::MAX));
    let after = asked.page.after.clone().and_then(|(is_own, name)| is_own.then_some(name));
    let query = PolicyQuery {
        path_prefix: input.path_prefix.clone().unwrap_or_else(|| "/".to_owned()),
        used_for: usage(input.policy_usage_filter.as_ref()),
        only_used: input.only_attached == Some(true),
        // With no room left, one more tells whether there is a next page.
        page: Page { after, limit: room.max(1) },
    };
    let own = call.app.store.policies(&query).await.map_err(failure::store)?;
    if room > 0 {
        found.extend(own.items.into_iter().map(|policy| listed(shown(policy))));
        return Ok(own.next.map(|name| (true, name)));
    }
    let last = found.last().and_then(|policy| policy.policy_name.as_deref());
    match last.filter(|_| !own.items.is_empty()) {
        Some(name) => Ok(Some((false, users::parsed(name)?))),
        None => Ok(None),
    }
}

/// The filter by use.
fn usage(filter: Option<&PolicyUsageType>) -> Option<PolicyUsage> {
    match filter {
        Some(PolicyUsageType::PermissionsPolicy) => Some(PolicyUsage::PermissionsPolicy),
        Some(PolicyUsageType::PermissionsBoundary) => Some(PolicyUsage::PermissionsBoundary),
        Some(PolicyUsageType::Unknown(_)) | None => None,
    }
}

/// The number of a version, of which only the account's own policies have more than one.
pub(super) fn parsed_version(text: &str) -> Result<PolicyVersionId, ApiError> {
    users::parsed(text)
}
