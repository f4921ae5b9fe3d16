//! Instance profiles: the containers in which AWS hands roles to machines.

use postern_api::iam::{
    self, AddRoleToInstanceProfileInput, AddRoleToInstanceProfileOutput, CreateInstanceProfileInput,
    CreateInstanceProfileOutput, DeleteInstanceProfileInput, DeleteInstanceProfileOutput,
    GetInstanceProfileInput, GetInstanceProfileOutput, ListInstanceProfilesForRoleInput,
    ListInstanceProfilesForRoleOutput, ListInstanceProfilesInput, ListInstanceProfilesOutput,
    RemoveRoleFromInstanceProfileInput, RemoveRoleFromInstanceProfileOutput,
};
use postern_api::{ApiError, Request};
use postern_ids::{AccountId, Arn, IamPath, InstanceProfileName, PrincipalId, PrincipalKind, RoleName};
use postern_store::{Entity, InstanceProfile};

use super::marker::Asked;
use super::named::Named;
use super::{refusal, roles, shown_time, tags, users};
use crate::app::App;
use crate::auth::{Action, Check};
use crate::routes::call::Call;
use crate::routes::failure;

/// The instance profile of this name.
pub(super) async fn named<T: Request>(
    call: &Call<T>,
    name: &str,
) -> Result<Named<InstanceProfile>, ApiError> {
    let name: InstanceProfileName = users::parsed(name)?;
    let found = call.app.store.instance_profile(&name).await.map_err(failure::store)?;
    Ok(match found {
        Some(profile) => {
            let check = call.check().on(arn(&call.app.account, &profile)).with_iam_tags(&profile.tags);
            Named::new(check, Ok(profile))
        }
        None => {
            let arn = Arn::instance_profile(&call.app.account, &IamPath::root(), &name);
            Named::new(call.check().on(arn), Err(refusal::not_found(&Entity::InstanceProfile(name))))
        }
    })
}

fn arn(account: &AccountId, profile: &InstanceProfile) -> Arn {
    Arn::instance_profile(account, &profile.path, &profile.name)
}

/// As the API shows it, with its role.
pub(super) async fn shown(app: &App, profile: InstanceProfile) -> Result<iam::InstanceProfile, ApiError> {
    let role = match &profile.role {
        Some(name) => app.store.role(name).await.map_err(failure::store)?,
        None => None,
    };
    Ok(iam::InstanceProfile {
        arn: arn(&app.account, &profile).to_string(),
        path: profile.path.into(),
        instance_profile_name: profile.name.into(),
        instance_profile_id: profile.id.into(),
        create_date: shown_time(profile.created_at),
        roles: role.into_iter().map(|role| roles::listed(&app.account, role)).collect(),
        tags: tags::shown_if_any(profile.tags),
    })
}

/// As listings show them: without tags, as IAM leaves them out.
pub(super) async fn listed(
    app: &App,
    profiles: Vec<InstanceProfile>,
) -> Result<Vec<iam::InstanceProfile>, ApiError> {
    let mut listed = Vec::with_capacity(profiles.len());
    for profile in profiles {
        listed.push(iam::InstanceProfile { tags: None, ..shown(app, profile).await? });
    }
    Ok(listed)
}

pub(super) async fn create_instance_profile(
    call: Call<CreateInstanceProfileInput>,
) -> Result<CreateInstanceProfileOutput, ApiError> {
    let profile = InstanceProfile {
        name: users::parsed(&call.input.instance_profile_name)?,
        id: PrincipalId::from_random(PrincipalKind::InstanceProfile, call.app.random.bytes()),
        path: users::path(call.input.path.as_deref())?,
        created_at: call.at,
        role: None,
        tags: tags::checked(call.input.tags.as_deref())?,
    };
    let check = call.check().on(arn(&call.app.account, &profile)).with_request_tags(&profile.tags);
    let _permit = call.authorize([check]).await?;
    call.app.store.create_instance_profile(&profile).await.map_err(refusal::identity)?;
    Ok(CreateInstanceProfileOutput { instance_profile: shown(&call.app, profile).await? })
}

