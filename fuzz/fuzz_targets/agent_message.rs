//! Any bytes are an agent message or an error, and a message is read the same after it was written.
#![no_main]

use libfuzzer_sys::fuzz_target;
use postern_protocol::AgentMessage;

fuzz_target!(|frame: &[u8]| {
    if let Ok(message) = AgentMessage::decode(frame.to_vec().into()) {
        assert_eq!(AgentMessage::decode(message.encode()), Ok(message));
    }
});
