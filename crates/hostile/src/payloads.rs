//! Any bytes are a payload or an error, for each kind, and a payload is read the same after it was written.

use postern_protocol::control::{
    AgentJob, AgentJobAck, AgentJobReply, AgentJobReplyAck, AgentTaskAcknowledge, AgentTaskComplete,
    InteractiveShell, SessionTask,
};
use postern_protocol::handshake::{HandshakeComplete, HandshakeRequest, HandshakeResponse};
use postern_protocol::payload::{
    Acknowledge, ChannelClosed, ClientAttached, Flag, OpenControlChannel, OpenDataChannel, SessionState,
    Size, exit_code_from_text,
};
use postern_protocol::version::{AgentVersion, ClientVersion};

macro_rules! rewrite {
    ($bytes:expr, $($name:ident),+ $(,)?) => {$(
        if let Ok(payload) = $name::from_json($bytes) {
            assert_eq!($name::from_json(&payload.to_json()).as_ref(), Ok(&payload));
        }
    )+};
}

pub(crate) fn run(bytes: &[u8]) {
    rewrite!(
        bytes,
        Size,
        Acknowledge,
        ChannelClosed,
        SessionState,
        ClientAttached,
        OpenDataChannel,
        OpenControlChannel,
        HandshakeRequest,
        HandshakeResponse,
        HandshakeComplete,
        InteractiveShell,
        SessionTask,
        AgentTaskComplete,
        AgentTaskAcknowledge,
        AgentJob,
        AgentJobAck,
        AgentJobReply,
        AgentJobReplyAck,
    );
    assert!(Acknowledge::from_json(bytes).is_err() || Acknowledge::acknowledged(bytes).is_ok());
    _ = exit_code_from_text(bytes);
    if let Ok(flag) = Flag::from_payload(bytes) {
        assert_eq!(flag.to_payload(), bytes);
    }
    if let Ok(text) = std::str::from_utf8(bytes) {
        let (agent, client) = (AgentVersion::parse(text), ClientVersion(text));
        _ = agent.map(|agent| (agent.supports_terminate_flag(), agent.supports_multiplexing()));
        _ = (client.supports_multiplexing(), client.disables_keep_alive(), client.chunk_bytes());
    }
}

pub(crate) fn seeds() -> Vec<Vec<u8>> {
    crate::seeds_of(&[
        r#"{"cols":80,"rows":24}"#,
        r#"{"AcknowledgedMessageType":"output_stream_data","AcknowledgedMessageId":"00000000-0000-4000-8000-000000000001","AcknowledgedMessageSequenceNumber":3,"IsSequentialMessage":true}"#,
        r#"{"MessageSchemaVersion":"1.0","RequestId":"r","TokenValue":"t","ClientId":"c","ClientVersion":"1.2.835.0"}"#,
        r#"{"AgentVersion":"3.3.0.0","RequestedClientActions":[{"ActionType":"SessionType","ActionParameters":{"SessionType":"Standard_Stream"}}]}"#,
        r#"{"ClientVersion":"1.2.835.0","ProcessedClientActions":[{"ActionType":"SessionType","ActionStatus":1,"ActionResult":null,"Error":""}],"Errors":null}"#,
        r#"{"MessageType":"channel_closed","MessageId":"m","DestinationId":"d","SessionId":"s","SchemaVersion":1,"CreatedDate":"x","Output":"gone"}"#,
        "EXIT_CODE: 7",
        "3.3.1142.0",
    ])
}
