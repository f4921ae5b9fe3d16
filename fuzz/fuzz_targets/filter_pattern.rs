//! Any text is a filter pattern or an error that says why not, and any pattern looks at any event in bounded time.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| postern_hostile::run("filter_pattern", input));
