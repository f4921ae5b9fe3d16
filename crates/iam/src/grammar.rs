//! The grammar of policy documents: from JSON to what evaluation needs, or the first thing that is wrong.
//!
//! Source: "Grammar of the IAM JSON policy language" in the IAM User Guide.

use std::collections::HashSet;

use crate::error::{Fault, PolicyError, Position, Reason};
use crate::json::{self, Member, Node, Value};
use crate::policy::{DOCUMENT_BYTES_MAX, Effect, Policy, PolicyKind, Statement, Version};
use crate::warning::{Advice, Warning};

mod condition;
mod principal;
mod target;

const TOP_ELEMENTS: &str = "Version, Id, Statement";
const STATEMENT_ELEMENTS: &str =
    "Sid, Effect, Principal, NotPrincipal, Action, NotAction, Resource, NotResource, Condition";

pub(crate) fn parse(kind: PolicyKind, text: &str) -> Result<Policy, PolicyError> {
    if text.len() > DOCUMENT_BYTES_MAX {
        let reason = Reason::TooLarge { bytes: text.len(), max: DOCUMENT_BYTES_MAX };
        return Err(located(Fault::new(0, reason), text, None));
    }
    let root = json::parse(text).map_err(|fault| located(fault, text, None))?;
    let mut reader = Reader { kind, text, version: Version::V2008, sids: HashSet::new(), doubts: Vec::new() };
    let mut policy = reader.policy(&root).map_err(|fault| located(fault, text, Some(&root)))?;
    let warning = |(offset, advice): (usize, Advice)| Warning {
        pointer: root.pointer(offset),
        position: Position::of(text, offset),
        advice,
    };
    policy.warnings = reader.doubts.into_iter().map(warning).collect();
    Ok(policy)
}

fn located(fault: Fault, text: &str, root: Option<&Node>) -> PolicyError {
    let pointer = fault.pointer.or_else(|| root.map(|root| root.pointer(fault.offset)));
    PolicyError {
        pointer: pointer.unwrap_or_default(),
        position: Position::of(text, fault.offset),
        reason: fault.reason,
    }
}

/// Reads one document and collects what is doubtful, by offset.
struct Reader<'a> {
    kind: PolicyKind,
    text: &'a str,
    version: Version,
    sids: HashSet<&'a str>,
    doubts: Vec<(usize, Advice)>,
}

impl<'a> Reader<'a> {
    fn policy(&mut self, root: &'a Node) -> Result<Policy, Fault> {
        let members = object(root, "a policy: an object with a Statement")?;
        let (mut id, mut statements) = (None, None);
        for member in members {
            match member.name.as_str() {
                "Version" => self.version = version(&member.node)?,
                "Id" => id = Some(string(&member.node, "a text")?.to_owned()),
                "Statement" => statements = Some(&member.node),
                _ => return Err(unknown(member, TOP_ELEMENTS)),
            }
        }
        let Some(statements) = statements else {
            return Err(Fault::new(root.start, Reason::Missing { element: "Statement" }));
        };
        let nodes = match &statements.value {
            Value::Object(_) => std::slice::from_ref(statements),
            Value::Array(nodes) if !nodes.is_empty() => nodes.as_slice(),
            _ => return Err(mismatch(statements, "a statement or a list of statements")),
        };
        let statements = nodes.iter().map(|node| self.statement(node)).collect::<Result<_, _>>()?;
        Ok(Policy { kind: self.kind, version: self.version, id, statements, warnings: Vec::new() })
    }

