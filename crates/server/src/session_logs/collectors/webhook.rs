//! Records posted to an address, with a signed body.
//!
//! ```text
//! POST <url>
//! Content-Type: application/json
//! Postern-Delivery: <SHA-256 of the body, hexadecimal: the same when it comes again>
//! Postern-Signature: t=<Unix time>,v1=<HMAC-SHA-256 over "<t>.<body>", hexadecimal>
//!
//! {"sessionId":"…","records":[{…},…]}
//! ```

use std::sync::Arc;

use async_trait::async_trait;
use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::hmac;
use bytes::Bytes;
use http::{Request, header};
use postern_dial::{Endpoint, Http};

use super::super::private_file;
use super::{Collector, SinkError, http, judge, unavailable};
use crate::clock::Clock;
use crate::config::Webhook;

/// See the [module's documentation](self).
pub(super) struct WebhookCollector {
    config: Webhook,
    /// How it is called in messages: its host, because path and query may hold a secret.
    name: String,
    http: Http,
    clock: Arc<dyn Clock>,
}

impl WebhookCollector {
    pub(super) fn new(config: Webhook, clock: Arc<dyn Clock>) -> Self {
        let http = http(config.ca_certificates.as_ref());
        let host = Endpoint::of(&config.url).map(|endpoint| endpoint.authority().to_owned());
        let name = format!("the webhook at {}", host.unwrap_or_default());
        Self { config, name, http, clock }
    }
}

#[async_trait]
impl Collector for WebhookCollector {
    async fn take(&self, session: &str, records: &[String]) -> Result<(), SinkError> {
        let unavailable = |error: Box<dyn std::error::Error + Send + Sync>| unavailable(&self.name, error);
        let body = body(session, records);
        let secret = private_file::read(self.config.secret_file.clone()).await;
        let secret = secret.map_err(|error| unavailable(error.into()))?;
        let signature =
            signature(secret.expose_secret().trim().as_bytes(), self.clock.now().as_second(), &body);
        let request = Request::post(self.config.url.clone())
            .header(header::CONTENT_TYPE, "application/json")
            .header("postern-delivery", hex::encode(digest(&SHA256, &body)))
            .header("postern-signature", signature)
            .body(body)
            .map_err(|error| unavailable(error.into()))?;
        judge(&self.name, &self.http.send(request).await.map_err(|error| unavailable(error.into()))?)
    }
}

/// Records are JSON already.
fn body(session: &str, records: &[String]) -> Bytes {
    format!(r#"{{"sessionId":{},"records":[{}]}}"#, serde_json::Value::from(session), records.join(","))
        .into()
}

fn signature(secret: &[u8], at: i64, body: &[u8]) -> String {
    let mut signing = hmac::Context::with_key(&hmac::Key::new(hmac::HMAC_SHA256, secret));
    signing.update(format!("{at}.").as_bytes());
    signing.update(body);
    format!("t={at},v1={}", hex::encode(signing.sign()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_stand_in_the_body_as_they_are() {
        let records = [r#"{"a":1,"b":["x\"y"]}"#.to_owned(), "{}".to_owned()];
        let body = body("alice-1", &records);
        assert_eq!(body, r#"{"sessionId":"alice-1","records":[{"a":1,"b":["x\"y"]},{}]}"#);
    }

    /// The hash is that of `printf '1800000000.{}' | openssl dgst -sha256 -hmac secret`.
    #[test]
    fn time_and_body_are_signed() {
        assert_eq!(
            signature(b"secret", 1_800_000_000, b"{}"),
            "t=1800000000,v1=bb7079132825ac793cea8c013c1dd24d926b9b02132245b10588d9e5c0df70d7"
        );
    }
}
