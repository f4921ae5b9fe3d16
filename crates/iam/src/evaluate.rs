//! One request against all policies that bind it.
//!
//! Source: "Policy evaluation logic" in the IAM User Guide. Every statement is looked at once; what each layer says is
//! noted, and [`Survey::conclude`] draws the conclusion.

use crate::context::Context;
use crate::decision::{Decision, Layer, StatementId, Verdict};
use crate::elements::Action;
use crate::policy::{Effect, NamedPolicy, Statement};
use crate::principals::{Grant, Principal};

/// All policies in force for a request.
#[derive(Debug, Clone, Copy, Default)]
pub struct Policies<'a> {
    /// Of the user and its groups, or of the role: together.
    pub identity: &'a [NamedPolicy],
    /// What the user or role can have at most.
    pub boundary: Option<&'a NamedPolicy>,
    /// What the session can have at most; several are one layer, together.
    pub session: Option<&'a [NamedPolicy]>,
    /// Of the resource; of a role that is to be taken on, its trust policy.
    pub resource: Option<&'a NamedPolicy>,
    /// Limits of the caller's account, from the organization's root to the account: each level must allow.
    pub guardrails: &'a [Vec<NamedPolicy>],
}

/// What is asked: may this principal perform this action on this resource?
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// Who asks.
    pub principal: Principal<'a>,
    /// `service:Name`.
    pub action: &'a str,
    /// The resource's ARN, or `*` for an action without a resource.
    pub resource: &'a str,
    /// The account that owns the resource. The caller's own if nobody else does, as for Amazon's documents and `*`.
    pub resource_account: &'a str,
    /// All condition keys of the request.
    pub context: &'a Context,
}

/// Decides a request. The same inputs always give the same decision.
pub fn evaluate(policies: &Policies<'_>, request: &Request<'_>) -> Decision {
    Survey::of(policies, request).conclude(policies, request)
}

impl<'a> Policies<'a> {
    /// Every policy with its layer, in the order in which a deny is named. A guardrail comes with its level.
    pub(crate) fn in_order(
        &self,
        caller: &Principal<'_>,
    ) -> impl Iterator<Item = (Layer, usize, &'a NamedPolicy)> {
        let guardrails = if binds(caller) { self.guardrails } else { &[] };
        let guardrails = guardrails.iter().enumerate().flat_map(|(level, policies)| {
            policies.iter().map(move |policy| (Layer::Guardrail, level, policy))
        });
        let of = |layer| move |policy| (layer, 0, policy);
        guardrails
            .chain(self.resource.into_iter().map(of(Layer::Resource)))
            .chain(self.identity.iter().map(of(Layer::Identity)))
            .chain(self.boundary.into_iter().map(of(Layer::Boundary)))
            .chain(self.session.unwrap_or_default().iter().map(of(Layer::Session)))
    }

    pub(crate) fn guardrail_levels(&self, caller: &Principal<'_>) -> usize {
        if binds(caller) { self.guardrails.len() } else { 0 }
    }
}

/// Whether guardrails bind this caller. What a service does by itself they do not.
fn binds(caller: &Principal<'_>) -> bool {
    !matches!(caller, Principal::Service { .. })
}

/// A request, with what every statement asks of it worked out once.
#[derive(Clone, Copy)]
pub(crate) struct Question<'a> {
    pub(crate) request: &'a Request<'a>,
    pub(crate) action: Action<'a>,
    /// Whether the caller has a permissions boundary.
    bounded: bool,
}

impl<'a> Question<'a> {
    pub(crate) fn of(policies: &Policies<'_>, request: &'a Request<'a>) -> Self {
        Self { request, action: Action::of(request.action), bounded: policies.boundary.is_some() }
    }
}

impl Statement {
    /// Whether the statement is about the request, and how directly it names the caller. A policy without principals
    /// belongs to the caller, or binds it.
    ///
    /// This is the only place that decides; [`crate::explain`] calls the same parts and says how each came out.
    pub(crate) fn applies(&self, question: &Question<'_>) -> Option<Grant> {
        if !self.actions.matches(question.action) || !self.matches_resource(question) {
            return None;
        }
        let grant = self.matches_principal(question)?;
        let context = question.request.context;
        self.conditions.iter().all(|condition| condition.outcome(context).holds()).then_some(grant)
    }

    pub(crate) fn matches_resource(&self, question: &Question<'_>) -> bool {
        let Request { resource, context, .. } = question.request;
        self.resources.as_ref().is_none_or(|resources| resources.matches(resource, context))
    }

    pub(crate) fn matches_principal(&self, question: &Question<'_>) -> Option<Grant> {
        match &self.principals {
            Some(principals) => {
                principals.matches(&question.request.principal, question.bounded, self.effect)
            }
            None => Some(Grant::Direct),
        }
    }
}

/// A statement that applies: of which policy, which one.
type Found<'a> = (&'a NamedPolicy, usize);

