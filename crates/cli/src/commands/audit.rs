//! `postern audit`.

use std::io::{self, IsTerminal as _, Write as _};

use clap::{Subcommand, ValueEnum};
use postern_api::postern::{AuditClass, ExpireAuditRecordsInput, ExpireAuditRecordsOutput};
use postern_client::Api;

use crate::arguments::{Global, OutputFormat};
use crate::commands::{api, cell};
use crate::failure::Failure;
use crate::visible;

#[derive(Debug, Subcommand)]
pub(crate) enum Audit {
    Expire(Expire),
}

/// Remove old records from the audit trail, for ever
///
/// What is removed, on whose order and why is on the trail itself, where `postern verify` finds it. Records go file by file, when all
/// of their class in one of the trail's files is old enough. The server's setting audit.expire_min_days bounds what can be removed.
#[derive(Debug, clap::Args)]
pub(crate) struct Expire {
    /// What is removed; to be given several times
    #[arg(long = "class", required = true, value_name = "CLASS")]
    classes: Vec<Class>,
    /// The age that records must have, such as 365d or 52w
    #[arg(long, value_name = "AGE", value_parser = parse_days)]
    older_than: i32,
    /// Why, for the record
    #[arg(long, value_name = "TEXT")]
    reason: String,
    /// Only say what would be removed
    #[arg(long, conflicts_with = "yes")]
    dry_run: bool,
    /// Do not ask; needed where nobody can be asked
    #[arg(long)]
    yes: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Class {
    /// Calls that change something, sign-ins, and what happens in sessions
    Write,
    /// Calls that read
    Read,
    /// What nodes do
    Node,
    /// Work with data, such as reading recordings
    Data,
}

impl From<Class> for AuditClass {
    fn from(class: Class) -> Self {
        match class {
            Class::Write => Self::Write,
            Class::Read => Self::Read,
            Class::Node => Self::Node,
            Class::Data => Self::Data,
        }
    }
}

fn parse_days(text: &str) -> Result<i32, &'static str> {
    const FORM: &str = "a number of days or weeks is needed, such as 365d or 52w";
    let (number, days) = match (text.strip_suffix('d'), text.strip_suffix('w')) {
        (Some(number), _) => (number, 1),
        (_, Some(number)) => (number, 7),
        _ => return Err(FORM),
    };
    let number: i32 = number.parse().map_err(|_| FORM)?;
    number.checked_mul(days).filter(|days| *days > 0).ok_or(FORM)
}

impl Audit {
    pub(crate) async fn run(self, global: &Global) -> Result<(), Failure> {
        let Self::Expire(command) = self;
        command.run(global).await
    }
}

impl Expire {
    async fn run(self, global: &Global) -> Result<(), Failure> {
        let api = api(global).await?;
        if self.dry_run || (!self.yes && is_interactive()) {
            let foreseen = self.call(&api, true).await?;
            if self.dry_run {
                return Ok(print(global.output, &foreseen)?);
            }
            if !is_confirmed(&foreseen)? {
                return Err(Failure::new("nothing was removed"));
            }
        } else if !self.yes {
            return Err(Failure::new("records would be removed for ever, and nobody can be asked")
                .with_hint("look with --dry-run, then give --yes"));
        }
        Ok(print(global.output, &self.call(&api, false).await?)?)
    }

    async fn call(&self, api: &Api, dry_run: bool) -> Result<ExpireAuditRecordsOutput, Failure> {
        let mut classes: Vec<Class> = Vec::new();
        for class in &self.classes {
            if !classes.contains(class) {
                classes.push(*class);
            }
        }
        let request = ExpireAuditRecordsInput {
            classes: classes.into_iter().map(AuditClass::from).collect(),
            older_than_days: self.older_than,
            reason: self.reason.clone(),
            dry_run: Some(dry_run),
        };
        Ok(api.call(&request).await?)
    }
}

fn is_interactive() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

fn is_confirmed(foreseen: &ExpireAuditRecordsOutput) -> io::Result<bool> {
    eprint!("{} For ever? [y/N] ", visible::text(&told(foreseen)));
    io::stderr().flush()?;
    let mut answer = String::new();
    io::stdin().read_line(&mut answer)?;
    Ok(matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes"))
}

fn print(format: OutputFormat, expired: &ExpireAuditRecordsOutput) -> io::Result<()> {
    let mut out = io::stdout().lock();
    match format {
        OutputFormat::Json => {
            writeln!(out, "{}", visible::json(&serde_json::to_string_pretty(expired)?))?;
        }
        OutputFormat::Table => writeln!(out, "{}", visible::text(&told(expired)))?,
    }
    out.flush()
}

fn told(expired: &ExpireAuditRecordsOutput) -> String {
    let verb = if expired.dry_run == Some(true) { "Would remove" } else { "Removed" };
    let number = |count: Option<i64>| count.unwrap_or_default();
    format!(
        "{verb} what is older than {}: the contents of {} lines, {} whole files of the chain, {} log files.",
        cell(expired.older_than.as_ref()),
        number(expired.records),
        number(expired.segments),
        number(expired.files),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_age_has_a_unit() {
        assert_eq!(parse_days("365d"), Ok(365));
        assert_eq!(parse_days("52w"), Ok(364));
        for wrong in ["365", "d", "-1d", "0d", "1y", "1 d", "999999999w"] {
            assert!(parse_days(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn what_would_be_is_told_apart_from_what_is() {
        let expired = ExpireAuditRecordsOutput {
            dry_run: Some(true),
            older_than: Some("2026-01-31T00:00:00Z".parse().unwrap()),
            records: Some(3),
            segments: Some(0),
            files: Some(2),
        };
        insta::assert_snapshot!(told(&expired), @"Would remove what is older than 2026-01-31T00:00:00Z: the contents of 3 lines, 0 whole files of the chain, 2 log files.");
        let done = ExpireAuditRecordsOutput { dry_run: Some(false), ..expired };
        assert!(told(&done).starts_with("Removed what is"));
    }
}
