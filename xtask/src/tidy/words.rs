//! What no file says, because it would be true only here or only now.

use regex::Regex;

use super::repository::Repository;

/// Expressions and why they have no place in the repository.
const WORDS: [(&str, &str); 4] = [
    (r"(?i)\bissues?\s+#?\d+\b|\(#\d+\)", "say what and why, not where it was asked for"),
    (r"(^|[^\w.~>])/work/", "a path of one machine"),
    (r"(?i)\bartifactory\b", "a host that only some machines reach"),
    (r"\b(TODO|FIXME|XXX)\b", "do it, or leave it out"),
];

pub(crate) fn breaches(repository: &Repository) -> Vec<String> {
    let words =
        WORDS.map(|(expression, reason)| (Regex::new(expression).expect("a test runs them all"), reason));
    let mut breaches = Vec::new();
    // This file has to say them.
    for file in repository.files.iter().filter(|file| file.path != "xtask/src/tidy/words.rs") {
        for (number, line) in file.text.lines().enumerate() {
            for (word, reason) in &words {
                if let Some(found) = word.find(line) {
                    let found = found.as_str().trim();
                    breaches.push(format!("{}:{}: {found:?}: {reason}", file.path, number + 1));
                }
            }
        }
    }
    breaches
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_found_where_they_mean_it() {
        let cases = [
            ("as issue 7 says", 1),
            ("see issue #7", 1),
            ("fixed (#12)", 1),
            ("cd /work/tree", 1),
            ("// TODO: later", 1),
            ("the issuer 7", 0),
            ("an issue of 7 bytes", 0),
            ("docs/work/", 0),
            ("color: #123456", 0),
            ("https://example.org/work/", 0),
        ];
        for (text, count) in cases {
            let found = breaches(&Repository::of(&[("README.md", text)]));
            assert_eq!(found.len(), count, "{text}: {found:?}");
        }
    }
}
