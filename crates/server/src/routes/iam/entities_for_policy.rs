//! `ListEntitiesForPolicy`: who uses a managed policy.

use postern_api::ApiError;
use postern_api::iam::{
    EntityType, ListEntitiesForPolicyInput, ListEntitiesForPolicyOutput, PolicyGroup, PolicyRole,
    PolicyUsageType, PolicyUser,
};
use postern_store::{PolicyEntity, PolicyHolder};

use super::managed_policies::{self, named};
use super::marker::Asked;
use super::refusal;
use crate::routes::call::Call;

pub(super) async fn list_entities_for_policy(
    call: Call<ListEntitiesForPolicyInput>,
) -> Result<ListEntitiesForPolicyOutput, ApiError> {
    let input = &call.input;
    let (_, _permit) = named(&call, &input.policy_arn).await?.permitted(&call).await?;
    let filters = (&input.policy_arn, &input.entity_filter, &input.path_prefix, &input.policy_usage_filter);
    let asked = Asked::new(&call, &filters, input.marker.as_deref(), input.max_items)?;
    let arn = managed_policies::parsed(&input.policy_arn)?;
    let entities = call.app.store.policy_entities(&arn).await.map_err(refusal::identity)?;
    let mut found = match &input.policy_usage_filter {
        Some(PolicyUsageType::PermissionsPolicy) => entities.attached_to,
        Some(PolicyUsageType::PermissionsBoundary) => entities.boundary_of,
        Some(PolicyUsageType::Unknown(_)) | None => [entities.attached_to, entities.boundary_of].concat(),
    };
    // One that holds the policy and is bounded by it is still one.
    found.sort_by(|a, b| a.id.cmp(&b.id));
    found.dedup_by(|a, b| a.id == b.id);
    found.retain(|entity| matches(input, entity));
    let (found, next) = asked.cut(found, key);
    let rest = asked.rest(&call, next);
    let mut output = ListEntitiesForPolicyOutput {
        policy_groups: Some(Vec::new()),
        policy_users: Some(Vec::new()),
        policy_roles: Some(Vec::new()),
        is_truncated: rest.is_truncated,
        marker: rest.marker,
    };
    for entity in found {
        add(&mut output, entity);
    }
    Ok(output)
}

fn matches(input: &ListEntitiesForPolicyInput, entity: &PolicyEntity) -> bool {
    let is_of_kind = match (&input.entity_filter, &entity.holder) {
        (None, _) => true,
        (Some(EntityType::User), PolicyHolder::User(_))
        | (Some(EntityType::Group), PolicyHolder::Group(_))
        | (Some(EntityType::Role), PolicyHolder::Role(_)) => true,
        (Some(_), _) => false,
    };
    let prefix = input.path_prefix.as_deref().unwrap_or("/");
    is_of_kind && entity.path.as_str().starts_with(prefix)
}

/// The order of the listing: by kind, then by name.
fn key(entity: &PolicyEntity) -> (u8, String) {
    match &entity.holder {
        PolicyHolder::Group(name) => (0, name.to_string()),
        PolicyHolder::User(name) => (1, name.to_string()),
        PolicyHolder::Role(name) => (2, name.to_string()),
    }
}

fn add(output: &mut ListEntitiesForPolicyOutput, entity: PolicyEntity) {
    let id = Some(entity.id.into());
    match entity.holder {
        PolicyHolder::Group(name) => output
            .policy_groups
            .get_or_insert_default()
            .push(PolicyGroup { group_name: Some(name.into()), group_id: id }),
        PolicyHolder::User(name) => output
            .policy_users
            .get_or_insert_default()
            .push(PolicyUser { user_name: Some(name.into()), user_id: id }),
        PolicyHolder::Role(name) => output
            .policy_roles
            .get_or_insert_default()
            .push(PolicyRole { role_name: Some(name.into()), role_id: id }),
    }
}