/// What each layer says.
#[derive(Default)]
struct Survey<'a> {
    deny: Option<(Layer, Found<'a>)>,
    /// How many levels of guardrails allow, counted from the first, without a gap.
    guardrail_levels: usize,
    resource: Option<(Grant, Found<'a>)>,
    identity: Option<Found<'a>>,
    boundary: Option<Found<'a>>,
    session: Option<Found<'a>>,
}

impl<'a> Survey<'a> {
    fn of(policies: &Policies<'a>, request: &Request<'_>) -> Self {
        let mut survey = Self::default();
        let question = Question::of(policies, request);
        for (layer, level, policy) in policies.in_order(&request.principal) {
            for (index, statement) in policy.policy.statements.iter().enumerate() {
                if statement.effect == Effect::Allow && survey.is_settled(layer, level) {
                    continue;
                }
                if let Some(grant) = statement.applies(&question) {
                    survey.note(layer, level, statement.effect, grant, (policy, index));
                    if survey.deny.is_some() {
                        return survey;
                    }
                }
            }
        }
        survey
    }

    /// Whether another allow of this layer would change nothing.
    fn is_settled(&self, layer: Layer, level: usize) -> bool {
        match layer {
            // A level that comes after a silent one, or again after it allowed.
            Layer::Guardrail => level != self.guardrail_levels,
            Layer::Resource => matches!(self.resource, Some((Grant::Direct, _))),
            Layer::Identity => self.identity.is_some(),
            Layer::Boundary => self.boundary.is_some(),
            Layer::Session => self.session.is_some(),
        }
    }

    fn note(&mut self, layer: Layer, level: usize, effect: Effect, grant: Grant, found: Found<'a>) {
        if effect == Effect::Deny {
            self.deny = Some((layer, found));
            return;
        }
        match layer {
            Layer::Guardrail => self.guardrail_levels = level + 1,
            Layer::Resource if self.resource.is_none_or(|(known, _)| grant > known) => {
                self.resource = Some((grant, found));
            }
            Layer::Resource => {}
            Layer::Identity => self.identity = Some(found),
            Layer::Boundary => self.boundary = Some(found),
            Layer::Session => self.session = Some(found),
        }
    }

    fn conclude(&self, policies: &Policies<'_>, request: &Request<'_>) -> Decision {
        if let Some((layer, found)) = self.deny {
            return decision(Verdict::ExplicitDeny, layer, Some(found));
        }
        if self.guardrail_levels < policies.guardrail_levels(&request.principal) {
            return decision(Verdict::ImplicitDeny, Layer::Guardrail, None);
        }
        match (request.principal, request.principal.account()) {
            (Principal::WebIdentity { .. } | Principal::Service { .. }, _) => self.of_outsider(),
            (_, Some(account)) if account == request.resource_account => {
                self.of_own_account(policies, request)
            }
            // Also a caller whose ARN is none: nothing within an account is for it.
            _ => self.of_other_account(policies, request),
        }
    }

    /// A service or a web identity has no policies of its own: only the resource's can allow.
    fn of_outsider(&self) -> Decision {
        match self.resource {
            Some((_, found)) => decision(Verdict::Allow, Layer::Resource, Some(found)),
            None => decision(Verdict::ImplicitDeny, Layer::Resource, None),
        }
    }

    fn of_own_account(&self, policies: &Policies<'_>, request: &Request<'_>) -> Decision {
        let must_allow = policies.resource.is_some_and(|policy| policy.policy.kind.must_allow());
        match self.resource {
            Some((Grant::Direct, found)) => decision(Verdict::Allow, Layer::Resource, Some(found)),
            Some((Grant::Behind, found)) => {
                let granted = decision(Verdict::Allow, Layer::Resource, Some(found));
                self.within_limits(policies, request, granted)
            }
            None if must_allow => decision(Verdict::ImplicitDeny, Layer::Resource, None),
            Some((Grant::Account, _)) | None => {
                let granted = self.by_identity(request);
                self.within_limits(policies, request, granted)
            }
        }
    }

    /// Both accounts must allow.
    fn of_other_account(&self, policies: &Policies<'_>, request: &Request<'_>) -> Decision {
        if self.resource.is_none() {
            return decision(Verdict::ImplicitDeny, Layer::Resource, None);
        }
        let granted = self.by_identity(request);
        self.within_limits(policies, request, granted)
    }

    fn by_identity(&self, request: &Request<'_>) -> Decision {
        match (self.identity, request.principal) {
            (Some(found), _) => decision(Verdict::Allow, Layer::Identity, Some(found)),
            (None, Principal::Root { .. }) => decision(Verdict::Allow, Layer::Identity, None),
            (None, _) => decision(Verdict::ImplicitDeny, Layer::Identity, None),
        }
    }

    /// What was granted, unless the boundary or the session policies are silent.
    fn within_limits(&self, policies: &Policies<'_>, request: &Request<'_>, granted: Decision) -> Decision {
        let is_root = matches!(request.principal, Principal::Root { .. });
        if !granted.is_allowed() {
            granted
        } else if policies.boundary.is_some() && self.boundary.is_none() && !is_root {
            decision(Verdict::ImplicitDeny, Layer::Boundary, None)
        } else if policies.session.is_some() && self.session.is_none() {
            decision(Verdict::ImplicitDeny, Layer::Session, None)
        } else {
            granted
        }
    }
}

fn decision(verdict: Verdict, layer: Layer, found: Option<Found<'_>>) -> Decision {
    let statement = found.map(|(policy, index)| StatementId {
        policy: policy.name.clone(),
        index,
        sid: policy.policy.statements.get(index).and_then(|statement| statement.sid.clone()),
    });
    Decision { verdict, layer, statement }
}
