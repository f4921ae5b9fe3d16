//! `DescribeLogGroups`: groups by name.

use postern_api::ApiError;
use postern_api::logs::{DescribeLogGroupsInput, DescribeLogGroupsOutput, LogGroup, LogGroupClass};
use postern_logs::{GroupFilter, GroupName};

use super::{group, refusal};
use crate::app::App;
use crate::page_token::Listing;
use crate::routes::call::Call;

const PAGE_GROUPS: u32 = 50;

pub(super) async fn describe_log_groups(
    call: Call<DescribeLogGroupsInput>,
) -> Result<DescribeLogGroupsOutput, ApiError> {
    // It is on all groups, whatever the filter.
    let _permit = call.authorize([call.check().on(group::policy_arn(&call.app, ""))]).await?;
    let (app, input) = (&call.app, &call.input);
    if input.log_group_name_prefix.is_some() && input.log_group_name_pattern.is_some() {
        let message = "LogGroupNamePrefix and logGroupNamePattern are mutually exclusive parameters.";
        return Err(refusal::invalid(message));
    }
    if let Some(identifiers) = &input.log_group_identifiers {
        return identified(app, identifiers).await;
    }
    let filter = GroupFilter {
        prefix: input.log_group_name_prefix.clone(),
        substring: input.log_group_name_pattern.clone(),
        class: input.log_group_class.as_ref().map(|class| class.as_str().to_owned()),
    };
    let asked = (&filter.prefix, &filter.substring, &filter.class);
    let listing = Listing::new("DescribeLogGroups", &asked);
    let after = match &input.next_token {
        None => None,
        Some(token) => {
            let after: Option<String> = app.page_tokens.open(&listing, token);
            Some(group::named(&after.ok_or_else(refusal::invalid_token)?)?)
        }
    };
    let limit = input.limit.and_then(|limit| u32::try_from(limit).ok()).unwrap_or(PAGE_GROUPS);
    let mut found =
        app.logs.store.groups(&filter, after.as_ref(), limit + 1).await.map_err(refusal::storage)?;
    let has_more = found.len() > usize::try_from(limit).unwrap_or(usize::MAX);
    found.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    let last: Option<&GroupName> = found.last().map(|group| &group.name).filter(|_| has_more);
    Ok(DescribeLogGroupsOutput {
        next_token: last.map(|last| app.page_tokens.seal(&listing, &last.as_str())),
        log_groups: Some(found.into_iter().map(|group| shown(app, group)).collect()),
    })
}

/// Those of the given groups that exist.
async fn identified(app: &App, identifiers: &[String]) -> Result<DescribeLogGroupsOutput, ApiError> {
    let mut groups = Vec::new();
    for identifier in identifiers {
        let name = group::identified(app, identifier)?;
        groups.extend(app.logs.store.group(&name).await.map_err(refusal::storage)?);
    }
    let log_groups = groups.into_iter().map(|group| shown(app, group)).collect();
    Ok(DescribeLogGroupsOutput { log_groups: Some(log_groups), next_token: None })
}

fn shown(app: &App, group: postern_logs::LogGroup) -> LogGroup {
    let arn = group::arn(app, &group.name);
    LogGroup {
        log_group_name: Some(group.name.to_string()),
        creation_time: Some(group.created_at_ms),
        retention_in_days: group.retention_days.and_then(|days| i32::try_from(days).ok()),
        metric_filter_count: Some(0),
        arn: Some(format!("{arn}:*")),
        stored_bytes: Some(i64::try_from(group.stored_bytes).unwrap_or(i64::MAX)),
        kms_key_id: group.kms_key,
        log_group_class: Some(LogGroupClass::from(group.class.as_str())),
        log_group_arn: Some(arn.to_string()),
        deletion_protection_enabled: Some(group.is_deletion_protected),
        ..LogGroup::default()
    }
}
