//! The path of a channel names a node or a session, which names nothing else when it is written into a path again; a
//! session's identifier, which names files, never leads out of their directory.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| postern_hostile::run("channel_path", input));
