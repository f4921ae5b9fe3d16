//! Any request is read, checked and made canonical without a panic, and none verifies with a key it was not signed with.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| postern_hostile::run("signed_request", input));
