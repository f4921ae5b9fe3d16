//! Why a decision is as it is: every statement, what of it matched and what did not.
//!
//! A trace calls the parts that [`evaluate`] calls, one by one and without leaving any out; the decision itself is
//! `evaluate`'s. So an explanation cannot disagree with a decision.

use std::sync::Arc;

use crate::condition::Condition;
use crate::context::{Context, Value};
use crate::decision::{Decision, Layer, StatementId};
use crate::error::Position;
use crate::evaluate::{Policies, Question, Request, evaluate};
use crate::pattern::Pattern;
use crate::policy::{Effect, NamedPolicy, Statement};
use crate::principals::Grant;
use crate::{Outcome, Verdict};

mod text;

/// A decision and all that led to it. As text (`Display`) it says what decided and what came close.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Explanation {
    /// The decision.
    pub decision: Decision,
    /// The ARN of who asked.
    pub principal: String,
    /// What was asked for.
    pub action: String,
    /// On what.
    pub resource: String,
    /// Every layer that has policies, in the order of evaluation; each level of guardrails by itself.
    pub layers: Vec<LayerTrace>,
}

/// What one layer says.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct LayerTrace {
    /// Which one.
    pub layer: Layer,
    /// Of guardrails the level, from the organization's root at 0.
    pub level: usize,
    /// Whether a statement that applies allows.
    pub allows: bool,
    /// Whether a statement that applies denies.
    pub denies: bool,
    /// Its policies.
    pub policies: Vec<PolicyTrace>,
}

/// What one policy says.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct PolicyTrace {
    /// Its name.
    pub name: Arc<str>,
    /// Its statements.
    pub statements: Vec<StatementTrace>,
}

/// What of one statement matched.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct StatementTrace {
    /// Which one.
    pub id: StatementId,
    /// Where it begins in its document.
    pub start: Position,
    /// Where it ends.
    pub end: Position,
    /// What it does if it applies.
    pub effect: Effect,
    /// Whether it applies, and how directly it names the caller.
    pub applies: Option<Grant>,
    /// `Action` or `NotAction`.
    pub action: ElementTrace,
    /// `Resource` or `NotResource`; a trust policy has none.
    pub resource: Option<ElementTrace>,
    /// `Principal` or `NotPrincipal`, where the policy has them.
    pub principal: Option<ElementTrace>,
    /// Each operator with each key.
    pub conditions: Vec<ConditionTrace>,
}

/// What one element says.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct ElementTrace {
    /// Its name.
    pub element: &'static str,
    /// What it lists.
    pub listed: Vec<String>,
    /// Whether it is about the request.
    pub matches: bool,
    /// Variables in it that have no value in this request.
    pub unresolved: Vec<String>,
}

/// How one condition came out.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct ConditionTrace {
    /// The operator as the policy writes it.
    pub operator: String,
    /// The key.
    pub key: String,
    /// The policy's values.
    pub expected: Vec<String>,
    /// The request's.
    pub found: Option<Value>,
    /// Whether it holds, and why.
    pub outcome: Outcome,
    /// Variables in the policy's values that have no value in this request.
    pub unresolved: Vec<String>,
}

/// Decides as [`evaluate`] does, and says why.
#[must_use]
pub fn explain(policies: &Policies<'_>, request: &Request<'_>) -> Explanation {
    let mut layers: Vec<LayerTrace> = Vec::new();
    let question = Question::of(policies, request);
    for (layer, level, policy) in policies.in_order(&request.principal) {
        let trace = PolicyTrace::of(policy, &question);
        let (allows, denies) = (trace.has(Effect::Allow), trace.has(Effect::Deny));
        match layers.last_mut() {
            Some(last) if (last.layer, last.level) == (layer, level) => {
                last.allows |= allows;
                last.denies |= denies;
                last.policies.push(trace);
            }
            _ => layers.push(LayerTrace { layer, level, allows, denies, policies: vec![trace] }),
        }
    }
    Explanation {
        decision: evaluate(policies, request),
        principal: request.principal.arn().to_owned(),
        action: request.action.to_owned(),
        resource: request.resource.to_owned(),
        layers,
    }
}

