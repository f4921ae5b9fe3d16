//! Key policies: every key has one, named `default`.

use postern_api::kms::{
    GetKeyPolicyInput, GetKeyPolicyOutput, ListKeyPoliciesInput, ListKeyPoliciesOutput, Operation,
    PutKeyPolicyInput, PutKeyPolicyOutput,
};
use postern_api::{ApiError, Request};
use postern_iam::{Policy, PolicyKind};
use postern_ids::{AccountId, Arn};
use serde_json::json;

use super::named_key::{By, NamedKey, about_spec};
use super::refusal;
use crate::auth::Check;
use crate::routes::call::Call;

/// The only name that a key policy has.
const NAME: &str = "default";
/// Source: "Quotas", AWS KMS Developer Guide: key policy document size.
const BYTES_MAX: usize = 32_768;

/// What a key has whose creator says nothing: IAM decides. Source: "Default key policy", AWS KMS Developer Guide.
pub(super) fn default_policy(account: &AccountId) -> String {
    let policy = json!({
        "Version": "2012-10-17",
        "Id": "key-default-1",
        "Statement": [{
            "Sid": "Enable IAM User Permissions",
            "Effect": "Allow",
            "Principal": {"AWS": format!("arn:aws:iam::{account}:root")},
            "Action": "kms:*",
            "Resource": "*",
        }],
    });
    format!("{policy:#}")
}

/// A key policy that can be read.
pub(super) fn checked(policy: &str) -> Result<String, ApiError> {
    if policy.len() > BYTES_MAX {
        return Err(refusal::malformed_policy(format!("A key policy has at most {BYTES_MAX} bytes.")));
    }
    match Policy::parse(PolicyKind::Key, policy) {
        Ok(_) => Ok(policy.to_owned()),
        Err(error) => Err(refusal::malformed_policy(format!("Syntax errors in policy: {error}."))),
    }
}

/// Refuses a policy under which the caller could not change it again: nobody might be able to.
pub(super) async fn require_no_lockout<T: Request>(
    call: &Call<T>,
    arn: &Arn,
    policy: &str,
) -> Result<(), ApiError> {
    let check = about_spec(call, Check::new(Operation::PutKeyPolicy).on(arn.clone())).with_key_policy(policy);
    if call.app.authorizer.is_open_to(&call.caller, &call.context, &check).await? {
        return Ok(());
    }
    Err(refusal::malformed_policy(
        "The new key policy will not allow you to update the key policy in the future.",
    ))
}

fn require_default(name: Option<&str>) -> Result<(), ApiError> {
    match name {
        None | Some(NAME) => Ok(()),
        Some(_) => Err(refusal::not_found("No such policy exists")),
    }
}

pub(super) async fn get_key_policy(call: Call<GetKeyPolicyInput>) -> Result<GetKeyPolicyOutput, ApiError> {
    let named = NamedKey::find(&call, &call.input.key_id, By::Key, Operation::GetKeyPolicy).await?;
    let _permit = named.permitted(&call).await?;
    require_default(call.input.policy_name.as_deref())?;
    Ok(GetKeyPolicyOutput { policy: Some(named.key.policy), policy_name: Some(NAME.to_owned()) })
}

pub(super) async fn list_key_policies(
    call: Call<ListKeyPoliciesInput>,
) -> Result<ListKeyPoliciesOutput, ApiError> {
    let named = NamedKey::find(&call, &call.input.key_id, By::Key, Operation::ListKeyPolicies).await?;
    let _permit = named.permitted(&call).await?;
    if call.input.marker.is_some() {
        return Err(refusal::invalid_marker());
    }
    Ok(ListKeyPoliciesOutput {
        policy_names: Some(vec![NAME.to_owned()]),
        next_marker: None,
        truncated: Some(false),
    })
}

pub(super) async fn put_key_policy(call: Call<PutKeyPolicyInput>) -> Result<PutKeyPolicyOutput, ApiError> {
    let (input, operation) = (&call.input, Operation::PutKeyPolicy);
    let policy = checked(&input.policy)?;
    let bypass = input.bypass_policy_lockout_safety_check.unwrap_or(false);
    let named = NamedKey::find(&call, &input.key_id, By::Key, operation).await?;
    let check = named.check(&call, operation).with("kms:BypassPolicyLockoutSafetyCheck", bypass);
    let _permit = call.authorize([check]).await?;
    require_default(input.policy_name.as_deref())?;
    named.require_staying()?;
    if !bypass {
        require_no_lockout(&call, &named.arn, &policy).await?;
    }
    let put = call.app.store.put_kms_key_policy(&named.key.id, &policy).await;
    put.map_err(|error| refusal::policy(&named.arn, error))?;
    Ok(PutKeyPolicyOutput {})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_policy_can_be_read() {
        let policy = default_policy(&"111122223333".parse().unwrap());
        assert_eq!(checked(&policy).unwrap(), policy);
        assert!(policy.contains("arn:aws:iam::111122223333:root"));
    }

    #[test]
    fn what_is_no_key_policy_is_refused() {
        let identity = r#"{"Statement":{"Effect":"Allow","Action":"kms:*","Resource":"*"}}"#;
        let long = format!("{}{}", default_policy(&AccountId::default()), " ".repeat(BYTES_MAX));
        for wrong in ["", "{", identity, &long] {
            assert_eq!(checked(wrong).unwrap_err().code.name(), "MalformedPolicyDocumentException");
        }
    }
}
