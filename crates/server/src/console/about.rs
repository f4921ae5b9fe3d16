//! What the settings say of the server: the certificate that it shows, and where it keeps what it records, for how long.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};
use x509_parser::prelude::{FromDer as _, X509Certificate};

use super::origin;
use super::session::seconds;
use crate::config::{Config, Tls};
use crate::tls::CurrentCertificate;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// See the [module's documentation](self).
pub(crate) struct About {
    certificate: Arc<CurrentCertificate>,
    has_own_authority: bool,
    trail_bucket: String,
    trail_kept: Option<Duration>,
    recordings_kept: Option<Duration>,
}

impl About {
    pub(crate) fn new(config: &Config, certificate: Arc<CurrentCertificate>) -> Self {
        Self {
            certificate,
            has_own_authority: matches!(config.tls, Tls::OwnAuthority),
            trail_bucket: config.audit.bucket.clone(),
            trail_kept: config.audit.keep.write,
            recordings_kept: config.recording.keep,
        }
    }

    /// The certificate as it is at present: it is renewed while the server runs.
    pub(super) fn certificate(&self) -> Value {
        let leaf = self.certificate.leaf();
        let parsed = X509Certificate::from_der(&leaf).ok().map(|(_, certificate)| certificate);
        let not_after = parsed.as_ref().and_then(|certificate| {
            Timestamp::from_second(certificate.validity().not_after.timestamp()).ok()
        });
        json!({
            "names": origin::names(&leaf),
            "issuer": parsed.as_ref().map(|certificate| certificate.issuer().to_string()),
            "notAfter": not_after.map(seconds),
            "renewsItself": self.has_own_authority,
        })
    }

    /// Where records go. `null` days: for ever.
    pub(super) fn sinks(&self) -> Value {
        let days = |kept: Option<Duration>| kept.map(|kept| kept.as_secs() / DAY.as_secs());
        json!({
            "trailBucket": self.trail_bucket,
            "trailKeptDays": days(self.trail_kept),
            "recordingsKeptDays": days(self.recordings_kept),
        })
    }
}
