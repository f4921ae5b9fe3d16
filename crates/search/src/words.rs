//! Words: what a line is found by, and where in the line they stand.

/// The most characters of a query.
const QUERY_CHARS_MAX: usize = 256;
/// The most parts of a query.
const PARTS_MAX: usize = 16;
/// Of a longer word only the beginning counts.
const WORD_CHARS_MAX: usize = 64;
/// A word that is shorter is found as a whole word only: too many begin with it.
const PREFIX_CHARS_MIN: usize = 3;

/// Why a text asks for nothing that can be found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WordsError {
    /// It has no letter and no digit.
    #[error("at least one letter or digit is needed")]
    NoWord,
    /// It is too long.
    #[error("at most {QUERY_CHARS_MAX} characters and {PARTS_MAX} words can be asked for")]
    TooMany,
}

/// What to find: parts separated by spaces, or in quotation marks where they hold some. A line matches if it has all of
/// them, in whatever case and order; each as it is written, from the beginning of a word on. So `sysl` finds `syslog`,
/// `/var/log` and `rm -rf` find nothing else, and `log` does not find `syslog`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Words(Vec<Part>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Part {
    /// Its characters, in one case.
    literal: Vec<char>,
    /// Its words, as the index has them.
    words: Vec<String>,
    /// The last word may be the beginning of one.
    is_prefix: bool,
}

impl Words {
    /// Reads what somebody typed.
    ///
    /// # Errors
    /// [`WordsError`].
    pub fn parse(text: &str) -> Result<Self, WordsError> {
        if text.chars().nth(QUERY_CHARS_MAX).is_some() {
            return Err(WordsError::TooMany);
        }
        let parts: Vec<Part> = pieces(text).into_iter().map(Part::new).collect();
        if parts.len() > PARTS_MAX {
            return Err(WordsError::TooMany);
        }
        if parts.iter().all(|part| part.words.is_empty()) {
            return Err(WordsError::NoWord);
        }
        Ok(Self(parts))
    }

    /// The query in FTS5's syntax, <https://sqlite.org/fts5.html#full_text_query_syntax>. Words are letters and digits,
    /// so they mean nothing in it.
    pub(crate) fn fts(&self) -> String {
        let phrases = self.0.iter().filter(|part| !part.words.is_empty()).map(|part| {
            let star = if part.is_prefix { " *" } else { "" };
            format!("\"{}\"{star}", part.words.join(" "))
        });
        phrases.collect::<Vec<_>>().join(" AND ")
    }

    /// Where the parts stand in a line, in characters; `None` if one does not. Sorted, and apart from one another.
    pub(crate) fn find(&self, line: &str) -> Option<Vec<(usize, usize)>> {
        let original: Vec<char> = line.chars().collect();
        let folded: Vec<char> = original.iter().copied().map(fold).collect();
        let mut places = Vec::new();
        for part in &self.0 {
            let before = places.len();
            places.extend(part.places(&folded));
            if places.len() == before {
                return None;
            }
        }
        places.sort_unstable();
        places.dedup_by(|next, kept| {
            let overlaps = next.0 <= kept.1;
            if overlaps {
                kept.1 = kept.1.max(next.1);
            }
            overlaps
        });
        Some(places)
    }
}

/// The parts of what was typed. A quotation mark that is not closed goes to the end.
fn pieces(text: &str) -> Vec<&str> {
    let (mut pieces, mut rest) = (Vec::new(), text.trim_start());
    while !rest.is_empty() {
        let (piece, after) = match rest.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"').unwrap_or((quoted, "")),
            None => rest.split_once(char::is_whitespace).unwrap_or((rest, "")),
        };
        if !piece.trim().is_empty() {
            pieces.push(piece.trim());
        }
        rest = after.trim_start();
    }
    pieces
}

impl Part {
    fn new(text: &str) -> Self {
        let literal: Vec<char> = text.chars().map(fold).collect();
        let words = words(text);
        let is_prefix = literal.last().is_some_and(|last| last.is_alphanumeric() && !stands_alone(*last))
            && words.last().is_some_and(|word| word.chars().count() >= PREFIX_CHARS_MIN);
        Self { literal, words, is_prefix }
    }

    fn places(&self, line: &[char]) -> Vec<(usize, usize)> {
        let length = self.literal.len();
        let starts = line.windows(length).enumerate().filter(|(_, window)| *window == self.literal);
        let places = starts.map(|(start, _)| (start, start + length));
        places.filter(|(start, end)| self.is_whole(line, *start, *end)).collect()
    }

    /// Whether it begins where a word does, and ends where one does if it has to.
    fn is_whole(&self, line: &[char], start: usize, end: usize) -> bool {
        let goes_on = |first: usize| -> bool {
            let pair = (line.get(first), line.get(first + 1));
            matches!(pair, (Some(one), Some(other)) if is_inner(*one) && is_inner(*other))
        };
        let begins = start.checked_sub(1).is_none_or(|before| !goes_on(before));
        begins && (self.is_prefix || end.checked_sub(1).is_none_or(|last| !goes_on(last)))
    }
}

