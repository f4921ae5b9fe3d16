//! A simulation: actions on resources against policies, decided by the engine that decides for real.

use std::collections::BTreeMap;
use std::ops::Range;

use postern_api::ApiError;
use postern_api::iam::{
    self, ContextEntry, ContextKeyTypeEnum, EvaluationResult, OrganizationsDecisionDetail,
    PermissionsBoundaryDecisionDetail, PolicyEvaluationDecisionType, PolicySourceType,
};
use postern_iam::{
    Context, Effect, Explanation, Layer, NamedPolicy, Policies, Policy, PolicyKind, Position, Principal,
    Request, Value, Verdict, explain,
};
use postern_ids::Arn;

use super::refusal;

/// The actions times the resources of one call. Each pair is a decision.
const PAIRS_MAX: usize = 10_000;

/// The same where each decision is explained, in words that may be longer than the policies.
const EXPLAINED_PAIRS_MAX: usize = 100;

/// A context key that no policy needs: it asks for the explanation, as `postern explain` does.
const EXPLAIN_KEY: &str = "postern:Explain";
/// Under which name it is found among the details.
const EXPLANATION: &str = "Explanation";

/// Everything that a simulation is decided from.
#[derive(Default)]
pub(super) struct Simulation {
    identity: Vec<NamedPolicy>,
    boundary: Option<NamedPolicy>,
    resource: Option<NamedPolicy>,
    guardrails: Vec<Vec<NamedPolicy>>,
    /// What kind of policy each is, by its name.
    sources: BTreeMap<String, PolicySourceType>,
    pub(super) context: Context,
}

/// Every action on every resource, in the order of the call: known before anything is decided.
#[derive(Debug)]
pub(super) struct Pairs<'a> {
    actions: &'a [String],
    resources: &'a [String],
}

impl<'a> Pairs<'a> {
    pub(super) fn len(&self) -> usize {
        self.actions.len() * self.resources.len()
    }

    fn iter(&self) -> impl Iterator<Item = (&'a String, &'a String)> {
        let resources = self.resources;
        self.actions.iter().flat_map(move |action| resources.iter().map(move |resource| (action, resource)))
    }
}

impl Simulation {
    /// Adds a policy of the caller.
    pub(super) fn add_identity(&mut self, name: &str, source: PolicySourceType, policy: Policy) {
        self.identity.push(NamedPolicy::new(name, policy));
        self.sources.insert(name.to_owned(), source);
    }

    /// What bounds the caller, instead of what did before.
    pub(super) fn set_boundary(&mut self, name: &str, policy: Policy) {
        self.boundary = Some(NamedPolicy::new(name, policy));
    }

    /// The policy of all resources.
    pub(super) fn set_resource_policy(&mut self, policy: Policy) {
        let name = "ResourcePolicy";
        self.resource = Some(NamedPolicy::new(name, policy));
        self.sources.insert(name.to_owned(), PolicySourceType::Resource);
    }

    /// A level of the account's limits, below those that were added before.
    pub(super) fn add_guardrails(&mut self, level: Vec<NamedPolicy>) {
        self.guardrails.push(level);
    }

    /// The context of the call, over what is known of the caller.
    pub(super) fn add_entries(&mut self, entries: &[ContextEntry]) -> Result<(), ApiError> {
        for entry in entries {
            let name = entry.context_key_name.as_deref().unwrap_or_default();
            let values = entry.context_key_values.clone().unwrap_or_default();
            if name.is_empty() {
                return Err(refusal::invalid_input("A context entry has no ContextKeyName."));
            }
            let value = if is_list(entry.context_key_type.as_ref()) {
                Value::Multi(values)
            } else {
                match <[String; 1]>::try_from(values) {
                    Ok([value]) => Value::Single(value),
                    Err(_) => {
                        let message =
                            format!("The context key {name} is of a type with one value; give exactly one.");
                        return Err(refusal::invalid_input(message));
                    }
                }
            };
            self.context.insert(name.to_owned(), value);
        }
        Ok(())
    }

