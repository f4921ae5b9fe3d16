//! `postern-agent`: the agent on a managed node.

mod arguments;

use std::io::IsTerminal as _;
use std::path::Path;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Parser as _;
use postern_agent::state::StateDirectory;
use postern_agent::{register, relay_socket, run, sftp_server};
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tracing_subscriber::EnvFilter;

use crate::arguments::{Arguments, Command, RegisterArguments, RunArguments};

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match &arguments.command {
        Command::SftpServer => return serve_files(),
        Command::RelaySocket(arguments) => return relay_socket(&arguments.path),
        Command::Register(_) | Command::Run(_) => {}
    }
    let filter = EnvFilter::try_from_env("POSTERN_AGENT_LOG").unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .with_target(false)
        .init();
    // One thread is plenty, and keeps an idle agent small.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let result = runtime.context("cannot start the runtime").and_then(|runtime| {
        let result = runtime.block_on(async {
            match arguments.command {
                Command::Register(arguments) => register_node(arguments).await,
                Command::Run(arguments) => run_node(arguments).await,
                Command::SftpServer | Command::RelaySocket(_) => unreachable!("they have returned above"),
            }
        });
        // A lookup that hangs must not hold up the exit.
        runtime.shutdown_background();
        result
    });
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("postern-agent: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// In a process of its own, as a session's user: it needs neither runtime nor log.
fn serve_files() -> ExitCode {
    match sftp_server::serve(std::io::stdin().lock(), std::io::stdout().lock()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

/// Likewise.
fn relay_socket(path: &Path) -> ExitCode {
    match relay_socket::relay(path) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

async fn register_node(arguments: RegisterArguments) -> anyhow::Result<()> {
    let (directory, options) = arguments.into_options()?;
    let state = StateDirectory::open(directory)?;
    let node_id = register::register(&state, &options).await?;
    println!("{node_id}");
    eprintln!("Registered this machine as node {node_id}. Now start the agent: postern-agent run");
    Ok(())
}

async fn run_node(arguments: RunArguments) -> anyhow::Result<()> {
    let stop = CancellationToken::new();
    let (directory, options) = arguments.into_options();
    let state = StateDirectory::open(directory)?;
    let mut terminate = signal(SignalKind::terminate()).context("cannot watch for SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("cannot watch for SIGINT")?;
    let mut running = std::pin::pin!(run::run(state, options, stop.clone()));
    loop {
        tokio::select! {
            result = &mut running => return Ok(result?),
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        // The first signal drains, the second one aborts.
        if stop.is_cancelled() {
            anyhow::bail!("stopped at once by a second signal");
        }
        stop.cancel();
    }
}
