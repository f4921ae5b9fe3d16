//! Records as syslog messages over TLS.
//!
//! Source: RFC 5424 (the message), RFC 5425 (TLS, and the length in front of each).

use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;
use postern_dial::{Dialer, Proxies, Stream};
use tokio::io::AsyncWriteExt as _;
use tokio::sync::Mutex;
use tokio::time::timeout;

use super::{Collector, REQUEST_TIME_MAX, SinkError, dialer, unavailable};
use crate::clock::Clock;
use crate::config::Syslog;

/// Facility 13 (log audit), severity 6 (informational).
const PRIORITY: u8 = 13 * 8 + 6;
/// What a message says is UTF-8.
const BOM: &str = "\u{feff}";

/// See the [module's documentation](self). Nothing acknowledges: what was written into a connection that breaks a
/// moment later is lost.
pub(super) struct SyslogCollector {
    config: Syslog,
    dialer: Dialer,
    host_name: String,
    connection: Mutex<Option<Stream>>,
    clock: Arc<dyn Clock>,
}

impl SyslogCollector {
    pub(super) fn new(config: Syslog, clock: Arc<dyn Clock>) -> Self {
        // A proxy for web pages is not what such a connection is for.
        let dialer = dialer(config.ca_certificates.as_ref(), Proxies::none());
        let host_name = rustix::system::uname().nodename().to_string_lossy().into_owned();
        Self { config, dialer, host_name: name(&host_name), connection: Mutex::default(), clock }
    }

    async fn write(&self, messages: &[u8]) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        let mut kept = self.connection.lock().await;
        let open = kept.take().and_then(|mut stream| stream.is_quiet().then_some(stream));
        let mut stream = match open {
            Some(stream) => stream,
            None => self.dialer.connect(&self.config.endpoint).await?,
        };
        let writing = async {
            stream.write_all(messages).await?;
            stream.flush().await
        };
        timeout(REQUEST_TIME_MAX, writing).await??;
        *kept = Some(stream);
        Ok(())
    }
}

#[async_trait]
impl Collector for SyslogCollector {
    async fn take(&self, _session: &str, records: &[String]) -> Result<(), SinkError> {
        let at = self.clock.now();
        let framed: String =
            records.iter().map(|record| framed(&message(at, &self.host_name, record))).collect();
        let name = format!("the syslog collector at {}", self.config.endpoint.authority());
        self.write(framed.as_bytes()).await.map_err(|error| unavailable(&name, error))
    }
}

/// RFC 5424, section 6. Everything about the session stands in the record.
fn message(at: Timestamp, host_name: &str, record: &str) -> String {
    let at = at.strftime("%Y-%m-%dT%H:%M:%S.%3fZ");
    format!("<{PRIORITY}>1 {at} {host_name} postern - session - {BOM}{record}")
}

/// RFC 5425, section 4.3.
fn framed(message: &str) -> String {
    format!("{} {message}", message.len())
}

/// HOSTNAME: printable ASCII, at most 255.
fn name(text: &str) -> String {
    let name: String = text.chars().filter(char::is_ascii_graphic).take(255).collect();
    if name.is_empty() { "-".to_owned() } else { name }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_has_its_parts_and_its_length() {
        let at = Timestamp::from_millisecond(1_800_000_000_123).unwrap();
        let message = message(at, "control", r#"{"sessionData":["é"]}"#);
        assert_eq!(
            message,
            "<110>1 2027-01-15T08:00:00.123Z control postern - session - \u{feff}{\"sessionData\":[\"é\"]}"
        );
        assert_eq!(framed("é"), "2 é");
    }

    #[test]
    fn a_host_name_is_printable() {
        assert_eq!(name("a b\u{7f}c"), "abc");
        assert_eq!(name("\u{e9}"), "-");
    }
}
