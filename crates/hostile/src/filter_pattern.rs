//! Any text is a filter pattern or an error that says why not, and any pattern looks at any event in bounded time.

use postern_log_filter::{FilterPattern, PATTERN_CHARS_MAX};

/// The pattern, a zero byte, the event.
pub(crate) fn run(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    let (pattern, event) = text.split_once('\0').unwrap_or((text, ""));
    match FilterPattern::parse(pattern) {
        Ok(parsed) => {
            assert!(pattern.chars().count() <= PATTERN_CHARS_MAX);
            let again = FilterPattern::parse(pattern).expect("a pattern stays one");
            assert_eq!(parsed.matches(event), again.matches(event));
            assert!(!pattern.trim().is_empty() || parsed.matches(event));
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}

pub(crate) fn seeds() -> Vec<Vec<u8>> {
    super::seeds_of(&[
        "?ERROR ?\"a phrase\" -debug %[a-z]{2,4}\\d+% x\0ERROR x ab1",
        "{ ($.a.b[0] = \"x*\" && $.c[*].d >= 1.5e3) || $['e.f'] IS NULL || $.g NOT EXISTS }\0{\"a\":{\"b\":[\"xy\"]},\"c\":[{\"d\":2000}]}",
        "[ip = %127\\.0%, user != root, ..., (status = 4* || status > 500), bytes]\x00127.0.0.1 u [a b] \"c d\" 404 5",
    ])
}
