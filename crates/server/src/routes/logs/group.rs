//! Log groups as callers name them, and as policies do.

use postern_api::ApiError;
use postern_api::Request;
use postern_ids::{AccountId, Arn, Region};
use postern_logs::{GroupChangeError, GroupName, StorageError, Tag};

use super::refusal;
use crate::app::App;
use crate::auth::Check;
use crate::routes::call::Call;

/// A name that the model has checked.
pub(super) fn named(name: &str) -> Result<GroupName, ApiError> {
    name.parse().map_err(|_| refusal::invalid("The specified log group name is not valid."))
}

/// A group by its name or by its ARN, of which exactly one is given.
pub(super) fn one_of(app: &App, name: Option<&str>, identifier: Option<&str>) -> Result<GroupName, ApiError> {
    match (name, identifier) {
        (Some(name), None) => named(name),
        (None, Some(identifier)) => identified(app, identifier),
        (None, None) => Err(refusal::invalid("Either logGroupName or logGroupIdentifier must be given.")),
        (Some(_), Some(_)) => {
            Err(refusal::invalid("LogGroupName and LogGroupIdentifier cannot both be given."))
        }
    }
}

/// A group by its name or its ARN.
pub(super) fn identified(app: &App, identifier: &str) -> Result<GroupName, ApiError> {
    if identifier.starts_with("arn:") { of_arn(app, identifier) } else { named(identifier) }
}

/// A group of this account by its ARN, with or without `:*`.
pub(super) fn of_arn(app: &App, arn: &str) -> Result<GroupName, ApiError> {
    let invalid = || refusal::invalid("The specified resource ARN is not valid.");
    let prefix = format!("arn:aws:logs:{}:{}:log-group:", app.region, app.account);
    match arn.strip_prefix(&prefix) {
        Some(name) => name.strip_suffix(":*").unwrap_or(name).parse().map_err(|_| invalid()),
        // Of another account or region.
        None if arn.starts_with("arn:aws:logs:") => Err(refusal::no_group()),
        None => Err(invalid()),
    }
}

/// The name of a group in answers, and in policies on its tags.
pub(super) fn arn(app: &App, group: &GroupName) -> Arn {
    of(&app.region, &app.account, group.as_str())
}

fn of(region: &Region, account: &AccountId, resource: &str) -> Arn {
    let arn = format!("arn:aws:logs:{region}:{account}:log-group:{resource}");
    arn.parse().expect("a region, an account and a name make an ARN")
}

/// What policies on a group are asked about: `log-group:NAME:*` and `log-group:NAME:log-stream:*` match it,
/// `log-group:NAME` does not.
///
/// Source: "Overview of managing access permissions to your CloudWatch Logs resources", Amazon CloudWatch Logs User
/// Guide; the names in AWS's denials, which end in `:log-stream:`.
pub(super) fn policy_arn(app: &App, group: &str) -> Arn {
    of(&app.region, &app.account, &format!("{group}:log-stream:*"))
}

/// What policies on a stream are asked about.
pub(super) fn stream_arn(app: &App, group: &GroupName, stream: &str) -> Arn {
    of(&app.region, &app.account, &format!("{group}:log-stream:{stream}"))
}

/// A check, with the tags of the group that it is about.
pub(super) async fn with_tags(app: &App, check: Check, group: &GroupName) -> Result<Check, ApiError> {
    let tags: Vec<Tag> = match app.logs.store.tags(group).await {
        Ok(tags) => tags,
        Err(GroupChangeError::Unknown) => Vec::new(),
        Err(GroupChangeError::Storage(error)) => return Err(refusal::storage(error)),
    };
    let with_tag =
        |check: Check, tag: &Tag| check.with(format!("aws:ResourceTag/{}", tag.key), tag.value.as_str());
    Ok(tags.iter().fold(check, with_tag))
}

/// The operation, on a group.
pub(super) async fn check<T: Request>(call: &Call<T>, group: &GroupName) -> Result<Check, ApiError> {
    let check = call.check().on(policy_arn(&call.app, group.as_str()));
    with_tags(&call.app, check, group).await
}

/// Whether there is such a group.
pub(super) async fn ensure_exists(app: &App, group: &GroupName) -> Result<postern_logs::LogGroup, ApiError> {
    let found: Result<_, StorageError> = app.logs.store.group(group).await;
    found.map_err(refusal::storage)?.ok_or_else(refusal::no_group)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_in_policies() {
        let (region, account) = ("us-east-1".parse().unwrap(), "111122223333".parse().unwrap());
        let stream = of(&region, &account, "/a/b:log-stream:c:d");
        assert_eq!(stream.as_str(), "arn:aws:logs:us-east-1:111122223333:log-group:/a/b:log-stream:c:d");
        let all = of(&region, &account, ":log-stream:*");
        assert_eq!(all.as_str(), "arn:aws:logs:us-east-1:111122223333:log-group::log-stream:*");
    }
}
