//! Whatever a proxy answers to CONNECT, or a server to a request, the dialler ends with an answer or an error.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| postern_hostile::run("dial_answers", input));
