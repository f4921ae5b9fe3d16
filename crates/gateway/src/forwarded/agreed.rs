//! How a session carries its connections, as its two ends agree on it in their handshake.
//!
//! The agent asks with the session's properties and its version, the client answers with its own version and, if it speaks
//! the tunnel dialect and was offered it, with that. Nothing is guessed from what they send afterwards.
//!
//! Source of who multiplexes: agent/session/plugins/port/port.go of aws/amazon-ssm-agent.

use postern_protocol::handshake::{HandshakeRequest, HandshakeResponse, RequestedAction};
use postern_protocol::tunnel::{TUNNEL_PROPERTY, TUNNEL_VERSION};
use postern_protocol::version::{AgentVersion, ClientVersion};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The properties' `type` of a session whose client listens.
const FORWARDING_TYPE: &str = "LocalPortForwarding";

/// How connections are carried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Carriage {
    /// In the frames of Postern's own ends, each asked for by itself.
    Tunnel,
    /// In smux, version 1: all to one destination.
    Multiplexed,
    /// One after the other, each a plain stream.
    Single,
}

/// What is known of the handshake.
#[derive(Debug, Default)]
pub(super) struct Handshake {
    offer: Option<Offer>,
}

/// What the agent asked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Offer {
    has_tunnel: bool,
    may_multiplex: bool,
}

impl Handshake {
    pub(super) fn restored(offer: Option<Offer>) -> Self {
        Self { offer }
    }

    /// What the agent has asked.
    pub(super) fn offer(&self) -> Option<Offer> {
        self.offer
    }

    /// The agent asks. What it asked first counts.
    pub(super) fn handle_request(&mut self, payload: &[u8]) {
        if self.offer.is_none() {
            self.offer = Some(HandshakeRequest::from_json(payload).map(Offer::of).unwrap_or_default());
        }
    }

    /// The client answers: how connections are carried from now on.
    pub(super) fn handle_response(&self, payload: &[u8]) -> Carriage {
        let Some(offer) = &self.offer else { return Carriage::Single };
        let Ok(response) = HandshakeResponse::from_json(payload) else { return Carriage::Single };
        if offer.has_tunnel && response.takes_up(TUNNEL_PROPERTY, TUNNEL_VERSION) {
            Carriage::Tunnel
        } else if offer.may_multiplex && ClientVersion(&response.client_version).supports_multiplexing() {
            Carriage::Multiplexed
        } else {
            Carriage::Single
        }
    }
}

impl Offer {
    fn of(request: HandshakeRequest) -> Self {
        let version = AgentVersion::parse(&request.agent_version);
        let is_new_enough = version.is_some_and(AgentVersion::supports_multiplexing);
        let mut offer = Self::default();
        for action in request.requested_client_actions {
            if let RequestedAction::SessionType { properties, .. } = action {
                offer.has_tunnel = has_tunnel(&properties);
                offer.may_multiplex = is_new_enough && properties["type"] == FORWARDING_TYPE;
            }
        }
        offer
    }
}

fn has_tunnel(value: &Value) -> bool {
    value[TUNNEL_PROPERTY] == TUNNEL_VERSION
}

#[cfg(test)]
mod tests {
    use super::*;

    fn agreed(properties: &str, agent: &str, client: &str, result: &str) -> Carriage {
        let mut handshake = Handshake::default();
        let request = format!(
            r#"{{"AgentVersion":"{agent}","RequestedClientActions":[{{"ActionType":"SessionType","ActionParameters":{{"SessionType":"Port","Properties":{properties}}}}}]}}"#
        );
        handshake.handle_request(request.as_bytes());
        let response = format!(
            r#"{{"ClientVersion":"{client}","ProcessedClientActions":[{{"ActionType":"SessionType","ActionStatus":1,"ActionResult":{result}}}]}}"#
        );
        handshake.handle_response(response.as_bytes())
    }

    #[test]
    fn it_comes_from_the_handshake() {
        let forwarding = r#"{"type":"LocalPortForwarding","portNumber":"1"}"#;
        let offering = r#"{"type":"LocalPortForwarding","portNumber":"1","posternTunnel":"1"}"#;
        let accepts = r#"{"posternTunnel":"1"}"#;
        for (properties, agent, client, result, expected) in [
            (offering, "3.3.4002.0", "1.2.707.0", accepts, Carriage::Tunnel),
            (offering, "3.3.4002.0", "1.2.707.0", "null", Carriage::Multiplexed),
            (offering, "3.3.4002.0", "1.2.707.0", r#"{"posternTunnel":"2"}"#, Carriage::Multiplexed),
            (forwarding, "3.3.4002.0", "1.2.707.0", accepts, Carriage::Multiplexed),
            (forwarding, "3.0.100.0", "1.2.707.0", "null", Carriage::Single),
            (forwarding, "3.3.4002.0", "1.1.0.0", "null", Carriage::Single),
            (r#"{"portNumber":"22"}"#, "3.3.4002.0", "1.2.707.0", "null", Carriage::Single),
            (
                r#"{"type":"Tunnel","posternTunnel":"1"}"#,
                "3.3.4002.0",
                "1.2.707.0",
                accepts,
                Carriage::Tunnel,
            ),
            (r#"{"type":"Tunnel","posternTunnel":"1"}"#, "3.3.4002.0", "1.2.707.0", "null", Carriage::Single),
        ] {
            assert_eq!(
                agreed(properties, agent, client, result),
                expected,
                "{properties} {agent} {client} {result}"
            );
        }
        assert_eq!(Handshake::default().handle_response(b"{}"), Carriage::Single);
    }
}
