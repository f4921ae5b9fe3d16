//! What is known of a request, and conditions on it.

use serde_json::{Map, Value as Json, json};

use super::{Case, targets};
use crate::draw::Draw;

const TEXTS: [&str; 7] = ["prod", "Prod", "dev", "blue", "alice", "team-a", "p*"];
const NUMBERS: [&str; 7] = ["0", "1", "600", "3600", "3600.5", "-5", "3601"];
const DATES: [&str; 5] = [
    "2026-06-15T12:00:00Z",
    "2026-06-15T12:00Z",
    "2026-06-01",
    "2026-06-15T14:00:00+02:00",
    "2027-01-01T00:00:00Z",
];
const SECONDS: [&str; 3] = ["1781524800", "1781524799", "1782000000"];
const ADDRESSES: [&str; 5] = ["203.0.113.10", "198.51.100.7", "10.1.2.3", "2001:db8:1:2::3", "fd00::1"];
const RANGES: [&str; 8] = [
    "203.0.113.0/24",
    "203.0.113.10/32",
    "198.51.100.0/25",
    "10.0.0.0/8",
    "2001:db8::/32",
    "fd00::/8",
    "0.0.0.0/1",
    "::/0",
];
const ARNS: [&str; 3] = [
    "arn:aws:iam::111122223333:user/alice",
    "arn:aws:iam::111122223333:role/OpsRole",
    "arn:aws:ssm:us-east-1:111122223333:managed-instance/mi-0123456789abcdef0",
];
const BYTES: [&str; 3] = ["QmluYXJ5", "QUJD", "AA=="];

/// What a key has values of.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Type {
    Text,
    List,
    Number,
    Date,
    Seconds,
    Bool,
    Address,
    Arn,
    Bytes,
}

const KEYS: [(&str, Type); 18] = [
    ("ssm:resourceTag/env", Type::Text),
    ("aws:ResourceTag/team", Type::Text),
    ("aws:PrincipalTag/team", Type::Text),
    ("aws:username", Type::Text),
    ("aws:RequestedRegion", Type::Text),
    ("aws:TagKeys", Type::List),
    ("aws:CalledVia", Type::List),
    ("aws:MultiFactorAuthAge", Type::Number),
    ("aws:CurrentTime", Type::Date),
    ("aws:TokenIssueTime", Type::Date),
    ("aws:EpochTime", Type::Seconds),
    ("aws:SecureTransport", Type::Bool),
    ("aws:MultiFactorAuthPresent", Type::Bool),
    ("aws:SourceIp", Type::Address),
    ("aws:PrincipalArn", Type::Arn),
    ("aws:SourceArn", Type::Arn),
    ("postern:Blob", Type::Bytes),
    ("aws:SourceIdentity", Type::Text),
];

/// Keys of a request: who calls, and a part of what else can be known.
pub(crate) fn context(draw: &mut Draw, principal: &str, behind: &str) -> Vec<(String, Json)> {
    let mut keys: Vec<(String, Json)> = Vec::new();
    let mut set = |key: &str, value: Json| keys.push((key.to_owned(), value));
    if principal.starts_with("arn:") && !principal.contains(":oidc-") {
        set("aws:PrincipalArn", json!(if behind.is_empty() { principal } else { behind }));
    }
    if principal.contains(":user/") {
        let name = principal.rsplit('/').next().unwrap_or(principal);
        set("aws:username", json!(name));
        set("aws:userid", json!("AIDAALICEEXAMPLE0001"));
    } else if principal.contains(":assumed-role/") {
        set("aws:userid", json!("AROAOPSROLEEXAMPLE01:bob"));
    }
    for (key, kind) in KEYS {
        let fixed = ["aws:PrincipalArn", "aws:username"].contains(&key);
        if !fixed && draw.percent(55) {
            set(key, value_of(draw, kind));
        }
    }
    keys
}

fn value_of(draw: &mut Draw, kind: Type) -> Json {
    match kind {
        Type::Text => json!(draw.text(&TEXTS)),
        Type::List => {
            let least = usize::from(!draw.percent(12));
            json!(draw.some(least, 3, |draw| draw.text(&TEXTS)))
        }
        // Now and then no number, no date, no address: then no operator holds.
        Type::Number => json!(if draw.percent(5) { "many".to_owned() } else { draw.text(&NUMBERS) }),
        Type::Date => json!(if draw.percent(5) { "soon".to_owned() } else { draw.text(&DATES) }),
        Type::Seconds => json!(draw.text(&SECONDS)),
        Type::Bool => json!(draw.text(&["true", "false", "TRUE"])),
        Type::Address => json!(if draw.percent(5) { "nowhere".to_owned() } else { draw.text(&ADDRESSES) }),
        Type::Arn => json!(draw.text(&ARNS)),
        Type::Bytes => json!(draw.text(&BYTES)),
    }
}

/// The value of `Condition`.
pub(crate) fn block(draw: &mut Draw, case: &Case) -> Json {
    let mut block = Map::new();
    for _ in 0..=draw.below(2) {
        let (operator, key, values) = condition(draw, case);
        let of_operator = block.entry(operator).or_insert_with(|| json!({}));
        of_operator[key] = values;
    }
    Json::Object(block)
}

