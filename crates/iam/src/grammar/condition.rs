//! `Condition`: operators, keys, values.

use super::{Reader, mismatch, object};
use crate::condition::{Condition, Expected, Operator, Qualifier, Test};
use crate::error::Fault;
use crate::json::{Member, Node, Value};
use crate::policy::Effect;
use crate::warning::Advice;

/// Keys that are lists. Source: the data types of the keys in the Service Authorization Reference and in "AWS global
/// condition context keys".
const LISTS: [&str; 8] = [
    "aws:CalledVia",
    "aws:PrincipalOrgPaths",
    "aws:PrincipalServiceNamesList",
    "aws:TagKeys",
    "ssm:DocumentCategories",
    "ssm:DocumentVersion",
    "ssm:InventoryTypeName",
    "sts:TransitiveTagKeys",
];

impl Reader<'_> {
    pub(super) fn conditions(&mut self, node: &Node, effect: Effect) -> Result<Vec<Condition>, Fault> {
        let mut conditions = Vec::new();
        for of_operator in object(node, "an object of condition operators")? {
            let Some(operator) = Operator::parse(&of_operator.name) else {
                let found = format!("{:?}", of_operator.name);
                return Err(Fault::value(of_operator.name_start, "a condition operator", found));
            };
            for of_key in object(&of_operator.node, "an object of condition keys with their values")? {
                conditions.push(self.condition(operator, &of_operator.name, of_key)?);
            }
        }
        if effect == Effect::Allow {
            self.doubt_absent_keys(node.start, &conditions);
        }
        Ok(conditions)
    }

    fn condition(&mut self, operator: Operator, name: &str, of_key: &Member) -> Result<Condition, Fault> {
        let key = of_key.name.as_str();
        if key.is_empty() || key.contains(['*', '?', '$', '{', '}']) {
            return Err(Fault::value(of_key.name_start, "the name of a condition key", format!("{key:?}")));
        }
        let values = values(&of_key.node)?;
        let texts: Vec<Box<str>> = values.iter().map(|(_, text)| text.clone()).collect();
        let expected = Expected::read(operator.test, &texts, self.has_variables()).map_err(|unreadable| {
            let (offset, text) =
                values.get(unreadable.index).map_or((of_key.node.start, ""), |(at, text)| (*at, text));
            Fault::value(offset, unreadable.expected, format!("{text:?}"))
        })?;
        self.check_arns(operator, &values, &expected)?;
        self.doubt_values(&values);
        self.doubt_operator(operator, of_key);
        Ok(Condition { operator, operator_text: name.into(), key: key.into(), expected, texts })
    }

    /// A value that is no ARN matches nothing: harmless, unless the operator is negated and so holds always.
    fn check_arns(
        &mut self,
        operator: Operator,
        values: &[(usize, Box<str>)],
        expected: &Expected,
    ) -> Result<(), Fault> {
        let Expected::Arn(patterns) = expected else { return Ok(()) };
        for ((offset, text), _) in values.iter().zip(patterns).filter(|(_, pattern)| pattern.is_malformed()) {
            if operator.negated {
                let expected = "an ARN of six segments, with wildcards or without";
                return Err(Fault::value(*offset, expected, format!("{text:?}")));
            }
            self.doubt(*offset, Advice::ArnNeverMatches);
        }
        Ok(())
    }

    fn doubt_values(&mut self, values: &[(usize, Box<str>)]) {
        if !self.has_variables() {
            for (offset, _) in values.iter().filter(|(_, text)| text.contains("${")) {
                self.doubt(*offset, Advice::VariableIsLiteral);
            }
        }
    }

    fn doubt_operator(&mut self, operator: Operator, of_key: &Member) {
        let at = of_key.name_start;
        if matches!(&of_key.node.value, Value::Array(nodes) if nodes.is_empty()) {
            self.doubt(at, Advice::EmptyCondition);
        }
        if operator.qualifier == Some(Qualifier::AnyValue) && operator.if_exists {
            self.doubt(at, Advice::AnyValueIfExists);
        }
        let is_list = LISTS.iter().any(|list| list.eq_ignore_ascii_case(&of_key.name));
        if is_list && operator.qualifier.is_none() && operator.test != Test::Null {
            self.doubt(at, Advice::ListWithoutQualifier);
        }
    }

    /// `ForAllValues` in an `Allow` whose key may be absent.
    fn doubt_absent_keys(&mut self, at: usize, conditions: &[Condition]) {
        let must_exist = |key: &str| {
            conditions.iter().any(|condition| {
                let demands =
                    matches!(&condition.expected, Expected::Null(wanted) if !wanted.contains(&true));
                demands && condition.key.eq_ignore_ascii_case(key)
            })
        };
        let open = conditions.iter().any(|condition| {
            condition.operator.qualifier == Some(Qualifier::AllValues) && !must_exist(&condition.key)
        });
        if open {
            self.doubt(at, Advice::AllValuesAllowAbsent);
        }
    }
}

/// The values of a key, each with its place: texts, and numbers and booleans as their text.
fn values(node: &Node) -> Result<Vec<(usize, Box<str>)>, Fault> {
    let nodes = match &node.value {
        Value::Array(nodes) => nodes.as_slice(),
        _ => std::slice::from_ref(node),
    };
    nodes.iter().map(|node| Ok((node.start, value(node)?))).collect()
}

fn value(node: &Node) -> Result<Box<str>, Fault> {
    match &node.value {
        Value::String(text) | Value::Number(text) => Ok(text.as_str().into()),
        Value::Bool(value) => Ok(value.to_string().into()),
        _ => Err(mismatch(node, "a text, a number, true or false, or a list of them")),
    }
}
