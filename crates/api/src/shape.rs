//! The model's shapes as data, for checking inputs and for the protocols that need more than serde knows.

use std::sync::LazyLock;

use regex::Regex;

/// What a value must look like.
#[derive(Debug)]
pub enum Shape {
    /// Named members.
    Structure {
        /// The model's name, which appears in texts about values.
        name: &'static str,
        /// The members, in the model's order.
        members: &'static [Member],
    },
    /// Values in order.
    List {
        /// What each item is.
        item: &'static Shape,
        /// The element around each item in the Query protocol; `None` for a flattened list.
        item_name: Option<&'static str>,
        /// How many items.
        length: Limits,
    },
    /// Texts to values.
    Map {
        /// What each key is.
        key: &'static Shape,
        /// What each value is.
        value: &'static Shape,
        /// How many entries.
        length: Limits,
    },
    /// A text.
    Text {
        /// How many characters.
        length: Limits,
        /// What the whole text must match.
        pattern: Option<&'static Pattern>,
        /// The only values allowed; empty if any is.
        values: &'static [&'static str],
        /// Whether it is a secret, which no message may repeat.
        sensitive: bool,
    },
    /// A whole number of 32 bits.
    Integer(Limits),
    /// A whole number of 64 bits.
    Long(Limits),
    /// A number with a fraction.
    Double,
    /// True or false.
    Boolean,
    /// A moment.
    Timestamp,
    /// Bytes.
    Blob(Limits),
}

/// A member of a structure.
#[derive(Debug)]
pub struct Member {
    /// The name on the wire.
    pub name: &'static str,
    /// What it is.
    pub shape: &'static Shape,
    /// Whether it must be there.
    pub required: bool,
}

/// The smallest and the largest value or length.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// The smallest, inclusive.
    pub min: Option<i64>,
    /// The largest, inclusive.
    pub max: Option<i64>,
}

impl Limits {
    /// Anything goes.
    pub const NONE: Self = Self { min: None, max: None };
}

/// A pattern of the model: its text for messages, and the expression that a value is held to.
#[derive(Debug)]
pub struct Pattern {
    source: &'static str,
    regex: LazyLock<Regex>,
}

impl Pattern {
    /// The model's `source`, and how to compile what stands for it. It is compiled once, at its first use.
    pub(crate) const fn new(source: &'static str, compile: fn() -> Regex) -> Self {
        Self { source, regex: LazyLock::new(compile) }
    }

    /// The pattern as the model writes it, and as messages quote it.
    #[must_use]
    pub fn source(&self) -> &'static str {
        self.source
    }

    /// Whether the whole text matches.
    #[must_use]
    pub fn matches(&self, text: &str) -> bool {
        self.regex.is_match(text)
    }
}

/// Compiles an expression that the generator has anchored and tried.
pub(crate) fn regex(expression: &str) -> Regex {
    Regex::new(expression).expect("the generator compiles every expression before it writes it")
}
