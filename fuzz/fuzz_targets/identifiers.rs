//! Identifiers in paths, ARNs and inputs are read to something that prints the same.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| postern_hostile::run("identifiers", input));
