//! Log groups of CloudWatch Logs elsewhere.
//!
//! Source: Amazon CloudWatch Logs API Reference, version 2014-03-28.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Response, header};
use serde_json::{Value, json};

use super::super::{EventSink, GroupState, SinkError};
use super::Client;
use crate::clock::Clock;
use crate::config::ExternalSink;

const TARGET: &str = "x-amz-target";
const JSON: &str = "application/x-amz-json-1.1";

/// Log groups elsewhere.
pub(crate) struct ExternalGroups(Client);

/// An answer that is an error.
struct Refusal {
    answer: Response<Bytes>,
    code: String,
    body: Value,
}

impl ExternalGroups {
    /// `region`: this server's own.
    pub(crate) fn new(config: ExternalSink, region: &str, clock: Arc<dyn Clock>) -> Self {
        Self(Client::new(config, region, "logs", clock))
    }

    async fn call(&self, operation: &str, input: &Value) -> Result<Result<Value, Refusal>, SinkError> {
        let target = HeaderValue::from_str(&format!("Logs_20140328.{operation}"));
        let headers = HeaderMap::from_iter([
            (header::HeaderName::from_static(TARGET), target.map_err(|error| self.0.unavailable(error))?),
            (header::CONTENT_TYPE, HeaderValue::from_static(JSON)),
        ]);
        let answer = self.0.send(Method::POST, "/", headers, input.to_string().into()).await?;
        let body: Value = serde_json::from_slice(answer.body()).unwrap_or_default();
        if answer.status().is_success() {
            return Ok(Ok(body));
        }
        let code = body["__type"].as_str().unwrap_or_default();
        let code = code.rsplit('#').next().unwrap_or_default().to_owned();
        Ok(Err(Refusal { answer, code, body }))
    }

    fn refused(&self, group: &str, refusal: &Refusal) -> SinkError {
        if refusal.code == "ResourceNotFoundException" {
            return SinkError::Missing(format!("log group {group} of {}", self.0.endpoint()));
        }
        let message = refusal.body["message"].as_str().or(refusal.body["Message"].as_str());
        self.0.refused(&refusal.answer, &refusal.code, message.unwrap_or_default())
    }

    async fn put(&self, group: &str, stream: &str, events: &Value) -> Result<(), SinkError> {
        let mut input = json!({"logGroupName": group, "logStreamName": stream, "logEvents": events});
        let mut answer = self.call("PutLogEvents", &input).await?;
        if let Err(refusal) = &answer {
            match refusal.code.as_str() {
                // It was deleted since, or never made.
                "ResourceNotFoundException" => self.open_stream(group, stream).await?,
                // Of services as AWS's once was.
                "InvalidSequenceTokenException" => {
                    input["sequenceToken"] = refusal.body["expectedSequenceToken"].clone();
                }
                "DataAlreadyAcceptedException" => return Ok(()),
                _ => return Err(self.refused(group, refusal)),
            }
            answer = self.call("PutLogEvents", &input).await?;
        }
        match answer {
            Err(refusal) if refusal.code == "DataAlreadyAcceptedException" => Ok(()),
            Err(refusal) => Err(self.refused(group, &refusal)),
            // The events are of this moment, so it must be one of the clocks.
            Ok(body) if !body["rejectedLogEventsInfo"].is_null() => Err(SinkError::Refused {
                sink: self.0.endpoint().to_string(),
                answer: format!("events of now are too old or too new: {}", body["rejectedLogEventsInfo"]),
            }),
            Ok(_) => Ok(()),
        }
    }
}

#[async_trait]
impl EventSink for ExternalGroups {
    async fn group(&self, group: &str) -> Result<GroupState, SinkError> {
        // The name itself is the first of those that begin with it.
        let answer = self.call("DescribeLogGroups", &json!({"logGroupNamePrefix": group})).await?;
        let body = answer.map_err(|refusal| self.refused(group, &refusal))?;
        let groups = body["logGroups"].as_array().map(Vec::as_slice).unwrap_or_default();
        match groups.iter().find(|found| found["logGroupName"] == group) {
            Some(found) => Ok(GroupState { is_encrypted: found["kmsKeyId"].is_string() }),
            None => Err(SinkError::Missing(format!("log group {group} of {}", self.0.endpoint()))),
        }
    }

    async fn open_stream(&self, group: &str, stream: &str) -> Result<(), SinkError> {
        let input = json!({"logGroupName": group, "logStreamName": stream});
        match self.call("CreateLogStream", &input).await? {
            Err(refusal) if refusal.code != "ResourceAlreadyExistsException" => {
                Err(self.refused(group, &refusal))
            }
            _ => Ok(()),
        }
    }

    async fn append(&self, group: &str, stream: &str, messages: Vec<String>) -> Result<(), SinkError> {
        let now_ms = self.0.clock.now().as_millisecond();
        let event = |message: String| json!({"timestamp": now_ms, "message": message});
        let events: Value = messages.into_iter().map(event).collect();
        self.put(group, stream, &events).await
    }
}
