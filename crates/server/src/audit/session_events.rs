//! What happens to sessions between the calls: connections and ends, of which AWS records nothing.

use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;
use postern_audit::format::{SESSION_ENDED, SESSION_RECORDING_PROGRESS};
use postern_audit::{Class, IdentityType, Record, SessionContext, SessionIssuer, Trail, UserIdentity};
use postern_gateway::{NotWitnessed, RecordingEnded, SessionEnded, SessionEvent, Side, Witness};
use postern_ids::{AccountId, Arn, Region, SessionId};
use postern_store::SessionRecord;
use serde_json::{Map, Value, json};

mod connection;

use super::resource;
use crate::clock::Clock;
use crate::random::Random;

const SOURCE: &str = "ssm.amazonaws.com";

/// Writes what happens to sessions on the trail.
pub(crate) struct SessionRecords {
    /// `None`: a benchmark measures what the trail costs.
    trail: Option<Trail>,
    account: AccountId,
    region: Region,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
}

impl SessionRecords {
    pub(crate) fn new(
        trail: Option<Trail>,
        account: AccountId,
        region: Region,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
    ) -> Self {
        Self { trail, account, region, clock, random }
    }

    fn record(&self, session: &SessionRecord, event: SessionEvent) -> Record {
        let (mut decision, mut denial) = (None, None);
        let (name, at, details) = match event {
            SessionEvent::Connected { side, client_version } => {
                ("SessionConnected", self.clock.now(), data_channel(side, client_version))
            }
            SessionEvent::Disconnected { side } => {
                ("SessionDisconnected", self.clock.now(), data_channel(side, None))
            }
            SessionEvent::ConnectionOpened(connection) => (
                "ConnectionOpened",
                connection.opened_at,
                connection_details(connection::opened(&connection)),
            ),
            SessionEvent::ConnectionDenied(connection, denied) => {
                decision = denied.decision;
                denial = Some(denied.message);
                (
                    "ConnectionDenied",
                    connection.opened_at,
                    connection_details(connection::opened(&connection)),
                )
            }
            SessionEvent::ConnectionClosed { connection, at, end } => {
                ("ConnectionClosed", at, connection_details(connection::closed(&connection, at, &end)))
            }
            SessionEvent::Recorded(recorded) => {
                let file = recorded_file(session, recorded.bytes, &recorded.sha256);
                let details = Map::from_iter([("recording".to_owned(), json!([file]))]);
                (SESSION_RECORDING_PROGRESS, self.clock.now(), details)
            }
            SessionEvent::Ended(ended) => (SESSION_ENDED, ended.at, ended_details(session, *ended)),
        };
        let mut all = json!({
            "sessionId": session.id.as_str(),
            "target": session.node.as_str(),
            "documentName": session.document_name,
            "startTime": whole_seconds(session.started_at),
        });
        if let Some(all) = all.as_object_mut() {
            all.extend(details);
        }
        let event_id = uuid::Builder::from_random_bytes(self.random.bytes()).into_uuid();
        let who = self.owner(session);
        let mut record = Record::service_event(event_id, at, SOURCE, name, self.region.clone(), who, all);
        record.error_code = denial.is_some().then(|| "AccessDenied".to_owned());
        record.error_message = denial;
        record.additional_event_data.extend(decision.map(|decision| ("decision".to_owned(), decision)));
        record.recipient_account_id = Some(self.account.clone());
        record.resources = [
            Arn::session(&self.region, &self.account, &session.id),
            Arn::managed_instance(&self.region, &self.account, &session.node),
        ]
        .iter()
        .filter_map(|arn| resource::of_arn(arn.as_str(), &self.account))
        .collect();
        record
    }

