//! `ExpireAuditRecords`: removes old records from the audit trail at once. The chain says first what, on whose order and
//! why.

use std::time::Duration;

use postern_api::ApiError;
use postern_api::postern::{AuditClass, ExpireAuditRecordsInput, ExpireAuditRecordsOutput, errors};
use postern_audit::{Removed, Retention, Trail};
use postern_ids::Arn;

use crate::app::App;
use crate::auth::Check;
use crate::routes::call::Call;
use crate::routes::failure;

const DAY_S: u64 = 24 * 60 * 60;

pub(super) async fn expire_audit_records(
    call: Call<ExpireAuditRecordsInput>,
) -> Result<ExpireAuditRecordsOutput, ApiError> {
    let trail = trail(&call.app)?;
    let days = u64::try_from(call.input.older_than_days).unwrap_or_default();
    let is_dry_run = call.input.dry_run.unwrap_or(false);
    let _permit = call.authorize([check(&call, trail, is_dry_run)?]).await?;
    refuse_recent(days, call.app.audit_expire_min_days)?;
    let kept = Duration::from_secs(days * DAY_S);
    let retention = retention(&call.input.classes, kept);
    let removed = if is_dry_run {
        trail.foresee_retention(retention).await
    } else {
        trail.apply_retention(retention, call.caller.principal.name(), &call.input.reason).await
    };
    let Removed { segments, records, objects } = removed.map_err(|error| failure::internal(&error))?;
    let count = |number| Some(i64::try_from(number).unwrap_or(i64::MAX));
    Ok(ExpireAuditRecordsOutput {
        dry_run: Some(is_dry_run),
        older_than: call.at.checked_sub(kept).ok().map(Into::into),
        records: count(records),
        segments: count(segments),
        files: count(objects),
    })
}

fn trail(app: &App) -> Result<&Trail, ApiError> {
    app.audit.trail().ok_or_else(|| {
        let message = "This server keeps no audit trail: it was started to measure what that costs.";
        ApiError::new(errors::UNSUPPORTED_OPERATION_EXCEPTION, message)
    })
}

/// The operation on the trail, with what policies may want to bound.
fn check(call: &Call<ExpireAuditRecordsInput>, trail: &Trail, is_dry_run: bool) -> Result<Check, ApiError> {
    let arn: Arn =
        trail.options().arn().parse().map_err(|error: postern_ids::ParseError| failure::internal(&error))?;
    let classes = call.input.classes.iter().map(ToString::to_string).collect();
    Ok(call
        .check()
        .on(arn)
        .with_all("postern:AuditClass", classes)
        .with("postern:OlderThanDays", call.input.older_than_days.to_string())
        .with("postern:DryRun", is_dry_run.to_string()))
}

/// Whoever may remove must not be able to remove what was just done.
fn refuse_recent(days: u64, days_min: u32) -> Result<(), ApiError> {
    if days >= u64::from(days_min) {
        return Ok(());
    }
    let message = format!(
        "Records of less than {days_min} days are not removed on order; the setting audit.expire_min_days says so."
    );
    Err(ApiError::new(errors::RETENTION_TOO_SHORT_EXCEPTION, message))
}

/// The classes that are named are kept so long, the others for ever.
fn retention(classes: &[AuditClass], kept: Duration) -> Retention {
    let of = |class: &AuditClass| classes.contains(class).then_some(kept);
    Retention {
        write: of(&AuditClass::Write),
        read: of(&AuditClass::Read),
        node: of(&AuditClass::Node),
        data: of(&AuditClass::Data),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_classes_that_are_named_are_touched() {
        let kept = Duration::from_secs(DAY_S);
        let expected = Retention { read: Some(kept), node: Some(kept), ..Retention::default() };
        assert_eq!(retention(&[AuditClass::Node, AuditClass::Read, AuditClass::Read], kept), expected);
    }

    #[test]
    fn what_is_recent_stays() {
        assert!(refuse_recent(90, 90).is_ok());
        let refused = refuse_recent(89, 90).unwrap_err();
        assert_eq!(refused.code.name(), "RetentionTooShortException");
    }
}