    /// What the call asks, as far as it can be asked.
    pub(super) fn pairs<'a>(
        &self,
        actions: &'a [String],
        resources: &'a [String],
    ) -> Result<Pairs<'a>, ApiError> {
        let is_explained = self.context.get(EXPLAIN_KEY).is_some();
        let pairs_max = if is_explained { EXPLAINED_PAIRS_MAX } else { PAIRS_MAX };
        if actions.len().saturating_mul(resources.len()) > pairs_max {
            return Err(refusal::invalid_input(format!("At most {pairs_max} pairs of action and resource.")));
        }
        for resource in resources.iter().filter(|resource| *resource != "*") {
            if resource.parse::<Arn>().is_err() {
                return Err(refusal::invalid_input(format!("Invalid ARN: {resource}")));
            }
        }
        if let Some(action) = actions.iter().find(|action| !is_action(action)) {
            return Err(refusal::invalid_input(format!(
                "Invalid Action name {action}: it has the form service:Name, without wildcards."
            )));
        }
        Ok(Pairs { actions, resources })
    }

    /// Decides those of `pairs` that are in `range`, and no others.
    pub(super) fn results(
        &self,
        caller: Principal<'_>,
        owner: &str,
        pairs: &Pairs<'_>,
        range: Range<usize>,
    ) -> Vec<EvaluationResult> {
        let missing = self.missing_keys();
        let decide = |(action, resource): (&String, &String)| {
            let account = resource.split(':').nth(4).filter(|account| !account.is_empty());
            let request = Request {
                principal: caller,
                action,
                resource,
                resource_account: account.unwrap_or(owner),
                context: &self.context,
            };
            self.result(&explain(&self.policies(), &request), &missing)
        };
        pairs.iter().skip(range.start).take(range.len()).map(decide).collect()
    }

    fn policies(&self) -> Policies<'_> {
        Policies {
            identity: &self.identity,
            boundary: self.boundary.as_ref(),
            session: None,
            resource: self.resource.as_ref(),
            guardrails: &self.guardrails,
        }
    }

    /// Keys that the policies ask for and the call does not give.
    fn missing_keys(&self) -> Vec<String> {
        let all = self.identity.iter().chain(&self.boundary).chain(&self.resource);
        let all = all.chain(self.guardrails.iter().flatten());
        let mut missing: Vec<String> = Vec::new();
        for key in all.flat_map(|policy| policy.policy.context_keys()) {
            let is_known = missing.iter().any(|known| known.eq_ignore_ascii_case(key));
            if !is_known && self.context.get(key).is_none() {
                missing.push(key.to_owned());
            }
        }
        missing
    }

    fn result(&self, explanation: &Explanation, missing: &[String]) -> EvaluationResult {
        let allows = |layer| {
            explanation
                .layers
                .iter()
                .filter(|trace| trace.layer == layer)
                .all(|trace| trace.allows && !trace.denies)
        };
        EvaluationResult {
            eval_action_name: explanation.action.clone(),
            eval_resource_name: Some(explanation.resource.clone()),
            eval_decision: shown_verdict(explanation.decision.verdict),
            matched_statements: Some(self.matched(explanation)),
            missing_context_values: Some(missing.to_vec()),
            organizations_decision_detail: (!self.guardrails.is_empty()).then(|| {
                OrganizationsDecisionDetail { allowed_by_organizations: Some(allows(Layer::Guardrail)) }
            }),
            permissions_boundary_decision_detail: self.boundary.is_some().then(|| {
                PermissionsBoundaryDecisionDetail {
                    allowed_by_permissions_boundary: Some(allows(Layer::Boundary)),
                }
            }),
            eval_decision_details: self.details(explanation),
            resource_specific_results: None,
        }
    }

    /// The whole explanation, for whoever asks for it with a key of its own: AWS's answer has a map for details. Without
    /// that key the answer is AWS's.
    fn details(&self, explanation: &Explanation) -> Option<BTreeMap<String, PolicyEvaluationDecisionType>> {
        self.context.get(EXPLAIN_KEY)?;
        Some(BTreeMap::from([(EXPLANATION.to_owned(), explanation.to_string().as_str().into())]))
    }

    /// The statements that led to the decision: of an allow those that allow, of an explicit deny those that deny.
    fn matched(&self, explanation: &Explanation) -> Vec<iam::Statement> {
        let effect = match explanation.decision.verdict {
            Verdict::Allow => Effect::Allow,
            Verdict::ExplicitDeny => Effect::Deny,
            Verdict::ImplicitDeny => return Vec::new(),
        };
        let policies = explanation.layers.iter().flat_map(|layer| &layer.policies);
        let statements = policies.flat_map(|policy| &policy.statements);
        let matched = statements.filter(|trace| trace.applies.is_some() && trace.effect == effect);
        let shown = matched.map(|trace| iam::Statement {
            source_policy_id: Some(trace.id.policy.to_string()),
            source_policy_type: Some(
                self.sources.get(&*trace.id.policy).cloned().unwrap_or(PolicySourceType::None),
            ),
            start_position: Some(shown_position(trace.start)),
            end_position: Some(shown_position(trace.end)),
        });
        shown.collect()
    }
}

