//! Which nodes serve files, and under which document.

use postern_api::ApiError;
use postern_api::ssm::errors;
use postern_documents::{Properties, SFTP_DOCUMENT_NAME, SFTP_TYPE};
use postern_store::{Node, NodeInfo};

/// What Postern's agent calls itself.
pub(super) const POSTERN_AGENT: &str = "postern-agent";
/// Its first version that serves files.
const FILES_SINCE: [u64; 4] = [3, 3, 4001, 0];

/// Refuses a session with the file server where it could not come about: only Postern's agent has one. It is started under one
/// document alone, because by that the gateway knows that it has to record what is done with files.
pub(super) fn check(document_name: &str, properties: &Properties, node: &Node) -> Result<(), ApiError> {
    let Properties::Port(port) = properties else { return Ok(()) };
    if port.forwarding_type != SFTP_TYPE {
        return Ok(());
    }
    if document_name != SFTP_DOCUMENT_NAME {
        let message = format!("Only the document {SFTP_DOCUMENT_NAME} may have the type {SFTP_TYPE}.");
        return Err(ApiError::new(errors::INVALID_DOCUMENT, message));
    }
    if serves_files(&node.info) {
        return Ok(());
    }
    let agent = match (&node.info.agent_name, &node.info.agent_version) {
        (Some(name), Some(version)) => format!("{name:.64} {version:.64}"),
        _ => "an agent that has not said what it is".to_owned(),
    };
    let message = format!(
        "Document {SFTP_DOCUMENT_NAME} needs {POSTERN_AGENT} of version 3.3.4001.0 or later; {} runs {agent}.",
        node.id
    );
    Err(ApiError::new(errors::INVALID_DOCUMENT, message))
}

fn serves_files(info: &NodeInfo) -> bool {
    let version = info.agent_version.as_deref().unwrap_or_default();
    let numbers: Option<Vec<u64>> = version.split('.').map(|number| number.parse().ok()).collect();
    let is_new_enough = numbers.is_some_and(|numbers| numbers.as_slice() >= FILES_SINCE.as_slice());
    info.agent_name.as_deref() == Some(POSTERN_AGENT) && is_new_enough
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn posterns_agent_serves_files_from_some_version_on() {
        for (name, version, expected) in [
            (Some("postern-agent"), Some("3.3.4001.0"), true),
            (Some("postern-agent"), Some("3.4.0.0"), true),
            (Some("postern-agent"), Some("3.3.4000.0"), false),
            (Some("postern-agent"), Some("new"), false),
            (Some("amazon-ssm-agent"), Some("3.3.9999.0"), false),
            (Some("postern-agent"), None, false),
            (None, Some("3.3.4001.0"), false),
        ] {
            let info = NodeInfo {
                agent_name: name.map(str::to_owned),
                agent_version: version.map(str::to_owned),
                ..NodeInfo::default()
            };
            assert_eq!(serves_files(&info), expected, "{info:?}");
        }
    }
}
