//! Any text is a node's public key or a refusal, and a key is read the same from what is kept of it.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| postern_hostile::run("node_public_key", input));
