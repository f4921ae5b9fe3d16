//! Versions of managed policies.

use std::cmp::Reverse;

use postern_api::ApiError;
use postern_api::iam::{
    self, CreatePolicyVersionInput, CreatePolicyVersionOutput, DeletePolicyVersionInput,
    DeletePolicyVersionOutput, GetPolicyVersionInput, GetPolicyVersionOutput, ListPolicyVersionsInput,
    ListPolicyVersionsOutput, SetDefaultPolicyVersionInput, SetDefaultPolicyVersionOutput,
};
use postern_iam::PolicyKind;
use postern_iam::managed::ManagedPolicy as AwsPolicy;
use postern_store::{Entity, PolicyVersion, VersionRank};

use super::managed_policies::{self, AnyPolicy, named, named_own};
use super::marker::Asked;
use super::{document, refusal, shown_time, users};
use crate::routes::call::Call;
use crate::routes::failure;

/// A version with its document.
pub(super) fn shown(version: &PolicyVersion) -> iam::PolicyVersion {
    iam::PolicyVersion { document: Some(document::shown(&version.document)), ..listed(version) }
}

/// A version without its document, as listings and `CreatePolicyVersion` show it.
fn listed(version: &PolicyVersion) -> iam::PolicyVersion {
    iam::PolicyVersion {
        document: None,
        version_id: Some(version.version.to_string()),
        is_default_version: Some(version.is_default),
        create_date: Some(shown_time(version.created_at)),
    }
}

/// The only version that is known of a policy that every account has.
pub(super) fn shown_aws(policy: &AwsPolicy) -> iam::PolicyVersion {
    iam::PolicyVersion {
        document: Some(document::shown(policy.document)),
        version_id: Some(policy.version.to_owned()),
        is_default_version: Some(true),
        create_date: policy.updated.parse().ok(),
    }
}

pub(super) async fn create_policy_version(
    call: Call<CreatePolicyVersionInput>,
) -> Result<CreatePolicyVersionOutput, ApiError> {
    let (policy, _permit) = named_own(&call, &call.input.policy_arn).await?.permitted(&call).await?;
    document::check(PolicyKind::Identity, &call.input.policy_document)?;
    let rank = match call.input.set_as_default {
        Some(true) => VersionRank::Default,
        Some(false) | None => VersionRank::Other,
    };
    let store = &call.app.store;
    let created = store.create_policy_version(&policy.arn, &call.input.policy_document, rank, call.at).await;
    let version = created.map_err(refusal::identity)?;
    Ok(CreatePolicyVersionOutput { policy_version: Some(listed(&version)) })
}

pub(super) async fn get_policy_version(
    call: Call<GetPolicyVersionInput>,
) -> Result<GetPolicyVersionOutput, ApiError> {
    let id = managed_policies::parsed_version(&call.input.version_id)?;
    let (policy, _permit) = named(&call, &call.input.policy_arn).await?.permitted(&call).await?;
    let (arn, found) = match policy {
        AnyPolicy::Own(policy) => {
            let found = call.app.store.policy_version(&policy.arn, id).await.map_err(failure::store)?;
            (policy.arn, found.as_ref().map(shown))
        }
        AnyPolicy::Aws(policy) => {
            let found = (policy.version == call.input.version_id).then(|| shown_aws(policy));
            (managed_policies::parsed(policy.arn)?, found)
        }
    };
    let version = found.ok_or_else(|| refusal::not_found(&Entity::PolicyVersion(arn, id)))?;
    Ok(GetPolicyVersionOutput { policy_version: Some(version) })
}

/// The newest first.
pub(super) async fn list_policy_versions(
    call: Call<ListPolicyVersionsInput>,
) -> Result<ListPolicyVersionsOutput, ApiError> {
    let input = &call.input;
    let (policy, _permit) = named(&call, &input.policy_arn).await?.permitted(&call).await?;
    let asked = Asked::new(&call, &input.policy_arn, input.marker.as_deref(), input.max_items)?;
    let (versions, next) = match policy {
        AnyPolicy::Own(policy) => {
            let found = call.app.store.policy_versions(&policy.arn).await.map_err(refusal::identity)?;
            let (found, next) = asked.cut(found, |version| Reverse(version.version.number()));
            (found.iter().map(listed).collect(), next)
        }
        AnyPolicy::Aws(policy) => (vec![iam::PolicyVersion { document: None, ..shown_aws(policy) }], None),
    };
    let rest = asked.rest(&call, next);
    Ok(ListPolicyVersionsOutput {
        versions: Some(versions),
        is_truncated: rest.is_truncated,
        marker: rest.marker,
    })
}

pub(super) async fn delete_policy_version(
    call: Call<DeletePolicyVersionInput>,
) -> Result<DeletePolicyVersionOutput, ApiError> {
    let id = users::parsed(&call.input.version_id)?;
    let (policy, _permit) = named_own(&call, &call.input.policy_arn).await?.permitted(&call).await?;
    call.app.store.delete_policy_version(&policy.arn, id).await.map_err(refusal::identity)?;
    Ok(DeletePolicyVersionOutput {})
}

pub(super) async fn set_default_policy_version(
    call: Call<SetDefaultPolicyVersionInput>,
) -> Result<SetDefaultPolicyVersionOutput, ApiError> {
    let id = users::parsed(&call.input.version_id)?;
    let (policy, _permit) = named_own(&call, &call.input.policy_arn).await?.permitted(&call).await?;
    let set = call.app.store.set_default_policy_version(&policy.arn, id, call.at).await;
    set.map_err(refusal::identity)?;
    Ok(SetDefaultPolicyVersionOutput {})
}
