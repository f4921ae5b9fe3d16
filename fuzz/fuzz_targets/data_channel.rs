//! A hostile peer and an application in any state: the stream stays in order and memory within limits.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| postern_hostile::run("data_channel", input));
