//! Whatever the other side of a multiplexed port session sends, it is understood the same way however it is cut, and opens
//! no more streams than it may.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| postern_hostile::run("smux", input));
