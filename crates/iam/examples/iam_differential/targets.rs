//! Actions and resources: of requests, and patterns that nearly describe them.

use serde_json::{Value as Json, json};

use super::{ACCOUNT, Case};
use crate::draw::Draw;

const NODE: &str = "arn:aws:ec2:us-east-1:111122223333:instance/i-0123456789abcdef0";
const HYBRID: &str = "arn:aws:ssm:us-east-1:111122223333:managed-instance/mi-0123456789abcdef0";
const SESSION: &str = "arn:aws:ssm:us-east-1:111122223333:session/alice-0a1b2c3d4e5f60718";
const DOCUMENT: &str = "arn:aws:ssm:us-east-1:111122223333:document/SSM-SessionManagerRunShell";
const AMAZON: &str = "arn:aws:ssm:us-east-1::document/AWS-StartPortForwardingSession";
const PARAMETER: &str = "arn:aws:ssm:us-east-1:111122223333:parameter/prod/web/db/url";
const ROLE: &str = "arn:aws:iam::111122223333:role/OpsRole";
const KEY: &str = "arn:aws:kms:us-east-1:111122223333:key/0f1e2d3c-aaaa-bbbb-cccc-0123456789ab";
const LOGS: &str = "arn:aws:logs:us-east-1:111122223333:log-group:/postern/sessions:log-stream:alice";

const REQUESTS: [(&str, &[&str]); 14] = [
    ("ssm:StartSession", &[NODE, HYBRID, DOCUMENT, AMAZON]),
    ("ssm:TerminateSession", &[SESSION]),
    ("ssm:ResumeSession", &[SESSION]),
    ("ssmmessages:OpenDataChannel", &[SESSION]),
    ("ssm:SendCommand", &[NODE, HYBRID, DOCUMENT]),
    ("ssm:GetDocument", &[DOCUMENT, AMAZON]),
    ("ssm:GetParameter", &[PARAMETER]),
    ("ssm:DescribeSessions", &["*"]),
    ("ssm:DescribeInstanceInformation", &["*"]),
    ("ec2:DescribeInstances", &["*"]),
    ("logs:PutLogEvents", &[LOGS]),
    ("iam:GetRole", &[ROLE]),
    ("sts:AssumeRole", &[ROLE]),
    ("kms:Decrypt", &[KEY]),
];

/// An action and a resource for it.
pub(crate) fn request(draw: &mut Draw) -> (String, String) {
    let (action, resources) = draw.one(&REQUESTS);
    ((*action).to_owned(), draw.text(resources))
}

/// The value of `Action`, or of `NotAction`.
pub(crate) fn actions(draw: &mut Draw, action: &str) -> (Json, bool) {
    let negated = draw.percent(8);
    let near = if negated { 25 } else { 75 };
    (one_or_list(draw, |draw| action_pattern(draw, action, near)), negated)
}

fn action_pattern(draw: &mut Draw, action: &str, near: usize) -> String {
    let (other, _) = draw.one(&REQUESTS);
    let action = if draw.percent(near) { action } else { other };
    let (service, name) = action.split_once(':').unwrap_or((action, "*"));
    match draw.below(8) {
        0 => format!("{service}:*"),
        1 => format!("{service}:{}", loosened(draw, name, 0)),
        2 => format!("{service}:{}", loosened(draw, name, 0)),
        3 => action.to_uppercase(),
        4 => format!("{service}:{}", name.to_lowercase()),
        5 if draw.percent(40) => "*".to_owned(),
        _ => action.to_owned(),
    }
}

/// The value of `Resource`, or of `NotResource`.
pub(crate) fn resources(draw: &mut Draw, case: &Case) -> (Json, bool) {
    let negated = draw.percent(10);
    let near = if negated { 25 } else { 75 };
    (one_or_list(draw, |draw| resource_pattern(draw, case, near, negated)), negated)
}

fn resource_pattern(draw: &mut Draw, case: &Case, near: usize, negated: bool) -> String {
    let (_, others) = draw.one(&REQUESTS);
    let resource = if draw.percent(near) { case.resource_arn.clone() } else { draw.text(others) };
    if resource == "*" || draw.percent(20) {
        return if draw.percent(80) { "*".to_owned() } else { format!("arn:aws:ssm:*:{ACCOUNT}:session/*") };
    }
    let mut segments: Vec<String> = resource.splitn(6, ':').map(str::to_owned).collect();
    for segment in [3, 4] {
        if draw.percent(30) {
            segments[segment] = draw.text(&["*", "*", "us-*", "1111????3333", "eu-west-1"]);
        }
    }
    // The type stays as it is: the other evaluator reads it as a literal.
    let id_start = segments[5].find(['/', ':']).map_or(0, |at| at + 1);
    let (kind, id) = segments[5].split_at(id_start);
    let id = match draw.below(9) {
        0 => "*".to_owned(),
        8 => id.to_uppercase(),
        1..=2 => loosened(draw, id, 0),
        // An unset variable in NotResource is one of the differences.
        3..=4 if !negated || case.odd => variable(draw, id),
        _ => id.to_owned(),
    };
    segments[5] = format!("{kind}{id}");
    segments.join(":")
}

fn variable(draw: &mut Draw, id: &str) -> String {
    match draw.below(7) {
        0 => "${aws:username}-*".to_owned(),
        1 => "${aws:userid}-*".to_owned(),
        2 => "${aws:PrincipalTag/team, 'prod'}/*".to_owned(),
        3 => "${aws:PrincipalTag/team}/*".to_owned(),
        4 => format!("${{AWS:UserName}}{}", &id[id.len() / 2..]),
        5 => "${*}".to_owned(),
        _ => format!("{}${{?}}*", &id[..id.len() / 2]),
    }
}

/// With a part replaced by a wildcard, from byte `from` on. Only for ASCII.
pub(crate) fn loosened(draw: &mut Draw, text: &str, from: usize) -> String {
    if text.len() <= from {
        return format!("{text}*");
    }
    let start = from + draw.below(text.len() - from);
    let end = start + draw.below(text.len() - start + 1);
    match draw.below(4) {
        0 => format!("{}?{}", &text[..start], &text[(start + 1).min(text.len())..]),
        1 => format!("{}*{}*", &text[..start], &text[end..]),
        2 => format!("{}{}*", &text[..start], "?".repeat(end - start)),
        _ => format!("{}*{}", &text[..start], &text[end..]),
    }
}

fn one_or_list(draw: &mut Draw, mut make: impl FnMut(&mut Draw) -> String) -> Json {
    if draw.percent(50) { json!(make(draw)) } else { json!(draw.some(1, 3, make)) }
}
