//! Session policies: what a session can do at most.

use postern_api::ApiError;
use postern_api::sts::{PolicyDescriptorType, errors};
use postern_iam::{Policy, PolicyKind, managed};
use postern_ids::{Arn, PolicyArn};
use postern_store::Store;

use super::credentials::invalid;
use crate::routes::failure;

/// Of the inline policy and the ARNs together.
/// Source: AWS STS API reference, `AssumeRole`, `Policy` and `PolicyArns`.
const PLAIN_CHARS_MAX: usize = 2048;
/// Managed policies of one session; from the same place.
const ARNS_MAX: usize = 10;

/// The session policies of a request, known to be readable and to exist.
#[derive(Debug, Default)]
pub(super) struct SessionPolicies {
    pub(super) inline: Option<String>,
    pub(super) arns: Vec<Arn>,
}

impl SessionPolicies {
    pub(super) async fn read(
        store: &dyn Store,
        inline: Option<String>,
        arns: Option<Vec<PolicyDescriptorType>>,
    ) -> Result<Self, ApiError> {
        let arns: Vec<String> = arns.unwrap_or_default().into_iter().filter_map(|given| given.arn).collect();
        if arns.len() > ARNS_MAX {
            return Err(invalid(format!("A session can have at most {ARNS_MAX} managed session policies.")));
        }
        let texts = inline.iter().chain(&arns);
        if texts.map(|text| text.chars().count()).sum::<usize>() > PLAIN_CHARS_MAX {
            return Err(invalid(format!(
                "The plain text of session policies can have at most {PLAIN_CHARS_MAX} characters."
            )));
        }
        if let Some(text) = &inline {
            Policy::parse(PolicyKind::Identity, text).map_err(|error| {
                ApiError::new(errors::MALFORMED_POLICY_DOCUMENT_EXCEPTION, error.to_string())
            })?;
        }
        let mut known = Vec::with_capacity(arns.len());
        for arn in &arns {
            known.push(existing(store, arn).await?);
        }
        Ok(Self { inline, arns: known })
    }
}

async fn existing(store: &dyn Store, arn: &str) -> Result<Arn, ApiError> {
    let unknown = || invalid(format!("The policy {arn} does not exist or is not a managed policy."));
    let policy: PolicyArn = arn.parse().map_err(|_| unknown())?;
    let exists = if policy.is_aws_managed() {
        managed::find(arn).is_some()
    } else {
        store.policy(&policy).await.map_err(failure::store)?.is_some()
    };
    if exists { arn.parse().map_err(|_| unknown()) } else { Err(unknown()) }
}
