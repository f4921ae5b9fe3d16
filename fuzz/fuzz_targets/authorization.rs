//! Any text is an `Authorization` header or a refusal, and a header is read the same after it was written.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| postern_hostile::run("authorization", input));
