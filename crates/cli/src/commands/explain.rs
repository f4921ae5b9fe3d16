//! `postern explain`: whether somebody may do something, and why.

use std::io::{self, Write};

use postern_client::{Explained, Question};

use crate::arguments::{Global, OutputFormat};
use crate::commands::api;
use crate::failure::{FAILED, Failure};
use crate::visible;

/// Say whether a user, group or role may do something, and why
///
/// The policies in force decide, with the keys of the request context that are given; those that the principal has by itself
/// (such as aws:username and its tags) are known. The exit status is 0 if it may, and 1 if it may not.
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
        let Self { principal, action, resource, context } = self;
        let explained = api.explain(&Question { principal, action, resource, context }).await?;
        print(global.output, &explained)?;
        Ok(if explained.decision == "allowed" { 0 } else { FAILED })
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
}
