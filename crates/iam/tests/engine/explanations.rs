//! Explanations as people read them.

use insta::assert_snapshot;
use postern_iam::{Context, NamedPolicy, Policies, Policy, PolicyKind, Principal, Request, explain};

use crate::support::{ALICE, BOB, identity, policy, request};

const TAGGED: &str = r#"{"Sid":"Nodes","Effect":"Allow","Action":"ssm:StartSession","Resource":"arn:aws:ssm:*:*:managed-instance/*",
    "Condition":{"StringLike":{"ssm:resourceTag/Finance":["WebServers"]},"Bool":{"aws:MultiFactorAuthPresent":"true"}}},
  {"Effect":"Allow","Action":["ssm:StartSession","ssm:ResumeSession"],"Resource":"arn:aws:ssm:*:*:session/${aws:username}-*"},
  {"Effect":"Allow","Action":"s3:*","Resource":"*"}"#;

#[test]
fn what_came_close() {
    let identity = [identity(TAGGED)];
    let context = Context::new().with("ssm:resourceTag/Finance", "DbServers");
    let explanation =
        explain(&Policies { identity: &identity, ..Policies::default() }, &request(ALICE, &context));
    assert_snapshot!(explanation, @r#"
    DENIED: arn:aws:iam::111122223333:user/alice may not perform ssm:StartSession on arn:aws:ssm:us-east-1:111122223333:managed-instance/mi-0123456789abcdef0, because no identity-based policy allows the ssm:StartSession action.
    Would allow:
    - statement 1 (Nodes) of Identity/Sessions, if not for:
        StringLike ssm:resourceTag/Finance: expected "WebServers", found "DbServers"
        Bool aws:MultiFactorAuthPresent: expected "true", the request has no such key
    - statement 2 of Identity/Sessions, if not for:
        Resource does not list it: "arn:aws:ssm:*:*:session/${aws:username}-*"; the request has no value for "aws:username"
    "#);
}

#[test]
fn nothing_came_close() {
    let context = Context::new();
    let other = [identity(r#"{"Effect":"Allow","Action":"s3:*","Resource":"*"}"#)];
    let policies = Policies { identity: &other, ..Policies::default() };
    assert_snapshot!(explain(&policies, &request(ALICE, &context)), @r#"
    DENIED: arn:aws:iam::111122223333:user/alice may not perform ssm:StartSession on arn:aws:ssm:us-east-1:111122223333:managed-instance/mi-0123456789abcdef0, because no identity-based policy allows the ssm:StartSession action.
    No statement that allows, of 1 policy there, is about this action.
    "#);
    assert_snapshot!(explain(&Policies::default(), &request(ALICE, &context)), @r#"
    DENIED: arn:aws:iam::111122223333:user/alice may not perform ssm:StartSession on arn:aws:ssm:us-east-1:111122223333:managed-instance/mi-0123456789abcdef0, because no identity-based policy allows the ssm:StartSession action.
    There is no identity-based policy.
    "#);
}

#[test]
fn what_allowed_and_what_nearly_denied() {
    let statements = r#"{"Effect":"Allow","Action":"*","Resource":"*"},
      {"Sid":"Hours","Effect":"Deny","Action":"ssm:Start*","Resource":"*",
       "Condition":{"DateGreaterThan":{"aws:CurrentTime":"2026-06-15T18:00:00Z"}}}"#;
    let text = format!(r#"{{"Version":"2012-10-17","Statement":[{statements}]}}"#);
    let parsed = Policy::parse(PolicyKind::Identity, &text).unwrap();
    let identity = [NamedPolicy::new("arn:aws:iam::111122223333:policy/Hours", parsed)];
    let policies = Policies { identity: &identity, ..Policies::default() };
    let by_day = Context::new().with("aws:CurrentTime", "2026-06-15T12:00:00Z");
    assert_snapshot!(explain(&policies, &request(ALICE, &by_day)), @r#"
    ALLOWED: arn:aws:iam::111122223333:user/alice may perform ssm:StartSession on arn:aws:ssm:us-east-1:111122223333:managed-instance/mi-0123456789abcdef0.
    Allowed by statement 1 of arn:aws:iam::111122223333:policy/Hours, an identity-based policy.
    Would deny:
    - statement 2 (Hours) of arn:aws:iam::111122223333:policy/Hours, if not for:
        DateGreaterThan aws:CurrentTime: expected "2026-06-15T18:00:00Z", found "2026-06-15T12:00:00Z"
    "#);
    let by_night = Context::new().with("aws:CurrentTime", "2026-06-15T22:00:00Z");
    assert_snapshot!(explain(&policies, &request(ALICE, &by_night)), @r#"
    DENIED: arn:aws:iam::111122223333:user/alice may not perform ssm:StartSession on arn:aws:ssm:us-east-1:111122223333:managed-instance/mi-0123456789abcdef0, with an explicit deny in an identity-based policy.
    Denied by statement 2 (Hours) of arn:aws:iam::111122223333:policy/Hours, an identity-based policy.
      DateGreaterThan aws:CurrentTime: expected "2026-06-15T18:00:00Z", found "2026-06-15T22:00:00Z"
    "#);
}

#[test]
fn other_layers() {
    let all = [identity(r#"{"Effect":"Allow","Action":"*","Resource":"*"}"#)];
    let context =
        Context::new().with("aws:TagKeys", ["a", "b"].as_slice()).with("aws:MultiFactorAuthAge", "long");
    let session = [identity(
        r#"{"Effect":"Allow","NotAction":"s3:*","NotResource":"arn:aws:ssm:*:*:managed-instance/*"},
           {"Effect":"Allow","Action":"*","Resource":"*","Condition":{"StringEquals":{"aws:TagKeys":"a"},"NumericLessThan":{"aws:MultiFactorAuthAge":60}}}"#,
    )];
    let policies = Policies { identity: &all, session: Some(&session), ..Policies::default() };
    assert_snapshot!(explain(&policies, &request(BOB, &context)), @r#"
    DENIED: arn:aws:sts::111122223333:assumed-role/OpsRole/bob may not perform ssm:StartSession on arn:aws:ssm:us-east-1:111122223333:managed-instance/mi-0123456789abcdef0, because no session policy allows the ssm:StartSession action.
    Would allow:
    - statement 2 of Identity/Sessions, if not for:
        StringEquals aws:TagKeys: expected "a", found the list "a", "b", which needs ForAllValues or ForAnyValue
        NumericLessThan aws:MultiFactorAuthAge: expected "60", found "long", which is not of the operator's type
    - statement 1 of Identity/Sessions, if not for:
        NotResource lists it: "arn:aws:ssm:*:*:managed-instance/*"
    "#);

    let guardrails =
        [vec![policy(PolicyKind::Guardrail, r#"{"Effect":"Allow","Action":"ec2:*","Resource":"*"}"#)]];
    let policies = Policies { identity: &all, guardrails: &guardrails, ..Policies::default() };
    assert_snapshot!(explain(&policies, &request(ALICE, &context)), @r#"
    DENIED: arn:aws:iam::111122223333:user/alice may not perform ssm:StartSession on arn:aws:ssm:us-east-1:111122223333:managed-instance/mi-0123456789abcdef0, because no service control policy allows the ssm:StartSession action.
    Level 1 of the guardrails does not allow it; each level must.
    No statement that allows, of 1 policy there, is about this action.
    "#);

    let trust = policy(
        PolicyKind::Trust,
        r#"{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:user/bob"},"Action":"sts:AssumeRole"}"#,
    );
    let policies = Policies { identity: &all, resource: Some(&trust), ..Policies::default() };
    let assume = Request {
        action: "sts:AssumeRole",
        resource: "arn:aws:iam::111122223333:role/OpsRole",
        ..request(ALICE, &context)
    };
    assert_snapshot!(explain(&policies, &assume), @r#"
    DENIED: arn:aws:iam::111122223333:user/alice may not perform sts:AssumeRole on arn:aws:iam::111122223333:role/OpsRole, because no resource-based policy allows the sts:AssumeRole action.
    Would allow:
    - statement 1 of Trust/Sessions, if not for:
        Principal does not list it: "arn:aws:iam::111122223333:user/bob"
    "#);
    let root = Principal::Root { arn: "arn:aws:iam::111122223333:root" };
    assert_snapshot!(explain(&Policies::default(), &request(root, &context)), @r#"
    ALLOWED: arn:aws:iam::111122223333:root may perform ssm:StartSession on arn:aws:ssm:us-east-1:111122223333:managed-instance/mi-0123456789abcdef0.
    A root user needs no policy.
    "#);
}

#[test]
fn as_data() {
    let identity = [identity(TAGGED)];
    let context = Context::new().with("ssm:resourceTag/Finance", "DbServers");
    let explanation =
        explain(&Policies { identity: &identity, ..Policies::default() }, &request(ALICE, &context));
    let json = serde_json::to_value(&explanation).unwrap();
    assert_eq!(json["decision"]["verdict"], "ImplicitDeny");
    let statement = &json["layers"][0]["policies"][0]["statements"][0];
    assert_eq!(statement["action"]["matches"], true);
    assert_eq!(statement["conditions"][0]["outcome"], "Fails");
    assert_eq!(statement["conditions"][0]["found"], "DbServers");
    assert_eq!(statement["conditions"][1]["outcome"], "FailsAbsent");
    let second = &json["layers"][0]["policies"][0]["statements"][1];
    assert_eq!(second["resource"]["unresolved"][0], "aws:username");
}
