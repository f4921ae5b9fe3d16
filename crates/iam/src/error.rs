//! Why a policy document is refused, and where.

use std::borrow::Cow;
use std::fmt;

use crate::policy::PolicyKind;

/// A place in a document, as editors count: from one, columns in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
pub struct Position {
    /// The line, from 1.
    pub line: usize,
    /// The character in the line, from 1.
    pub column: usize,
}

impl Position {
    pub(crate) fn of(text: &str, offset: usize) -> Self {
        let before = &text[..text.floor_char_boundary(offset)];
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        Self {
            line: before.bytes().filter(|b| *b == b'\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
        }
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {} column {}", self.line, self.column)
    }
}

/// A policy document that cannot be stored: what is wrong, and where. AWS's code for it is `MalformedPolicyDocument`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}, at {}, {position}", if pointer.is_empty() { "the top of the document" } else { pointer })]
pub struct PolicyError {
    /// The JSON pointer (RFC 6901) of the value; empty for the document as a whole.
    pub pointer: String,
    /// Where the value, or the text that is not JSON, stands.
    pub position: Position,
    /// What is wrong with it.
    pub reason: Reason,
}

/// What can be wrong with a policy document.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Reason {
    /// The text is longer than any policy may be, white space included.
    #[error("the document has {bytes} bytes, more than {max}")]
    TooLarge {
        /// The length of the document.
        bytes: usize,
        /// How long it may be.
        max: usize,
    },
    /// Lists and objects lie in each other deeper than any policy needs.
    #[error("more than {max} levels of nesting")]
    TooDeep {
        /// How deep they may lie.
        max: usize,
    },
    /// The text is not JSON.
    #[error("expected {expected}, found {found}")]
    Syntax {
        /// What would have been JSON.
        expected: &'static str,
        /// What stands there.
        found: String,
    },
    /// A name occurs twice in one object.
    #[error("the name {name:?} occurs twice")]
    DuplicateName {
        /// The name.
        name: String,
    },
    /// An element that the policy language does not have.
    #[error("unknown element {name:?}, expected one of {expected}")]
    UnknownElement {
        /// The name of the element.
        name: String,
        /// The elements that may stand there.
        expected: &'static str,
    },
    /// An element that this kind of policy must not have.
    #[error("{kind} has no {element}")]
    Prohibited {
        /// The element.
        element: &'static str,
        /// The kind of policy.
        kind: PolicyKind,
    },
    /// An element that is not there and must be.
    #[error("{element} is missing")]
    Missing {
        /// The element, or the two of which one must be there.
        element: &'static str,
    },
    /// Two elements that exclude each other.
    #[error("{first} and {second} exclude each other")]
    Conflict {
        /// The one.
        first: &'static str,
        /// The other.
        second: &'static str,
    },
    /// A value of another type or form.
    #[error("expected {expected}, found {found}")]
    Value {
        /// What may stand there.
        expected: Cow<'static, str>,
        /// What stands there.
        found: String,
    },
}

/// A reason with its offset, before the position in the text is known.
#[derive(Debug)]
pub(crate) struct Fault {
    pub(crate) offset: usize,
    pub(crate) reason: Reason,
    /// Known if the document could not be read as JSON; else it follows from the offset.
    pub(crate) pointer: Option<String>,
}

impl Fault {
    pub(crate) fn new(offset: usize, reason: Reason) -> Self {
        Self { offset, reason, pointer: None }
    }

    pub(crate) fn value(offset: usize, expected: impl Into<Cow<'static, str>>, found: String) -> Self {
        Self::new(offset, Reason::Value { expected: expected.into(), found })
    }
}
