//! Object lock: until when an object stays. There are no versions: what is retained cannot be overwritten either.
//!
//! Source: "Locking objects with Object Lock", Amazon S3 User Guide.

use std::io;

use jiff::Timestamp;
use postern_store::{Bucket, BucketLock, Retention, RetentionMode};
use s3s::dto::{
    DefaultRetention, GetObjectLockConfigurationInput, GetObjectLockConfigurationOutput,
    GetObjectRetentionInput, GetObjectRetentionOutput, ObjectLockConfiguration, ObjectLockEnabled,
    ObjectLockMode, ObjectLockRetention, ObjectLockRule, PutObjectLockConfigurationInput,
    PutObjectLockConfigurationOutput, PutObjectRetentionInput, PutObjectRetentionOutput,
    Timestamp as WireTime,
};
use s3s::{S3ErrorCode, S3Request, S3Response, S3Result};

use crate::backend::Backend;
use crate::errors::{error, failed, invalid_argument, no_such_key, of_object};
use crate::times;

/// A hundred years. Source: `DefaultRetention`, Amazon S3 API Reference.
const DAYS_MAX: u32 = 36_500;
const DAYS_OF_YEAR: u32 = 365;

impl Backend {
    pub(crate) async fn lock_configuration(
        &self,
        request: S3Request<GetObjectLockConfigurationInput>,
    ) -> S3Result<S3Response<GetObjectLockConfigurationOutput>> {
        let lock = self.writable(&request.input.bucket).await?.lock.ok_or_else(|| {
            let message = "Object Lock configuration does not exist for this bucket";
            error(S3ErrorCode::ObjectLockConfigurationNotFoundError, message)
        })?;
        let rule = lock.default.map(|(mode, days)| ObjectLockRule {
            default_retention: Some(DefaultRetention {
                days: i32::try_from(days).ok(),
                mode: Some(mode.as_str().to_owned().into()),
                years: None,
            }),
        });
        let enabled = ObjectLockEnabled::from_static(ObjectLockEnabled::ENABLED);
        let configuration = ObjectLockConfiguration { object_lock_enabled: Some(enabled), rule };
        Ok(S3Response::new(GetObjectLockConfigurationOutput {
            object_lock_configuration: Some(configuration),
        }))
    }

    pub(crate) async fn set_lock_configuration(
        &self,
        request: S3Request<PutObjectLockConfigurationInput>,
    ) -> S3Result<S3Response<PutObjectLockConfigurationOutput>> {
        let input = request.input;
        self.writable(&input.bucket).await?;
        let rule = input.object_lock_configuration.and_then(|configuration| configuration.rule);
        let default = match rule.and_then(|rule| rule.default_retention) {
            None => None,
            Some(DefaultRetention { days, mode, years }) => {
                let days = match (days, years) {
                    (Some(days), None) => u32::try_from(days).ok(),
                    (None, Some(years)) => {
                        u32::try_from(years).ok().map(|years| years.saturating_mul(DAYS_OF_YEAR))
                    }
                    _ => None,
                };
                let days = days.filter(|days| (1..=DAYS_MAX).contains(days)).ok_or_else(|| {
                    let message =
                        "Default retention takes a positive number of days or of years, at most 100 years.";
                    error(S3ErrorCode::MalformedXML, message)
                })?;
                let mode = mode.as_ref().map(|mode| mode.as_str()).unwrap_or_default();
                Some((parse_mode(mode)?, days))
            }
        };
        let set = self.vault.store().set_bucket_lock(&input.bucket, BucketLock { default }).await;
        set.map_err(of_object)?;
        Ok(S3Response::new(PutObjectLockConfigurationOutput::default()))
    }

    pub(crate) async fn retention(
        &self,
        request: S3Request<GetObjectRetentionInput>,
    ) -> S3Result<S3Response<GetObjectRetentionOutput>> {
        let input = request.input;
        require_lock(&self.writable(&input.bucket).await?)?;
        let object = self.vault.store().object(&input.bucket, &input.key).await;
        let object = object.map_err(|cause| failed(io::Error::other(cause)))?.ok_or_else(no_such_key)?;
        let retention = object.retention.ok_or_else(|| {
            let message = "The specified object does not have a ObjectLock configuration";
            error(S3ErrorCode::NoSuchObjectLockConfiguration, message)
        })?;
        Ok(S3Response::new(GetObjectRetentionOutput {
            retention: Some(ObjectLockRetention {
                mode: Some(retention.mode.as_str().to_owned().into()),
                retain_until_date: Some(times::to_wire(retention.until)),
            }),
        }))
    }

    pub(crate) async fn set_retention(
        &self,
        request: S3Request<PutObjectRetentionInput>,
    ) -> S3Result<S3Response<PutObjectRetentionOutput>> {
        let input = request.input;
        require_lock(&self.writable(&input.bucket).await?)?;
        let (mode, until) =
            input.retention.map_or((None, None), |asked| (asked.mode, asked.retain_until_date));
        let retention = match (mode, until) {
            (None, None) => None,
            (Some(mode), Some(until)) => Some(checked(mode.as_str(), &until, self.now())?),
            _ => return Err(error(S3ErrorCode::MalformedXML, "Retention takes a mode and a date.")),
        };
        let bypass = self.bypass(input.bypass_governance_retention);
        let set = self.vault.store().set_retention(&input.bucket, &input.key, retention, bypass).await;
        set.map_err(of_object)?;
        Ok(S3Response::new(PutObjectRetentionOutput::default()))
    }
}

/// The retention that a request asks for.
pub(crate) fn asked<'a>(
    mode: Option<&'a ObjectLockMode>,
    until: Option<&'a WireTime>,
) -> S3Result<Option<(&'a str, &'a WireTime)>> {
    match (mode, until) {
        (None, None) => Ok(None),
        (Some(mode), Some(until)) => Ok(Some((mode.as_str(), until))),
        _ => Err(invalid_argument(
            "x-amz-object-lock-retain-until-date and x-amz-object-lock-mode must both be supplied",
        )),
    }
}

/// The retention of an object that is about to be written. What the bucket's rule says is the store's affair.
pub(crate) fn of_new(
    bucket: &Bucket,
    asked: Option<(&str, &WireTime)>,
    now: Timestamp,
) -> S3Result<Option<Retention>> {
    let Some((mode, until)) = asked else { return Ok(None) };
    require_lock(bucket)?;
    checked(mode, until, now).map(Some)
}

fn checked(mode: &str, until: &WireTime, now: Timestamp) -> S3Result<Retention> {
    let mode = parse_mode(mode)?;
    let until = times::from_wire(until).filter(|until| *until > now);
    let until = until.ok_or_else(|| invalid_argument("The retain until date must be in the future!"))?;
    Ok(Retention { mode, until })
}

fn parse_mode(mode: &str) -> S3Result<RetentionMode> {
    mode.parse().map_err(|_| invalid_argument("Unknown wormMode directive."))
}

fn require_lock(bucket: &Bucket) -> S3Result<()> {
    if bucket.lock.is_some() {
        return Ok(());
    }
    Err(error(S3ErrorCode::InvalidRequest, "Bucket is missing Object Lock Configuration"))
}
