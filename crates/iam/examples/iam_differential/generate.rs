//! Cases near the border: policies are drawn from the request itself, then changed a little.

use serde_json::{Map, Value as Json, json};

use super::Draw;
use postern_iam::PolicyKind;

#[path = "conditions.rs"]
mod conditions;
#[path = "targets.rs"]
mod targets;

const ACCOUNT: &str = "111122223333";
const OTHER: &str = "444455556666";

/// A request, all policies in force, all that is known.
pub(crate) struct Case {
    pub(crate) principal: String,
    /// The role or user behind a session; empty for others.
    pub(crate) behind: String,
    pub(crate) action: String,
    pub(crate) resource_arn: String,
    pub(crate) resource_account: String,
    pub(crate) context: Vec<(String, Json)>,
    pub(crate) identity: Vec<Json>,
    pub(crate) boundary: Option<Json>,
    pub(crate) session: Option<Json>,
    pub(crate) resource: Option<Json>,
    pub(crate) guardrails: Vec<Vec<Json>>,
    /// Whether rare constructs may occur, on which evaluators differ.
    pub(crate) odd: bool,
}

impl Case {
    pub(crate) fn resource_kind(&self) -> PolicyKind {
        match self.action.split(':').next() {
            Some("sts") => PolicyKind::Trust,
            Some("kms") => PolicyKind::Key,
            _ => PolicyKind::Resource,
        }
    }

    pub(crate) fn json(&self) -> Json {
        json!({
            "principal": self.principal,
            "behind": self.behind,
            "action": self.action,
            "resource": self.resource_arn,
            "resourceAccount": self.resource_account,
            "context": self.context.iter().cloned().collect::<Map<_, _>>(),
            "identity": self.identity,
            "boundary": self.boundary,
            "session": self.session,
            "resourcePolicy": self.resource,
            "guardrails": self.guardrails,
        })
    }
}

/// Draws a case.
pub(crate) fn case(draw: &mut Draw) -> Case {
    let (principal, behind) = caller(draw);
    let (action, resource_arn) = targets::request(draw);
    let mut case = Case {
        context: conditions::context(draw, &principal, &behind),
        principal,
        behind,
        action,
        resource_arn,
        resource_account: ACCOUNT.to_owned(),
        identity: Vec::new(),
        boundary: None,
        session: None,
        resource: None,
        guardrails: Vec::new(),
        odd: draw.percent(15),
    };
    let has_account = case.principal.starts_with("arn:") && !case.principal.contains(":oidc-provider/");
    if has_account {
        own_policies(draw, &mut case);
    }
    let trust = matches!(case.resource_kind(), PolicyKind::Trust | PolicyKind::Key);
    if !has_account || trust || draw.percent(35) {
        case.resource = Some(resource_policy(draw, &case));
    }
    case
}

fn own_policies(draw: &mut Draw, case: &mut Case) {
    let is_root = case.principal.ends_with(":root");
    if !is_root {
        case.identity = draw.some(0, 3, |draw| policy(draw, case, 75));
    }
    if !is_root && draw.percent(20) {
        case.boundary = Some(policy(draw, case, 85));
    }
    if !case.behind.is_empty() && draw.percent(30) {
        case.session = Some(policy(draw, case, 85));
    }
    if draw.percent(20) {
        case.guardrails = draw.some(1, 3, |draw| draw.some(1, 2, |draw| policy(draw, case, 85)));
    }
}

fn caller(draw: &mut Draw) -> (String, String) {
    let role = format!("arn:aws:iam::{ACCOUNT}:role/{}OpsRole", draw.text(&["", "", "ops/"]));
    let alice = format!("arn:aws:iam::{ACCOUNT}:user/alice");
    match draw.below(20) {
        0 => (format!("arn:aws:iam::{ACCOUNT}:root"), String::new()),
        1..=2 => (format!("arn:aws:iam::{OTHER}:user/eve"), String::new()),
        3 => ("ssm.amazonaws.com".to_owned(), String::new()),
        4 => (format!("arn:aws:iam::{ACCOUNT}:oidc-provider/id.example.com"), String::new()),
        5 => (format!("arn:aws:sts::{ACCOUNT}:federated-user/alice"), alice),
        6..=11 => (format!("arn:aws:sts::{ACCOUNT}:assumed-role/OpsRole/bob"), role),
        12 => (format!("arn:aws:iam::{ACCOUNT}:user/division/alice"), String::new()),
        _ => (alice, String::new()),
    }
}

