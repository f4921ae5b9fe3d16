//! Who writes the log of a session, and whether it can be written: settled before the session starts.
//!
//! The server does, where the node cannot reach, and sends the node a document that asks for none, so that there are
//! never two. Only of a session that is encrypted and that the server cannot look into does it leave the log to AWS's
//! agent, which sees what it encrypts.
//!
//! Source of the checks: aws/amazon-ssm-agent, agent/session/plugins/sessionplugin; of the texts, the same.

use jiff::{SignedDuration, Timestamp};
use postern_api::ApiError;
use postern_api::ssm::{StartSessionInput, errors};
use postern_documents::{Preferences, Recording, SessionType};
use postern_ids::SessionId;
use postern_session_log::object_key;
use postern_store::{KmsKeyState, Node, SessionLog};
use serde_json::Value;

use super::own_agent::POSTERN_AGENT;
use super::start_session::Plan;
use crate::app::App;
use crate::routes::call::Call;
use crate::routes::{failure, kms};
use crate::session_logs::{Collectors, Destination, EventForm, SinkError};

/// Whom AWS's agent runs sessions as unless it is told otherwise.
const SSM_USER: &str = "ssm-user";
/// A log that whoever starts the session has not taken by then is taken up without it.
const TAKEN_WITHIN: SignedDuration = SignedDuration::from_secs(10);
/// The fields that have a node write logs.
const FIELDS: [&str; 3] = ["s3BucketName", "s3KeyPrefix", "cloudWatchLogGroupName"];

/// Who writes the log of a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Logging {
    /// There is none.
    Nobody,
    Server,
    /// The node's agent, as its document says.
    Agent,
}

/// Says who does, and refuses a session whose log nobody could write.
pub(super) async fn settle(
    call: &Call<StartSessionInput>,
    plan: &Plan,
    node: &Node,
) -> Result<Logging, ApiError> {
    let preferences = &plan.resolved.preferences;
    let Some(field) = asked_for(preferences).filter(|_| plan.resolved.session_type != SessionType::Port)
    else {
        return Ok(Logging::Nobody);
    };
    if is_readable(call, plan).await? {
        check_sinks(&call.app, preferences).await?;
        return Ok(Logging::Server);
    }
    if node.info.agent_name.as_deref() != Some(POSTERN_AGENT) {
        return Ok(Logging::Agent);
    }
    let message = format!(
        "Document {} asks for inputs.{field}, and for encryption that the server cannot look into, so nobody would write the \
         log. Set inputs.recording to \"allowed\" or \"required\" and inputs.kmsKeyId to an enabled key of this server's KMS, \
         or leave one of the two empty.",
        plan.document.name()
    );
    Err(ApiError::new(errors::INVALID_DOCUMENT, message))
}

/// The first field that asks for a log.
fn asked_for(preferences: &Preferences) -> Option<&'static str> {
    [
        ("s3BucketName", &preferences.s3_bucket_name),
        ("cloudWatchLogGroupName", &preferences.cloud_watch_log_group_name),
    ]
    .into_iter()
    .find_map(|(field, value)| value.as_ref().map(|_| field))
}

/// Whether the server sees what the session shows.
async fn is_readable(call: &Call<StartSessionInput>, plan: &Plan) -> Result<bool, ApiError> {
    let Some(key) = plan.resolved.preferences.kms_key_id.as_deref() else { return Ok(true) };
    if plan.session.recording == Recording::Off {
        return Ok(false);
    }
    let found = kms::own_key(call, key).await?;
    Ok(found.is_some_and(|key| key.state == KmsKeyState::Enabled))
}

/// Holds bucket and group to what is demanded of them, as AWS's agent does.
async fn check_sinks(app: &App, preferences: &Preferences) -> Result<(), ApiError> {
    let refused = |message: String| Err(ApiError::new(errors::INVALID_DOCUMENT, message));
    if let (Some(bucket), true) = (&preferences.s3_bucket_name, preferences.s3_encryption_enabled) {
        match app.session_logs.sinks.objects.bucket(bucket).await {
            Ok(state) if state.is_encrypted => {}
            Ok(_) => {
                return refused(
                    "We couldn't start the session because encryption is not set up on the selected Amazon S3 bucket. \
                     Either encrypt the bucket or choose an option to enable logging without encryption."
                        .to_owned(),
                );
            }
            Err(error) => {
                return refused(format!(
                    "Couldn't start the session because we are unable to validate encryption on Amazon S3 bucket. Error: {}",
                    told(&error)
                ));
            }
        }
    }
    let group = &preferences.cloud_watch_log_group_name;
    if let (Some(group), true) = (group, preferences.cloud_watch_encryption_enabled) {
        match app.session_logs.sinks.events.group(group).await {
            Ok(state) if state.is_encrypted => {}
            Ok(_) => {
                return refused(
                    "We couldn't start the session because encryption is not set up on the selected CloudWatch Logs log group. \
                     Either encrypt the log group or choose an option to enable logging without encryption."
                        .to_owned(),
                );
            }
            Err(error) => {
                return refused(format!(
                    "Couldn't start the session because we are unable to validate encryption on CloudWatch Logs log group. \
                     Error: {}",
                    told(&error)
                ));
            }
        }
    }
    Ok(())
}