impl Explanation {
    /// The statements that would have led to another decision, had they applied, and that are about the action: those of
    /// which the least failed come first. Of an allow these are denies, of an implicit deny the allows of the layer that
    /// was silent; nothing outweighs an explicit deny.
    #[must_use]
    pub fn close(&self) -> Vec<&StatementTrace> {
        let wanted = match self.decision.verdict {
            Verdict::Allow => Effect::Deny,
            Verdict::ImplicitDeny => Effect::Allow,
            Verdict::ExplicitDeny => return Vec::new(),
        };
        let in_question = |layer: &&LayerTrace| {
            wanted == Effect::Deny || layer.layer == self.decision.layer && !layer.allows
        };
        let mut close: Vec<_> = self
            .layers
            .iter()
            .filter(in_question)
            .flat_map(|layer| layer.policies.iter().flat_map(|policy| &policy.statements))
            .filter(|statement| statement.effect == wanted && statement.applies.is_none())
            .filter(|statement| statement.action.matches)
            .collect();
        close.sort_by_key(|statement| statement.failures());
        close
    }
}

impl PolicyTrace {
    fn of(policy: &NamedPolicy, question: &Question<'_>) -> Self {
        let trace = |(index, statement)| StatementTrace::of(policy, index, statement, question);
        Self {
            name: policy.name.clone(),
            statements: policy.policy.statements.iter().enumerate().map(trace).collect(),
        }
    }

    fn has(&self, effect: Effect) -> bool {
        self.statements.iter().any(|statement| statement.applies.is_some() && statement.effect == effect)
    }
}

impl StatementTrace {
    fn of(policy: &NamedPolicy, index: usize, statement: &Statement, question: &Question<'_>) -> Self {
        let context = question.request.context;
        let of_resources = |resources: &crate::elements::Resources| ElementTrace {
            element: resources.element(),
            listed: texts(resources.texts()),
            matches: statement.matches_resource(question),
            unresolved: unresolved(resources.patterns.iter(), context),
        };
        let of_principals = |principals: &crate::principals::Principals| ElementTrace {
            element: principals.element(),
            listed: texts(principals.texts()),
            matches: statement.matches_principal(question).is_some(),
            unresolved: Vec::new(),
        };
        Self {
            id: StatementId { policy: policy.name.clone(), index, sid: statement.sid.clone() },
            start: statement.start,
            end: statement.end,
            effect: statement.effect,
            applies: statement.applies(question),
            action: ElementTrace {
                element: statement.actions.element(),
                listed: texts(statement.actions.texts()),
                matches: statement.actions.matches(question.action),
                unresolved: Vec::new(),
            },
            resource: statement.resources.as_ref().map(of_resources),
            principal: statement.principals.as_ref().map(of_principals),
            conditions: statement.conditions.iter().map(|c| ConditionTrace::of(c, context)).collect(),
        }
    }

    /// The elements that are not about the request.
    pub fn failed_elements(&self) -> impl Iterator<Item = &ElementTrace> {
        let elements = [Some(&self.action), self.resource.as_ref(), self.principal.as_ref()];
        elements.into_iter().flatten().filter(|element| !element.matches)
    }

    /// The conditions that do not hold.
    pub fn failed_conditions(&self) -> impl Iterator<Item = &ConditionTrace> {
        self.conditions.iter().filter(|condition| !condition.outcome.holds())
    }

    /// How far from applying: a statement about other things is farther than one whose conditions do not hold.
    fn failures(&self) -> (usize, usize) {
        (self.failed_elements().count(), self.failed_conditions().count())
    }
}

impl ConditionTrace {
    fn of(condition: &Condition, context: &Context) -> Self {
        Self {
            operator: condition.operator_text.to_string(),
            key: condition.key.to_string(),
            expected: texts(condition.texts.iter().map(AsRef::as_ref)),
            found: context.get(&condition.key).cloned(),
            outcome: condition.outcome(context),
            unresolved: unresolved(condition.expected.patterns(), context),
        }
    }
}

fn texts<'a>(texts: impl Iterator<Item = &'a str>) -> Vec<String> {
    texts.map(str::to_owned).collect()
}

fn unresolved<'a>(patterns: impl Iterator<Item = &'a Pattern>, context: &'a Context) -> Vec<String> {
    texts(patterns.flat_map(|pattern| pattern.unresolved(context)))
}
