//! `postern recordings`: what sessions showed, as the server gives it, or read from files of this machine.

mod delete;
mod export;
mod list;
mod play;
mod source;

use std::path::PathBuf;

use clap::Subcommand;
use postern_recording::RecordingDirectory;

use self::delete::Delete;
use self::export::Export;
use self::play::Play;
use self::source::Source;
use crate::arguments::Global;
use crate::commands::api;
use crate::failure::Failure;

#[derive(Debug, clap::Args)]
pub(crate) struct Recordings {
    /// Read files of this directory, such as `recordings` in the server's data directory, instead of asking the server
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
    /// Remove recordings; the audit trail keeps who did it, and why
    Delete(Delete),
}

impl Recordings {
    pub(crate) async fn run(self, global: &Global) -> Result<u8, Failure> {
        let source = match self.dir {
            Some(path) => Source::Directory(RecordingDirectory::read(path)),
            None => Source::Server(Box::new(api(global).await?)),
        };
        match self.command {
            Command::List => list::run(&source, global).await?,
            Command::Play(command) => return command.run(&source).await,
            Command::Export(command) => command.run(&source).await?,
            Command::Delete(command) => command.run(&source).await?,
        }
        Ok(0)
    }
}
