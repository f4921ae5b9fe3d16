//! Policies embedded in users, groups and roles.

use postern_api::iam::{
    DeleteGroupPolicyInput, DeleteGroupPolicyOutput, DeleteRolePolicyInput, DeleteRolePolicyOutput,
    DeleteUserPolicyInput, DeleteUserPolicyOutput, GetGroupPolicyInput, GetGroupPolicyOutput,
    GetRolePolicyInput, GetRolePolicyOutput, GetUserPolicyInput, GetUserPolicyOutput, ListGroupPoliciesInput,
    ListGroupPoliciesOutput, ListRolePoliciesInput, ListRolePoliciesOutput, ListUserPoliciesInput,
    ListUserPoliciesOutput, PutGroupPolicyInput, PutGroupPolicyOutput, PutRolePolicyInput,
    PutRolePolicyOutput, PutUserPolicyInput, PutUserPolicyOutput,
};
use postern_api::{ApiError, Request};
use postern_iam::PolicyKind;
use postern_ids::PolicyName;
use postern_store::{Entity, IdentityError, InlinePolicy, PolicyHolder};

use super::marker::{Asked, Rest};
use super::named::Named;
use super::{document, holder, refusal, users};
use crate::routes::call::Call;

async fn put<T: Request>(
    call: &Call<T>,
    named: Named<PolicyHolder>,
    name: &str,
    text: &str,
) -> Result<(), ApiError> {
    let name = users::parsed(name)?;
    let (holder, _permit) = named.permitted(call).await?;
    document::check(PolicyKind::Identity, text)?;
    let policy = InlinePolicy { name, document: text.to_owned() };
    let put = call.app.store.put_inline_policy(&holder, &policy).await;
    put.map_err(|error| refusal::held(&holder, error))
}

async fn get<T: Request>(
    call: &Call<T>,
    named: Named<PolicyHolder>,
    name: &str,
) -> Result<InlinePolicy, ApiError> {
    let name: PolicyName = users::parsed(name)?;
    let (holder, _permit) = named.permitted(call).await?;
    let found = call.app.store.inline_policy(&holder, &name).await;
    let found =
        found.and_then(|found| found.ok_or_else(|| IdentityError::NotFound(Entity::InlinePolicy(name))));
    found.map_err(|error| refusal::held(&holder, error))
}

async fn list<T: Request>(
    call: &Call<T>,
    named: Named<PolicyHolder>,
    holder_name: &str,
    marker: Option<&str>,
    items_max: Option<i32>,
) -> Result<(Vec<String>, Rest), ApiError> {
    let (holder, _permit) = named.permitted(call).await?;
    let asked = Asked::new(call, &holder_name, marker, items_max)?;
    let found = call.app.store.inline_policies(&holder).await.map_err(refusal::identity)?;
    let (found, next) = asked.cut(found, |policy| policy.name.to_string());
    Ok((found.into_iter().map(|policy| policy.name.into()).collect(), asked.rest(call, next)))
}

async fn delete<T: Request>(call: &Call<T>, named: Named<PolicyHolder>, name: &str) -> Result<(), ApiError> {
    let name = users::parsed(name)?;
    let (holder, _permit) = named.permitted(call).await?;
    let deleted = call.app.store.delete_inline_policy(&holder, &name).await;
    deleted.map_err(|error| refusal::held(&holder, error))
}

/// The four operations of one kind of holder, which `$name` in their inputs names.
macro_rules! operations {
    ($find:ident, or to change it $find_modifiable:ident, by $name:ident:
     $put:ident($put_input:ident) -> $put_output:ident,
     $get:ident($get_input:ident) -> $get_output:ident,
     $list:ident($list_input:ident) -> $list_output:ident,
     $delete:ident($delete_input:ident) -> $delete_output:ident) => {
        pub(super) async fn $put(call: Call<$put_input>) -> Result<$put_output, ApiError> {
            let named = holder::$find_modifiable(&call, &call.input.$name).await?;
            put(&call, named, &call.input.policy_name, &call.input.policy_document).await?;
            Ok($put_output {})
        }

        pub(super) async fn $get(call: Call<$get_input>) -> Result<$get_output, ApiError> {
            let named = holder::$find(&call, &call.input.$name).await?;
            let policy = get(&call, named, &call.input.policy_name).await?;
            Ok($get_output {
                $name: call.input.$name.clone(),
                policy_name: policy.name.into(),
                policy_document: document::shown(&policy.document),
            })
        }

        pub(super) async fn $list(call: Call<$list_input>) -> Result<$list_output, ApiError> {
            let named = holder::$find(&call, &call.input.$name).await?;
            let (marker, items_max) = (call.input.marker.as_deref(), call.input.max_items);
            let (policy_names, rest) = list(&call, named, &call.input.$name, marker, items_max).await?;
            Ok($list_output { policy_names, is_truncated: rest.is_truncated, marker: rest.marker })
        }

        pub(super) async fn $delete(call: Call<$delete_input>) -> Result<$delete_output, ApiError> {
            let named = holder::$find_modifiable(&call, &call.input.$name).await?;
            delete(&call, named, &call.input.policy_name).await?;
            Ok($delete_output {})
        }
    };
}

operations!(user, or to change it user, by user_name:
    put_user_policy(PutUserPolicyInput) -> PutUserPolicyOutput,
    get_user_policy(GetUserPolicyInput) -> GetUserPolicyOutput,
    list_user_policies(ListUserPoliciesInput) -> ListUserPoliciesOutput,
    delete_user_policy(DeleteUserPolicyInput) -> DeleteUserPolicyOutput);
operations!(group, or to change it group, by group_name:
    put_group_policy(PutGroupPolicyInput) -> PutGroupPolicyOutput,
    get_group_policy(GetGroupPolicyInput) -> GetGroupPolicyOutput,
    list_group_policies(ListGroupPoliciesInput) -> ListGroupPoliciesOutput,
    delete_group_policy(DeleteGroupPolicyInput) -> DeleteGroupPolicyOutput);
operations!(role, or to change it modifiable_role, by role_name:
    put_role_policy(PutRolePolicyInput) -> PutRolePolicyOutput,
    get_role_policy(GetRolePolicyInput) -> GetRolePolicyOutput,
    list_role_policies(ListRolePoliciesInput) -> ListRolePoliciesOutput,
    delete_role_policy(DeleteRolePolicyInput) -> DeleteRolePolicyOutput);