pub(super) async fn get_instance_profile(
    call: Call<GetInstanceProfileInput>,
) -> Result<GetInstanceProfileOutput, ApiError> {
    let named = named(&call, &call.input.instance_profile_name).await?;
    let (profile, _permit) = named.permitted(&call).await?;
    Ok(GetInstanceProfileOutput { instance_profile: shown(&call.app, profile).await? })
}

pub(super) async fn list_instance_profiles(
    call: Call<ListInstanceProfilesInput>,
) -> Result<ListInstanceProfilesOutput, ApiError> {
    let _permit = call.authorize([call.check()]).await?;
    let prefix = call.input.path_prefix.as_deref().unwrap_or("/");
    let asked = Asked::new(&call, &prefix, call.input.marker.as_deref(), call.input.max_items)?;
    let found = call.app.store.instance_profiles(prefix, &asked.page).await.map_err(failure::store)?;
    let rest = asked.rest(&call, found.next);
    Ok(ListInstanceProfilesOutput {
        instance_profiles: listed(&call.app, found.items).await?,
        is_truncated: rest.is_truncated,
        marker: rest.marker,
    })
}

pub(super) async fn list_instance_profiles_for_role(
    call: Call<ListInstanceProfilesForRoleInput>,
) -> Result<ListInstanceProfilesForRoleOutput, ApiError> {
    let (role, _permit) = roles::named(&call, &call.input.role_name).await?.permitted(&call).await?;
    let asked = Asked::new(&call, &role.id, call.input.marker.as_deref(), call.input.max_items)?;
    let found = call.app.store.instance_profiles_of_role(&role.name).await.map_err(refusal::identity)?;
    let (found, next) = asked.cut(found, |profile| profile.name.to_string());
    let rest = asked.rest(&call, next);
    Ok(ListInstanceProfilesForRoleOutput {
        instance_profiles: listed(&call.app, found).await?,
        is_truncated: rest.is_truncated,
        marker: rest.marker,
    })
}

/// Whoever puts a role in a profile hands it to machines, so needs leave to pass the role on.
pub(super) async fn add_role_to_instance_profile(
    call: Call<AddRoleToInstanceProfileInput>,
) -> Result<AddRoleToInstanceProfileOutput, ApiError> {
    let role: RoleName = users::parsed(&call.input.role_name)?;
    let found = call.app.store.role(&role).await.map_err(failure::store)?;
    let role_arn = found.as_ref().map_or_else(
        || Arn::role(&call.app.account, &IamPath::root(), &role),
        |role| roles::arn(&call.app.account, role),
    );
    let role_tags = found.as_ref().map_or(&[][..], |role| &role.tags);
    let pass_role = Check::new(Action::PassRole).on(role_arn).with_iam_tags(role_tags);
    let named = named(&call, &call.input.instance_profile_name).await?;
    let (profile, _permit) = named.permitted_with(&call, vec![pass_role]).await?;
    let added = call.app.store.add_role_to_instance_profile(&profile.name, &role).await;
    added.map_err(refusal::identity)?;
    Ok(AddRoleToInstanceProfileOutput {})
}

pub(super) async fn remove_role_from_instance_profile(
    call: Call<RemoveRoleFromInstanceProfileInput>,
) -> Result<RemoveRoleFromInstanceProfileOutput, ApiError> {
    let role = users::parsed(&call.input.role_name)?;
    let named = named(&call, &call.input.instance_profile_name).await?;
    let (profile, _permit) = named.permitted(&call).await?;
    let removed = call.app.store.remove_role_from_instance_profile(&profile.name, &role).await;
    removed.map_err(refusal::identity)?;
    Ok(RemoveRoleFromInstanceProfileOutput {})
}

pub(super) async fn delete_instance_profile(
    call: Call<DeleteInstanceProfileInput>,
) -> Result<DeleteInstanceProfileOutput, ApiError> {
    let named = named(&call, &call.input.instance_profile_name).await?;
    let (profile, _permit) = named.permitted(&call).await?;
    call.app.store.delete_instance_profile(&profile.name).await.map_err(refusal::identity)?;
    Ok(DeleteInstanceProfileOutput {})
}
