//! `postern recordings`: what sessions showed, read from the server's data directory.

mod export;
mod play;
mod source;

use std::path::PathBuf;

use clap::Subcommand;
use postern_recording::{RecordingDirectory, RecordingSummary};

use self::export::Export;
use self::play::Play;
use self::source::Source;
use crate::arguments::Global;
use crate::commands::{cell, print};
use crate::failure::Failure;

#[derive(Debug, clap::Args)]
pub(crate) struct Recordings {
    /// The directory of recordings; `recordings` in POSTERN_DATA_DIR by default
    #[arg(long, global = true, value_name = "DIR")]
    dir: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List recordings, the newest first
    List,
    /// Play a recording in this terminal, as it happened
    Play(Play),
    /// Write a recording to a file or to standard output
    Export(Export),
}

impl Recordings {
    pub(crate) async fn run(self, global: &Global) -> Result<u8, Failure> {
        let path = self.dir.or_else(default_directory).ok_or_else(|| {
            Failure::new("no directory of recordings is known")
                .with_hint("give --dir DIR, or set POSTERN_DATA_DIR to the server's data directory")
        })?;
        let directory = RecordingDirectory::read(path);
        match self.command {
            Command::List => list(&directory, global)?,
            Command::Play(command) => return command.run(&Source::Directory(directory)).await,
            Command::Export(command) => command.run(&Source::Directory(directory)).await?,
        }
        Ok(0)
    }
}

fn default_directory() -> Option<PathBuf> {
    let data = std::env::var_os("POSTERN_DATA_DIR").filter(|path| !path.is_empty())?;
    Some(PathBuf::from(data).join("recordings"))
}

fn list(directory: &RecordingDirectory, global: &Global) -> Result<(), Failure> {
    let listing = directory.list()?;
    for problem in &listing.unreadable {
        eprintln!("postern: {problem}");
    }
    let summaries: Vec<RecordingSummary> = listing.recordings.into_iter().rev().collect();
    let rows: Vec<_> = summaries.iter().map(row).collect();
    print(
        global.output,
        &summaries,
        ["SESSION", "NODE", "STATUS", "STARTED", "ENDED", "OWNER", "END"],
        &rows,
    )?;
    Ok(())
}

fn row(summary: &RecordingSummary) -> [String; 7] {
    [
        summary.info.session_id.to_string(),
        summary.info.node.to_string(),
        format!("{:?}", summary.status).to_lowercase(),
        summary.info.started_at.to_string(),
        cell(summary.ended_at.as_ref()),
        summary.info.owner.to_string(),
        cell(summary.end_reason.as_ref()),
    ]
}
