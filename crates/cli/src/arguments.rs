//! What can be typed.

use std::path::PathBuf;

use clap::{Parser, Subcommand, ValueEnum};

use crate::commands::{
    activation, audit, cp, explain, forward, nodes, recordings, revoke_sessions, sessions, ssh,
    start_session, verify,
};

/// Sessions on managed nodes that have no open port.
///
/// Credentials, region and endpoint come from the configuration files and environment of the AWS CLI.
#[derive(Debug, Parser)]
#[command(name = "postern", version, propagate_version = true, arg_required_else_help = true)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Options of every command; they win over environment and files.
#[derive(Debug, Clone, Default, clap::Args)]
#[command(next_help_heading = "Global options")]
pub(crate) struct Global {
    /// The profile in the AWS configuration files
    #[arg(long, global = true, value_name = "NAME")]
    pub(crate) profile: Option<String>,
    /// The region that requests are signed for
    #[arg(long, global = true, value_name = "NAME")]
    pub(crate) region: Option<String>,
    /// The address of the Postern server
    #[arg(long, global = true, value_name = "URL")]
    pub(crate) endpoint_url: Option<String>,
    /// The only CA certificates to trust, a PEM file
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) ca_bundle: Option<PathBuf>,
    /// How results are printed
    #[arg(long, global = true, value_name = "FORMAT", default_value = "table")]
    pub(crate) output: OutputFormat,
}

/// How results are printed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum OutputFormat {
    /// Columns for people.
    #[default]
    Table,
    /// The service's own JSON.
    Json,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    StartSession(start_session::StartSession),
    Forward(forward::Forward),
    Cp(cp::Cp),
    Ssh(ssh::Ssh),
    SshConfig(ssh::SshConfig),
    SshProxy(ssh::SshProxy),
    /// List and terminate sessions
    #[command(subcommand)]
    Sessions(sessions::Sessions),
    /// List managed nodes
    #[command(subcommand)]
    Nodes(nodes::Nodes),
    /// Create activations, with which nodes register
    #[command(subcommand)]
    Activation(activation::Activation),
    /// List, play, export and delete recorded sessions
    Recordings(recordings::Recordings),
    RevokeSessions(revoke_sessions::RevokeSessions),
    Explain(explain::Explain),
    Verify(verify::Verify),
    /// Remove old records from the audit trail
    #[command(subcommand)]
    Audit(audit::Audit),
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_definition_is_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn global_options_stand_anywhere() {
        let arguments =
            Arguments::try_parse_from(["postern", "nodes", "list", "--region", "x", "--output", "json"])
                .unwrap();
        assert_eq!(arguments.global.region.as_deref(), Some("x"));
        assert_eq!(arguments.global.output, OutputFormat::Json);
    }
}
