//! The catalogue of cases in `vectors/iam/cases.json`: each check of each case gives what it expects.
#![expect(clippy::unwrap_used, reason = "a vector that cannot be read fails the test")]

use postern_iam::{
    Context, NamedPolicy, Policies, Policy, PolicyKind, Principal, Request, Value, evaluate, explain,
};
use serde_json::Value as Json;

const CASES: &str = include_str!("../../../vectors/iam/cases.json");

#[test]
fn every_case() {
    let cases: Json = serde_json::from_str(CASES).unwrap();
    let mut wrong = Vec::new();
    let mut checks = 0;
    for case in cases["cases"].as_array().unwrap() {
        let policies = CasePolicies::of(&case["policies"]);
        for check in case["checks"].as_array().unwrap() {
            checks += 1;
            let context = context(&check["context"]);
            let request = Request {
                principal: principal(case["principal"].as_str().unwrap(), &context),
                action: check["action"].as_str().unwrap(),
                resource: check["resource"].as_str().unwrap(),
                resource_account: check["resourceAccount"].as_str().unwrap(),
                context: &context,
            };
            let decision = evaluate(&policies.in_force(), &request);
            assert_eq!(explain(&policies.in_force(), &request).decision, decision);
            let verdict = serde_json::to_value(decision.verdict).unwrap();
            let expected = check["expect"].as_str().unwrap();
            if verdict.as_str().unwrap() != camel(expected) {
                wrong.push(format!("{} {}: {decision:?}, expected {expected}", case["id"], case["title"]));
            }
        }
    }
    assert_eq!(checks, 192);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// `IMPLICIT_DENY` as `ImplicitDeny`.
fn camel(name: &str) -> String {
    let word = |word: &str| word[..1].to_owned() + &word[1..].to_lowercase();
    name.split('_').map(word).collect()
}

struct CasePolicies {
    identity: Vec<NamedPolicy>,
    boundary: Option<NamedPolicy>,
    session: Option<Vec<NamedPolicy>>,
    resource: Option<NamedPolicy>,
    guardrails: Vec<Vec<NamedPolicy>>,
}

impl CasePolicies {
    fn of(policies: &Json) -> Self {
        let guardrails = policies["scps"].as_array().into_iter().flatten();
        let resource = &policies["resource"];
        let kind = if resource["Statement"][0]["Resource"].is_null() {
            PolicyKind::Trust
        } else {
            PolicyKind::Resource
        };
        Self {
            identity: list(PolicyKind::Identity, &policies["identity"]),
            boundary: list(PolicyKind::Identity, &policies["boundary"]).pop(),
            session: one(PolicyKind::Identity, &policies["session"]).map(|policy| vec![policy]),
            resource: one(kind, resource),
            guardrails: guardrails.map(|level| list(PolicyKind::Guardrail, level)).collect(),
        }
    }

    fn in_force(&self) -> Policies<'_> {
        Policies {
            identity: &self.identity,
            boundary: self.boundary.as_ref(),
            session: self.session.as_deref(),
            resource: self.resource.as_ref(),
            guardrails: &self.guardrails,
        }
    }
}

fn list(kind: PolicyKind, policies: &Json) -> Vec<NamedPolicy> {
    policies.as_array().into_iter().flatten().filter_map(|policy| one(kind, policy)).collect()
}

fn one(kind: PolicyKind, policy: &Json) -> Option<NamedPolicy> {
    policy.is_object().then(|| {
        let policy =
            Policy::parse(kind, &policy.to_string()).unwrap_or_else(|error| panic!("{policy}: {error}"));
        NamedPolicy::new("policy", policy)
    })
}

fn context(keys: &Json) -> Context {
    let mut context = Context::new();
    for (key, value) in keys.as_object().unwrap() {
        let text = |value: &Json| value.as_str().unwrap().to_owned();
        let value = match value {
            Json::Array(values) => Value::Multi(values.iter().map(text).collect()),
            value => Value::Single(text(value)),
        };
        context.insert(key.clone(), value);
    }
    context
}

fn principal<'a>(arn: &'a str, context: &'a Context) -> Principal<'a> {
    if arn.ends_with(":root") {
        Principal::Root { arn }
    } else if arn.contains(":assumed-role/") {
        Principal::RoleSession { role: context.single("aws:PrincipalArn").unwrap(), session: arn }
    } else {
        Principal::User { arn }
    }
}
