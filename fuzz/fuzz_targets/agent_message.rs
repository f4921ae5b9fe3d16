//! Any bytes are an agent message or an error, and a message is read the same after it was written.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| postern_hostile::run("agent_message", input));
