//! The paths of channels: which node or which session a POST for a token, or a websocket, is about.

use percent_encoding::percent_decode_str;
use postern_ids::{NodeId, SessionId};

const CONTROL_CHANNEL: &str = "/v1/control-channel/";
const DATA_CHANNEL: &str = "/v1/data-channel/";

/// A channel, as the path names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Channel {
    /// The control channel of a node.
    Control(NodeId),
    /// A data channel of a session.
    Data(SessionId),
}

/// What a path does not name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotAChannel {
    /// It is a control channel's.
    #[error("The path names no managed instance.")]
    NoNode,
    /// It is a data channel's, or another.
    #[error("The path names no session.")]
    NoSession,
}

/// Whether a path is that of a channel, well or badly.
pub(crate) fn is_channel(path: &str) -> bool {
    path.starts_with(CONTROL_CHANNEL) || path.starts_with(DATA_CHANNEL)
}

impl Channel {
    /// Reads a path, in which the name may be percent-encoded.
    ///
    /// # Errors
    /// If the name is none.
    pub fn parse(path: &str) -> Result<Self, NotAChannel> {
        let decoded = |name: &str| percent_decode_str(name).decode_utf8().map(|name| name.into_owned());
        if let Some(name) = path.strip_prefix(CONTROL_CHANNEL) {
            let node = decoded(name).ok().and_then(|name| name.parse().ok());
            return node.map(Self::Control).ok_or(NotAChannel::NoNode);
        }
        let session = path.strip_prefix(DATA_CHANNEL).and_then(|name| decoded(name).ok()?.parse().ok());
        session.map(Self::Data).ok_or(NotAChannel::NoSession)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_names_a_node_or_a_session() {
        let node = Channel::parse("/v1/control-channel/mi-0123456789abcdef0").unwrap();
        assert_eq!(node, Channel::Control("mi-0123456789abcdef0".parse().unwrap()));
        let session = Channel::parse("/v1/data-channel/a%40b-x").unwrap();
        assert_eq!(session, Channel::Data("a@b-x".parse().unwrap()));
        for wrong in [
            "/v1/control-channel/",
            "/v1/control-channel/mi-0123456789abcdef0/x",
            "/v1/data-channel/",
            "/v1/data-channel/%2e%2e%2fx",
            "/v1/data-channel/%ff",
        ] {
            assert!(Channel::parse(wrong).is_err(), "{wrong}");
        }
    }
}
