//! What preferences must be so that each does what its author meant: the right type, the form that the service behind
//! it wants, and no field that another one makes idle. Every refusal names the field and what to do.
//!
//! Sources: "Session document schema" and "Turn on Run As support" of the AWS Systems Manager User Guide; "Bucket naming
//! rules" of the Amazon S3 User Guide; the constraints of `LogGroupName` and `KeyId` in the models of CloudWatch Logs and
//! KMS.

use std::sync::LazyLock;

use regex::Regex;
use serde_json::{Map, Value};

use super::{Inputs, SHELL_FIELDS};
use crate::session::{DocumentError, SessionType};
use crate::substitute::has_reference;

/// What the console of AWS takes for a shell profile, in characters.
const SHELL_PROFILE_CHARS_MAX: usize = 512;
/// A key of S3 has 1024 bytes; identifier, date and ending of the log follow the prefix.
const KEY_PREFIX_BYTES_MAX: usize = 512;

const TEXTS: [&str; 7] = [
    "s3BucketName",
    "s3KeyPrefix",
    "cloudWatchLogGroupName",
    "kmsKeyId",
    "runAsDefaultUser",
    "idleSessionTimeout",
    "maxSessionDuration",
];
const SWITCHES: [&str; 4] =
    ["s3EncryptionEnabled", "cloudWatchEncryptionEnabled", "cloudWatchStreamingEnabled", "runAsEnabled"];

/// Holds every field that is known to its type.
pub(super) fn types(members: &Map<String, Value>) -> Result<(), DocumentError> {
    for (name, value) in members {
        let place = || format!("inputs.{name}");
        let name = name.as_str();
        if TEXTS.contains(&name) && !value.is_string() {
            return Err(DocumentError::field(place(), not_a_text(value)));
        }
        if SWITCHES.contains(&name) && !(value.is_boolean() || value.is_string()) {
            return Err(DocumentError::field(place(), format!("{value} is neither true nor false")));
        }
        if name == "shellProfile" {
            let Some(profile) = value.as_object() else {
                let reason = "not an object; write {\"linux\": \"…\", \"windows\": \"…\"}";
                return Err(DocumentError::field(place(), reason));
            };
            let wrong = profile
                .iter()
                .find(|(name, line)| SHELL_FIELDS.contains(&name.as_str()) && !line.is_string());
            if let Some((platform, line)) = wrong {
                return Err(DocumentError::field(format!("{}.{platform}", place()), not_a_text(line)));
            }
        }
    }
    Ok(())
}

fn not_a_text(value: &Value) -> String {
    match value {
        Value::Number(_) | Value::Bool(_) => format!("{value} is not a text; write \"{value}\""),
        _ => format!("{value} is not a text"),
    }
}

/// Refuses values that nothing could be done with, and fields that contradict each other.
pub(super) fn values(inputs: &Inputs, session_type: SessionType) -> Result<(), DocumentError> {
    let (bucket, prefix) = (&inputs.s3_bucket_name, &inputs.s3_key_prefix);
    let (group, key) = (&inputs.cloud_watch_log_group_name, &inputs.kms_key_id);
    let user = &inputs.run_as_default_user;
    let forms = [
        (
            "s3BucketName",
            bucket,
            is_bucket as fn(&str) -> bool,
            "the name of a bucket: 3 to 63 lower-case letters, digits, dots and hyphens",
        ),
        (
            "s3KeyPrefix",
            prefix,
            is_key_prefix,
            "the beginning of a key: at most 512 bytes without control characters, not beginning with /",
        ),
        (
            "cloudWatchLogGroupName",
            group,
            is_log_group,
            "the name of a log group: at most 512 letters, digits and . - _ / #",
        ),
        ("kmsKeyId", key, is_key, "the ID, ARN or alias of a KMS key"),
        (
            "runAsDefaultUser",
            user,
            is_user,
            "the name of a user: at most 256 characters without blanks, : or /, not beginning with -",
        ),
    ];
    for (name, value, has_form, expected) in forms {
        if !value.is_empty() && !has_reference(value) && !has_form(value) {
            return Err(DocumentError::field(
                format!("inputs.{name}"),
                format!("{value:.80?} is not {expected}"),
            ));
        }
    }
    for (platform, profile) in
        [("linux", &inputs.shell_profile.linux), ("windows", &inputs.shell_profile.windows)]
    {
        let count = profile.chars().count();
        if count > SHELL_PROFILE_CHARS_MAX {
            let reason = format!(
                "{count} characters are more than the {SHELL_PROFILE_CHARS_MAX} of a shell profile; put them into a file on the nodes and name that"
            );
            return Err(DocumentError::field(format!("inputs.shellProfile.{platform}"), reason));
        }
    }
    contradictions(inputs, session_type)
        .map_or(Ok(()), |(name, reason)| Err(DocumentError::field(format!("inputs.{name}"), reason)))
}

