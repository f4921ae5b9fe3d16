//! Text that others wrote, such as the names that nodes give themselves, shown so that it drives nothing.

use std::borrow::Cow;

/// One line: what is not to be seen is shown as an escape.
pub(crate) fn line(text: &str) -> Cow<'_, str> {
    escaped(text, is_hidden)
}

/// The same for a text of several lines.
pub(crate) fn text(text: &str) -> Cow<'_, str> {
    escaped(text, |character| is_hidden(character) && character != '\n')
}

/// JSON, in which such characters stand within strings only.
pub(crate) fn json(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    for character in json.chars() {
        if is_hidden(character) && character != '\n' {
            let mut units = [0; 2];
            out.extend(character.encode_utf16(&mut units).iter().map(|unit| format!("\\u{unit:04x}")));
        } else {
            out.push(character);
        }
    }
    out
}

fn escaped(text: &str, is_escaped: impl Fn(char) -> bool) -> Cow<'_, str> {
    if !text.contains(&is_escaped) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(2 * text.len());
    for character in text.chars() {
        if is_escaped(character) {
            out.extend(character.escape_default());
        } else {
            out.push(character);
        }
    }
    Cow::Owned(out)
}

/// Controls (C0, DEL, C1), and what turns the direction of text around, so that it reads as something else
/// (Unicode's Bidi_Control, and the separators of lines and paragraphs).
fn is_hidden(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn controls_are_shown_and_everything_else_is_left() {
        assert!(matches!(line("naïve 漢字 'quoted' \"é\""), Cow::Borrowed(_)));
        assert_eq!(
            line("a\x1b]52;c;x\x07\u{9b}6n\r\n\u{202e}b"),
            r"a\u{1b}]52;c;x\u{7}\u{9b}6n\r\n\u{202e}b"
        );
        assert_eq!(text("one\n\x1btwo"), "one\n\\u{1b}two");
    }

    #[test]
    fn json_stays_the_same_json() {
        let value = serde_json::json!({"Name": "a\u{9b}6n\u{7f}\u{202e}\x1b"});
        let shown = json(&serde_json::to_string_pretty(&value).unwrap());
        assert!(!shown.chars().any(|character| is_hidden(character) && character != '\n'), "{shown:?}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&shown).unwrap(), value);
    }
}
