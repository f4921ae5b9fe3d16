//! Where a port session leads, from the task that the server sends.

use postern_documents::{Commands, PortProperties, Properties, SFTP_TYPE, SessionDocument, SessionType};
use postern_ids::SessionId;
use postern_protocol::control::SessionTask;
use postern_protocol::payload::END_OF_STREAM_PROPERTY;
use serde_json::{Value, json};

use super::super::task::{RunAs, TaskError, run_as};

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
    /// A port of this node.
    Port(u16),
    /// This agent's file server, as a user.
    Files(RunAs),
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
        let destination = match port.forwarding_type.as_str() {
            LOCAL_PORT_FORWARDING => return Err(TaskError::Forwarding),
            SFTP_TYPE => {
                Destination::Files(run_as(&resolved.preferences, &Commands::default(), &task.run_as_user)?)
            }
            // The agent of AWS takes any other type for a plain stream.
            _ => Destination::Port(port_of(&port)?),
        };
        Ok(Some(Self { session_id: task.session_id.clone(), destination, properties: properties(&port) }))
    }
}

fn port_of(port: &PortProperties) -> Result<u16, TaskError> {
    if !matches!(port.host.as_str(), "" | "localhost" | "127.0.0.1" | "::1") {
        return Err(TaskError::OtherHost);
    }
    let number = port.port_number.parse().ok().filter(|&number: &u16| number > 0);
    number.ok_or_else(|| TaskError::PortNumber(port.port_number.clone()))
}

/// The properties as AWS's agent passes them on, texts all, and ours beside them.
fn properties(port: &PortProperties) -> Value {
    let mut properties = json!({"portNumber": port.port_number});
    if !port.forwarding_type.is_empty() {
        properties["type"] = json!(port.forwarding_type);
    }
    properties[END_OF_STREAM_PROPERTY] = json!("true");
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
        assert_eq!(task.destination, Destination::Port(22));
        assert_eq!(task.properties, json!({"portNumber": "22", "posternEndOfStream": "true"}));
        for host in ["", "localhost"] {
            assert!(port(json!({"portNumber": "22", "host": host})).is_ok());
        }
    }

    #[test]
    fn files_are_a_destination_of_their_own() {
        let task = port(json!({"type": "SFTP"})).unwrap().unwrap();
        assert_eq!(task.destination, Destination::Files(RunAs::Default));
    }

    #[test]
    fn what_is_not_there_yet_is_refused() {
        let forwarding = json!({"portNumber": "80", "type": "LocalPortForwarding"});
        assert_eq!(port(forwarding), Err(TaskError::Forwarding));
        assert_eq!(port(json!({"portNumber": "22", "host": "db"})), Err(TaskError::OtherHost));
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
