//! Texts with `*`, which stands for any number of characters.

/// A text, or several pieces with anything between them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Wildcard(Vec<String>);

impl Wildcard {
    pub(crate) fn new(text: &str) -> Self {
        Self(text.split('*').map(str::to_owned).collect())
    }

    /// Whether the whole of `text` is meant. Each piece is taken where it first fits, so time is that of a search.
    pub(crate) fn is_match(&self, text: &str) -> bool {
        let [first, middle @ .., last] = self.0.as_slice() else {
            return self.0.first().is_some_and(|whole| whole == text);
        };
        let Some(mut rest) = text.strip_prefix(first.as_str()) else { return false };
        for piece in middle {
            match rest.split_once(piece.as_str()) {
                Some((_, after)) => rest = after,
                None => return false,
            }
        }
        rest.ends_with(last.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_asterisk_stands_for_anything() {
        for (pattern, text, expected) in [
            ("UpdateTrail", "UpdateTrail", true),
            ("UpdateTrail", "UpdateTrails", false),
            ("*Trail", "UpdateTrail", true),
            ("*Trail", "UpdateTrails", false),
            ("123.123.*", "123.123.1.2", true),
            ("*.html*", "GET /index.html HTTP/1.0", true),
            ("a*a", "a", false),
            ("a*b*c", "a1b2b3c", true),
            ("*", "", true),
            ("**", "x", true),
            ("", "", true),
            ("", "x", false),
        ] {
            assert_eq!(Wildcard::new(pattern).is_match(text), expected, "{pattern} on {text}");
        }
    }
}
