//! Bodies of requests: whatever arrives, decoding answers with an error and does not panic, and what it accepts it
//! can write and accept again.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| postern_hostile::run("api_inputs", input));
