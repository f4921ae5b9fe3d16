//! A text of the server for the user of a session, beside the stream.
//!
//! AWS's plugin has no way to show anything that is no part of the node's stream, which has numbers that only the node
//! gives. So only clients that say they are Postern's are sent one; others would ignore it.

use serde::{Deserialize, Serialize};

use crate::json::json_payload;
use crate::message::{AgentMessage, Flags, MessageType, PayloadType};
use crate::payload::Stamp;

/// What the user is told.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Notice {
    /// One sentence or two, without line ends.
    pub text: String,
}

impl Notice {
    /// As a message, which is neither numbered nor acknowledged.
    #[must_use]
    pub fn to_message(&self, stamp: Stamp) -> AgentMessage {
        AgentMessage {
            message_type: MessageType::Notice,
            created_ms: stamp.created_ms,
            sequence_number: 0,
            flags: Flags::SYN_FIN,
            message_id: stamp.message_id,
            payload_type: PayloadType::None,
            payload: self.to_json(),
        }
    }
}

json_payload!(Notice);
