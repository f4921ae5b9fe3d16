//! `postern sessions`.

use clap::{Subcommand, ValueEnum};
use postern_api::ssm::{
    DescribeSessionsInput, DescribeSessionsOutput, Session, SessionFilter, SessionFilterKey, SessionState,
    TerminateSessionInput,
};

use crate::arguments::Global;
use crate::commands::follow::Follow;
use crate::commands::{api, cell, print};
use crate::failure::Failure;

/// The most that one call gives.
const PAGE: i32 = 200;

#[derive(Debug, Subcommand)]
pub(crate) enum Sessions {
    /// List sessions, the newest first
    List(List),
    /// Watch a session while it runs, as its user sees it
    Follow(Follow),
    /// End sessions, whoever started them
    Terminate(Terminate),
}

#[derive(Debug, clap::Args)]
pub(crate) struct List {
    /// Sessions that run, or that have ended in the last 30 days
    #[arg(long, default_value = "active")]
    state: State,
    /// Only sessions with this value: Target=NODE, Owner=ARN, Status=Connected, InvokedAfter=2026-01-31T00:00:00Z, …
    #[arg(long = "filter", value_name = "KEY=VALUE", value_parser = parse_filter)]
    filters: Vec<SessionFilter>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum State {
    Active,
    History,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Terminate {
    /// The sessions' IDs
    #[arg(required = true, value_name = "SESSION")]
    sessions: Vec<String>,
}

fn parse_filter(text: &str) -> Result<SessionFilter, String> {
    let (key, value) = text.split_once('=').ok_or("KEY=VALUE is needed")?;
    let known = SessionFilterKey::VALUES.iter().find(|known| known.eq_ignore_ascii_case(key));
    let key = known.ok_or_else(|| format!("the keys are {}", SessionFilterKey::VALUES.join(", ")))?;
    Ok(SessionFilter { key: SessionFilterKey::from(*key), value: value.to_owned() })
}

impl Sessions {
    /// The result is the exit status.
    pub(crate) async fn run(self, global: &Global) -> Result<u8, Failure> {
        match self {
            Self::List(command) => command.run(global).await?,
            Self::Follow(command) => return command.run(global).await,
            Self::Terminate(command) => command.run(global).await?,
        }
        Ok(0)
    }
}

impl List {
    async fn run(self, global: &Global) -> Result<(), Failure> {
        let api = api(global).await?;
        let mut sessions: Vec<Session> = Vec::new();
        let mut request = DescribeSessionsInput {
            state: match self.state {
                State::Active => SessionState::Active,
                State::History => SessionState::History,
            },
            max_results: Some(PAGE),
            next_token: None,
            filters: (!self.filters.is_empty()).then_some(self.filters),
        };
        loop {
            let page = api.call(&request).await?;
            sessions.extend(page.sessions.unwrap_or_default());
            request.next_token = page.next_token.filter(|token| !token.is_empty());
            if request.next_token.is_none() {
                break;
            }
        }
        let rows: Vec<_> = sessions.iter().map(row).collect();
        let all = DescribeSessionsOutput { sessions: Some(sessions), next_token: None };
        print(
            global.output,
            &all,
            ["SESSION", "NODE", "STATUS", "STARTED", "ENDED", "OWNER", "REASON"],
            &rows,
        )?;
        Ok(())
    }
}

fn row(session: &Session) -> [String; 7] {
    [
        cell(session.session_id.as_ref()),
        cell(session.target.as_ref()),
        cell(session.status.as_ref()),
        cell(session.start_date.as_ref()),
        cell(session.end_date.as_ref()),
        cell(session.owner.as_ref()),
        cell(session.reason.as_ref()),
    ]
}

impl Terminate {
    async fn run(self, global: &Global) -> Result<(), Failure> {
        let api = api(global).await?;
        for session_id in self.sessions {
            let request = TerminateSessionInput { session_id: session_id.clone() };
            api.call(&request).await?;
            eprintln!("Terminated {session_id}");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_are_checked_before_they_are_sent() {
        let filter = parse_filter("target=mi-1").unwrap();
        assert_eq!((filter.key.as_str(), filter.value.as_str()), ("Target", "mi-1"));
        assert!(parse_filter("Colour=red").unwrap_err().contains("Target"));
        assert!(parse_filter("Target").is_err());
    }
}
