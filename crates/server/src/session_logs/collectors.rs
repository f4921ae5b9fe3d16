//! Who else gets the lines of sessions: collectors that the operator names, whatever documents ask for.

mod otlp;
mod syslog;
mod webhook;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use http::Response;
use postern_dial::{Dialer, Http, Limits, Proxies, Trust};

use self::otlp::OtlpCollector;
use self::syslog::SyslogCollector;
use self::webhook::WebhookCollector;
use super::{CollectorKind, SinkError};
use crate::clock::Clock;
use crate::config;

/// Connecting, and the handshake.
const STEP_TIME_MAX: Duration = Duration::from_secs(10);
/// One request with its answer.
const REQUEST_TIME_MAX: Duration = Duration::from_secs(30);
/// Answers are short, and not read but for what OpenTelemetry says in them.
const ANSWER_BYTES_MAX: usize = 64 << 10;

/// Takes the records of sessions, as streams of log groups have them.
#[async_trait]
pub(super) trait Collector: Send + Sync {
    /// Takes records of one session: all, or they come again.
    async fn take(&self, session: &str, records: &[String]) -> Result<(), SinkError>;
}

/// The collectors that the settings name.
#[derive(Clone)]
pub(crate) struct Collectors(Vec<(CollectorKind, Arc<dyn Collector>)>);

impl Collectors {
    pub(crate) fn new(config: &config::Collectors, clock: &Arc<dyn Clock>) -> Self {
        let mut all: Vec<(CollectorKind, Arc<dyn Collector>)> = Vec::new();
        if let Some(webhook) = config.webhook.clone() {
            let collector = WebhookCollector::new(webhook, Arc::clone(clock));
            all.push((CollectorKind::Webhook, Arc::new(collector)));
        }
        if let Some(syslog) = config.syslog.clone() {
            all.push((CollectorKind::Syslog, Arc::new(SyslogCollector::new(syslog, Arc::clone(clock)))));
        }
        if let Some(otlp) = config.otlp.clone() {
            all.push((CollectorKind::Otlp, Arc::new(OtlpCollector::new(otlp, Arc::clone(clock)))));
        }
        Self(all)
    }

    /// The kinds of those that there are.
    pub(crate) fn kinds(&self) -> impl Iterator<Item = CollectorKind> {
        self.0.iter().map(|(kind, _)| *kind)
    }

    pub(super) fn get(&self, kind: CollectorKind) -> Result<&dyn Collector, SinkError> {
        let found = self.0.iter().find(|(known, _)| *known == kind).map(|(_, collector)| &**collector);
        found.ok_or_else(|| SinkError::Missing(format!("a collector of the kind {}", kind.sink())))
    }
}

fn dialer(ca_certificates: Option<&std::path::PathBuf>, proxies: Proxies) -> Dialer {
    let trust = match ca_certificates {
        Some(file) => Trust::native_and_ca_file(file),
        None => Trust::native(),
    };
    let step = STEP_TIME_MAX;
    let limits = Limits { connect: step, proxy: step, tls: step, request: REQUEST_TIME_MAX };
    Dialer::new(trust, proxies).with_limits(limits)
}

fn http(ca_certificates: Option<&std::path::PathBuf>) -> Http {
    Http::new(dialer(ca_certificates, Proxies::from_env())).with_answer_bytes_max(ANSWER_BYTES_MAX)
}

fn unavailable(sink: &str, error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> SinkError {
    SinkError::Unavailable { sink: sink.to_owned(), source: error.into() }
}

/// What an answer means: only success is one.
fn judge(sink: &str, answer: &Response<Bytes>) -> Result<(), SinkError> {
    if answer.status().is_success() {
        return Ok(());
    }
    Err(SinkError::Refused { sink: sink.to_owned(), answer: format!("status {}", answer.status().as_u16()) })
}
