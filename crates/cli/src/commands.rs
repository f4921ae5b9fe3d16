//! One file a command.

pub(crate) mod activation;
pub(crate) mod audit;
pub(crate) mod cp;
pub(crate) mod explain;
pub(crate) mod follow;
pub(crate) mod forward;
pub(crate) mod nodes;
pub(crate) mod recordings;
pub(crate) mod revoke_sessions;
pub(crate) mod sessions;
pub(crate) mod ssh;
pub(crate) mod start_session;
pub(crate) mod verify;

use std::io::{self, Write};

use postern_client::Api;
use serde::Serialize;

use crate::arguments::{Arguments, Command, Global, OutputFormat};
use crate::config::Settings;
use crate::failure::Failure;
use crate::table;
use crate::visible;

/// Runs a command; the result is the exit status.
pub(crate) async fn run(arguments: Arguments) -> Result<u8, Failure> {
    let global = arguments.global;
    match arguments.command {
        Command::StartSession(command) => return command.run(&global).await,
        Command::Forward(command) => return command.run(&global).await,
        Command::Cp(command) => return command.run(&global).await,
        Command::Ssh(command) => return command.run(&global).await,
        Command::SshConfig(command) => command.run(&global).await?,
        Command::SshProxy(command) => return command.run(&global).await,
        Command::Sessions(command) => return command.run(&global).await,
        Command::Nodes(command) => command.run(&global).await?,
        Command::Activation(command) => command.run(&global).await?,
        Command::Recordings(command) => return command.run(&global).await,
        Command::RevokeSessions(command) => command.run(&global).await?,
        Command::Audit(command) => command.run(&global).await?,
        Command::Explain(command) => return command.run(&global).await,
        Command::Verify(command) => return command.run(&global),
    }
    Ok(0)
}

async fn api(global: &Global) -> Result<Api, Failure> {
    Ok(Settings::load(global).await?.into_api())
}

/// Prints a result on standard output: as a table, or as the service's JSON.
fn print<const N: usize>(
    format: OutputFormat,
    json: &impl Serialize,
    header: [&str; N],
    rows: &[[String; N]],
) -> io::Result<()> {
    let mut out = io::stdout().lock();
    match format {
        OutputFormat::Table => table::print(&mut out, header, rows)?,
        OutputFormat::Json => {
            writeln!(out, "{}", visible::json(&serde_json::to_string_pretty(json)?))?;
        }
    }
    out.flush()
}

/// A cell of a table, empty if there is nothing.
fn cell<T: ToString>(value: Option<&T>) -> String {
    value.map(ToString::to_string).unwrap_or_default()
}
