//! What the server itself tells a client, beside the stream: a text for the user, and where the input stands.
//!
//! AWS's plugin has no way to show anything that is no part of the node's stream, which has numbers that only the node
//! gives. So only clients that say they are Postern's are sent one. For AWS's plugin the node's agent is, and passes it on as a
//! message of the stream, with [`PAYLOAD_TYPE`].

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::json::json_payload;
use crate::message::{AgentMessage, Flags, MessageType, PayloadType};
use crate::payload::Stamp;

/// What the agent gives a text of the server in the stream. AWS's plugin writes the payload of any message to the terminal, and
/// AWS's programs know this number and never send it; so it is told from the program's output.
pub const PAYLOAD_TYPE: PayloadType = PayloadType::Parameter;

/// What the user is told.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Notice {
    /// One sentence or two, without line ends.
    pub text: String,
}

impl Notice {
    /// What stands in the stream: a line of its own, in whatever state the terminal is.
    #[must_use]
    pub fn in_stream(&self) -> Bytes {
        format!("\r\n{}\r\n", self.text).into()
    }

    /// As a message, which is neither numbered nor acknowledged.
    #[must_use]
    pub fn to_message(&self, stamp: Stamp) -> AgentMessage {
        beside_the_stream(MessageType::Notice, self.to_json(), stamp)
    }
}

/// Where the input of a session stands, for a client that takes it over: numbers run end to end, and only the client that is
/// gone knew them. Only the console reads it (`console/src/channel/payload.ts`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub enum InputPlace {
    /// The session is the client's from now on.
    Taken {
        /// Messages before this one the agent has acknowledged.
        #[serde(rename = "First")]
        first: i64,
        /// No message from this one on was ever sent. What is missing before it the client has to fill in.
        #[serde(rename = "Next")]
        next: i64,
    },
    /// The session stays with whoever has it; why.
    Refused(String),
}

impl InputPlace {
    /// As a message, which is neither numbered nor acknowledged.
    #[must_use]
    pub fn to_message(&self, stamp: Stamp) -> AgentMessage {
        beside_the_stream(MessageType::InputPlace, self.to_json(), stamp)
    }

    fn to_json(&self) -> Bytes {
        serde_json::to_vec(self).expect("it has text keys and plain values").into()
    }
}

fn beside_the_stream(message_type: MessageType, payload: Bytes, stamp: Stamp) -> AgentMessage {
    AgentMessage {
        message_type,
        created_ms: stamp.created_ms,
        sequence_number: 0,
        flags: Flags::SYN_FIN,
        message_id: stamp.message_id,
        payload_type: PayloadType::None,
        payload,
    }
}

json_payload!(Notice);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_written_as_the_console_reads_it() {
        let taken = InputPlace::Taken { first: 3, next: 7 };
        assert_eq!(taken.to_json(), r#"{"Taken":{"First":3,"Next":7}}"#);
        assert_eq!(InputPlace::Refused("no".to_owned()).to_json(), r#"{"Refused":"no"}"#);
    }
}
