//! Splits a command line into words as a shell would, for commands that run without one.

/// The words of `line`: white space separates, quotes and backslashes keep together. Nothing is expanded.
///
/// # Errors
/// A quote is not closed, or a backslash is the last character.
pub(super) fn split(line: &str) -> Result<Vec<String>, &'static str> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        match c {
            '\'' => {
                let word = word.get_or_insert_default();
                quoted(&mut chars, word, '\'')?;
            }
            '"' => {
                let word = word.get_or_insert_default();
                quoted(&mut chars, word, '"')?;
            }
            '\\' => match chars.next() {
                Some('\n') => {}
                Some(c) => word.get_or_insert_default().push(c),
                None => return Err("a backslash at its end"),
            },
            c if c.is_ascii_whitespace() => words.extend(word.take()),
            c => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    Ok(words)
}

/// The rest of a quoted part. Within double quotes a backslash keeps its meaning before the few characters that have one
/// there (POSIX shell, 2.2.3).
fn quoted(chars: &mut std::str::Chars<'_>, word: &mut String, quote: char) -> Result<(), &'static str> {
    while let Some(c) = chars.next() {
        match c {
            c if c == quote => return Ok(()),
            '\\' if quote == '"' => match chars.next() {
                Some('\n') => {}
                Some(c @ ('"' | '\\' | '$' | '`')) => word.push(c),
                Some(c) => word.extend(['\\', c]),
                None => break,
            },
            c => word.push(c),
        }
    }
    Err("a quote that is not closed")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_those_of_a_shell() {
        for (line, words) in [
            ("", &[][..]),
            ("  ls   -l\t/tmp\n", &["ls", "-l", "/tmp"]),
            ("echo 'a  b' \"c  d\"e", &["echo", "a  b", "c  de"]),
            (r#"echo '' "" x"#, &["echo", "", "", "x"]),
            (r#"echo a\ b "q\"\$\x" '\'"#, &["echo", "a b", "q\"$\\x", "\\"]),
            ("echo $HOME *; ls | cat", &["echo", "$HOME", "*;", "ls", "|", "cat"]),
            ("käse a\\\nb", &["käse", "ab"]),
        ] {
            assert_eq!(split(line).unwrap(), words, "{line:?}");
        }
    }

    #[test]
    fn what_a_shell_would_wait_for_is_refused() {
        for line in ["'a", "\"a", "\"a\\", "a\\"] {
            assert!(split(line).is_err(), "{line:?}");
        }
    }
}
