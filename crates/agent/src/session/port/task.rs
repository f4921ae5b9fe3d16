//! Where a port session leads, from the task that the server sends.

use postern_documents::{
    Commands, PortProperties, Properties, SFTP_TYPE, SessionDocument, SessionType, TUNNEL_TYPE,
};
use postern_ids::SessionId;
use postern_protocol::control::SessionTask;
use postern_protocol::payload::END_OF_STREAM_PROPERTY;
use postern_protocol::tunnel::{TUNNEL_PROPERTY, TUNNEL_VERSION};
use serde_json::{Value, json};

use super::super::task::{RunAs, TaskError, run_as};
use crate::destinations::Host;

/// What AWS's documents call a session with a listening client, which is multiplexed.
const LOCAL_PORT_FORWARDING: &str = "LocalPortForwarding";

/// A session that carries a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) struct PortTask {
    pub(super) session_id: SessionId,
    pub(super) destination: Destination,
    /// What the client is told of it.
    pub(super) properties: Value,
}

/// What is at the other end of the stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Destination {
    /// One connection to a port, as a plain stream.
    Stream(Host),
    /// Connections to a port, for a client that listens.
    Forward(Host),
    /// This agent's file server, as a user.
    Files(RunAs),
    /// Wherever each connection is asked to lead; to socket files as a user. In the dialect of Postern's own ends only.
    Anywhere(RunAs),
}

impl PortTask {
    /// `None` if it is a session of another type.
    pub(in super::super) fn parse(task: &SessionTask) -> Result<Option<Self>, TaskError> {
        let document = SessionDocument::received(&task.document_content)?;
        if document.session_type != SessionType::Port {
            return Ok(None);
        }
        let resolved = document.resolve(&task.parameters)?;
        let Properties::Port(port) = resolved.properties else { return Ok(None) };
        let user = || run_as(&resolved.preferences, &Commands::default(), &task.run_as_user);
        let destination = match port.forwarding_type.as_str() {
            LOCAL_PORT_FORWARDING => Destination::Forward(host_of(&port)?),
            SFTP_TYPE => Destination::Files(user()?),
            TUNNEL_TYPE => Destination::Anywhere(user()?),
            // The agent of AWS takes any other type for a plain stream.
            _ => Destination::Stream(host_of(&port)?),
        };
        let properties = properties(&port, &destination);
        Ok(Some(Self { session_id: task.session_id.clone(), destination, properties }))
    }
}

fn host_of(port: &PortProperties) -> Result<Host, TaskError> {
    let number = port.port_number.parse().ok().filter(|&number: &u16| number > 0);
    let number = number.ok_or_else(|| TaskError::PortNumber(port.port_number.clone()))?;
    Ok(Host::new(&port.host, number))
}

/// The properties as AWS's agent passes them on, texts all, and ours beside them.
fn properties(port: &PortProperties, destination: &Destination) -> Value {
    let mut properties = json!({"portNumber": port.port_number});
    for (name, value) in [
        ("type", &port.forwarding_type),
        ("host", &port.host),
        ("localPortNumber", &port.local_port_number),
        ("localConnectionType", &port.local_connection_type),
        ("localUnixSocket", &port.local_unix_socket),
    ] {
        if !value.is_empty() {
            properties[name] = json!(value);
        }
    }
    let ours = match destination {
        Destination::Forward(_) | Destination::Anywhere(_) => (TUNNEL_PROPERTY, TUNNEL_VERSION),
        Destination::Stream(_) | Destination::Files(_) => (END_OF_STREAM_PROPERTY, "true"),
    };
    properties[ours.0] = json!(ours.1);
    properties
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(content: Value) -> Result<Option<PortTask>, TaskError> {
        PortTask::parse(&SessionTask {
            document_name: String::new(),
            document_content: content,
            session_id: "alice-1".parse().unwrap(),
            parameters: serde_json::Map::new(),
            run_as_user: String::new(),
            session_owner: String::new(),
        })
    }

    fn port(properties: Value) -> Result<Option<PortTask>, TaskError> {
        parse(json!({"schemaVersion": "1.0", "sessionType": "Port", "properties": properties}))
    }

    #[test]
    fn a_plain_stream_leads_to_a_port_of_this_node() {
        let task = port(json!({"portNumber": "22"})).unwrap().unwrap();
        assert_eq!(task.destination, Destination::Stream(Host::new("", 22)));
        assert_eq!(task.properties, json!({"portNumber": "22", "posternEndOfStream": "true"}));
        let task = port(json!({"portNumber": "22", "host": "db"})).unwrap().unwrap();
        assert_eq!(task.destination, Destination::Stream(Host::new("db", 22)));
    }

    #[test]
    fn files_are_a_destination_of_their_own() {
        let task = port(json!({"type": "SFTP"})).unwrap().unwrap();
        assert_eq!(task.destination, Destination::Files(RunAs::Default));
    }

    #[test]
    fn a_tunnel_leads_wherever_it_is_asked_to() {
        let task = port(json!({"type": "Tunnel"})).unwrap().unwrap();
        assert_eq!(task.destination, Destination::Anywhere(RunAs::Default));
        assert_eq!(task.properties["posternTunnel"], "1");
    }

    #[test]
    fn what_the_client_needs_to_listen_is_passed_on() {
        let properties = json!({
            "portNumber": "5432", "type": "LocalPortForwarding", "host": "db", "localPortNumber": "15432"
        });
        let task = port(properties.clone()).unwrap().unwrap();
        assert_eq!(task.destination, Destination::Forward(Host::new("db", 5432)));
        let mut offered = properties;
        offered["posternTunnel"] = json!("1");
        assert_eq!(task.properties, offered);
    }

    #[test]
    fn ports_are_numbers() {
        for number in ["0", "65536", "x", "-1"] {
            assert_eq!(port(json!({"portNumber": number})), Err(TaskError::PortNumber(number.to_owned())));
        }
    }

    #[test]
    fn other_sessions_are_none_of_it() {
        let shell = parse(json!({"schemaVersion": "1.0", "sessionType": "Standard_Stream"}));
        assert_eq!(shell, Ok(None));
    }
}
