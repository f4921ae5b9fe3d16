//! The operations of `iam`: identities, and the policies that they hold.
//!
//! A file holds what concerns one kind of thing: how a call names it, how answers show it, and its operations. Every
//! operation first works out what it is about, asks for leave to do it to that, and only then tells whether the thing
//! exists: whoever may not know learns nothing.

mod access_keys;
mod account;
mod attachments;
mod authorization_details;
mod boundaries;
mod document;
mod entities_for_policy;
mod groups;
mod holder;
mod inline_policies;
mod instance_profiles;
mod login_profiles;
mod managed_policies;
mod marker;
mod memberships;
mod mfa_devices;
mod mfa_enrolment;
mod named;
mod oidc_providers;
mod password_rules;
mod policy_versions;
mod refusal;
mod roles;
mod service_linked_roles;
mod simulate;
mod simulation;
mod tags;
mod users;

use std::sync::Arc;

use jiff::Timestamp;
use postern_api::iam::Operation;
use postern_api::query::Form;
use postern_api::{Answer, ApiError};

pub(crate) use password_rules::check as check_new_password;

use super::serve_query;
use crate::app::App;
use crate::inbound::Inbound;

pub(super) async fn run(
    app: &Arc<App>,
    operation: Operation,
    form: &Form,
    inbound: &Inbound,
) -> Result<Answer, ApiError> {
    macro_rules! serve {
        ($module:ident :: $name:ident) => {
            serve_query(app, form, inbound, $module::$name).await
        };
    }
    match operation {
        Operation::AddClientIDToOpenIDConnectProvider => serve!(oidc_providers::add_client_id),
        Operation::AddRoleToInstanceProfile => serve!(instance_profiles::add_role_to_instance_profile),
        Operation::AddUserToGroup => serve!(memberships::add_user_to_group),
        Operation::AttachGroupPolicy => serve!(attachments::attach_group_policy),
        Operation::AttachRolePolicy => serve!(attachments::attach_role_policy),
        Operation::AttachUserPolicy => serve!(attachments::attach_user_policy),
        Operation::ChangePassword => serve!(login_profiles::change_password),
        Operation::CreateAccessKey => serve!(access_keys::create_access_key),
        Operation::CreateGroup => serve!(groups::create_group),
        Operation::CreateInstanceProfile => serve!(instance_profiles::create_instance_profile),
        Operation::CreateLoginProfile => serve!(login_profiles::create_login_profile),
        Operation::CreateOpenIDConnectProvider => serve!(oidc_providers::create_oidc_provider),
        Operation::CreatePolicy => serve!(managed_policies::create_policy),
        Operation::CreatePolicyVersion => serve!(policy_versions::create_policy_version),
        Operation::CreateRole => serve!(roles::create_role),
        Operation::CreateServiceLinkedRole => serve!(service_linked_roles::create_service_linked_role),
        Operation::CreateUser => serve!(users::create_user),
        Operation::CreateVirtualMFADevice => serve!(mfa_devices::create_virtual_mfa_device),
        Operation::DeactivateMFADevice => serve!(mfa_devices::deactivate_mfa_device),
        Operation::DeleteAccessKey => serve!(access_keys::delete_access_key),
        Operation::DeleteGroup => serve!(groups::delete_group),
        Operation::DeleteGroupPolicy => serve!(inline_policies::delete_group_policy),
        Operation::DeleteInstanceProfile => serve!(instance_profiles::delete_instance_profile),
        Operation::DeleteLoginProfile => serve!(login_profiles::delete_login_profile),
        Operation::DeleteOpenIDConnectProvider => serve!(oidc_providers::delete_oidc_provider),
        Operation::DeletePolicy => serve!(managed_policies::delete_policy),
        Operation::DeletePolicyVersion => serve!(policy_versions::delete_policy_version),
        Operation::DeleteRole => serve!(roles::delete_role),
        Operation::DeleteRolePermissionsBoundary => serve!(boundaries::delete_role_permissions_boundary),
        Operation::DeleteRolePolicy => serve!(inline_policies::delete_role_policy),
        Operation::DeleteUser => serve!(users::delete_user),
        Operation::DeleteUserPermissionsBoundary => serve!(boundaries::delete_user_permissions_boundary),
        Operation::DeleteUserPolicy => serve!(inline_policies::delete_user_policy),
        Operation::DeleteVirtualMFADevice => serve!(mfa_devices::delete_virtual_mfa_device),
        Operation::DetachGroupPolicy => serve!(attachments::detach_group_policy),
        Operation::DetachRolePolicy => serve!(attachments::detach_role_policy),
        Operation::DetachUserPolicy => serve!(attachments::detach_user_policy),
        Operation::EnableMFADevice => serve!(mfa_devices::enable_mfa_device),
        Operation::GetAccessKeyLastUsed => serve!(access_keys::get_access_key_last_used),
        Operation::GetAccountAuthorizationDetails => {
            serve!(authorization_details::get_account_authorization_details)
        }
        Operation::GetAccountPasswordPolicy => serve!(account::get_account_password_policy),
        Operation::GetAccountSummary => serve!(account::get_account_summary),
        Operation::GetGroup => serve!(groups::get_group),
        Operation::GetGroupPolicy => serve!(inline_policies::get_group_policy),
        Operation::GetInstanceProfile => serve!(instance_profiles::get_instance_profile),
        Operation::GetLoginProfile => serve!(login_profiles::get_login_profile),
        Operation::GetOpenIDConnectProvider => serve!(oidc_providers::get_oidc_provider),
        Operation::GetPolicy => serve!(managed_policies::get_policy),
        Operation::GetPolicyVersion => serve!(policy_versions::get_policy_version),
        Operation::GetRole => serve!(roles::get_role),
        Operation::GetRolePolicy => serve!(inline_policies::get_role_policy),
        Operation::GetUser => serve!(users::get_user),
        Operation::GetUserPolicy => serve!(inline_policies::get_user_policy),
        Operation::ListAccessKeys => serve!(access_keys::list_access_keys),
        Operation::ListAccountAliases => serve!(account::list_account_aliases),
        Operation::ListAttachedGroupPolicies => serve!(attachments::list_attached_group_policies),
        Operation::ListAttachedRolePolicies => serve!(attachments::list_attached_role_policies),
        Operation::ListAttachedUserPolicies => serve!(attachments::list_attached_user_policies),
        Operation::ListEntitiesForPolicy => serve!(entities_for_policy::list_entities_for_policy),
        Operation::ListGroupPolicies => serve!(inline_policies::list_group_policies),
        Operation::ListGroups => serve!(groups::list_groups),
        Operation::ListGroupsForUser => serve!(memberships::list_groups_for_user),
        Operation::ListInstanceProfileTags => serve!(tags::list_instance_profile_tags),
        Operation::ListInstanceProfiles => serve!(instance_profiles::list_instance_profiles),
        Operation::ListInstanceProfilesForRole => serve!(instance_profiles::list_instance_profiles_for_role),
        Operation::ListMFADeviceTags => serve!(tags::list_mfa_device_tags),
        Operation::ListMFADevices => serve!(mfa_devices::list_mfa_devices),
        Operation::ListOpenIDConnectProviderTags => serve!(tags::list_oidc_provider_tags),
        Operation::ListOpenIDConnectProviders => serve!(oidc_providers::list_oidc_providers),
        Operation::ListPolicies => serve!(managed_policies::list_policies),
        Operation::ListPolicyTags => serve!(tags::list_policy_tags),
        Operation::ListPolicyVersions => serve!(policy_versions::list_policy_versions),
        Operation::ListRolePolicies => serve!(inline_policies::list_role_policies),
        Operation::ListRoleTags => serve!(tags::list_role_tags),
        Operation::ListRoles => serve!(roles::list_roles),
        Operation::ListUserPolicies => serve!(inline_policies::list_user_policies),
        Operation::ListUserTags => serve!(tags::list_user_tags),
        Operation::ListUsers => serve!(users::list_users),
        Operation::ListVirtualMFADevices => serve!(mfa_devices::list_virtual_mfa_devices),
        Operation::PutGroupPolicy => serve!(inline_policies::put_group_policy),
        Operation::PutRolePermissionsBoundary => serve!(boundaries::put_role_permissions_boundary),
        Operation::PutRolePolicy => serve!(inline_policies::put_role_policy),
        Operation::PutUserPermissionsBoundary => serve!(boundaries::put_user_permissions_boundary),
        Operation::PutUserPolicy => serve!(inline_policies::put_user_policy),
        Operation::RemoveClientIDFromOpenIDConnectProvider => serve!(oidc_providers::remove_client_id),
        Operation::RemoveRoleFromInstanceProfile => {
            serve!(instance_profiles::remove_role_from_instance_profile)
        }
        Operation::RemoveUserFromGroup => serve!(memberships::remove_user_from_group),
        Operation::ResyncMFADevice => serve!(mfa_devices::resync_mfa_device),
        Operation::SetDefaultPolicyVersion => serve!(policy_versions::set_default_policy_version),
        Operation::SimulateCustomPolicy => serve!(simulate::simulate_custom_policy),
        Operation::SimulatePrincipalPolicy => serve!(simulate::simulate_principal_policy),
        Operation::TagInstanceProfile => serve!(tags::tag_instance_profile),
        Operation::TagMFADevice => serve!(tags::tag_mfa_device),
        Operation::TagOpenIDConnectProvider => serve!(tags::tag_oidc_provider),
        Operation::TagPolicy => serve!(tags::tag_policy),
        Operation::TagRole => serve!(tags::tag_role),
        Operation::TagUser => serve!(tags::tag_user),
        Operation::UntagInstanceProfile => serve!(tags::untag_instance_profile),
        Operation::UntagMFADevice => serve!(tags::untag_mfa_device),
        Operation::UntagOpenIDConnectProvider => serve!(tags::untag_oidc_provider),
        Operation::UntagPolicy => serve!(tags::untag_policy),
        Operation::UntagRole => serve!(tags::untag_role),
        Operation::UntagUser => serve!(tags::untag_user),
        Operation::UpdateAccessKey => serve!(access_keys::update_access_key),
        Operation::UpdateAssumeRolePolicy => serve!(roles::update_assume_role_policy),
        Operation::UpdateGroup => serve!(groups::update_group),
        Operation::UpdateLoginProfile => serve!(login_profiles::update_login_profile),
        Operation::UpdateOpenIDConnectProviderThumbprint => serve!(oidc_providers::update_thumbprints),
        Operation::UpdateRole => serve!(roles::update_role),
        Operation::UpdateRoleDescription => serve!(roles::update_role_description),
        Operation::UpdateUser => serve!(users::update_user),
    }
}

/// A moment as IAM shows it: to the second.
fn shown_time(time: Timestamp) -> postern_api::Timestamp {
    postern_api::Timestamp::from_epoch_ms(time.as_second() * 1000)
}

/// A count as the API has it.
fn shown_count(count: u32) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}