/// A policy without principals. `allows`: how many of a hundred statements allow.
fn policy(draw: &mut Draw, case: &Case, allows: usize) -> Json {
    let statements = draw.some(1, 3, |draw| statement(draw, case, allows, PolicyKind::Identity));
    document(draw, case, statements)
}

fn resource_policy(draw: &mut Draw, case: &Case) -> Json {
    let statements = draw.some(1, 2, |draw| {
        let mut statement = statement(draw, case, 80, case.resource_kind());
        let spares = statement["Effect"] == "Deny" && draw.percent(25);
        let element = if spares { "NotPrincipal" } else { "Principal" };
        let listed = if spares { spared(draw, case) } else { principals(draw, case) };
        statement[element] = listed;
        statement
    });
    document(draw, case, statements)
}

fn document(draw: &mut Draw, case: &Case, statements: Vec<Json>) -> Json {
    let single = statements.len() == 1 && draw.percent(30);
    let statement = if single { statements[0].clone() } else { Json::Array(statements) };
    if case.odd && draw.percent(20) {
        let old = json!({"Version": "2008-10-17", "Statement": statement});
        return if draw.percent(50) { old } else { json!({"Statement": statement}) };
    }
    json!({"Version": "2012-10-17", "Statement": statement})
}

fn statement(draw: &mut Draw, case: &Case, allows: usize, kind: PolicyKind) -> Json {
    let effect = if draw.percent(allows) { "Allow" } else { "Deny" };
    let mut statement = json!({"Effect": effect});
    let (actions, negated) = targets::actions(draw, &case.action);
    statement[if negated { "NotAction" } else { "Action" }] = actions;
    if kind != PolicyKind::Trust {
        let (resources, negated) = targets::resources(draw, case);
        statement[if negated { "NotResource" } else { "Resource" }] = resources;
    }
    // A deny without conditions settles too much.
    let wanted = if effect == "Deny" { 90 } else { 50 };
    if draw.percent(wanted) {
        statement["Condition"] = conditions::block(draw, case);
    }
    statement
}

fn principals(draw: &mut Draw, case: &Case) -> Json {
    let named = |draw: &mut Draw| match draw.below(10) {
        0 => "*".to_owned(),
        1 => ACCOUNT.to_owned(),
        2 => format!("arn:aws:iam::{ACCOUNT}:root"),
        3 => format!("arn:aws:iam::{OTHER}:root"),
        4 if !case.behind.is_empty() => case.behind.clone(),
        5 => format!("arn:aws:iam::{ACCOUNT}:user/bob"),
        6 if !case.behind.is_empty() => case.behind.clone(),
        _ if case.principal.contains(":oidc-") || !case.principal.starts_with("arn:") => ACCOUNT.to_owned(),
        _ => case.principal.clone(),
    };
    match draw.below(8) {
        0 => json!("*"),
        1 => json!({"Service": ["ssm.amazonaws.com"], "AWS": draw.some(1, 2, named)}),
        2 => json!({"Federated": format!("arn:aws:iam::{ACCOUNT}:oidc-provider/id.example.com")}),
        3 if !case.principal.starts_with("arn:") => json!({"Service": case.principal}),
        _ => json!({"AWS": draw.some(1, 3, named)}),
    }
}

/// Who is spared: the caller in all its parts, or somebody else; if the case may be odd, the caller in some.
fn spared(draw: &mut Draw, case: &Case) -> Json {
    if !case.principal.starts_with("arn:") {
        return json!({"Service": case.principal});
    }
    if case.principal.contains(":oidc-") {
        return json!({"Federated": case.principal});
    }
    let account = case.principal.split(':').nth(4).unwrap_or(ACCOUNT);
    let mut listed = vec![case.principal.clone(), account.to_owned()];
    if !case.behind.is_empty() {
        listed.push(case.behind.clone());
    }
    if case.odd && draw.percent(50) {
        listed.truncate(1);
    } else if draw.percent(50) {
        listed = vec![format!("arn:aws:iam::{ACCOUNT}:user/bob")];
    }
    json!({"AWS": listed})
}
