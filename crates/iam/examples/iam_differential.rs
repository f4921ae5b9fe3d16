//! Generates requests with policies, decides them, and writes both as lines of JSON, for another evaluator to check.
//!
//! `iam_differential COUNT SEED`: the same arguments give the same lines. `tests/test_iam_differential.py` runs it.
#![expect(clippy::unwrap_used, reason = "a case that is not well-formed must stop the run")]

use std::io::Write as _;

use postern_iam::{
    Context, NamedPolicy, Policies, Policy, PolicyKind, Principal, Request, Value, evaluate, explain,
};
use serde_json::{Value as Json, json};

#[path = "iam_differential/draw.rs"]
mod draw;
#[path = "iam_differential/generate.rs"]
mod generate;

use draw::Draw;
use generate::Case;

fn main() {
    let mut arguments = std::env::args().skip(1);
    let count: u64 = arguments.next().and_then(|text| text.parse().ok()).unwrap_or(1000);
    let seed: u64 = arguments.next().and_then(|text| text.parse().ok()).unwrap_or(1);
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    for number in 0..count {
        let case = generate::case(&mut Draw::new(seed.wrapping_mul(0x1_0000_0001).wrapping_add(number)));
        let verdict = decide(&case);
        let line = json!({"number": number, "case": case.json(), "ours": verdict});
        writeln!(out, "{line}").unwrap();
    }
}

/// Our decision. That the explanation agrees is checked on the way.
fn decide(case: &Case) -> Json {
    let list = |kind, policies: &[Json]| -> Vec<NamedPolicy> {
        policies.iter().map(|json| named(kind, json)).collect()
    };
    let identity = list(PolicyKind::Identity, &case.identity);
    let boundary = case.boundary.as_ref().map(|json| named(PolicyKind::Identity, json));
    let session = case.session.as_ref().map(|json| vec![named(PolicyKind::Identity, json)]);
    let resource = case.resource.as_ref().map(|json| named(case.resource_kind(), json));
    let guardrails: Vec<_> = case.guardrails.iter().map(|level| list(PolicyKind::Guardrail, level)).collect();
    let policies = Policies {
        identity: &identity,
        boundary: boundary.as_ref(),
        session: session.as_deref(),
        resource: resource.as_ref(),
        guardrails: &guardrails,
    };
    let context = context(&case.context);
    let request = Request {
        principal: principal(case),
        action: &case.action,
        resource: &case.resource_arn,
        resource_account: &case.resource_account,
        context: &context,
    };
    let decision = evaluate(&policies, &request);
    assert_eq!(explain(&policies, &request).decision, decision);
    serde_json::to_value(decision).unwrap()
}

fn named(kind: PolicyKind, json: &Json) -> NamedPolicy {
    let text = json.to_string();
    let policy = Policy::parse(kind, &text).unwrap_or_else(|error| panic!("{text}: {error}"));
    NamedPolicy::new("generated", policy)
}

fn context(keys: &[(String, Json)]) -> Context {
    let mut context = Context::with_capacity(keys.len());
    for (key, value) in keys {
        let text = |value: &Json| value.as_str().unwrap().to_owned();
        let value = match value {
            Json::Array(values) => Value::Multi(values.iter().map(text).collect()),
            value => Value::Single(text(value)),
        };
        context.insert(key.clone(), value);
    }
    context
}

fn principal(case: &Case) -> Principal<'_> {
    let (arn, behind) = (case.principal.as_str(), case.behind.as_str());
    if arn.ends_with(":root") {
        Principal::Root { arn }
    } else if arn.contains(":assumed-role/") {
        Principal::RoleSession { role: behind, session: arn }
    } else if arn.contains(":federated-user/") {
        Principal::FederatedUser { user: behind, session: arn }
    } else if arn.contains(":oidc-provider/") {
        Principal::WebIdentity { provider: arn }
    } else if arn.starts_with("arn:") {
        Principal::User { arn }
    } else {
        Principal::Service { name: arn }
    }
}