/// Reads a document that a call gives to simulate with; the call's mistake is in that member.
pub(super) fn parsed(member: &str, kind: PolicyKind, text: &str) -> Result<Policy, ApiError> {
    Policy::parse(kind, text)
        .map_err(|error| refusal::invalid_input(format!("{member} is not valid: {error}.")))
}

fn is_list(kind: Option<&ContextKeyTypeEnum>) -> bool {
    use ContextKeyTypeEnum as Kind;
    matches!(
        kind,
        Some(
            Kind::StringList
                | Kind::NumericList
                | Kind::BooleanList
                | Kind::IpList
                | Kind::BinaryList
                | Kind::DateList
        )
    )
}

fn is_action(text: &str) -> bool {
    let is_word = |word: &str| !word.is_empty() && !word.contains(['*', '?', ':', ' ']);
    text.split_once(':').is_some_and(|(service, name)| is_word(service) && is_word(name))
}

fn shown_verdict(verdict: Verdict) -> PolicyEvaluationDecisionType {
    match verdict {
        Verdict::Allow => PolicyEvaluationDecisionType::Allowed,
        Verdict::ImplicitDeny => PolicyEvaluationDecisionType::ImplicitDeny,
        Verdict::ExplicitDeny => PolicyEvaluationDecisionType::ExplicitDeny,
    }
}

