//! The one trail: its names, and what its operations say when there is none.

use postern_api::ApiError;
use postern_api::cloudtrail::{Trail as Described, errors};
use postern_audit::Trail;
use postern_ids::Arn;

use crate::app::App;
use crate::routes::failure;

/// The trail; in a server without one, the operations are not there.
pub(super) fn of(app: &App) -> Result<&Trail, ApiError> {
    app.audit.trail().ok_or_else(|| {
        let message = "This server keeps no audit trail: it was started to measure what that costs.";
        ApiError::new(errors::UNSUPPORTED_OPERATION_EXCEPTION, message)
    })
}

/// The trail's name as policies write it.
pub(super) fn arn(trail: &Trail) -> Result<Arn, ApiError> {
    trail.options().arn().parse().map_err(|error: postern_ids::ParseError| failure::internal(&error))
}

/// Whether a caller means the trail by `name`: it may be its name or its ARN.
pub(super) fn is_meant(trail: &Trail, name: &str) -> bool {
    name == trail.options().trail.name || name == trail.options().arn()
}

/// The answer to those who mean another.
pub(super) fn unknown(name: &str) -> ApiError {
    ApiError::new(errors::TRAIL_NOT_FOUND_EXCEPTION, format!("Unknown trail: {name:.200}"))
}

pub(super) fn describe(trail: &Trail) -> Described {
    let options = trail.options();
    Described {
        name: Some(options.trail.name.clone()),
        s3_bucket_name: Some(options.bucket.clone()),
        include_global_service_events: Some(true),
        is_multi_region_trail: Some(false),
        home_region: Some(options.trail.region.to_string()),
        trail_arn: Some(options.arn()),
        log_file_validation_enabled: Some(true),
        has_custom_event_selectors: Some(false),
        has_insight_selectors: Some(false),
        is_organization_trail: Some(false),
        ..Described::default()
    }
}
