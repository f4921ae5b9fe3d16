//! What preferences ask for and nobody would do on the node at hand. AWS's agent writes logs by itself; a session on
//! another that asks for them is refused, because its author relies on what would silently be missing.

use postern_api::ApiError;
use postern_api::ssm::errors;
use postern_documents::Preferences;
use postern_store::Node;

use super::file_transfer::POSTERN_AGENT;

pub(super) fn check(document_name: &str, preferences: &Preferences, node: &Node) -> Result<(), ApiError> {
    if node.info.agent_name.as_deref() != Some(POSTERN_AGENT) {
        return Ok(());
    }
    let Some(field) = missing(preferences) else { return Ok(()) };
    let message = format!(
        "Document {document_name} asks for inputs.{field}, which {POSTERN_AGENT} on {} does not carry out. Leave it empty, or use \
         a node with amazon-ssm-agent.",
        node.id
    );
    Err(ApiError::new(errors::INVALID_DOCUMENT, message))
}

/// The first field that neither this server nor Postern's agent carries out.
fn missing(preferences: &Preferences) -> Option<&'static str> {
    [
        ("s3BucketName", &preferences.s3_bucket_name),
        ("cloudWatchLogGroupName", &preferences.cloud_watch_log_group_name),
    ]
    .into_iter()
    .find_map(|(field, value)| value.as_ref().map(|_| field))
}
