//! Any text is a policy or an error with a place, and any policy decides a request as its explanation says.

use postern_iam::{
    Context, NamedPolicy, Policies, Policy, PolicyKind, Principal, Request, evaluate, explain,
};

const NODE: &str = "arn:aws:ssm:us-east-1:111122223333:managed-instance/mi-0123456789abcdef0";

pub(crate) fn run(input: &[u8]) {
    let Some((&kind, text)) = input.split_first() else { return };
    let Ok(text) = std::str::from_utf8(text) else { return };
    let kind = match kind % 5 {
        0 => PolicyKind::Identity,
        1 => PolicyKind::Trust,
        2 => PolicyKind::Resource,
        3 => PolicyKind::Key,
        _ => PolicyKind::Guardrail,
    };
    let policy = match Policy::parse(kind, text) {
        Ok(policy) => NamedPolicy::new("fuzzed", policy),
        Err(error) => {
            assert!(error.position.line >= 1 && error.position.column >= 1);
            return;
        }
    };
    let context = Context::new()
        .with("aws:username", "alice")
        .with("aws:CurrentTime", "2026-06-15T12:00:00Z")
        .with("aws:SourceIp", "203.0.113.10")
        .with("aws:MultiFactorAuthAge", "600")
        .with("aws:TagKeys", ["env", "team"].as_slice());
    let one = std::slice::from_ref(&policy);
    let levels = [one.to_vec()];
    let policies = match kind {
        PolicyKind::Identity => {
            Policies { identity: one, session: Some(one), boundary: Some(&policy), ..Policies::default() }
        }
        PolicyKind::Guardrail => Policies { guardrails: &levels, ..Policies::default() },
        PolicyKind::Trust | PolicyKind::Resource | PolicyKind::Key => {
            Policies { resource: Some(&policy), ..Policies::default() }
        }
    };
    let principal = Principal::User { arn: "arn:aws:iam::111122223333:user/alice" };
    let request = Request {
        principal,
        action: "ssm:StartSession",
        resource: NODE,
        resource_account: "111122223333",
        context: &context,
    };
    let explanation = explain(&policies, &request);
    assert_eq!(explanation.decision, evaluate(&policies, &request));
    assert!(!explanation.to_string().is_empty());
}

/// The first byte says what kind of policy it is.
pub(crate) fn seeds() -> Vec<Vec<u8>> {
    let identity = r#"{"Version":"2012-10-17","Statement":[{"Sid":"a","Effect":"Allow","Action":["ssm:Start*","sts:*"],"Resource":"arn:aws:ssm:*:*:managed-instance/${aws:username}","Condition":{"StringLike":{"aws:username":["al*","b"]},"DateLessThan":{"aws:CurrentTime":"2027-01-01T00:00:00Z"},"IpAddress":{"aws:SourceIp":"203.0.113.0/24"}}},{"Effect":"Deny","NotAction":"iam:*","NotResource":"*"}]}"#;
    let trust = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":["111122223333","arn:aws:iam::111122223333:user/alice"],"Service":"ssm.amazonaws.com"},"Action":"sts:AssumeRole","Condition":{"Bool":{"aws:MultiFactorAuthPresent":"true"},"ForAllValues:StringEquals":{"aws:TagKeys":["env"]}}}}"#;
    [(0, identity), (1, trust), (4, identity)].map(|(kind, text)| [&[kind], text.as_bytes()].concat()).into()
}
