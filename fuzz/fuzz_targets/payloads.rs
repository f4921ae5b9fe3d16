//! Any bytes are a payload or an error, for each kind, and a payload is read the same after it was written.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| postern_hostile::run("payloads", input));
