//! Managed policies attached to users, groups and roles.

use postern_api::iam::{
    AttachGroupPolicyInput, AttachGroupPolicyOutput, AttachRolePolicyInput, AttachRolePolicyOutput,
    AttachUserPolicyInput, AttachUserPolicyOutput, AttachedPolicy, DetachGroupPolicyInput,
    DetachGroupPolicyOutput, DetachRolePolicyInput, DetachRolePolicyOutput, DetachUserPolicyInput,
    DetachUserPolicyOutput, ListAttachedGroupPoliciesInput, ListAttachedGroupPoliciesOutput,
    ListAttachedRolePoliciesInput, ListAttachedRolePoliciesOutput, ListAttachedUserPoliciesInput,
    ListAttachedUserPoliciesOutput,
};
use postern_api::{ApiError, Request};
use postern_ids::PolicyArn;
use postern_store::{Entity, PolicyHolder};

use super::marker::{Asked, Rest};
use super::named::Named;
use super::{holder, managed_policies, refusal};
use crate::routes::call::Call;

/// What policies call the managed policy that is given or taken.
const CONTEXT_KEY: &str = "iam:PolicyARN";

/// The holder and the policy, once the caller may bring the two together or apart.
async fn permitted<T: Request>(
    call: &Call<T>,
    named: Named<PolicyHolder>,
    policy: &str,
) -> Result<(PolicyHolder, PolicyArn), ApiError> {
    let policy = managed_policies::parsed(policy)?;
    let named = named.checked_with(|check, _| check.with(CONTEXT_KEY, policy.as_str()));
    let (holder, _permit) = named.permitted(call).await?;
    Ok((holder, policy))
}

async fn attach<T: Request>(
    call: &Call<T>,
    named: Named<PolicyHolder>,
    policy: &str,
) -> Result<(), ApiError> {
    let (holder, policy) = permitted(call, named, policy).await?;
    if policy.is_aws_managed() && managed_policies::aws_managed(&policy).is_none() {
        return Err(refusal::not_found(&Entity::Policy(policy)));
    }
    let attached = call.app.store.attach_policy(&holder, &policy).await;
    attached.map_err(|error| refusal::held(&holder, error))
}

async fn detach<T: Request>(
    call: &Call<T>,
    named: Named<PolicyHolder>,
    policy: &str,
) -> Result<(), ApiError> {
    let (holder, policy) = permitted(call, named, policy).await?;
    let detached = call.app.store.detach_policy(&holder, &policy).await;
    detached.map_err(|error| refusal::held(&holder, error))
}

async fn list<T: Request>(
    call: &Call<T>,
    named: Named<PolicyHolder>,
    filters: (&str, Option<&str>),
    marker: Option<&str>,
    items_max: Option<i32>,
) -> Result<(Vec<AttachedPolicy>, Rest), ApiError> {
    let (holder, _permit) = named.permitted(call).await?;
    let asked = Asked::new(call, &filters, marker, items_max)?;
    let mut found = call.app.store.attached_policies(&holder).await.map_err(refusal::identity)?;
    let prefix = filters.1.unwrap_or("/");
    found.retain(|arn| arn.path().as_str().starts_with(prefix));
    let (found, next) = asked.cut(found, |arn| arn.to_string());
    Ok((found.iter().map(shown).collect(), asked.rest(call, next)))
}

/// As the API shows it.
pub(super) fn shown(arn: &PolicyArn) -> AttachedPolicy {
    AttachedPolicy { policy_name: Some(arn.name().to_string()), policy_arn: Some(arn.to_string()) }
}

/// The three operations of one kind of holder, which `$name` in their inputs names.
macro_rules! operations {
    ($find:ident, or to change it $find_modifiable:ident, by $name:ident:
     $attach:ident($attach_input:ident) -> $attach_output:ident,
     $detach:ident($detach_input:ident) -> $detach_output:ident,
     $list:ident($list_input:ident) -> $list_output:ident) => {
        pub(super) async fn $attach(call: Call<$attach_input>) -> Result<$attach_output, ApiError> {
            let named = holder::$find_modifiable(&call, &call.input.$name).await?;
            attach(&call, named, &call.input.policy_arn).await?;
            Ok($attach_output {})
        }

        pub(super) async fn $detach(call: Call<$detach_input>) -> Result<$detach_output, ApiError> {
            let named = holder::$find_modifiable(&call, &call.input.$name).await?;
            detach(&call, named, &call.input.policy_arn).await?;
            Ok($detach_output {})
        }

        pub(super) async fn $list(call: Call<$list_input>) -> Result<$list_output, ApiError> {
            let named = holder::$find(&call, &call.input.$name).await?;
            let filters = (call.input.$name.as_str(), call.input.path_prefix.as_deref());
            let (marker, items_max) = (call.input.marker.as_deref(), call.input.max_items);
            let (policies, rest) = list(&call, named, filters, marker, items_max).await?;
            Ok($list_output {
                attached_policies: Some(policies),
                is_truncated: rest.is_truncated,
                marker: rest.marker,
            })
        }
    };
}

operations!(user, or to change it user, by user_name:
    attach_user_policy(AttachUserPolicyInput) -> AttachUserPolicyOutput,
    detach_user_policy(DetachUserPolicyInput) -> DetachUserPolicyOutput,
    list_attached_user_policies(ListAttachedUserPoliciesInput) -> ListAttachedUserPoliciesOutput);
operations!(group, or to change it group, by group_name:
    attach_group_policy(AttachGroupPolicyInput) -> AttachGroupPolicyOutput,
    detach_group_policy(DetachGroupPolicyInput) -> DetachGroupPolicyOutput,
    list_attached_group_policies(ListAttachedGroupPoliciesInput) -> ListAttachedGroupPoliciesOutput);
operations!(role, or to change it modifiable_role, by role_name:
    attach_role_policy(AttachRolePolicyInput) -> AttachRolePolicyOutput,
    detach_role_policy(DetachRolePolicyInput) -> DetachRolePolicyOutput,
    list_attached_role_policies(ListAttachedRolePoliciesInput) -> ListAttachedRolePoliciesOutput);
