//! The model's patterns, which are Java's, as expressions of the regex crate that match a whole text.

use anyhow::{Context as _, Result};

/// Patterns that the regex crate cannot read, what stands for them, and why it means the same.
const OVERRIDES: [(&str, &str, &str); 2] = [
    (
        r"^(?!\s*$).+",
        r".*\S.*",
        "look-ahead; one line that is not all blanks is a line with something that is not blank in it",
    ),
    (
        r"^[a-z0-9]([a-z0-9]|-(?!-)){1,61}[a-z0-9]$",
        r"[a-z0-9]+(-[a-z0-9]+)*",
        "look-ahead; no two hyphens in a row, none at an end; the shape's own limits give the same lengths",
    ),
];

/// The expression that a value is held to. It has been compiled once, so the generated code may expect it to.
pub(crate) fn expression(pattern: &str) -> Result<String> {
    let replaced = OVERRIDES.iter().find(|(source, _, _)| *source == pattern);
    let body = ascii_classes(replaced.map_or(pattern, |(_, expression, _)| expression));
    // `matches()` of Java wants the whole text; `\z` because `$` alone would let a line break follow.
    let expression = format!(r"\A(?:{body})\z");
    regex::Regex::new(&expression).with_context(|| {
        format!("pattern {pattern} needs an entry in the table of overrides (xtask/src/api/patterns.rs)")
    })?;
    Ok(expression)
}

/// Java's `\w`, `\d` and `\s` know only ASCII, those of the regex crate all of Unicode.
fn ascii_classes(pattern: &str) -> String {
    let mut text = String::new();
    let mut is_in_class = false;
    let mut characters = pattern.chars();
    while let Some(c) = characters.next() {
        match c {
            '\\' => {
                let escaped = characters.next().unwrap_or('\\');
                text += &ascii_class(escaped, is_in_class).unwrap_or_else(|| format!("\\{escaped}"));
                continue;
            }
            '[' => is_in_class = true,
            ']' => is_in_class = false,
            _ => {}
        }
        text.push(c);
    }
    text
}

fn ascii_class(escaped: char, is_in_class: bool) -> Option<String> {
    let members = match escaped.to_ascii_lowercase() {
        'w' => "a-zA-Z0-9_",
        'd' => "0-9",
        's' => r"\t\n\x0B\x0C\r ",
        _ => return None,
    };
    Some(match (escaped.is_ascii_uppercase(), is_in_class) {
        (false, true) => members.to_owned(),
        (false, false) => format!("[{members}]"),
        // A nested class, which the regex crate has as Java has.
        (true, _) => format!("[^{members}]"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, text: &str) -> bool {
        regex::Regex::new(&expression(pattern).unwrap()).unwrap().is_match(text)
    }

    #[test]
    fn a_pattern_matches_the_whole_text_in_ascii() {
        assert!(matches(r"\w+", "a_1"));
        assert!(!matches(r"\w+", "ä"));
        assert!(!matches(r"a|b", "ax"));
        assert!(!matches(r"^a$", "a\n"));
        assert!(matches(r"[\w.]+", "a.b"));
        assert!(!matches(r"[\w.]+", "a.ß"));
        assert!(matches(r"([$]LATEST|[$]DEFAULT|^[1-9][0-9]*$)", "$LATEST"));
        assert!(!matches(r"[\S]+", " "));
    }

    #[test]
    fn overrides_mean_the_same() {
        let [(not_blank, _, _), (alias, _, _)] = OVERRIDES;
        for (text, is_allowed) in [("a", true), (" a ", true), ("", false), (" \t", false), ("a\nb", false)] {
            assert_eq!(matches(not_blank, text), is_allowed, "{text:?}");
        }
        for (text, is_allowed) in
            [("a-b-c", true), ("abc", true), ("a--b", false), ("-ab", false), ("ab-", false)]
        {
            assert_eq!(matches(alias, text), is_allowed, "{text:?}");
        }
    }

    #[test]
    fn a_pattern_nobody_can_read_names_the_table() {
        assert!(expression("(?=a)b").unwrap_err().to_string().contains("patterns.rs"));
    }
}
