//! Whatever a browser answers about a passkey is refused unless the passkey has signed it.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| postern_hostile::run("passkey_answer", input));