/// What callers are told; the cause is in the log.
fn told(error: &SinkError) -> String {
    if let SinkError::Unavailable { .. } = error {
        let error: &dyn std::error::Error = error;
        tracing::warn!(error, "what is to hold the log of a session cannot be asked whether it is encrypted");
    }
    error.to_string()
}

/// Where the logs of a session go. `run_as`: the user that the caller's tag names.
pub(super) fn logs(
    plan: &Plan,
    session: &SessionId,
    node: &Node,
    run_as: Option<&str>,
    at: Timestamp,
) -> Vec<SessionLog> {
    let preferences = &plan.resolved.preferences;
    let object = preferences.s3_bucket_name.as_ref().map(|bucket| Destination::S3 {
        bucket: bucket.clone(),
        key: object_key(preferences.s3_key_prefix.as_deref(), session),
    });
    // Source: "Log session data using Amazon CloudWatch Logs", AWS Systems Manager User Guide: commands are not streamed.
    let is_streamed = preferences.cloud_watch_streaming_enabled
        && plan.resolved.session_type == SessionType::StandardStream;
    let events = preferences.cloud_watch_log_group_name.as_ref().map(|group| Destination::CloudWatch {
        log_group: group.clone(),
        log_stream: session.to_string(),
        form: if is_streamed { EventForm::Streaming } else { EventForm::AtEnd },
        run_as_user: run_as_user(preferences, node, run_as),
    });
    let due = at.checked_add(TAKEN_WITHIN).unwrap_or(at);
    [object, events].into_iter().flatten().map(|destination| destination.log(session, at, due)).collect()
}

/// What goes to collectors of a session that shows something.
pub(super) fn collected(
    collectors: &Collectors,
    plan: &Plan,
    session: &SessionId,
    node: &Node,
    run_as: Option<&str>,
    at: Timestamp,
) -> Vec<SessionLog> {
    if plan.resolved.session_type == SessionType::Port {
        return Vec::new();
    }
    let due = at.checked_add(TAKEN_WITHIN).unwrap_or(at);
    let run_as_user = run_as_user(&plan.resolved.preferences, node, run_as);
    let destination = |collector| Destination::Collector { collector, run_as_user: run_as_user.clone() };
    collectors.kinds().map(|kind| destination(kind).log(session, at, due)).collect()
}

/// Empty if only the node knows.
fn run_as_user(preferences: &Preferences, node: &Node, run_as: Option<&str>) -> String {
    let named = run_as.map(str::trim).filter(|name| !name.is_empty());
    let named = named.or(preferences.run_as_default_user.as_deref());
    match named.filter(|_| preferences.run_as_enabled) {
        Some(name) => name.to_owned(),
        None if node.info.agent_name.as_deref() == Some(POSTERN_AGENT) => String::new(),
        None => SSM_USER.to_owned(),
    }
}

/// The document for a node that is not to write logs.
pub(super) fn without_logs(mut document: Value) -> Value {
    if let Some(inputs) = document.get_mut("inputs").and_then(Value::as_object_mut) {
        for field in FIELDS {
            inputs.insert(field.to_owned(), "".into());
        }
    }
    document
}

/// Remembers the logs of a session that is about to start.
pub(super) async fn remember(app: &App, logs: &[SessionLog]) -> Result<(), ApiError> {
    if logs.is_empty() {
        return Ok(());
    }
    app.store.add_session_logs(logs).await.map_err(failure::store)
}

/// Forgets the logs of a session that did not start. What cannot be forgotten now is when it is looked at.
pub(super) async fn forget(app: &App, session: &SessionId, logs: &[SessionLog]) {
    if !logs.is_empty()
        && let Err(error) = app.store.forget_session_logs(session).await
    {
        let error: &dyn std::error::Error = &error;
        tracing::warn!(error, "the logs of a session that did not start cannot be forgotten for now");
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_node_is_not_told_of_logs() {
        let document = json!({"sessionType": "Standard_Stream", "inputs": {
            "s3BucketName": "{{ bucket }}", "s3KeyPrefix": "x", "cloudWatchLogGroupName": "g", "kmsKeyId": "k"}});
        let sent = without_logs(document);
        assert_eq!(
            sent["inputs"],
            json!({"s3BucketName": "", "s3KeyPrefix": "", "cloudWatchLogGroupName": "", "kmsKeyId": "k"})
        );
    }
}
