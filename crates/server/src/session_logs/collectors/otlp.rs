//! Records for a collector of OpenTelemetry, over HTTP in JSON.
//!
//! Source: OTLP specification 1.5, "OTLP/HTTP"; the logs data model; opentelemetry-proto, `logs/v1`.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, Response, header};
use jiff::Timestamp;
use postern_dial::Http;
use serde_json::{Value, json};

use super::super::private_file;
use super::{Collector, SinkError, http, judge, unavailable};
use crate::clock::Clock;
use crate::config::Otlp;

const PATH: &str = "/v1/logs";
/// `SEVERITY_NUMBER_INFO`.
const INFO: u8 = 9;

/// See the [module's documentation](self).
pub(super) struct OtlpCollector {
    config: Otlp,
    name: String,
    http: Http,
    clock: Arc<dyn Clock>,
}

impl OtlpCollector {
    pub(super) fn new(config: Otlp, clock: Arc<dyn Clock>) -> Self {
        let http = http(config.ca_certificates.as_ref());
        let name = format!("the OpenTelemetry collector at {}", config.endpoint);
        Self { config, name, http, clock }
    }
}

#[async_trait]
impl Collector for OtlpCollector {
    async fn take(&self, session: &str, records: &[String]) -> Result<(), SinkError> {
        let unavailable = |error: Box<dyn std::error::Error + Send + Sync>| unavailable(&self.name, error);
        let body = export(session, records, self.clock.now());
        let url = self.config.endpoint.url(PATH).map_err(|error| unavailable(error.into()))?;
        let mut request = Request::post(url).header(header::CONTENT_TYPE, "application/json");
        if let Some(file) = self.config.token_file.clone() {
            let token = private_file::read(file).await.map_err(|error| unavailable(error.into()))?;
            request =
                request.header(header::AUTHORIZATION, format!("Bearer {}", token.expose_secret().trim()));
        }
        let request =
            request.body(Bytes::from(body.to_string())).map_err(|error| unavailable(error.into()))?;
        let answer = self.http.send(request).await.map_err(|error| unavailable(error.into()))?;
        judge(&self.name, &answer)?;
        accepted(&self.name, &answer)
    }
}

/// A collector that took a part only would refuse the rest again: it is told of in the log, as the specification says.
fn accepted(name: &str, answer: &Response<Bytes>) -> Result<(), SinkError> {
    let answer: Value = serde_json::from_slice(answer.body()).unwrap_or_default();
    let partial = &answer["partialSuccess"];
    let rejected = &partial["rejectedLogRecords"];
    // 64-bit numbers are texts in this JSON, and numbers are to be understood too.
    let is_none = rejected.is_null() || rejected == "0" || rejected == 0;
    if !is_none {
        let message = partial["errorMessage"].as_str().unwrap_or_default().escape_debug().to_string();
        tracing::warn!("{name} rejected {rejected} records of a session: {message}");
    }
    Ok(())
}

fn export(session: &str, records: &[String], at: Timestamp) -> Value {
    let observed = at.as_nanosecond().to_string();
    let records: Vec<Value> = records.iter().map(|record| log_record(session, record, &observed)).collect();
    json!({"resourceLogs": [{
        "resource": {"attributes": [attribute("service.name", "postern")]},
        "scopeLogs": [{"scope": {"name": "postern.session"}, "logRecords": records}],
    }]})
}

fn log_record(session: &str, record: &str, observed: &str) -> Value {
    let record: Value = serde_json::from_str(record).unwrap_or_default();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let shown_at = text(&record["eventTime"]).parse::<Timestamp>().ok();
    let lines = record["sessionData"].as_array().map(Vec::as_slice).unwrap_or_default();
    let lines: Vec<&str> = lines.iter().filter_map(Value::as_str).collect();
    let mut attributes = vec![attribute("session.id", session)];
    for (name, value) in [
        ("enduser.id", text(&record["userIdentity"]["arn"])),
        ("host.id", text(&record["target"]["id"])),
        ("process.user.name", text(&record["runAsUser"])),
        ("cloud.region", text(&record["awsRegion"])),
    ] {
        if !value.is_empty() {
            attributes.push(attribute(name, &value));
        }
    }
    json!({
        "timeUnixNano": shown_at.map_or_else(|| observed.to_owned(), |at| at.as_nanosecond().to_string()),
        "observedTimeUnixNano": observed,
        "severityNumber": INFO,
        "severityText": "INFO",
        "body": {"stringValue": lines.join("\n")},
        "attributes": attributes,
    })
}

fn attribute(name: &str, value: &str) -> Value {
    json!({"key": name, "value": {"stringValue": value}})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_becomes_a_log_record() {
        let record = json!({"eventTime": "2027-01-15T08:00:00Z", "awsRegion": "us-east-1", "target": {"id": "mi-0"},
            "userIdentity": {"arn": "arn:alice"}, "runAsUser": "", "sessionData": ["$ ls", "file"]});
        let at = Timestamp::from_second(1_800_000_001).unwrap();
        let export = export("alice-1", &[record.to_string()], at);
        let [log] = export["resourceLogs"][0]["scopeLogs"][0]["logRecords"].as_array().unwrap().as_slice()
        else {
            panic!("{export}");
        };
        assert_eq!(log["timeUnixNano"], "1800000000000000000");
        assert_eq!(log["observedTimeUnixNano"], "1800000001000000000");
        assert_eq!(log["body"]["stringValue"], "$ ls\nfile");
        let names: Vec<_> =
            log["attributes"].as_array().unwrap().iter().map(|each| each["key"].clone()).collect();
        assert_eq!(names, ["session.id", "enduser.id", "host.id", "cloud.region"]);
    }
}
