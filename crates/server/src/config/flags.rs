//! The command line, as typed.

use std::path::PathBuf;

/// Postern's control plane: gives administrators sessions on machines that have no open port.
///
/// Every setting can also be given in the environment (`POSTERN_LISTEN`, `POSTERN_LIMITS_CONNECTIONS_MAX`) or in the
/// configuration file (`listen`, `[limits] connections_max`). A flag beats the environment, which beats the file.
#[derive(Debug, Clone, Default, clap::Parser)]
#[command(name = "postern-server", version, args_override_self = true)]
pub struct Flags {
    /// Directory of everything that must survive a restart [default: /var/lib/postern]
    #[arg(long, global = true, value_name = "DIR")]
    pub data_dir: Option<PathBuf>,
    /// Address and port to listen on [default: 0.0.0.0:8443]
    #[arg(long, global = true, value_name = "ADDRESS:PORT")]
    pub listen: Option<String>,
    /// How clients and nodes reach this server, such as https://postern.example
    #[arg(long, global = true, value_name = "URL")]
    pub public_url: Option<String>,
    /// Configuration file (TOML)
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// What to do instead of serving.
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// What the program does besides serving.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::Subcommand)]
pub enum Command {
    /// Print a link that sets the administrator's password for the console, while there is none
    SetupLink,
}
