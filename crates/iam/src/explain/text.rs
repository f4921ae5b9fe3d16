//! An explanation as people read it.

use std::fmt;

use super::{ConditionTrace, ElementTrace, Explanation, StatementTrace};
use crate::condition::Outcome;
use crate::context::Value;
use crate::decision::{Layer, Verdict};
use crate::policy::Effect;

/// How many statements that came close are shown.
const CLOSE_MAX: usize = 5;

/// How many values of a list are shown.
const VALUES_MAX: usize = 5;

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.verdict(f)?;
        match self.decision.verdict {
            Verdict::Allow => self.allowed(f),
            Verdict::ImplicitDeny => self.silence(f),
            Verdict::ExplicitDeny => self.denied(f),
        }
    }
}

impl Explanation {
    fn verdict(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { principal, action, resource, .. } = self;
        match self.decision.reason(action) {
            None => writeln!(f, "ALLOWED: {principal} may perform {action} on {resource}."),
            Some(reason) => {
                writeln!(f, "DENIED: {principal} may not perform {action} on {resource}, {reason}.")
            }
        }
    }

    fn allowed(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.decision.statement {
            Some(statement) => writeln!(f, "Allowed by {statement}, {}.", with_article(self.decision.layer))?,
            None => writeln!(f, "A root user needs no policy.")?,
        }
        self.list_close(f, "Would deny:")
    }

    fn silence(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let layer = self.decision.layer;
        let traces = || self.layers.iter().filter(|trace| trace.layer == layer && !trace.allows);
        let policies = traces().map(|trace| trace.policies.len()).sum::<usize>();
        if policies == 0 {
            return writeln!(f, "There is no {layer}.");
        }
        if layer == Layer::Guardrail
            && let Some(silent) = traces().next()
        {
            writeln!(f, "Level {} of the guardrails does not allow it; each level must.", silent.level + 1)?;
        }
        if self.close().is_empty() {
            let policies = if policies == 1 { "1 policy".to_owned() } else { format!("{policies} policies") };
            return writeln!(f, "No statement that allows, of {policies} there, is about this action.");
        }
        self.list_close(f, "Would allow:")
    }

    fn denied(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(id) = &self.decision.statement else { return Ok(()) };
        writeln!(f, "Denied by {id}, {}.", with_article(self.decision.layer))?;
        let statements =
            self.layers.iter().flat_map(|layer| &layer.policies).flat_map(|policy| &policy.statements);
        let found = statements.into_iter().find(|statement| {
            statement.id == *id && statement.effect == Effect::Deny && statement.applies.is_some()
        });
        for condition in found.into_iter().flat_map(|statement| &statement.conditions) {
            writeln!(f, "  {condition}")?;
        }
        Ok(())
    }

    fn list_close(&self, f: &mut fmt::Formatter<'_>, title: &str) -> fmt::Result {
        let close = self.close();
        if close.is_empty() {
            return Ok(());
        }
        writeln!(f, "{title}")?;
        for statement in close.iter().take(CLOSE_MAX) {
            write!(f, "{statement}")?;
        }
        match close.len().saturating_sub(CLOSE_MAX) {
            0 => Ok(()),
            more => writeln!(f, "- and {more} more"),
        }
    }
}

/// A statement with what failed of it.
impl fmt::Display for StatementTrace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "- {}, if not for:", self.id)?;
        for element in self.failed_elements() {
            writeln!(f, "    {element}")?;
        }
        for condition in self.failed_conditions() {
            writeln!(f, "    {condition}")?;
        }
        Ok(())
    }
}

impl fmt::Display for ElementTrace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let relation = match (self.element.starts_with("Not"), self.matches) {
            (false, true) | (true, false) => "lists it",
            (false, false) | (true, true) => "does not list it",
        };
        write!(f, "{} {relation}: {}", self.element, list(&self.listed))?;
        without_value(f, &self.unresolved)
    }
}

impl fmt::Display for ConditionTrace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: expected {}, ", self.operator, self.key, list(&self.expected))?;
        match (&self.found, self.outcome) {
            (None, _) => write!(f, "the request has no such key")?,
            (Some(found), Outcome::FailsList) => {
                write!(f, "found the list {}, which needs ForAllValues or ForAnyValue", values(found))?;
            }
            (Some(found), Outcome::FailsUnreadable) => {
                write!(f, "found {}, which is not of the operator's type", values(found))?;
            }
            (Some(found), _) => write!(f, "found {}", values(found))?,
        }
        without_value(f, &self.unresolved)
    }
}

fn without_value(f: &mut fmt::Formatter<'_>, variables: &[String]) -> fmt::Result {
    match variables {
        [] => Ok(()),
        variables => write!(f, "; the request has no value for {}", list(variables)),
    }
}

fn values(value: &Value) -> String {
    list(value.as_slice())
}

fn list(values: &[String]) -> String {
    let shown: Vec<String> = values.iter().take(VALUES_MAX).map(|value| format!("{value:?}")).collect();
    let text = shown.join(", ");
    match values.len().saturating_sub(VALUES_MAX) {
        0 if values.is_empty() => "nothing".to_owned(),
        0 => text,
        more => format!("{text} and {more} more"),
    }
}

fn with_article(layer: Layer) -> String {
    if layer == Layer::Identity { format!("an {layer}") } else { format!("a {layer}") }
}