fn shown_position(position: Position) -> iam::Position {
    let number = |number: usize| i32::try_from(number).ok();
    iam::Position { line: number(position.line), column: number(position.column) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CALLER: Principal<'_> = Principal::User { arn: "arn:aws:iam::111122223333:user/alice" };
    const NODE: &str = "arn:aws:ssm:us-east-1:111122223333:managed-instance/mi-0123456789abcdef0";

    fn simulation(text: &str) -> Simulation {
        let mut simulation = Simulation::default();
        let policy = parsed("PolicyInputList.1", PolicyKind::Identity, text).unwrap();
        simulation.add_identity("PolicyInputList.1", PolicySourceType::None, policy);
        simulation
    }

    fn decide(simulation: &Simulation, action: &str) -> EvaluationResult {
        let (actions, resources) = ([action.to_owned()], [NODE.to_owned()]);
        let pairs = simulation.pairs(&actions, &resources).unwrap();
        simulation.results(CALLER, "111122223333", &pairs, 0..1).remove(0)
    }

    const TAGGED: &str = r#"{"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": "ssm:StartSession", "Resource": "*",
         "Condition": {"StringEquals": {"ssm:resourceTag/env": "dev"}}},
        {"Effect": "Deny", "Action": "ssm:TerminateSession", "Resource": "*"}]}"#;

    #[test]
    fn a_decision_names_its_statements_and_what_is_missing() {
        let mut simulation = simulation(TAGGED);
        let silent = decide(&simulation, "ssm:StartSession");
        assert_eq!(silent.eval_decision, PolicyEvaluationDecisionType::ImplicitDeny);
        assert_eq!(silent.missing_context_values.unwrap(), ["ssm:resourceTag/env"]);
        assert_eq!(silent.matched_statements.unwrap(), []);

        let entry = ContextEntry {
            context_key_name: Some("ssm:resourceTag/env".to_owned()),
            context_key_values: Some(vec!["dev".to_owned()]),
            context_key_type: Some(ContextKeyTypeEnum::String),
        };
        simulation.add_entries(&[entry]).unwrap();
        let allowed = decide(&simulation, "ssm:StartSession");
        assert_eq!(allowed.eval_decision, PolicyEvaluationDecisionType::Allowed);
        assert_eq!(allowed.missing_context_values.unwrap(), Vec::<String>::new());
        let statement = &allowed.matched_statements.unwrap()[0];
        assert_eq!(statement.source_policy_id.as_deref(), Some("PolicyInputList.1"));
        assert_eq!(statement.start_position.as_ref().unwrap().line, Some(2));

        let denied = decide(&simulation, "ssm:TerminateSession");
        assert_eq!(denied.eval_decision, PolicyEvaluationDecisionType::ExplicitDeny);
        assert_eq!(denied.matched_statements.unwrap().len(), 1);
    }

    #[test]
    fn a_silent_boundary_shows() {
        let mut simulation = simulation(
            r#"{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}"#,
        );
        let boundary = r#"{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "ssm:Get*", "Resource": "*"}}"#;
        simulation.set_boundary("Boundary", parsed("Boundary", PolicyKind::Identity, boundary).unwrap());
        for (action, allowed) in [("ssm:GetDocument", true), ("ssm:StartSession", false)] {
            let result = decide(&simulation, action);
            assert_eq!(result.eval_decision == PolicyEvaluationDecisionType::Allowed, allowed, "{action}");
            let detail = result.permissions_boundary_decision_detail.unwrap();
            assert_eq!(detail.allowed_by_permissions_boundary, Some(allowed), "{action}");
        }
    }

    #[test]
    fn what_cannot_be_simulated_is_refused() {
        let simulation = simulation(TAGGED);
        let everything = ["*".to_owned()];
        for action in ["ssm:*", "StartSession", "ssm:", ":x", "ssm:a:b"] {
            assert!(simulation.pairs(&[action.to_owned()], &everything).is_err(), "{action}");
        }
        let actions = ["ssm:StartSession".to_owned()];
        assert!(simulation.pairs(&actions, &["node".to_owned()]).is_err());
        let many = vec!["*".to_owned(); PAIRS_MAX + 1];
        assert!(simulation.pairs(&actions, &many).is_err());
    }

    #[test]
    fn only_what_a_page_shows_is_decided() {
        let simulation = simulation(TAGGED);
        let actions = ["ssm:StartSession", "ssm:TerminateSession", "ssm:ResumeSession"].map(str::to_owned);
        let resources = [NODE, "*"].map(str::to_owned);
        let pairs = simulation.pairs(&actions, &resources).unwrap();
        let results = |range| simulation.results(CALLER, "111122223333", &pairs, range);
        let all = results(0..pairs.len());
        assert_eq!(all.len(), 6);
        for start in 0..=all.len() {
            for end in start..=all.len() {
                assert_eq!(results(start..end), all[start..end], "{start}..{end}");
            }
        }
    }
}
