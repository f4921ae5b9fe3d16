//! Decimal numbers, compared exactly however long they are.

use std::cmp::Ordering;

/// A decimal number: the digits before and after the point, without zeros that do not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Decimal<Text> {
    negative: bool,
    integer: Text,
    fraction: Text,
}

impl<'a> Decimal<&'a str> {
    /// Reads `-12.50`: a sign, digits, and after a point more digits. There is no exponent.
    pub(crate) fn parse(text: &'a str) -> Option<Self> {
        let (negative, digits) = match text.strip_prefix('-') {
            Some(digits) => (true, digits),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        let (integer, fraction) = match digits.split_once('.') {
            Some((_, "")) => return None,
            Some(parts) => parts,
            None => (digits, ""),
        };
        let all_digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
        if integer.is_empty() || !all_digits(integer) || !all_digits(fraction) {
            return None;
        }
        let (integer, fraction) = (integer.trim_start_matches('0'), fraction.trim_end_matches('0'));
        let zero = integer.is_empty() && fraction.is_empty();
        Some(Self { negative: negative && !zero, integer, fraction })
    }

    /// A copy that keeps its digits itself.
    pub(crate) fn to_owned(self) -> Decimal<Box<str>> {
        Decimal { negative: self.negative, integer: self.integer.into(), fraction: self.fraction.into() }
    }

    pub(crate) fn compare(&self, other: &Decimal<Box<str>>) -> Ordering {
        let magnitude = || {
            let longer = self.integer.len().cmp(&other.integer.len());
            longer
                .then_with(|| self.integer.cmp(&other.integer))
                .then_with(|| self.fraction.cmp(&other.fraction))
        };
        match (self.negative, other.negative) {
            (false, false) => magnitude(),
            (true, true) => magnitude().reverse(),
            (false, true) => Ordering::Greater,
            (true, false) => Ordering::Less,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(text: &str) -> Decimal<&str> {
        Decimal::parse(text).unwrap_or_else(|| panic!("{text} is a number"))
    }

    #[test]
    fn numbers_in_order() {
        let ascending = [
            "-100",
            "-99.5",
            "-99.05",
            "-1",
            "-0.001",
            "0",
            "0.0009",
            "0.001",
            "0.1",
            "1",
            "1.05",
            "1.5",
            "9",
            "10",
            "9007199254740992",
            "9007199254740993",
            "123456789012345678901234567890",
        ];
        for (i, left) in ascending.iter().enumerate() {
            for (j, right) in ascending.iter().enumerate() {
                assert_eq!(number(left).compare(&number(right).to_owned()), i.cmp(&j), "{left} {right}");
            }
        }
    }

    #[test]
    fn zeros_do_not_count() {
        for (left, right) in
            [("1", "1.0"), ("01", "1"), ("0", "-0"), ("0.50", ".5"), ("+2", "2"), ("0", "0.00")]
        {
            if let Some(right) = Decimal::parse(right) {
                assert_eq!(number(left).compare(&right.to_owned()), Ordering::Equal, "{left}");
            } else {
                assert_eq!(right, ".5");
            }
        }
    }

    #[test]
    fn what_is_no_number() {
        for text in
            ["", "-", ".", "1.", "1e3", "0x10", "1 ", " 1", "--1", "1.2.3", "NaN", "½", "${aws:username}"]
        {
            assert_eq!(Decimal::parse(text), None, "{text}");
        }
    }
}
