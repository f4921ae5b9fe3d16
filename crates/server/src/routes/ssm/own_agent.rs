//! What only Postern's agent does, and under which document alone.

use postern_api::ApiError;
use postern_api::ssm::errors;
use postern_documents::{Properties, SFTP_DOCUMENT_NAME, SFTP_TYPE, TUNNEL_DOCUMENT_NAME, TUNNEL_TYPE};
use postern_store::{Node, NodeInfo};

/// What Postern's agent calls itself.
pub(super) const POSTERN_AGENT: &str = "postern-agent";

/// A type of port session of Postern's own. It is started under one document alone, because by that the gateway knows what it
/// has to record, and policies what they are asked.
pub(super) struct OwnType {
    /// As the document's properties have it.
    pub(super) forwarding_type: &'static str,
    /// The document.
    pub(super) document: &'static str,
    /// The first version of Postern's agent that has it.
    since: [u64; 4],
}

const FILES: OwnType =
    OwnType { forwarding_type: SFTP_TYPE, document: SFTP_DOCUMENT_NAME, since: [3, 3, 4001, 0] };
const TUNNEL: OwnType =
    OwnType { forwarding_type: TUNNEL_TYPE, document: TUNNEL_DOCUMENT_NAME, since: [3, 3, 4002, 0] };

/// All of them.
pub(super) fn types() -> impl Iterator<Item = OwnType> {
    [FILES, TUNNEL].into_iter()
}

/// Refuses a session of such a type where it could not come about.
pub(super) fn check(document_name: &str, properties: &Properties, node: &Node) -> Result<(), ApiError> {
    let Properties::Port(port) = properties else { return Ok(()) };
    let Some(own) = types().find(|own| own.forwarding_type == port.forwarding_type) else { return Ok(()) };
    if document_name != own.document {
        let message =
            format!("Only the document {} may have the type {}.", own.document, own.forwarding_type);
        return Err(ApiError::new(errors::INVALID_DOCUMENT, message));
    }
    if own.is_served_by(&node.info) {
        return Ok(());
    }
    let agent = match (&node.info.agent_name, &node.info.agent_version) {
        (Some(name), Some(version)) => format!("{name:.64} {version:.64}"),
        _ => "an agent that has not said what it is".to_owned(),
    };
    let since = own.since.map(|number| number.to_string()).join(".");
    let message = format!(
        "Document {} needs {POSTERN_AGENT} of version {since} or later; {} runs {agent}.",
        own.document, node.id
    );
    Err(ApiError::new(errors::INVALID_DOCUMENT, message))
}

impl OwnType {
    fn is_served_by(&self, info: &NodeInfo) -> bool {
        let version = info.agent_version.as_deref().unwrap_or_default();
        let numbers: Option<Vec<u64>> = version.split('.').map(|number| number.parse().ok()).collect();
        let is_new_enough = numbers.is_some_and(|numbers| numbers.as_slice() >= self.since.as_slice());
        info.agent_name.as_deref() == Some(POSTERN_AGENT) && is_new_enough
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn posterns_agent_has_its_own_types_from_some_version_on() {
        for (own, name, version, expected) in [
            (FILES, Some("postern-agent"), Some("3.3.4001.0"), true),
            (FILES, Some("postern-agent"), Some("3.4.0.0"), true),
            (FILES, Some("postern-agent"), Some("3.3.4000.0"), false),
            (FILES, Some("postern-agent"), Some("new"), false),
            (FILES, Some("amazon-ssm-agent"), Some("3.3.9999.0"), false),
            (FILES, Some("postern-agent"), None, false),
            (FILES, None, Some("3.3.4001.0"), false),
            (TUNNEL, Some("postern-agent"), Some("3.3.4001.0"), false),
            (TUNNEL, Some("postern-agent"), Some("3.3.4002.0"), true),
            (TUNNEL, Some("amazon-ssm-agent"), Some("3.3.4002.0"), false),
        ] {
            let info = NodeInfo {
                agent_name: name.map(str::to_owned),
                agent_version: version.map(str::to_owned),
                ..NodeInfo::default()
            };
            assert_eq!(own.is_served_by(&info), expected, "{} {info:?}", own.document);
        }
    }
}
