//! What a session does with files is told the same however its stream is cut, without a character that drives a terminal;
//! and what the gateway follows, the node's server reads the same way.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| postern_hostile::run("file_journal", input));
