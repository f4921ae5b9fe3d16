//! What a statement is about: actions and resources.

use crate::context::Context;
use crate::pattern::{Case, Pattern};

/// `Action` or `NotAction`.
#[derive(Debug)]
pub(crate) struct Actions {
    pub(crate) negated: bool,
    pub(crate) patterns: Vec<ActionPattern>,
}

/// One action with wildcards.
#[derive(Debug)]
pub(crate) enum ActionPattern {
    /// `*`
    Any,
    /// `service:Name`, where the name may have wildcards.
    Of { text: Box<str>, service: Box<str>, name: Pattern },
}

/// An action of a request, taken apart once.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Action<'a> {
    pub(crate) service: &'a str,
    pub(crate) name: &'a str,
}

impl<'a> Action<'a> {
    pub(crate) fn of(text: &'a str) -> Self {
        let (service, name) = text.split_once(':').unwrap_or((text, ""));
        Self { service, name }
    }
}

impl Actions {
    pub(crate) fn matches(&self, action: Action<'_>) -> bool {
        self.patterns.iter().any(|pattern| pattern.matches(action)) != self.negated
    }

    pub(crate) fn element(&self) -> &'static str {
        if self.negated { "NotAction" } else { "Action" }
    }

    pub(crate) fn texts(&self) -> impl Iterator<Item = &str> {
        self.patterns.iter().map(|pattern| match pattern {
            ActionPattern::Any => "*",
            ActionPattern::Of { text, .. } => text,
        })
    }
}

impl ActionPattern {
    /// Compiles `*` or `service:Name`; nothing if the text is neither.
    pub(crate) fn compile(text: &str) -> Option<Self> {
        if text == "*" {
            return Some(Self::Any);
        }
        let (service, name) = text.split_once(':')?;
        let of_service = |b: u8| b.is_ascii_alphanumeric() || b == b'-';
        let of_name = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'*' | b'?' | b'-' | b'_' | b'.');
        let well_formed = !service.is_empty()
            && !name.is_empty()
            && service.bytes().all(of_service)
            && name.bytes().all(of_name);
        well_formed.then(|| Self::Of {
            text: text.into(),
            service: service.into(),
            name: Pattern::glob(name),
        })
    }

    fn matches(&self, action: Action<'_>) -> bool {
        match self {
            Self::Any => true,
            Self::Of { service, name, .. } => {
                service.eq_ignore_ascii_case(action.service)
                    && name.matches(action.name, Case::Insensitive, EMPTY)
            }
        }
    }
}

/// Patterns of actions have no variables, so nothing is looked up.
const EMPTY: &Context = &Context::EMPTY;

/// `Resource` or `NotResource`.
#[derive(Debug)]
pub(crate) struct Resources {
    pub(crate) negated: bool,
    pub(crate) patterns: Vec<Pattern>,
}

impl Resources {
    /// A request on no resource in particular has the resource `*`. As every pattern is `*` or starts with `arn:`, only
    /// the pattern `*` describes it.
    pub(crate) fn matches(&self, resource: &str, context: &Context) -> bool {
        let listed = self.patterns.iter().any(|pattern| pattern.matches(resource, Case::Sensitive, context));
        listed != self.negated
    }

    pub(crate) fn element(&self) -> &'static str {
        if self.negated { "NotResource" } else { "Resource" }
    }

    pub(crate) fn texts(&self) -> impl Iterator<Item = &str> {
        self.patterns.iter().map(Pattern::as_str)
    }

    pub(crate) fn variables(&self) -> impl Iterator<Item = &str> {
        self.patterns.iter().flat_map(Pattern::variables)
    }
}
