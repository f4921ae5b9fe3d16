//! `GetAccountAuthorizationDetails`: every identity and policy with all that they hold, as auditors read them.

use postern_api::ApiError;
use postern_api::iam::{
    self, EntityType, GetAccountAuthorizationDetailsInput, GetAccountAuthorizationDetailsOutput, GroupDetail,
    ManagedPolicyDetail, PolicyDetail, RoleDetail, UserDetail,
};
use postern_store::{Group, InlinePolicy, Page, Paged, PolicyHolder, PolicyQuery, Role, User};
use serde::de::DeserializeOwned;

use super::marker::Asked;
use super::{attachments, document, groups, instance_profiles, managed_policies, policy_versions, refusal};
use super::{roles, users};
use crate::routes::call::Call;
use crate::routes::failure;

type Details = Call<GetAccountAuthorizationDetailsInput>;

/// The kinds in the order in which they are listed.
const KINDS: [EntityType; 5] = [
    EntityType::User,
    EntityType::Group,
    EntityType::Role,
    EntityType::LocalManagedPolicy,
    EntityType::AwsManagedPolicy,
];

/// Where the listing goes on: in which of [`KINDS`], behind which name.
type Cursor = (usize, Option<String>);

pub(super) async fn get_account_authorization_details(
    call: Details,
) -> Result<GetAccountAuthorizationDetailsOutput, ApiError> {
    let _permit = call.authorize([call.check()]).await?;
    let input = &call.input;
    let asked: Asked<Cursor> = Asked::new(&call, &input.filter, input.marker.as_deref(), input.max_items)?;
    let mut output = GetAccountAuthorizationDetailsOutput {
        user_detail_list: Some(Vec::new()),
        group_detail_list: Some(Vec::new()),
        role_detail_list: Some(Vec::new()),
        policies: Some(Vec::new()),
        is_truncated: None,
        marker: None,
    };
    let (first, mut after) = asked.page.after.clone().unwrap_or((0, None));
    let mut room = asked.page.limit;
    let mut next = None;
    for (index, kind) in KINDS.iter().enumerate().skip(first) {
        if input.filter.as_ref().is_some_and(|filter| !filter.is_empty() && !filter.contains(kind)) {
            after = None;
            continue;
        }
        if room == 0 {
            next = Some((index, None));
            break;
        }
        let (count, more) = add(&call, &mut output, kind, after.take(), room).await?;
        room = room.saturating_sub(count);
        if let Some(name) = more {
            next = Some((index, Some(name)));
            break;
        }
    }
    let rest = asked.rest(&call, next);
    (output.is_truncated, output.marker) = (rest.is_truncated, rest.marker);
    Ok(output)
}

/// Adds what fits of one kind; tells how many there were, and the last name if there are more.
async fn add(
    call: &Details,
    output: &mut GetAccountAuthorizationDetailsOutput,
    kind: &EntityType,
    after: Option<String>,
    limit: u32,
) -> Result<(u32, Option<String>), ApiError> {
    let store = &call.app.store;
    match kind {
        EntityType::User => {
            let found = store.users("/", &page(after, limit)?).await.map_err(failure::store)?;
            let (items, end) = split(found);
            for item in items {
                output.user_detail_list.get_or_insert_default().push(user(call, item).await?);
            }
            Ok(end)
        }
        EntityType::Group => {
            let found = store.groups("/", &page(after, limit)?).await.map_err(failure::store)?;
            let (items, end) = split(found);
            for item in items {
                output.group_detail_list.get_or_insert_default().push(group(call, item).await?);
            }
            Ok(end)
        }
        EntityType::Role => {
            let found = store.roles("/", &page(after, limit)?).await.map_err(failure::store)?;
            let (items, end) = split(found);
            for item in items {
                output.role_detail_list.get_or_insert_default().push(role(call, item).await?);
            }
            Ok(end)
        }
        EntityType::LocalManagedPolicy => {
            let query = PolicyQuery {
                path_prefix: "/".to_owned(),
                used_for: None,
                only_used: false,
                page: page(after, limit)?,
            };
            let (items, end) = split(store.policies(&query).await.map_err(failure::store)?);
            for item in items {
                let versions = store.policy_versions(&item.arn).await.map_err(refusal::identity)?;
                let versions = versions.iter().map(policy_versions::shown).collect();
                let detail = policy(managed_policies::shown(item), versions);
                output.policies.get_or_insert_default().push(detail);
            }
            Ok(end)
        }
        EntityType::AwsManagedPolicy => aws_policies(call, output, after, limit).await,
        EntityType::Unknown(_) => Ok((0, None)),
    }
}

