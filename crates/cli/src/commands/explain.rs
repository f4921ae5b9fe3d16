//! `postern explain`: whether somebody may do something, and why.

use std::io::{self, Write};

use postern_api::ssm::{ListTagsForResourceInput, ResourceTypeForTagging, Tag};
use postern_client::{Api, CallError, Explained, Question};
use postern_ids::Arn;

use crate::arguments::{Global, OutputFormat};
use crate::commands::api;
use crate::failure::{FAILED, Failure};
use crate::visible;

/// Say whether a user, group or role may do something, and why
///
/// The policies in force decide, with the keys of the request context that are given; those that the principal has by itself
/// (such as aws:username and its tags) are known, and the tags of a node. The exit status is 0 if it may, and 1 if it may not.
#[derive(Debug, clap::Args)]
pub(crate) struct Explain {
    /// The ARN of a user, group or role
    #[arg(long, value_name = "ARN")]
    principal: String,
    /// The action, such as ssm:StartSession
    #[arg(long, value_name = "SERVICE:NAME")]
    action: String,
    /// The ARN of the resource, or * for an action that is on none
    #[arg(long, value_name = "ARN", default_value = "*")]
    resource: String,
    /// A key of the request context, such as ssm:resourceTag/team=web; given twice it has both values
    #[arg(long = "context", value_name = "KEY=VALUE", value_parser = parse_pair)]
    context: Vec<(String, String)>,
}

fn parse_pair(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once('=').ok_or("KEY=VALUE is needed")?;
    if key.is_empty() {
        return Err("the key is missing".to_owned());
    }
    Ok((key.to_owned(), value.to_owned()))
}

impl Explain {
    /// The result is the exit status.
    pub(crate) async fn run(self, global: &Global) -> Result<u8, Failure> {
        let api = api(global).await?;
        let Self { principal, action, resource, mut context } = self;
        if let Some(node) = node_of(&resource) {
            match tags(&api, node.clone()).await {
                Ok(tags) => add_tags(&mut context, &tags),
                // Whoever may not see them can still give them.
                Err(error) => {
                    eprintln!("The tags of {node} are not known: {}", visible::text(&error.to_string()))
                }
            }
        }
        let explained = api.explain(&Question { principal, action, resource, context }).await?;
        print(global.output, &explained)?;
        Ok(if explained.decision == "allowed" { 0 } else { FAILED })
    }
}

/// The node that an ARN names.
fn node_of(resource: &str) -> Option<String> {
    let arn: Arn = resource.parse().ok()?;
    let node = arn.resource().strip_prefix("managed-instance/")?;
    (!node.contains(['*', '?'])).then(|| node.to_owned())
}

async fn tags(api: &Api, node: String) -> Result<Vec<Tag>, CallError> {
    let resource_type = ResourceTypeForTagging::ManagedInstance;
    let output = api.call(&ListTagsForResourceInput { resource_type, resource_id: node }).await?;
    Ok(output.tag_list.unwrap_or_default())
}

/// Adds the tags of a node, under both names that policies use. What is given goes before them.
fn add_tags(context: &mut Vec<(String, String)>, tags: &[Tag]) {
    let given: Vec<String> = context.iter().map(|(key, _)| key.to_ascii_lowercase()).collect();
    for tag in tags {
        let keys = ["ssm:resourceTag/", "aws:ResourceTag/"].map(|prefix| format!("{prefix}{}", tag.key));
        if !keys.iter().any(|key| given.contains(&key.to_ascii_lowercase())) {
            context.extend(keys.map(|key| (key, tag.value.clone())));
        }
    }
}

fn print(format: OutputFormat, explained: &Explained) -> io::Result<()> {
    let Explained { decision, explanation } = explained;
    let mut out = io::stdout().lock();
    match (format, explanation) {
        (OutputFormat::Json, _) => {
            let json = serde_json::json!({"Decision": decision, "Explanation": explanation});
            writeln!(out, "{}", visible::json(&format!("{json:#}")))?;
        }
        (OutputFormat::Table, Some(text)) => {
            for line in text.trim_end().lines() {
                writeln!(out, "{}", visible::text(line))?;
            }
        }
        (OutputFormat::Table, None) => writeln!(out, "{}", visible::text(decision))?,
    }
    out.flush()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pair_is_cut_at_the_first_sign() {
        assert_eq!(parse_pair("k=a=b"), Ok(("k".to_owned(), "a=b".to_owned())));
        assert!(parse_pair("k").is_err());
        assert!(parse_pair("=v").is_err());
    }

    #[test]
    fn what_is_given_goes_before_a_nodes_tags() {
        let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        let tag = |key: &str, value: &str| Tag { key: key.to_owned(), value: value.to_owned() };
        let mut context = vec![pair("ssm:ResourceTag/Team", "db")];
        add_tags(&mut context, &[tag("team", "web"), tag("env", "dev")]);
        let added = [pair("ssm:resourceTag/env", "dev"), pair("aws:ResourceTag/env", "dev")];
        assert_eq!(context, [vec![pair("ssm:ResourceTag/Team", "db")], added.to_vec()].concat());
    }

    #[test]
    fn only_a_node_has_a_nodes_tags() {
        let node = "arn:aws:ssm:us-east-1:000000000000:managed-instance/mi-0123456789abcdef0";
        assert_eq!(node_of(node).as_deref(), Some("mi-0123456789abcdef0"));
        for other in
            ["*", "arn:aws:ssm:us-east-1::document/AWS-StartSSHSession", "arn:aws:ssm:*:*:managed-instance/*"]
        {
            assert_eq!(node_of(other), None, "{other}");
        }
    }
}
