//! Output of a node, whatever it is: what is told of it is text within bounds, and where it is cut changes no line.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| postern_hostile::run("transcript", input));
