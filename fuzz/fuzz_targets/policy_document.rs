//! Any text is a policy or an error with a place, and any policy decides a request as its explanation says.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| postern_hostile::run("policy_document", input));
