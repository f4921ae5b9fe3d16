//! Short ways to say a policy and a request.

use postern_iam::{
    Context, NamedPolicy, Policies, Policy, PolicyKind, Principal, Request, Verdict, evaluate,
};

pub(crate) const ACCOUNT: &str = "111122223333";
pub(crate) const ALICE: Principal<'static> = Principal::User { arn: "arn:aws:iam::111122223333:user/alice" };
pub(crate) const BOB: Principal<'static> = Principal::RoleSession {
    role: "arn:aws:iam::111122223333:role/ops/OpsRole",
    session: "arn:aws:sts::111122223333:assumed-role/OpsRole/bob",
};
pub(crate) const NODE: &str = "arn:aws:ssm:us-east-1:111122223333:managed-instance/mi-0123456789abcdef0";

/// A policy of one statement or several, given without the frame around them.
pub(crate) fn policy(kind: PolicyKind, statements: &str) -> NamedPolicy {
    let text = format!(r#"{{"Version":"2012-10-17","Statement":[{statements}]}}"#);
    named(kind, &text)
}

pub(crate) fn named(kind: PolicyKind, text: &str) -> NamedPolicy {
    let policy = Policy::parse(kind, text).unwrap_or_else(|error| panic!("{text}: {error}"));
    NamedPolicy::new(format!("{kind:?}/Sessions"), policy)
}

pub(crate) fn identity(statements: &str) -> NamedPolicy {
    policy(PolicyKind::Identity, statements)
}

pub(crate) fn request<'a>(principal: Principal<'a>, context: &'a Context) -> Request<'a> {
    Request { principal, action: "ssm:StartSession", resource: NODE, resource_account: ACCOUNT, context }
}

/// Whether one identity policy of one statement allows alice to start a session.
pub(crate) fn allows(statement: &str, context: &Context) -> bool {
    let identity = [identity(statement)];
    let policies = Policies { identity: &identity, ..Policies::default() };
    evaluate(&policies, &request(ALICE, context)).verdict == Verdict::Allow
}

/// Whether a statement that allows all if a condition holds does so.
pub(crate) fn holds(condition: &str, context: &Context) -> bool {
    allows(
        &format!(r#"{{"Effect":"Allow","Action":"*","Resource":"*","Condition":{{{condition}}}}}"#),
        context,
    )
}
