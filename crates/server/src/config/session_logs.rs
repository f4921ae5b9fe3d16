//! Section `session_logs`: the logs of sessions that the server writes.

use std::path::PathBuf;
use std::time::Duration;

use postern_dial::Endpoint;

use super::collectors::Collectors;
use super::reader::Reader;

/// How the logs of sessions are written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionLogs {
    /// How long a log is tried that cannot be written.
    pub give_up_after: Duration,
    /// The longest pause between two attempts.
    pub retry_pause_max: Duration,
    /// The S3-compatible store that has the buckets. `None`: this server.
    pub s3: Option<ExternalSink>,
    /// The CloudWatch Logs that has the log groups. `None`: this server.
    pub cloud_watch: Option<ExternalSink>,
    /// Who gets the lines of every session, whatever its document asks for.
    pub collectors: Collectors,
}

/// A service elsewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExternalSink {
    /// Its address.
    pub endpoint: Endpoint,
    /// The region that requests are signed for. `None`: this server's own.
    pub region: Option<String>,
    /// Who signs: a file as AWS's programs have them. Nobody but its owner may read it.
    pub credentials_file: PathBuf,
    /// The section of that file.
    pub profile: String,
    /// Certificate authorities (PEM) that are trusted beside the system's.
    pub ca_certificates: Option<PathBuf>,
}

const DAY: Duration = Duration::from_secs(24 * 60 * 60);
const GIVE_UP_AFTER: Duration = Duration::from_secs(7 * 24 * 60 * 60);
const RETRY_PAUSE_MAX: Duration = Duration::from_secs(5 * 60);

/// The settings of a service elsewhere.
struct Names {
    endpoint: &'static str,
    region: &'static str,
    credentials_file: &'static str,
    profile: &'static str,
    ca_certificates: &'static str,
}

const S3: Names = Names {
    endpoint: "session_logs.s3_endpoint",
    region: "session_logs.s3_region",
    credentials_file: "session_logs.s3_credentials_file",
    profile: "session_logs.s3_profile",
    ca_certificates: "session_logs.s3_ca_certificates",
};
const CLOUD_WATCH: Names = Names {
    endpoint: "session_logs.cloudwatch_endpoint",
    region: "session_logs.cloudwatch_region",
    credentials_file: "session_logs.cloudwatch_credentials_file",
    profile: "session_logs.cloudwatch_profile",
    ca_certificates: "session_logs.cloudwatch_ca_certificates",
};

impl SessionLogs {
    pub(super) fn read(reader: &mut Reader) -> Self {
        Self {
            give_up_after: reader.duration("session_logs.give_up_after", 90 * DAY).unwrap_or(GIVE_UP_AFTER),
            retry_pause_max: reader.duration("session_logs.retry_pause_max", DAY).unwrap_or(RETRY_PAUSE_MAX),
            s3: ExternalSink::read(reader, &S3),
            cloud_watch: ExternalSink::read(reader, &CLOUD_WATCH),
            collectors: Collectors::read(reader),
        }
    }
}

impl ExternalSink {
    fn read(reader: &mut Reader, names: &Names) -> Option<Self> {
        let endpoint = reader.parsed(names.endpoint);
        let region = reader.parsed(names.region);
        let credentials_file = reader.path(names.credentials_file);
        let profile = reader.parsed(names.profile);
        let ca_certificates = reader.path(names.ca_certificates);
        let Some(endpoint) = endpoint else {
            if credentials_file.is_some() {
                reader.missing(names.endpoint, "because there are credentials for it");
            }
            return None;
        };
        let Some(credentials_file) = credentials_file else {
            reader.missing(names.credentials_file, "because there is an endpoint to sign for");
            return None;
        };
        let profile = profile.unwrap_or_else(|| "default".to_owned());
        Some(Self { endpoint, region, credentials_file, profile, ca_certificates })
    }
}
