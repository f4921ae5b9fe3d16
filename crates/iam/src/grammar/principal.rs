//! `Principal` and `NotPrincipal`.

use super::{Reader, mismatch, one_of, strings, unknown};
use crate::error::{Fault, Reason};
use crate::json::{Member, Node, Value};
use crate::policy::Effect;
use crate::principals::{Listed, Principals};

const PRINCIPAL_TYPES: &str = "AWS, Federated, Service, CanonicalUser";

impl Reader<'_> {
    pub(super) fn principals(
        &self,
        statement: &Node,
        members: &[Member],
        effect: Effect,
    ) -> Result<Option<Principals>, Fault> {
        let found = one_of(members, "Principal", "NotPrincipal")?;
        let Some((member, negated)) = found else {
            if self.kind.has_principals() {
                let element = "Principal or NotPrincipal";
                return Err(Fault::new(statement.start, Reason::Missing { element }));
            }
            return Ok(None);
        };
        if !self.kind.has_principals() {
            let element = if negated { "NotPrincipal" } else { "Principal" };
            return Err(Fault::new(member.name_start, Reason::Prohibited { element, kind: self.kind }));
        }
        if negated && effect == Effect::Allow {
            let expected = "NotPrincipal only with the effect Deny";
            return Err(Fault::value(member.name_start, expected, "Allow".to_owned()));
        }
        Ok(Some(Principals { negated, listed: listed(&member.node)? }))
    }
}

fn listed(node: &Node) -> Result<Vec<Listed>, Fault> {
    let expected = "\"*\" or an object with AWS, Federated, Service or CanonicalUser";
    let members = match &node.value {
        Value::String(text) if text == "*" => return Ok(vec![Listed::Everyone]),
        Value::Object(members) if !members.is_empty() => members,
        _ => return Err(mismatch(node, expected)),
    };
    let mut all = Vec::new();
    for member in members {
        let read: fn(&str) -> Option<Listed> = match member.name.as_str() {
            "AWS" => Listed::aws,
            "Federated" => |text| literal(text).map(Listed::Federated),
            "Service" => |text| literal(text).map(Listed::Service),
            "CanonicalUser" => |text| literal(text).map(Listed::CanonicalUser),
            _ => return Err(unknown(member, PRINCIPAL_TYPES)),
        };
        let expected = match member.name.as_str() {
            "AWS" => "*, an account, or the ARN of a user, a role or a session without wildcards",
            _ => "a name without wildcards, or a list of them",
        };
        for (offset, text) in strings(&member.node, expected)? {
            let found = || format!("{text:?}");
            all.push(read(text).ok_or_else(|| Fault::value(offset, expected, found()))?);
        }
    }
    Ok(all)
}

fn literal(text: &str) -> Option<Box<str>> {
    (!text.is_empty() && !text.contains(['*', '?'])).then(|| text.into())
}