/// Whether the character belongs to a word together with its neighbours.
fn is_inner(character: char) -> bool {
    character.is_alphanumeric() && !stands_alone(character)
}

/// Scripts that write no spaces between words: each character is a word.
fn stands_alone(character: char) -> bool {
    matches!(
        character,
        '\u{e00}'..='\u{eff}' | '\u{1000}'..='\u{109f}' | '\u{1780}'..='\u{17ff}' | '\u{3040}'..='\u{30ff}'
        | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3ffff}'
    )
}

/// One case for all.
fn fold(character: char) -> char {
    character.to_lowercase().next().unwrap_or(character)
}

/// The words of a text as the index has them.
fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let (mut word, mut length) = (String::new(), 0);
    for character in text.chars().map(fold) {
        if !is_inner(character) {
            words.extend(Some(std::mem::take(&mut word)).filter(|word| !word.is_empty()));
            length = 0;
            if stands_alone(character) && character.is_alphanumeric() {
                words.push(character.to_string());
            }
        } else if length < WORD_CHARS_MAX {
            word.push(character);
            length += 1;
        }
    }
    words.extend(Some(word).filter(|word| !word.is_empty()));
    words
}

/// The words of a line, separated by spaces. The same line has the same ones for ever: they are needed to take it out of
/// the index again.
pub(crate) fn indexed(line: &str) -> String {
    words(line).join(" ")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn found(query: &str, line: &str) -> Option<Vec<(usize, usize)>> {
        Words::parse(query).unwrap().find(line)
    }

    #[test]
    fn lines_are_found_by_what_is_written() {
        type Places = &'static [(usize, usize)];
        let cases: [(&str, &str, Option<Places>); 20] = [
            ("syslog", "tail /var/log/Syslog", Some(&[(14, 20)])),
            ("sysl", "tail /var/log/syslog", Some(&[(14, 18)])),
            ("log", "tail /var/log/syslog", Some(&[(10, 13)])),
            ("slog", "tail /var/log/syslog", None),
            ("/var/log", "tail /var/log/syslog", Some(&[(5, 13)])),
            ("/var/log", "/var /log", None),
            ("rm -rf", "sudo rm -rf /", Some(&[(5, 7), (8, 11)])),
            ("-rf", "rm rf", None),
            ("\"rm -rf /\"", "sudo rm -rf /", Some(&[(5, 13)])),
            ("\"rm -rf /\"", "rm -rf ./", None),
            ("ls", "false; ls -l", Some(&[(7, 9)])),
            ("ls", "false; lsblk", None),
            ("10.0.0.5", "ping 10.0.0.5", Some(&[(5, 13)])),
            ("10.0.0.5", "ping 10.0.0.51", None),
            ("10.0.0", "ping 10.0.0.51", Some(&[(5, 11)])),
            ("| grep", "ps | grep x", Some(&[(3, 4), (5, 9)])),
            ("ÉTÉ", "un été", Some(&[(3, 6)])),
            ("世界", "你好世界", Some(&[(2, 4)])),
            ("error err", "Errors: error", Some(&[(0, 5), (8, 13)])),
            ("foo_bar", "x foo_bar2", Some(&[(2, 9)])),
        ];
        for (query, line, expected) in cases {
            assert_eq!(found(query, line).as_deref(), expected, "{query} in {line}");
        }
    }

    #[test]
    fn queries_are_words_whatever_is_typed() {
        let fts = |text: &str| Words::parse(text).map(|words| words.fts());
        assert_eq!(fts("Foo  ba").unwrap(), r#""foo" * AND "ba""#);
        assert_eq!(
            fts(r#""a b" NOT c OR NEAR(x)"#).unwrap(),
            r#""a b" AND "not" * AND "c" AND "or" AND "near x""#
        );
        assert_eq!(fts("text:x* ^y \"z").unwrap(), r#""text x" AND "y" AND "z""#);
        assert_eq!(fts("/ |"), Err(WordsError::NoWord));
        assert_eq!(fts(""), Err(WordsError::NoWord));
        assert_eq!(fts(&"x".repeat(257)), Err(WordsError::TooMany));
        assert_eq!(fts(&"x ".repeat(17)), Err(WordsError::TooMany));
        assert_eq!(indexed("The été_2 is 世界; 10.0.0.5"), "the été 2 is 世 界 10 0 0 5");
        assert_eq!(indexed(&"y".repeat(100)), "y".repeat(64));
    }

    proptest! {
        #[test]
        fn what_was_taken_from_a_line_is_found_in_it(line in "\\PC{1,60}", query in "\\PC{0,20}") {
            if let Ok(words) = Words::parse(&line) {
                prop_assert!(words.find(&line).is_some() || line.contains('"'));
            }
            if let Ok(words) = Words::parse(&query) {
                let length = line.chars().count();
                for (start, end) in words.find(&line).unwrap_or_default() {
                    prop_assert!(start < end && end <= length);
                }
                prop_assert!(words.fts().chars().all(|character| character.is_alphanumeric() || "\" *AND".contains(character)));
            }
        }
    }
}