/// A field without effect, whose author meant something by it. What AWS's own documents hold at rest (encryption and
/// streaming of logs that go nowhere, Run As whose user comes from tags) is none.
fn contradictions(inputs: &Inputs, session_type: SessionType) -> Option<(&'static str, String)> {
    let is_port = session_type == SessionType::Port;
    let is_off = |switch: &super::Switch| switch.resolved("").is_ok_and(|is_on| !is_on);
    let of_type = |what: &str| format!("{what} {} sessions; leave it empty", session_type.as_str());
    if !inputs.s3_key_prefix.is_empty() && inputs.s3_bucket_name.is_empty() {
        return Some((
            "s3KeyPrefix",
            "there is no bucket for it; set s3BucketName, or leave it empty".into(),
        ));
    }
    if !inputs.run_as_default_user.is_empty() && is_off(&inputs.run_as_enabled) {
        let reason =
            "it has no effect while runAsEnabled is false; set runAsEnabled to true, or leave it empty";
        return Some(("runAsDefaultUser", reason.into()));
    }
    if is_port && !inputs.s3_bucket_name.is_empty() {
        return Some(("s3BucketName", of_type("nothing is logged of")));
    }
    if is_port && !inputs.cloud_watch_log_group_name.is_empty() {
        return Some(("cloudWatchLogGroupName", of_type("nothing is logged of")));
    }
    let profile = &inputs.shell_profile;
    if session_type != SessionType::StandardStream
        && !(profile.linux.is_empty() && profile.windows.is_empty())
    {
        return Some(("shellProfile", of_type("no shell is started in")));
    }
    None
}

fn is_bucket(name: &str) -> bool {
    static FORM: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"\A[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]\z").expect("a pattern"));
    FORM.is_match(name) && !name.contains("..") && name.parse::<core::net::Ipv4Addr>().is_err()
}

fn is_key_prefix(prefix: &str) -> bool {
    prefix.len() <= KEY_PREFIX_BYTES_MAX && !prefix.starts_with('/') && !prefix.chars().any(char::is_control)
}

fn is_log_group(name: &str) -> bool {
    static FORM: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"\A[\.\-_/#A-Za-z0-9]{1,512}\z").expect("a pattern"));
    FORM.is_match(name)
}

fn is_key(key: &str) -> bool {
    static FORM: LazyLock<Regex> = LazyLock::new(|| {
        let pattern = r"\A(arn:[a-z-]+:kms:[a-z0-9-]+:[0-9]{12}:(key/[A-Za-z0-9-]{1,64}|alias/[A-Za-z0-9/_-]{1,250})|alias/[A-Za-z0-9/_-]{1,250}|(mrk-)?[A-Za-z0-9-]{1,64})\z";
        Regex::new(pattern).expect("a pattern")
    });
    FORM.is_match(key)
}

fn is_user(name: &str) -> bool {
    let is_allowed = |c: char| !(c.is_control() || c.is_whitespace() || c == ':' || c == '/');
    name.chars().count() <= 256 && !name.starts_with('-') && name.chars().all(is_allowed)
}
