//! Section `audit`: the trail of every call.

use std::str::FromStr;
use std::time::Duration;

use postern_audit::Retention;

use super::reader::Reader;

/// The trail of every call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Audit {
    /// The bucket that log and digest files are delivered to.
    pub bucket: String,
    /// How often log files are delivered, if there are records.
    pub log_file_interval: Duration,
    /// How often a digest file is delivered.
    pub digest_interval: Duration,
    /// How often a head of the chain is signed, if it has grown.
    pub head_interval: Duration,
    /// How long output of a session may be recorded before the chain has the recording's hash.
    pub recording_interval: Duration,
    /// How long records are kept.
    pub keep: Retention,
    /// What is younger is not removed by order of a call, in days.
    pub expire_min_days: u32,
    /// What happens to a call that reads while the trail cannot be written. One that changes something is refused.
    pub unrecorded_reads: UnrecordedReads,
    /// Whether there is no trail at all: only to measure what it costs.
    pub off_for_benchmark: bool,
}

/// What happens to a call that reads while the trail cannot be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum UnrecordedReads {
    /// It fails.
    #[default]
    Refuse,
    /// It is answered, and the failure logged.
    Answer,
}

/// Longer than it takes to notice that somebody has taken over an administrator's credentials.
const EXPIRE_MIN_DAYS: u32 = 90;
const HOUR: Duration = Duration::from_secs(60 * 60);

impl Audit {
    pub(super) fn read(reader: &mut Reader) -> Self {
        let seconds = Duration::from_secs;
        Self {
            bucket: reader
                .parsed::<BucketName>("audit.bucket")
                .map_or_else(|| "postern-audit".to_owned(), |name| name.0),
            log_file_interval: whole_seconds(
                reader.duration("audit.log_file_interval", HOUR).unwrap_or(seconds(5 * 60)),
            ),
            digest_interval: whole_seconds(
                reader.duration("audit.digest_interval", 24 * HOUR).unwrap_or(HOUR),
            ),
            head_interval: reader.duration("audit.head_interval", HOUR).unwrap_or(seconds(60)),
            recording_interval: reader.duration("audit.recording_interval", HOUR).unwrap_or(seconds(60)),
            keep: Retention {
                write: reader.days("audit.keep_write_days"),
                read: reader.days("audit.keep_read_days"),
                node: reader.days("audit.keep_node_days"),
                data: reader.days("audit.keep_data_days"),
            },
            expire_min_days: reader
                .number("audit.expire_min_days", 1..=36_500)
                .and_then(|days| u32::try_from(days).ok())
                .unwrap_or(EXPIRE_MIN_DAYS),
            unrecorded_reads: reader.parsed("audit.unrecorded_reads").unwrap_or_default(),
            off_for_benchmark: reader.truth("audit.off_for_benchmark").unwrap_or(false),
        }
    }
}

/// Names of files carry seconds.
fn whole_seconds(duration: Duration) -> Duration {
    Duration::from_secs(duration.as_secs().max(1))
}

impl FromStr for UnrecordedReads {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "refuse" => Ok(Self::Refuse),
            "answer" => Ok(Self::Answer),
            _ => Err(format!("{text:?} is neither \"refuse\" nor \"answer\"")),
        }
    }
}

/// Source: "General purpose bucket naming rules", Amazon S3 User Guide.
struct BucketName(String);

impl FromStr for BucketName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let is_character =
            |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b".-".contains(&byte);
        let ends_well = |byte: Option<u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric());
        let is_name = (3..=63).contains(&text.len())
            && text.bytes().all(is_character)
            && ends_well(text.bytes().next())
            && ends_well(text.bytes().last())
            && !text.contains("..");
        if is_name {
            Ok(Self(text.to_owned()))
        } else {
            Err(format!("{text:?} cannot be the name of a bucket"))
        }
    }
}
