//! Whom trust policies name.
//!
//! A policy names users and roles by their ARNs, and means those that have them when it is written: a user who is
//! deleted and created anew is another one. So a principal must exist when a policy that names it is stored, and when
//! it goes, the policies name it by its unique identifier, which nobody has again. Source: "AWS JSON policy elements:
//! Principal", IAM User Guide.

use postern_ids::{AccountId, Arn, IamPath, RoleName, UserName};
use serde_json::Value;

/// A user or role with the names by which policies know it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Known {
    arn: Arn,
    /// What the ARNs of a role's sessions begin with.
    sessions: Option<String>,
}

impl Known {
    pub(crate) fn user(account: &AccountId, path: &IamPath, name: &UserName) -> Self {
        Self { arn: Arn::user(account, path, name), sessions: None }
    }

    pub(crate) fn role(account: &AccountId, path: &IamPath, name: &RoleName) -> Self {
        let sessions = Arn::assumed_role(account, name, "").to_string();
        Self { arn: Arn::role(account, path, name), sessions: Some(sessions) }
    }

    fn is(&self, principal: &str) -> bool {
        principal == self.arn.as_str()
            || self.sessions.as_ref().is_some_and(|sessions| principal.starts_with(sessions))
    }
}

/// What a principal in a policy is, as far as it can be looked up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Named {
    /// The user of this name, if it has this ARN.
    User(UserName, Arn),
    /// The role of this name, if it has this ARN.
    Role(RoleName, Arn),
    /// A session of the role of this name.
    Session(RoleName),
    /// Nobody can have this name.
    Nobody,
}

/// The users and roles of `account` that a policy names, each with the text that it stands in the policy as. Of other
/// accounts, and of what is no user or role, nothing is known here.
pub(crate) fn named(policy: &str, account: &AccountId) -> Vec<(String, Named)> {
    let Ok(mut policy) = serde_json::from_str::<Value>(policy) else { return Vec::new() };
    let texts = principals(&mut policy).into_iter().filter_map(|principal| principal.as_str());
    texts.filter_map(|text| Some((text.to_owned(), looked_up(text, account)?))).collect()
}

fn looked_up(text: &str, account: &AccountId) -> Option<Named> {
    let arn: Arn = text.parse().ok()?;
    if text.split(':').nth(4) != Some(account.as_str()) {
        return None;
    }
    let (kind, rest) = arn.resource().split_once('/')?;
    let last = rest.rsplit('/').next().unwrap_or(rest);
    let named = match kind {
        "user" => last.parse().map(|name| Named::User(name, arn)).ok(),
        "role" => last.parse().map(|name| Named::Role(name, arn)).ok(),
        "assumed-role" => rest.split('/').next().unwrap_or(rest).parse().map(Named::Session).ok(),
        _ => return None,
    };
    Some(named.unwrap_or(Named::Nobody))
}

/// The policy with another name for a principal; nothing if it does not name it.
pub(crate) fn renamed(policy: &str, old: &Known, new: &str) -> Option<String> {
    let mut policy: Value = serde_json::from_str(policy).ok()?;
    let mut is_changed = false;
    for principal in principals(&mut policy) {
        if principal.as_str().is_some_and(|text| old.is(text) && text != new) {
            *principal = Value::from(new);
            is_changed = true;
        }
    }
    is_changed.then(|| policy.to_string())
}

/// The values of `AWS` in the principals of every statement.
fn principals(policy: &mut Value) -> Vec<&mut Value> {
    let Some(statements) = policy.get_mut("Statement") else { return Vec::new() };
    let mut found = Vec::new();
    for statement in each(statements).into_iter().filter_map(Value::as_object_mut) {
        for (element, value) in statement.iter_mut() {
            if matches!(element.as_str(), "Principal" | "NotPrincipal") {
                found.extend(value.get_mut("AWS").map(each).unwrap_or_default());
            }
        }
    }
    found
}

/// The items of a list; a single value is a list of one.
fn each(value: &mut Value) -> Vec<&mut Value> {
    match value {
        Value::Array(items) => items.iter_mut().collect(),
        single => vec![single],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account() -> AccountId {
        "111122223333".parse().unwrap()
    }

    #[test]
    fn a_principal_is_renamed_wherever_it_stands_and_nothing_else_is() {
        let alice = Known::user(&account(), &IamPath::root(), &"alice".parse().unwrap());
        let cases = [
            (
                r#"{"Statement":{"Principal":{"AWS":"arn:aws:iam::111122223333:user/alice"}}}"#,
                Some(r#"{"Statement":{"Principal":{"AWS":"AIDA1"}}}"#),
            ),
            (
                r#"{"Statement": [{"NotPrincipal": {"AWS": ["a", "arn:aws:iam::111122223333:user\/alice"]}}, {"Sid": "x"}]}"#,
                Some(r#"{"Statement":[{"NotPrincipal":{"AWS":["a","AIDA1"]}},{"Sid":"x"}]}"#),
            ),
            (r#"{"Statement":{"Principal":{"AWS":"arn:aws:iam::111122223333:user/alice2"}}}"#, None),
            (r#"{"Statement":{"Principal":{"AWS":"arn:aws:iam::999999999999:user/alice"}}}"#, None),
            (r#"{"Statement":{"Sid":"arn:aws:iam::111122223333:user/alice","Principal":"*"}}"#, None),
            (r#"{"Statement":{"Principal":{"Federated":"arn:aws:iam::111122223333:user/alice"}}}"#, None),
            ("no JSON", None),
        ];
        for (text, expected) in cases {
            assert_eq!(renamed(text, &alice, "AIDA1").as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn a_role_goes_with_its_sessions() {
        let path = "/team/".parse().unwrap();
        let ops = Known::role(&account(), &path, &"Ops".parse().unwrap());
        for (principal, is_named) in [
            ("arn:aws:iam::111122223333:role/team/Ops", true),
            ("arn:aws:sts::111122223333:assumed-role/Ops/bob", true),
            ("arn:aws:iam::111122223333:role/Ops", false),
            ("arn:aws:sts::111122223333:assumed-role/Ops2/bob", false),
        ] {
            let policy = format!(r#"{{"Statement":{{"Principal":{{"AWS":"{principal}"}}}}}}"#);
            assert_eq!(renamed(&policy, &ops, "AROA1").is_some(), is_named, "{principal}");
        }
    }

    #[test]
    fn only_users_and_roles_of_the_account_are_looked_up() {
        let arn = |text: &str| text.parse::<Arn>().unwrap();
        for (principal, expected) in [
            (
                "arn:aws:iam::111122223333:user/ops/alice",
                Some(Named::User("alice".parse().unwrap(), arn("arn:aws:iam::111122223333:user/ops/alice"))),
            ),
            (
                "arn:aws:iam::111122223333:role/Ops",
                Some(Named::Role("Ops".parse().unwrap(), arn("arn:aws:iam::111122223333:role/Ops"))),
            ),
            ("arn:aws:sts::111122223333:assumed-role/Ops/bob", Some(Named::Session("Ops".parse().unwrap()))),
            ("arn:aws:iam::111122223333:user/no spaces", Some(Named::Nobody)),
            ("arn:aws:iam::999999999999:user/alice", None),
            ("arn:aws:iam::111122223333:root", None),
            ("111122223333", None),
            ("*", None),
        ] {
            let policy = format!(r#"{{"Statement":{{"Principal":{{"AWS":["{principal}"]}}}}}}"#);
            let found = named(&policy, &account()).into_iter().next();
            assert_eq!(found, expected.map(|named| (principal.to_owned(), named)), "{principal}");
        }
    }
}
