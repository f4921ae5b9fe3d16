//! Part of section `session_logs`: who else gets the lines of sessions.

use std::path::PathBuf;
use std::str::FromStr;

use http::Uri;
use postern_dial::{DialError, Endpoint};

use super::reader::Reader;

/// Who gets the lines of every session as they are shown, whatever its document asks for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Collectors {
    /// An address that records are posted to.
    pub webhook: Option<Webhook>,
    /// A collector of syslog messages over TLS.
    pub syslog: Option<Syslog>,
    /// A collector of OpenTelemetry.
    pub otlp: Option<Otlp>,
}

/// An address that records are posted to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Webhook {
    /// The address.
    pub url: Uri,
    /// The file with the secret that bodies are signed with. Nobody but its owner may read it.
    pub secret_file: PathBuf,
    /// Certificate authorities (PEM) that are trusted beside the system's.
    pub ca_certificates: Option<PathBuf>,
}

/// A collector of syslog messages over TLS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Syslog {
    /// Its address.
    pub endpoint: Endpoint,
    /// Certificate authorities (PEM) that are trusted beside the system's.
    pub ca_certificates: Option<PathBuf>,
}

/// A collector of OpenTelemetry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Otlp {
    /// Its address, below which `/v1/logs` is.
    pub endpoint: Endpoint,
    /// The file with the token that it wants to see, if it does. Nobody but its owner may read it.
    pub token_file: Option<PathBuf>,
    /// Certificate authorities (PEM) that are trusted beside the system's.
    pub ca_certificates: Option<PathBuf>,
}

const NO_ADDRESS: &str = "there are settings for it";

impl Collectors {
    pub(super) fn read(reader: &mut Reader) -> Self {
        Self { webhook: webhook(reader), syslog: syslog(reader), otlp: otlp(reader) }
    }
}

fn webhook(reader: &mut Reader) -> Option<Webhook> {
    let url: Option<Url> = reader.parsed("session_logs.webhook_url");
    let secret_file = reader.path("session_logs.webhook_secret_file");
    let ca_certificates = reader.path("session_logs.webhook_ca_certificates");
    match (url, secret_file) {
        (Some(Url(url)), Some(secret_file)) => Some(Webhook { url, secret_file, ca_certificates }),
        (Some(_), None) => {
            reader.missing("session_logs.webhook_secret_file", "session_logs.webhook_url is there");
            None
        }
        (None, secret_file) => {
            if secret_file.is_some() || ca_certificates.is_some() {
                reader.missing("session_logs.webhook_url", NO_ADDRESS);
            }
            None
        }
    }
}

fn syslog(reader: &mut Reader) -> Option<Syslog> {
    let address: Option<TlsAddress> = reader.parsed("session_logs.syslog_address");
    let ca_certificates = reader.path("session_logs.syslog_ca_certificates");
    if address.is_none() && ca_certificates.is_some() {
        reader.missing("session_logs.syslog_address", NO_ADDRESS);
    }
    address.map(|TlsAddress(endpoint)| Syslog { endpoint, ca_certificates })
}

fn otlp(reader: &mut Reader) -> Option<Otlp> {
    let endpoint = reader.parsed("session_logs.otlp_endpoint");
    let token_file = reader.path("session_logs.otlp_token_file");
    let ca_certificates = reader.path("session_logs.otlp_ca_certificates");
    if endpoint.is_none() && (token_file.is_some() || ca_certificates.is_some()) {
        reader.missing("session_logs.otlp_endpoint", NO_ADDRESS);
    }
    endpoint.map(|endpoint| Otlp { endpoint, token_file, ca_certificates })
}

/// A URL with path and query, on an endpoint.
struct Url(Uri);

impl FromStr for Url {
    type Err = DialError;

    fn from_str(text: &str) -> Result<Self, DialError> {
        // Path and query may hold a secret, which a message is not to repeat.
        let invalid = |_| DialError::Url { url: "…".to_owned(), problem: "it is no URL" };
        let url = text.parse().map_err(invalid)?;
        Endpoint::of(&url)?;
        Ok(Self(url))
    }
}

/// `host:port`, over TLS.
struct TlsAddress(Endpoint);

impl FromStr for TlsAddress {
    type Err = DialError;

    fn from_str(text: &str) -> Result<Self, DialError> {
        let has_port = text.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok());
        if !has_port || text.contains('/') {
            return Err(DialError::Url { url: text.to_owned(), problem: "HOST:PORT is needed" });
        }
        Ok(Self(format!("https://{text}").parse()?))
    }
}
