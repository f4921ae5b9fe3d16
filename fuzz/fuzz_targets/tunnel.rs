//! Whatever the other end of a tunnel sends, its frames mean what they would be written as, and no end has more streams
//! than it may, or goes on after it was lied to.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| postern_hostile::run("tunnel", input));
