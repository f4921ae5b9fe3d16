//! No text but the one that the server sealed is a session token: neither what anyone makes up, nor a token that was
//! altered, whether in its text or in the bytes within.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| postern_hostile::run("session_token", input));