    /// Whose session it is.
    fn owner(&self, session: &SessionRecord) -> UserIdentity {
        let arn = session.owner_arn.to_string();
        let known = |kind| UserIdentity {
            principal_id: Some(session.owner_user_id.clone()),
            arn: Some(arn.clone()),
            account_id: Some(self.account.clone()),
            invoked_by: Some(SOURCE.to_owned()),
            ..UserIdentity::new(kind)
        };
        let role = session.owner_arn.resource().strip_prefix("assumed-role/");
        match role.and_then(|role| role.split_once('/')) {
            Some((role, _)) => {
                let issuer = SessionIssuer {
                    kind: "Role".to_owned(),
                    principal_id: session.owner_user_id.split(':').next().unwrap_or_default().to_owned(),
                    arn: format!("arn:aws:iam::{}:role/{role}", self.account),
                    account_id: self.account.clone(),
                    user_name: role.to_owned(),
                };
                let context = SessionContext { session_issuer: Some(issuer), ..SessionContext::default() };
                UserIdentity { session_context: Some(context), ..known(IdentityType::AssumedRole) }
            }
            None => {
                let name = session.owner_arn.resource().rsplit('/').next().map(str::to_owned);
                UserIdentity { user_name: name, ..known(IdentityType::IamUser) }
            }
        }
    }
}

#[async_trait]
impl Witness for SessionRecords {
    async fn witness(&self, session: &SessionRecord, event: SessionEvent) -> Result<(), NotWitnessed> {
        let Some(trail) = &self.trail else { return Ok(()) };
        trail.write(Class::Write, self.record(session, event)).await.map_err(|error| {
            let error: &dyn std::error::Error = &error;
            tracing::error!(error, session.id = %session.id, "cannot put an event of session {} on the audit trail", session.id);
            NotWitnessed
        })
    }
}

fn connection_details(connection: Value) -> Map<String, Value> {
    Map::from_iter([("connection".to_owned(), connection)])
}

fn data_channel(side: Side, client_version: Option<String>) -> Map<String, Value> {
    let side = match side {
        Side::Client => "client",
        Side::Agent => "node",
    };
    let mut details = Map::from_iter([("side".to_owned(), side.into())]);
    details.extend(client_version.map(|version| ("clientVersion".to_owned(), version.into())));
    details
}

fn ended_details(session: &SessionRecord, ended: SessionEnded) -> Map<String, Value> {
    let duration = ended.at.duration_since(session.started_at).as_millis();
    let mut details = Map::from_iter([
        ("endTime".to_owned(), whole_seconds(ended.at).into()),
        ("endReason".to_owned(), ended.reason.into()),
        ("durationMs".to_owned(), i64::try_from(duration).unwrap_or(i64::MAX).into()),
        ("bytesIn".to_owned(), ended.bytes.input.into()),
        ("bytesOut".to_owned(), ended.bytes.output.into()),
        ("bytesCountedSince".to_owned(), whole_seconds(ended.counted_since).into()),
    ]);
    details.extend(ended.exit_code.map(|code| ("exitCode".to_owned(), code.into())));
    if !ended.details.is_empty() {
        details.insert("details".to_owned(), ended.details.into());
    }
    match ended.recording {
        Some(RecordingEnded::Complete(summary)) => {
            if let (Some(bytes), Some(sha256)) = (summary.bytes, &summary.sha256) {
                let file = recorded_file(session, bytes, sha256);
                details.insert("recording".to_owned(), json!([file]));
                let location = format!("recordings/{}", cast_name(&session.id));
                let log =
                    json!({"type": "file", "location": location, "status": summary.status, "sha256": sha256});
                details.insert("logs".to_owned(), json!([log]));
            }
        }
        Some(RecordingEnded::Failed) => {
            details.insert("recordingFailed".to_owned(), true.into());
        }
        None => {}
    }
    details
}

/// A file of the recording, or its beginning, as `postern verify` looks for it.
fn recorded_file(session: &SessionRecord, bytes: u64, sha256: &str) -> Value {
    json!({"type": "asciicast", "file": cast_name(&session.id), "bytes": bytes, "sha256": sha256})
}

/// The file of a recording, in the directory of recordings.
pub(crate) fn cast_name(session: &SessionId) -> String {
    format!("{session}.cast")
}

fn whole_seconds(time: Timestamp) -> String {
    Timestamp::from_second(time.as_second()).unwrap_or(time).to_string()
}
