//! Paths and names for people: nothing in them drives a terminal, starts a line or hides what it is.

/// `bytes` in quotes, with escapes for all that is not a printable character.
#[must_use]
pub fn quoted(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() + 2);
    text.push('"');
    for chunk in bytes.utf8_chunks() {
        for character in chunk.valid().chars() {
            match character {
                '\'' => text.push('\''),
                // What is unprintable in Unicode, marks of direction too, is escaped.
                character => text.extend(character.escape_debug()),
            }
        }
        for byte in chunk.invalid() {
            text.push_str(&format!("\\x{byte:02x}"));
        }
    }
    text.push('"');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_drives_a_terminal() {
        for (bytes, expected) in [
            (&b"/home/alice/it's"[..], r#""/home/alice/it's""#),
            ("Käse 日本".as_bytes(), "\"Käse 日本\""),
            (b"a\"b\\c\nd\x1b[31m", r#""a\"b\\c\nd\u{1b}[31m""#),
            ("a\u{202e}b\u{9b}c".as_bytes(), r#""a\u{202e}b\u{9b}c""#),
            (b"\xff\xc3", r#""\xff\xc3""#),
        ] {
            assert_eq!(quoted(bytes), expected);
        }
    }
}
