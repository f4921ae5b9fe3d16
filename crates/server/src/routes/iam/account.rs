//! What concerns the account as a whole.

use postern_api::ApiError;
use postern_api::iam::{
    GetAccountPasswordPolicyInput, GetAccountPasswordPolicyOutput, GetAccountSummaryInput,
    GetAccountSummaryOutput, ListAccountAliasesInput, ListAccountAliasesOutput, SummaryKeyType as Key,
};

use super::{refusal, shown_count};
use crate::routes::call::Call;
use crate::routes::failure;

/// How much there is of what, and how much there may be. What does not exist here at all counts nought.
pub(super) async fn get_account_summary(
    call: Call<GetAccountSummaryInput>,
) -> Result<GetAccountSummaryOutput, ApiError> {
    let _permit = call.authorize([call.check()]).await?;
    let counts = call.app.store.identity_counts().await.map_err(failure::store)?;
    let quotas = call.app.store.quotas();
    let entries = [
        (Key::Users, counts.users),
        (Key::UsersQuota, quotas.users),
        (Key::Groups, counts.groups),
        (Key::GroupsQuota, quotas.groups),
        (Key::Roles, counts.roles),
        (Key::RolesQuota, quotas.roles),
        (Key::Policies, counts.policies),
        (Key::PoliciesQuota, quotas.policies),
        (Key::PolicyVersionsInUse, counts.policy_versions),
        (Key::VersionsPerPolicyQuota, quotas.policy_versions),
        (Key::InstanceProfiles, counts.instance_profiles),
        (Key::InstanceProfilesQuota, quotas.instance_profiles),
        (Key::Providers, counts.oidc_providers),
        (Key::MfaDevices, counts.mfa_devices),
        (Key::MfaDevicesInUse, counts.mfa_devices_in_use),
        (Key::AccessKeysPerUserQuota, quotas.access_keys_per_user),
        (Key::GroupsPerUserQuota, quotas.groups_per_user),
        (Key::AttachedPoliciesPerUserQuota, quotas.attached_policies),
        (Key::AttachedPoliciesPerGroupQuota, quotas.attached_policies),
        (Key::AttachedPoliciesPerRoleQuota, quotas.attached_policies),
        (Key::PolicySizeQuota, quotas.managed_policy_chars),
        (Key::UserPolicySizeQuota, quotas.user_policy_chars),
        (Key::GroupPolicySizeQuota, quotas.group_policy_chars),
        (Key::RolePolicySizeQuota, quotas.role_policy_chars),
        (Key::AssumeRolePolicySizeQuota, quotas.trust_policy_chars),
        // There is no root user.
        (Key::AccountMfaEnabled, 0),
        (Key::AccountAccessKeysPresent, 0),
        (Key::AccountPasswordPresent, 0),
        (Key::AccountSigningCertificatesPresent, 0),
        (Key::ServerCertificates, 0),
    ];
    let summary = entries.into_iter().map(|(key, count)| (key.to_string(), shown_count(count)));
    Ok(GetAccountSummaryOutput { summary_map: Some(summary.collect()) })
}

/// There is none: accounts have IAM's default policy, which IAM does not show either.
pub(super) async fn get_account_password_policy(
    call: Call<GetAccountPasswordPolicyInput>,
) -> Result<GetAccountPasswordPolicyOutput, ApiError> {
    let _permit = call.authorize([call.check()]).await?;
    let account = &call.app.account;
    Err(refusal::no_such_entity(format!("The Password Policy with domain name {account} cannot be found.")))
}

/// There are none.
pub(super) async fn list_account_aliases(
    call: Call<ListAccountAliasesInput>,
) -> Result<ListAccountAliasesOutput, ApiError> {
    let _permit = call.authorize([call.check()]).await?;
    Ok(ListAccountAliasesOutput { account_aliases: Vec::new(), is_truncated: Some(false), marker: None })
}
