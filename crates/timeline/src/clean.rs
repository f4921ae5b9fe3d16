//! Text of a node, for people.

/// Characters that no terminal draws, or that turn the direction of a line around so that it reads as something else
/// (Unicode's `Bidi_Control`, the separators of lines and paragraphs, and the byte order mark).
pub(crate) fn is_hidden(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}'
        )
}

/// At most so many characters of a text, without what is [hidden](is_hidden); line feeds stay, tabulators become spaces.
pub(crate) fn text(text: &str, chars_max: usize) -> String {
    text.chars()
        .map(|character| if character == '\t' { ' ' } else { character })
        .filter(|character| *character == '\n' || !is_hidden(*character))
        .take(chars_max)
        .collect()
}

/// At most so many characters of a line, without what no terminal draws and what turns the direction of text around.
#[must_use]
pub fn visible_line(line: &str, chars_max: usize) -> String {
    line.chars().filter(|character| !is_hidden(*character)).take(chars_max).collect()
}
