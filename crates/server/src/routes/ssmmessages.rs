//! `ssmmessages`: how nodes and clients get their channels. A POST gives a node a token, the websocket takes it.

mod create_channel;
mod open_channel;

use percent_encoding::percent_decode_str;
use postern_api::{ApiError, CommonError};
use postern_ids::{Arn, NodeId, SessionId};
use serde_json::Map;

use crate::app::App;
use crate::audit::Described;
use crate::inbound::Inbound;

pub(crate) use create_channel::create_channel;
pub(crate) use open_channel::open_channel;

const CONTROL_CHANNEL: &str = "/v1/control-channel/";
const DATA_CHANNEL: &str = "/v1/data-channel/";

/// A channel, as the path names it.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Channel {
    Control(NodeId),
    Data(SessionId),
}

/// Whether a path belongs to this service.
pub(crate) fn is_channel(path: &str) -> bool {
    path.starts_with(CONTROL_CHANNEL) || path.starts_with(DATA_CHANNEL)
}

impl Channel {
    fn parse(path: &str) -> Result<Self, ApiError> {
        let bad = |what: &str| ApiError::new(CommonError::Validation, format!("The path names no {what}."));
        let decoded = |name: &str| percent_decode_str(name).decode_utf8().map(|name| name.into_owned());
        if let Some(name) = path.strip_prefix(CONTROL_CHANNEL) {
            let node = decoded(name).ok().and_then(|name| name.parse().ok());
            return node.map(Self::Control).ok_or_else(|| bad("managed instance"));
        }
        let session = path.strip_prefix(DATA_CHANNEL).and_then(|name| decoded(name).ok()?.parse().ok());
        session.map(Self::Data).ok_or_else(|| bad("session"))
    }
}

impl Channel {
    /// Tells the audit trail what is done with the channel: `names` are the operation's for both kinds.
    fn note(&self, app: &App, inbound: &Inbound, names: [&'static str; 2]) {
        let [of_control, of_data] = names;
        let (name, member, value, arn) = match self {
            Self::Control(node) => {
                let arn = Arn::managed_instance(&app.region, &app.account, node);
                (of_control, "instanceId", node.as_str(), arn)
            }
            Self::Data(session) => {
                let arn = Arn::session(&app.region, &app.account, session);
                (of_data, "sessionId", session.as_str(), arn)
            }
        };
        inbound.entry.operation(Described::channel(name));
        inbound.entry.parameters(Map::from_iter([(member.to_owned(), value.into())]));
        inbound.entry.resource(&arn);
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