    fn statement(&mut self, node: &'a Node) -> Result<Statement, Fault> {
        let members = object(node, "a statement: an object with Effect, Action and Resource")?;
        for member in members {
            if !STATEMENT_ELEMENTS.split(", ").any(|element| element == member.name) {
                return Err(unknown(member, STATEMENT_ELEMENTS));
            }
        }
        let sid = member(members, "Sid").map(|member| self.sid(&member.node)).transpose()?;
        let effect = match member(members, "Effect") {
            Some(member) => effect(&member.node)?,
            None => return Err(Fault::new(node.start, Reason::Missing { element: "Effect" })),
        };
        let principals = self.principals(node, members, effect)?;
        let actions = self.actions(node, members)?;
        let resources = self.resources(node, members)?;
        let conditions = match member(members, "Condition") {
            Some(member) => self.conditions(&member.node, effect)?,
            None => Vec::new(),
        };
        Ok(Statement {
            sid,
            effect,
            principals,
            actions,
            resources,
            conditions,
            start: Position::of(self.text, node.start),
            end: Position::of(self.text, node.end),
        })
    }

    fn sid(&mut self, node: &'a Node) -> Result<std::sync::Arc<str>, Fault> {
        let sid = string(node, "a text")?;
        // The services that own resource policies allow more; IAM itself does not.
        let of_iam = !matches!(self.kind, PolicyKind::Resource | PolicyKind::Key);
        if of_iam && !sid.bytes().all(|b| b.is_ascii_alphanumeric()) {
            return Err(mismatch(node, "a Sid of letters and digits"));
        }
        if !sid.is_empty() && !self.sids.insert(sid) {
            return Err(mismatch(node, "a Sid that no other statement of the policy has"));
        }
        Ok(sid.into())
    }

    fn has_variables(&self) -> bool {
        self.version >= Version::V2012
    }

    fn doubt(&mut self, offset: usize, advice: Advice) {
        self.doubts.push((offset, advice));
    }
}

fn version(node: &Node) -> Result<Version, Fault> {
    match &node.value {
        Value::String(text) if text == "2012-10-17" => Ok(Version::V2012),
        Value::String(text) if text == "2008-10-17" => Ok(Version::V2008),
        _ => Err(mismatch(node, "\"2012-10-17\" or \"2008-10-17\"")),
    }
}

fn effect(node: &Node) -> Result<Effect, Fault> {
    match &node.value {
        Value::String(text) if text == "Allow" => Ok(Effect::Allow),
        Value::String(text) if text == "Deny" => Ok(Effect::Deny),
        _ => Err(mismatch(node, "\"Allow\" or \"Deny\"")),
    }
}

/// The one of two elements that is there, and whether it is the second.
fn one_of<'a>(
    members: &'a [Member],
    plain: &'static str,
    negated: &'static str,
) -> Result<Option<(&'a Member, bool)>, Fault> {
    match (member(members, plain), member(members, negated)) {
        (Some(_), Some(second)) => {
            Err(Fault::new(second.name_start, Reason::Conflict { first: plain, second: negated }))
        }
        (Some(member), None) => Ok(Some((member, false))),
        (None, Some(member)) => Ok(Some((member, true))),
        (None, None) => Ok(None),
    }
}

fn member<'a>(members: &'a [Member], name: &str) -> Option<&'a Member> {
    members.iter().find(|member| member.name == name)
}

fn object<'a>(node: &'a Node, expected: &'static str) -> Result<&'a [Member], Fault> {
    match &node.value {
        Value::Object(members) => Ok(members),
        _ => Err(mismatch(node, expected)),
    }
}

fn string<'a>(node: &'a Node, expected: &'static str) -> Result<&'a str, Fault> {
    match &node.value {
        Value::String(text) => Ok(text),
        _ => Err(mismatch(node, expected)),
    }
}

/// A text, or a list of texts that is not empty.
fn strings<'a>(node: &'a Node, expected: &'static str) -> Result<Vec<(usize, &'a str)>, Fault> {
    match &node.value {
        Value::Array(nodes) if !nodes.is_empty() => {
            nodes.iter().map(|node| Ok((node.start, string(node, expected)?))).collect()
        }
        _ => Ok(vec![(node.start, string(node, expected)?)]),
    }
}

fn mismatch(node: &Node, expected: &'static str) -> Fault {
    Fault::value(node.start, expected, node.description())
}

fn unknown(member: &Member, expected: &'static str) -> Fault {
    Fault::new(member.name_start, Reason::UnknownElement { name: member.name.clone(), expected })
}