fn condition(draw: &mut Draw, case: &Case) -> (String, String, Json) {
    let (key, kind) = *draw.one(&KEYS);
    let known = case.context.iter().find(|(name, _)| name == key).map(|(_, value)| value);
    let written = if draw.percent(10) { key.to_uppercase() } else { key.to_owned() };
    let is_empty = known.and_then(Json::as_array).is_some_and(Vec::is_empty);
    if draw.percent(if is_empty { 50 } else { 10 }) {
        return ("Null".to_owned(), written, json!(draw.text(&["true", "false", "True"])));
    }
    let base = operator(draw, kind);
    let mut values: Vec<String> = draw.some(1, 3, |draw| value(draw, case, kind, &base, known));
    if case.odd && base.starts_with("Date") && draw.percent(25) {
        values[0] = draw.text(&["1781524800", "2026-06-15T12:00:00Z"]);
    }
    let qualifier = match kind {
        Type::List if !draw.percent(10) => draw.text(&["ForAllValues:", "ForAnyValue:"]),
        _ if draw.percent(10) => draw.text(&["ForAllValues:", "ForAnyValue:"]),
        _ => String::new(),
    };
    let if_exists = draw.percent(20) && (case.odd || qualifier != "ForAnyValue:");
    let operator = format!("{qualifier}{base}{}", if if_exists { "IfExists" } else { "" });
    let single = values.len() == 1 && draw.percent(50);
    (operator, written, if single { json!(values[0]) } else { json!(values) })
}

fn operator(draw: &mut Draw, kind: Type) -> String {
    let text = [
        "StringEquals",
        "StringNotEquals",
        "StringEqualsIgnoreCase",
        "StringNotEqualsIgnoreCase",
        "StringLike",
        "StringNotLike",
    ];
    let number = [
        "NumericEquals",
        "NumericNotEquals",
        "NumericLessThan",
        "NumericLessThanEquals",
        "NumericGreaterThan",
        "NumericGreaterThanEquals",
    ];
    let date = [
        "DateEquals",
        "DateNotEquals",
        "DateLessThan",
        "DateLessThanEquals",
        "DateGreaterThan",
        "DateGreaterThanEquals",
    ];
    match kind {
        Type::Text | Type::List => draw.text(&text),
        Type::Number => draw.text(&number),
        Type::Date | Type::Seconds => draw.text(&date),
        Type::Bool => "Bool".to_owned(),
        Type::Address => draw.text(&["IpAddress", "NotIpAddress"]),
        Type::Arn => draw.text(&["ArnEquals", "ArnLike", "ArnNotEquals", "ArnNotLike", "StringLike"]),
        Type::Bytes => "BinaryEquals".to_owned(),
    }
}

/// A value of a policy: often the request's own, often changed.
fn value(draw: &mut Draw, case: &Case, kind: Type, operator: &str, known: Option<&Json>) -> String {
    let own = match known {
        Some(Json::String(text)) => Some(text.clone()),
        Some(Json::Array(values)) if !values.is_empty() => draw.one(values).as_str().map(str::to_owned),
        _ => None,
    };
    let text = || own.filter(|text| !["many", "soon", "nowhere", "p*"].contains(&text.as_str()));
    match kind {
        Type::Text | Type::List | Type::Arn if operator.contains("String") => {
            let base = text().filter(|_| draw.percent(60)).unwrap_or_else(|| draw.text(&TEXTS[..6]));
            text_value(draw, case, operator, &base)
        }
        Type::Number => text().filter(|_| draw.percent(50)).unwrap_or_else(|| draw.text(&NUMBERS)),
        Type::Date => text().filter(|_| draw.percent(50)).unwrap_or_else(|| draw.text(&DATES)),
        Type::Seconds => text().filter(|_| draw.percent(50)).unwrap_or_else(|| draw.text(&SECONDS)),
        Type::Bool => draw.text(&["true", "false", "True"]),
        Type::Address => address_range(draw, case),
        Type::Bytes => draw.text(&BYTES),
        Type::Text | Type::List | Type::Arn => {
            let arn = text().filter(|_| draw.percent(70)).unwrap_or_else(|| draw.text(&ARNS));
            arn_value(draw, case, &arn)
        }
    }
}

fn address_range(draw: &mut Draw, case: &Case) -> String {
    match draw.below(10) {
        // A bare address of the other family, and the range of all, are among the differences.
        0..=2 if case.odd => draw.text(&["203.0.113.10", "198.51.100.7", "2001:db8:1:2::3", "0.0.0.0/0"]),
        _ => draw.text(&RANGES),
    }
}

fn text_value(draw: &mut Draw, case: &Case, operator: &str, base: &str) -> String {
    match draw.below(9) {
        0..=2 if operator.contains("Like") => targets::loosened(draw, base, 0),
        3 if operator.contains("Case") => base.to_uppercase(),
        4 | 8 => reference(draw, case, operator),
        5 => format!("{base}${{*}}"),
        _ => base.to_owned(),
    }
}

fn arn_value(draw: &mut Draw, case: &Case, arn: &str) -> String {
    let mut segments: Vec<String> = arn.splitn(6, ':').map(str::to_owned).collect();
    if draw.percent(30) {
        segments[3] = "*".to_owned();
    }
    if draw.percent(30) {
        segments[4] = draw.text(&["*", "1111*", "444455556666"]);
    }
    segments[5] = match draw.below(6) {
        0 => "*".to_owned(),
        1 | 2 => targets::loosened(draw, &segments[5], 0),
        3 => format!("user/{}", reference(draw, case, "ArnNot")),
        _ => segments[5].clone(),
    };
    segments.join(":")
}

/// A variable. One without a value, under a negated operator, is one of the differences.
fn reference(draw: &mut Draw, case: &Case, operator: &str) -> String {
    let key = draw.text(&["aws:username", "aws:PrincipalTag/team", "aws:SourceIdentity", "AWS:userid"]);
    let known = case.context.iter().any(|(name, _)| name.eq_ignore_ascii_case(&key));
    if known || case.odd || !operator.contains("Not") {
        if draw.percent(25) { format!("${{{key}, 'blue'}}") } else { format!("${{{key}}}") }
    } else {
        format!("${{{key}, 'blue'}}")
    }
}
