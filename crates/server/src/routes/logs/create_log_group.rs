//! `CreateLogGroup`.

use postern_api::ApiError;
use postern_api::logs::{CreateLogGroupInput, CreateLogGroupOutput, Operation, errors};
use postern_logs::{CreateGroupError, NewGroup};

use super::{group, kms_key, refusal, tags};
use crate::auth::{Action, Check};
use crate::routes::call::Call;

const CLASS_DEFAULT: &str = "STANDARD";

pub(super) async fn create_log_group(
    call: Call<CreateLogGroupInput>,
) -> Result<CreateLogGroupOutput, ApiError> {
    let input = &call.input;
    let name = group::named(&input.log_group_name)?;
    let tags = tags::checked(input.tags.as_ref())?;
    let check = call.check().on(group::policy_arn(&call.app, name.as_str()));
    let mut checks = vec![check.with_request_tags(&tags)];
    if !tags.is_empty() {
        // Source: `tags` of `CreateLogGroup`, CloudWatch Logs API reference.
        let tag = Check::new(Action::from(postern_api::Operation::Logs(Operation::TagResource)));
        checks.push(tag.on(group::arn(&call.app, &name)).with_request_tags(&tags));
    }
    let _permit = call.authorize(checks).await?;
    let kms_key = match &input.kms_key_id {
        None => None,
        Some(key) => Some(kms_key::usable(&call.app, key).await?),
    };
    let group = NewGroup {
        name,
        class: input.log_group_class.as_ref().map_or(CLASS_DEFAULT, |class| class.as_str()).to_owned(),
        kms_key,
        is_deletion_protected: input.deletion_protection_enabled.unwrap_or(false),
        tags: tags::kept(&tags),
    };
    let created = call.app.logs.store.create_group(group, call.at.as_millisecond()).await;
    created.map_err(|error| match error {
        CreateGroupError::Exists => {
            let message = "The specified log group already exists";
            ApiError::new(errors::RESOURCE_ALREADY_EXISTS_EXCEPTION, message)
        }
        CreateGroupError::TooMany { .. } => {
            ApiError::new(errors::LIMIT_EXCEEDED_EXCEPTION, "Resource limit exceeded.")
        }
        CreateGroupError::Storage(error) => refusal::storage(error),
    })?;
    Ok(CreateLogGroupOutput {})
}
