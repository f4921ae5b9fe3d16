//! What the agent says it is.

/// Told to the server and, in the handshake, to clients. They look only for four numbers above 3.1.1511.0, from which
/// on AWS's plugin uses all features; see `AgentVersion` in the protocol crate.
pub const AGENT_VERSION: &str = "3.3.4002.0";

/// Free text beside the version.
pub const AGENT_NAME: &str = "postern-agent";

/// `AgentName`'s neighbour: what kind of machine this is, as `UpdateInstanceInformation` spells it.
pub(crate) const PLATFORM_TYPE: &str = if cfg!(target_os = "macos") { "MacOS" } else { "Linux" };

#[cfg(test)]
mod tests {
    use postern_protocol::version::AgentVersion;

    use super::*;

    #[test]
    fn clients_see_every_feature() {
        assert!(AgentVersion::parse(AGENT_VERSION).unwrap().disables_keep_alive());
    }
}
