//! `postern recordings`: what sessions showed, as the server gives it, or read from files of this machine.

mod delete;
mod export;
mod list;
mod moment;
mod play;
mod search;
mod source;
mod timeline;

use std::path::PathBuf;

use clap::Subcommand;
use postern_recording::RecordingDirectory;

use self::delete::Delete;
use self::export::Export;
use self::play::Play;
use self::search::Search;
use self::source::Source;
use self::timeline::Timeline;
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
    /// Find lines of recordings by their words, the newest first
    Search(Search),
    /// List the commands of a recorded shell with their times and exit codes
    Timeline(Timeline),
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
            Command::Search(command) => command.run(&source, global).await?,
            Command::Timeline(command) => command.run(&source, global).await?,
            Command::Play(command) => return command.run(&source).await,
            Command::Export(command) => command.run(&source).await?,
            Command::Delete(command) => command.run(&source).await?,
        }
        Ok(0)
    }
}
