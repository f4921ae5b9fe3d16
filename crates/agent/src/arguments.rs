//! The command line, and what it means.

use std::io::Read as _;
use std::path::PathBuf;

use anyhow::Context as _;
use clap::{ArgGroup, Args, Parser, Subcommand};
use postern_agent::destinations::{Destinations, Network};
use postern_agent::state::{DEFAULT_DIRECTORY, StoredTrust};
use postern_agent::{register, run};
use postern_dial::{Endpoint, Fingerprint};
use postern_ids::{ActivationId, Region};

/// The agent of Postern: makes a machine a managed node that listens on nothing.
///
/// A proxy is taken from HTTPS_PROXY and NO_PROXY. POSTERN_AGENT_LOG sets what is logged (default: info).
#[derive(Debug, Parser)]
#[command(name = "postern-agent", version, max_term_width = 100)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Register this machine with an activation
    Register(RegisterArguments),
    /// Run as the registered node
    Run(RunArguments),
    /// Serve files over standard input and output: what the agent runs for sessions that copy files
    #[command(name = "sftp-server", hide = true)]
    SftpServer,
    /// Join standard input and output to a socket file: what the agent runs for connections to one
    #[command(name = "relay-socket", hide = true)]
    RelaySocket(RelaySocketArguments),
}

#[derive(Debug, Args)]
pub(crate) struct RelaySocketArguments {
    /// The socket file
    pub(crate) path: PathBuf,
}

#[derive(Debug, Args)]
#[command(group(ArgGroup::new("trust").args(["ca_file", "ca_fingerprint"])))]
pub(crate) struct RegisterArguments {
    /// Address of the control plane, for example https://postern.example
    #[arg(long, value_name = "URL")]
    endpoint: Endpoint,
    /// PEM file with the CA certificates that the control plane's certificate must come from, instead of the system's
    #[arg(long, value_name = "FILE")]
    ca_file: Option<PathBuf>,
    /// SHA-256 of the certificate that the control plane must show, its own or its CA's
    #[arg(long, value_name = "SHA256")]
    ca_fingerprint: Option<Fingerprint>,
    /// ID of the activation
    #[arg(long, value_name = "ID")]
    activation_id: ActivationId,
    /// Code of the activation; `-` reads it from standard input, where no other user can see it
    #[arg(long, value_name = "CODE", env = "POSTERN_ACTIVATION_CODE", hide_env_values = true)]
    activation_code: String,
    /// Region of the node
    #[arg(long)]
    region: Region,
    /// Directory for the node's identity
    #[arg(long, value_name = "DIR", default_value = DEFAULT_DIRECTORY, env = "POSTERN_AGENT_STATE_DIR")]
    state_dir: PathBuf,
    /// Replace an earlier registration of this machine, if the new one succeeds
    #[arg(long)]
    force: bool,
}

#[derive(Debug, Args)]
pub(crate) struct RunArguments {
    /// Directory with the node's identity
    #[arg(long, value_name = "DIR", default_value = DEFAULT_DIRECTORY, env = "POSTERN_AGENT_STATE_DIR")]
    state_dir: PathBuf,
    /// Sessions that may run at once
    #[arg(long, value_name = "N", default_value_t = 100, env = "POSTERN_AGENT_MAX_SESSIONS")]
    max_sessions: usize,
    /// User that sessions run as unless their document names one; by default the user that the agent runs as
    #[arg(long, value_name = "NAME", env = "POSTERN_AGENT_SESSION_USER")]
    session_user: Option<String>,
    /// Where connections of port sessions may lead (`10.0.0.0/8`, `192.0.2.7:5432`, `[fd00::/8]:80`); once given, nowhere
    /// else
    #[arg(long, value_name = "NETWORK", env = "POSTERN_AGENT_ALLOW_DESTINATIONS", value_delimiter = ',')]
    allow_destination: Vec<Network>,
    /// Where they may not lead, whatever is allowed; link-local addresses and the metadata services of clouds are denied
    /// unless they are allowed
    #[arg(long, value_name = "NETWORK", env = "POSTERN_AGENT_DENY_DESTINATIONS", value_delimiter = ',')]
    deny_destination: Vec<Network>,
    /// What sessions may have this node listen on, besides the ports of its loopback from 1024 on
    /// (`0.0.0.0:8000-8999`, `127.0.0.1:80`)
    #[arg(long, value_name = "NETWORK", env = "POSTERN_AGENT_ALLOW_LISTEN", value_delimiter = ',')]
    allow_listen: Vec<Network>,
}

impl RegisterArguments {
    /// Reads the files that the arguments name.
    pub(crate) fn into_options(self) -> anyhow::Result<(PathBuf, register::Options)> {
        let trust = match (self.ca_file, self.ca_fingerprint) {
            (Some(path), _) => {
                let pem = std::fs::read_to_string(&path);
                StoredTrust::CaCertificates(pem.with_context(|| format!("cannot read {}", path.display()))?)
            }
            (None, Some(fingerprint)) => StoredTrust::CertificateSha256(fingerprint.to_string()),
            (None, None) => StoredTrust::System,
        };
        let options = register::Options {
            endpoint: self.endpoint,
            trust,
            activation_id: self.activation_id.to_string(),
            activation_code: code(self.activation_code)?,
            region: self.region,
            existing: if self.force { register::Existing::Replace } else { register::Existing::Keep },
        };
        Ok((self.state_dir, options))
    }
}

impl RunArguments {
    pub(crate) fn into_options(self) -> (PathBuf, run::Options) {
        let destinations = Destinations {
            allowed: self.allow_destination,
            denied: self.deny_destination,
            listenable: self.allow_listen,
        };
        let options =
            run::Options { sessions_max: self.max_sessions, session_user: self.session_user, destinations };
        (self.state_dir, options)
    }
}

/// The code itself, or what stands on standard input for `-`.
fn code(argument: String) -> anyhow::Result<String> {
    /// Codes have some 20 characters.
    const INPUT_BYTES_MAX: u64 = 4096;
    if argument != "-" {
        return Ok(argument);
    }
    let mut text = String::new();
    std::io::stdin()
        .take(INPUT_BYTES_MAX)
        .read_to_string(&mut text)
        .context("cannot read the activation code from standard input")?;
    let code = text.trim();
    anyhow::ensure!(!code.is_empty(), "there is no activation code on standard input");
    Ok(code.to_owned())
}
