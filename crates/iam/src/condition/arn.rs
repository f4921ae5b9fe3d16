//! ARNs compared segment by segment, so that a wildcard does not reach over a colon.

use crate::context::Context;
use crate::pattern::{self, Case, Pattern, Piece, Syntax, VariableError};

/// The segments of an ARN. The last one takes the rest, colons included.
const SEGMENTS: usize = 6;

/// What a policy says of an ARN.
#[derive(Debug)]
pub(crate) struct ArnPattern {
    pattern: Pattern,
    segments: Segments,
}

#[derive(Debug)]
enum Segments {
    /// Known when the policy was read.
    Fixed(Vec<Pattern>),
    /// Where they end depends on the values of variables.
    Variable,
    /// No ARN: there are not six of them.
    Malformed,
}

impl ArnPattern {
    pub(crate) fn compile(text: &str, variables_from: Option<usize>) -> Result<Self, VariableError> {
        let pattern = Pattern::compile(text, Syntax { wildcards: true, variables_from })?;
        let segments = if variables_from.is_some() && text.contains("${") {
            Segments::Variable
        } else {
            match segments(text) {
                Some(segments) => Segments::Fixed(segments.map(Pattern::glob).into()),
                None => Segments::Malformed,
            }
        };
        Ok(Self { pattern, segments })
    }

    pub(crate) fn pattern(&self) -> &Pattern {
        &self.pattern
    }

    /// Whether it can match anything.
    pub(crate) fn is_malformed(&self) -> bool {
        matches!(self.segments, Segments::Malformed)
    }

    pub(crate) fn matches(&self, found: &[&str; SEGMENTS], context: &Context) -> bool {
        match &self.segments {
            Segments::Fixed(patterns) => patterns
                .iter()
                .zip(found)
                .all(|(pattern, found)| pattern.matches(found, Case::Sensitive, context)),
            Segments::Variable => {
                let Some(pieces) = self.pattern.pieces(context) else { return false };
                let Some(groups) = split(&pieces) else { return false };
                groups.iter().zip(found).all(|(group, found)| {
                    let piece = |index: usize| group.get(index).copied().unwrap_or(Piece::Text(""));
                    pattern::matches(group.len(), piece, found, Case::Sensitive)
                })
            }
            Segments::Malformed => false,
        }
    }
}

/// Splits an ARN into its segments; nothing if it has fewer.
pub(crate) fn segments(text: &str) -> Option<[&str; SEGMENTS]> {
    let mut parts = text.splitn(SEGMENTS, ':');
    let mut segments = [""; SEGMENTS];
    for segment in &mut segments {
        *segment = parts.next()?;
    }
    Some(segments)
}

/// Splits pieces at the first five colons of their texts.
fn split<'a>(pieces: &[Piece<'a>]) -> Option<[Vec<Piece<'a>>; SEGMENTS]> {
    let mut groups: [Vec<Piece<'a>>; SEGMENTS] = Default::default();
    let mut current = 0;
    for piece in pieces {
        let Piece::Text(mut text) = *piece else {
            groups.get_mut(current)?.push(*piece);
            continue;
        };
        while current + 1 < SEGMENTS {
            let Some((segment, rest)) = text.split_once(':') else { break };
            groups.get_mut(current)?.push(Piece::Text(segment));
            current += 1;
            text = rest;
        }
        groups.get_mut(current)?.push(Piece::Text(text));
    }
    (current + 1 == SEGMENTS).then_some(groups)
}