/// Of those that every account has, the ones in use.
async fn aws_policies(
    call: &Details,
    output: &mut GetAccountAuthorizationDetailsOutput,
    after: Option<String>,
    limit: u32,
) -> Result<(u32, Option<String>), ApiError> {
    let uses = call.app.store.policy_uses().await.map_err(failure::store)?;
    let (mut count, mut last) = (0, None);
    for (arn, used) in uses.into_iter().filter(|(arn, _)| after.as_deref().is_none_or(|a| arn.as_str() > a)) {
        let Some(found) = managed_policies::aws_managed(&arn) else { continue };
        if count == limit {
            return Ok((count, last));
        }
        let versions = vec![policy_versions::shown_aws(found)];
        let detail = policy(managed_policies::shown_aws(found, used)?, versions);
        output.policies.get_or_insert_default().push(detail);
        (count, last) = (count + 1, Some(arn.to_string()));
    }
    Ok((count, None))
}

fn page<C: DeserializeOwned + std::str::FromStr>(
    after: Option<String>,
    limit: u32,
) -> Result<Page<C>, ApiError>
where
    C::Err: std::fmt::Display,
{
    Ok(Page { after: after.as_deref().map(users::parsed).transpose()?, limit })
}

/// The items, how many they are, and the last name if there are more.
fn split<I, C: Into<String>>(found: Paged<I, C>) -> (Vec<I>, (u32, Option<String>)) {
    let count = u32::try_from(found.items.len()).unwrap_or(u32::MAX);
    (found.items, (count, found.next.map(Into::into)))
}

async fn user(call: &Details, user: User) -> Result<UserDetail, ApiError> {
    let holder = PolicyHolder::User(user.name.clone());
    let groups = call.app.store.groups_of_user(&user.name).await.map_err(refusal::identity)?;
    let shown = users::shown(&call.app.account, user);
    Ok(UserDetail {
        path: Some(shown.path),
        user_name: Some(shown.user_name),
        user_id: Some(shown.user_id),
        arn: Some(shown.arn),
        create_date: Some(shown.create_date),
        user_policy_list: Some(inline(call, &holder).await?),
        group_list: Some(groups.into_iter().map(|group| group.name.into()).collect()),
        attached_managed_policies: Some(attached(call, &holder).await?),
        permissions_boundary: shown.permissions_boundary,
        tags: shown.tags,
    })
}

async fn group(call: &Details, group: Group) -> Result<GroupDetail, ApiError> {
    let holder = PolicyHolder::Group(group.name.clone());
    let shown = groups::shown(&call.app.account, group);
    Ok(GroupDetail {
        path: Some(shown.path),
        group_name: Some(shown.group_name),
        group_id: Some(shown.group_id),
        arn: Some(shown.arn),
        create_date: Some(shown.create_date),
        group_policy_list: Some(inline(call, &holder).await?),
        attached_managed_policies: Some(attached(call, &holder).await?),
    })
}

async fn role(call: &Details, role: Role) -> Result<RoleDetail, ApiError> {
    let holder = PolicyHolder::Role(role.name.clone());
    let profiles = call.app.store.instance_profiles_of_role(&role.name).await.map_err(refusal::identity)?;
    let shown = roles::shown(&call.app.account, role);
    Ok(RoleDetail {
        path: Some(shown.path),
        role_name: Some(shown.role_name),
        role_id: Some(shown.role_id),
        arn: Some(shown.arn),
        create_date: Some(shown.create_date),
        assume_role_policy_document: shown.assume_role_policy_document,
        instance_profile_list: Some(instance_profiles::listed(&call.app, profiles).await?),
        role_policy_list: Some(inline(call, &holder).await?),
        attached_managed_policies: Some(attached(call, &holder).await?),
        permissions_boundary: shown.permissions_boundary,
        tags: shown.tags,
        role_last_used: shown.role_last_used,
    })
}

fn policy(policy: iam::Policy, versions: Vec<iam::PolicyVersion>) -> ManagedPolicyDetail {
    ManagedPolicyDetail {
        policy_name: policy.policy_name,
        policy_id: policy.policy_id,
        arn: policy.arn,
        path: policy.path,
        default_version_id: policy.default_version_id,
        attachment_count: policy.attachment_count,
        permissions_boundary_usage_count: policy.permissions_boundary_usage_count,
        is_attachable: policy.is_attachable,
        description: policy.description,
        create_date: policy.create_date,
        update_date: policy.update_date,
        policy_version_list: Some(versions),
    }
}

async fn inline(call: &Details, holder: &PolicyHolder) -> Result<Vec<PolicyDetail>, ApiError> {
    let found = call.app.store.inline_policies(holder).await.map_err(refusal::identity)?;
    Ok(found.iter().map(inline_shown).collect())
}

fn inline_shown(policy: &InlinePolicy) -> PolicyDetail {
    PolicyDetail {
        policy_name: Some(policy.name.to_string()),
        policy_document: Some(document::shown(&policy.document)),
    }
}

async fn attached(call: &Details, holder: &PolicyHolder) -> Result<Vec<iam::AttachedPolicy>, ApiError> {
    let found = call.app.store.attached_policies(holder).await.map_err(refusal::identity)?;
    Ok(found.iter().map(attachments::shown).collect())
}
