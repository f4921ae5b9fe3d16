//! `postern-server`: reads its configuration, starts, says how to use it, and runs until told to stop.

use std::process::ExitCode;

use anyhow::Context as _;
use clap::Parser as _;
use postern_server::config::{Command, Config, Flags};
use postern_server::lifecycle::{self, Ended, Signals};
use postern_server::{Server, log, make_setup_link};
use tokio_util::sync::CancellationToken;

/// The configuration cannot be used.
const EXIT_CONFIGURATION: u8 = 2;

fn main() -> ExitCode {
    let variables = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    let flags = Flags::parse();
    let config = match Config::read_and_look(&flags, variables) {
        Ok(config) => config,
        Err(mistakes) => {
            eprintln!("postern-server: {mistakes}");
            return ExitCode::from(EXIT_CONFIGURATION);
        }
    };
    log::start(&config.log);
    raise_file_limit();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("postern-server: cannot start: {error}");
            return ExitCode::FAILURE;
        }
    };
    if flags.command == Some(Command::SetupLink) {
        return runtime.block_on(print_setup_link(&config));
    }
    let ended = runtime.block_on(run(config));
    // What has not ended by now is cut off.
    runtime.shutdown_background();
    match ended {
        Ok(Ended::Drained) => ExitCode::SUCCESS,
        Ok(Ended::Aborted) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("postern-server: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// For whoever lost the link that the first start printed.
async fn print_setup_link(config: &Config) -> ExitCode {
    match make_setup_link(config).await {
        Ok(link) => {
            println!("{link}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("postern-server: {:#}", anyhow::Error::from(error));
            ExitCode::FAILURE
        }
    }
}

async fn run(config: Config) -> anyhow::Result<Ended> {
    let signals = Signals::catch().context("cannot catch signals")?;
    let drain_time_max = config.limits.drain_time_max;
    let shutdown = CancellationToken::new();
    let server = Server::start(config, shutdown.clone()).await?;
    announce(&server);
    let mut served = Ok(());
    let ended =
        lifecycle::run(async { served = server.run().await }, shutdown, signals, drain_time_max).await;
    served?;
    Ok(ended)
}

/// Says how to use the server, and that it is ready.
fn announce(server: &Server) {
    if server.is_first_start() {
        println!(
            "# The administrator's profile. To use it with the AWS CLI, an SDK, or postern:\n{}",
            server.exports()
        );
        // AWS's programs prefer it to the profile's `ca_bundle`.
        if std::env::var_os("AWS_CA_BUNDLE").is_some() {
            println!(
                "unset AWS_CA_BUNDLE  # it is set here, and would take the place of this server's certificate authority"
            );
        }
    } else {
        let directory = server.exports().directory().display();
        tracing::info!("the administrator's profile is in {directory}");
    }
    if let Some(link) = server.setup_link() {
        println!(
            "# To set the password of the user admin for the console, open this within 24 hours, once:\n# {link}"
        );
    }
    eprintln!("postern-server ready on {}", server.public_url());
}

/// Each connection is a file descriptor: takes all that the system allows.
fn raise_file_limit() {
    use rustix::process::{Resource, getrlimit, setrlimit};
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    if let Err(error) = setrlimit(Resource::Nofile, limit) {
        tracing::warn!(%error, "cannot raise the limit of open files");
    }
}
