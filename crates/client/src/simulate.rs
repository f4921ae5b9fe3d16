//! What policies say to a question, and why: `SimulatePrincipalPolicy` of IAM.
//!
//! Source: AWS IAM API reference, `SimulatePrincipalPolicy`.

use crate::api::{Api, CallError};
use crate::sts::{Form, element};

const OPERATION: &str = "SimulatePrincipalPolicy";
const API_VERSION: &str = "2010-05-08";
/// A key that no policy needs, by which Postern knows that the explanation is wanted.
const EXPLAIN_KEY: &str = "postern:Explain";

/// May somebody do something to something?
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// The ARN of a user, group or role.
    pub principal: String,
    /// `service:Name`.
    pub action: String,
    /// The ARN, or `*`.
    pub resource: String,
    /// Keys of the request context. One that is given twice has both values.
    pub context: Vec<(String, String)>,
}

/// The answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explained {
    /// `allowed`, `explicitDeny` or `implicitDeny`.
    pub decision: String,
    /// Why, for people. `None`: the server is not a Postern, and does not say.
    pub explanation: Option<String>,
}

impl Api {
    /// Asks what the policies in force say.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn explain(&self, question: &Question) -> Result<Explained, CallError> {
        let xml = self.query("iam", OPERATION, form(question)).await?;
        let decision = element(&xml, "EvalDecision").ok_or_else(|| CallError::Refused {
            operation: OPERATION,
            code: "NoDecision".to_owned(),
            message: "the answer holds no decision".to_owned(),
            status: 200,
        })?;
        Ok(Explained { decision, explanation: element(&xml, "value") })
    }
}

fn form(question: &Question) -> Form {
    let mut form = Form::of(OPERATION, API_VERSION);
    form.add("PolicySourceArn", Some(&question.principal));
    form.add("ActionNames.member.1", Some(&question.action));
    form.add("ResourceArns.member.1", Some(&question.resource));
    let mut entries: Vec<(&str, Vec<&str>)> = vec![(EXPLAIN_KEY, vec!["true"])];
    for (key, value) in &question.context {
        match entries.iter_mut().find(|(known, _)| known.eq_ignore_ascii_case(key)) {
            Some((_, values)) => values.push(value),
            None => entries.push((key, vec![value])),
        }
    }
    for (number, (key, values)) in (1..).zip(&entries) {
        let entry = format!("ContextEntries.member.{number}");
        form.add(&format!("{entry}.ContextKeyName"), Some(key));
        let kind = if values.len() > 1 { "stringList" } else { "string" };
        form.add(&format!("{entry}.ContextKeyType"), Some(kind));
        for (number, value) in (1..).zip(values) {
            form.add(&format!("{entry}.ContextKeyValues.member.{number}"), Some(value));
        }
    }
    form
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_that_is_given_twice_has_both_values() {
        let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        let question = Question {
            principal: "p".to_owned(),
            action: "ssm:StartSession".to_owned(),
            resource: "*".to_owned(),
            context: vec![pair("aws:TagKeys", "a"), pair("k", "v"), pair("aws:tagkeys", "b")],
        };
        let body = form(&question).into_body();
        let text = std::str::from_utf8(&body).unwrap();
        for part in [
            "PolicySourceArn=p&ActionNames.member.1=ssm%3AStartSession&ResourceArns.member.1=%2A",
            "&ContextEntries.member.2.ContextKeyName=aws%3ATagKeys&ContextEntries.member.2.ContextKeyType=stringList\
             &ContextEntries.member.2.ContextKeyValues.member.1=a&ContextEntries.member.2.ContextKeyValues.member.2=b",
            "&ContextEntries.member.3.ContextKeyName=k&ContextEntries.member.3.ContextKeyType=string",
        ] {
            assert!(text.contains(part), "{text}");
        }
    }
}
