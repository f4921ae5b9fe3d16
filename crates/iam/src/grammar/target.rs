//! `Action`, `NotAction`, `Resource`, `NotResource`.

use super::{Reader, one_of, strings};
use crate::elements::{ActionPattern, Actions, Resources};
use crate::error::{Fault, Reason};
use crate::json::{Member, Node};
use crate::pattern::{Pattern, Syntax};
use crate::policy::PolicyKind;
use crate::warning::Advice;

impl Reader<'_> {
    pub(super) fn actions(&mut self, statement: &Node, members: &[Member]) -> Result<Actions, Fault> {
        let Some((member, negated)) = one_of(members, "Action", "NotAction")? else {
            return Err(Fault::new(statement.start, Reason::Missing { element: "Action or NotAction" }));
        };
        let expected = "an action, service:Name or *, or a list of them";
        let mut patterns = Vec::new();
        for (offset, text) in strings(&member.node, expected)? {
            let Some(pattern) = ActionPattern::compile(text) else {
                return Err(Fault::value(offset, expected, format!("{text:?}")));
            };
            let of_sts = text.get(..4).is_some_and(|prefix| prefix.eq_ignore_ascii_case("sts:"));
            if self.kind == PolicyKind::Trust && !of_sts {
                self.doubt(offset, Advice::TrustOfOtherAction);
            }
            patterns.push(pattern);
        }
        Ok(Actions { negated, patterns })
    }

    pub(super) fn resources(
        &mut self,
        statement: &Node,
        members: &[Member],
    ) -> Result<Option<Resources>, Fault> {
        let found = one_of(members, "Resource", "NotResource")?;
        if self.kind == PolicyKind::Trust {
            return match found {
                None => Ok(None),
                Some((member, negated)) => {
                    let element = if negated { "NotResource" } else { "Resource" };
                    Err(Fault::new(member.name_start, Reason::Prohibited { element, kind: self.kind }))
                }
            };
        }
        let Some((member, negated)) = found else {
            return Err(Fault::new(statement.start, Reason::Missing { element: "Resource or NotResource" }));
        };
        let texts = strings(&member.node, "the ARN of a resource or *, or a list of them")?;
        let patterns = texts.into_iter().map(|(offset, text)| self.resource(offset, text));
        Ok(Some(Resources { negated, patterns: patterns.collect::<Result<_, _>>()? }))
    }

    fn resource(&mut self, offset: usize, text: &str) -> Result<Pattern, Fault> {
        if text == "*" {
            return Ok(Pattern::glob(text));
        }
        let Some(last_segment) = last_segment(text) else {
            let expected = "* or an ARN: arn:partition:service:region:account:resource";
            return Err(Fault::value(offset, expected, format!("{text:?}")));
        };
        let mut head = text.split(':').skip(1);
        if head.by_ref().take(2).any(|segment| segment.contains(['*', '?'])) {
            self.doubt(offset, Advice::WildcardService);
        }
        let variables_from = self.has_variables().then_some(last_segment);
        let literal = &text[..variables_from.unwrap_or(text.len())];
        if literal.contains("${") {
            self.doubt(offset, Advice::VariableIsLiteral);
        }
        Pattern::compile(text, Syntax { wildcards: true, variables_from })
            .map_err(|error| Fault::value(offset, error.expected, format!("{text:?}")))
    }
}

/// Where the resource part of an ARN starts: after the fifth colon that is not in a variable.
fn last_segment(text: &str) -> Option<usize> {
    let rest = text.strip_prefix("arn:")?;
    let (mut colons, mut in_variable) = (1, false);
    for (at, character) in rest.char_indices() {
        match character {
            '{' if rest[..at].ends_with('$') => in_variable = true,
            '}' => in_variable = false,
            ':' if !in_variable => colons += 1,
            _ => {}
        }
        if colons == 5 {
            let start = "arn:".len() + at + 1;
            return (start < text.len()).then_some(start);
        }
    }
    None
}
