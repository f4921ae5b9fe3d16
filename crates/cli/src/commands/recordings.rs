//! `postern recordings`: what sessions showed, read from the server's data directory.

use std::fs::File;
use std::io::{self, BufWriter, IsTerminal as _, Write};
use std::path::PathBuf;
use std::task::Poll;
use std::time::Duration;

use clap::{Subcommand, ValueEnum};
use postern_ids::SessionId;
use postern_recording::{Escapes, EventKind, Events, Recording, RecordingDirectory, RecordingSummary};
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::arguments::Global;
use crate::commands::{cell, print};
use crate::failure::Failure;
use crate::replay_filter::{ReplayFilter, terminal_reset};

/// Without `--idle-limit` nobody waits longer than this for the next output.
const IDLE_LIMIT_S: f64 = 2.0;
/// Added to a signal's number, for the exit status.
const SIGNALLED: u8 = 128;

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

#[derive(Debug, clap::Args)]
struct Play {
    /// The session
    session: SessionId,
    /// How many times as fast
    #[arg(long, value_name = "FACTOR", default_value_t = 1.0, value_parser = positive)]
    speed: f64,
    /// The longest wait between two outputs, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = IDLE_LIMIT_S, value_parser = positive)]
    idle_limit: f64,
    /// Let everything through that was recorded: it may set the title and the clipboard, and make the terminal type
    #[arg(long)]
    raw: bool,
}

#[derive(Debug, clap::Args)]
struct Export {
    /// The session
    session: SessionId,
    /// What to write
    #[arg(long, default_value = "asciicast-v3")]
    format: Format,
    /// Where to; standard output by default
    #[arg(long, short = 'o', value_name = "FILE")]
    file: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Format {
    /// For asciinema and its players, from version 3
    AsciicastV3,
    /// For older players
    AsciicastV2,
    /// Only the characters, without escape sequences
    Text,
    /// What the terminal got, with all escape sequences
    Raw,
}

fn positive(text: &str) -> Result<f64, &'static str> {
    let number: f64 = text.parse().map_err(|_| "a number is needed")?;
    if number.is_finite() && number > 0.0 { Ok(number) } else { Err("a number above 0 is needed") }
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
            Command::Play(command) => return command.run(&directory).await,
            Command::Export(command) => command.run(&directory)?,
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

fn find(directory: &RecordingDirectory, session: &SessionId) -> Result<Recording, Failure> {
    directory.recording(session)?.ok_or_else(|| {
        Failure::new(format!("there is no recording of {session} in {}", directory.path().display()))
            .with_hint("`postern recordings list` shows what there is")
    })
}

impl Play {
    /// The recording is a node's output, and whoever wrote it may have had this terminal in mind.
    async fn run(self, directory: &RecordingDirectory) -> Result<u8, Failure> {
        let events = find(directory, &self.session)?.events()?;
        let mut interrupts = Interrupts::catch()?;
        let mut screen = Screen::new(self.raw);
        tokio::select! {
            biased;
            status = interrupts.next() => Ok(status),
            played = self.show(events, &mut screen) => played.map(|()| 0),
        }
    }

    async fn show(&self, events: Events, screen: &mut Screen) -> Result<(), Failure> {
        let mut shown = Duration::ZERO;
        for event in events {
            let event = event?;
            let EventKind::Output(text) = event.kind else { continue };
            let wait = event.at.saturating_sub(shown).as_secs_f64().min(self.idle_limit) / self.speed;
            shown = event.at;
            tokio::time::sleep(Duration::from_secs_f64(wait)).await;
            screen.show(&text)?;
            // A flood without pauses can be interrupted, too.
            tokio::task::yield_now().await;
        }
        Ok(())
    }
}

/// Standard output. If it is a terminal, it is left as it was found, however the replay ends.
struct Screen {
    out: io::Stdout,
    filter: ReplayFilter,
    is_raw: bool,
}

impl Screen {
    fn new(is_raw: bool) -> Self {
        Self { out: io::stdout(), filter: ReplayFilter::new(), is_raw }
    }

    fn show(&mut self, text: &str) -> io::Result<()> {
        let passed = self.filter.pass(text);
        self.out.write_all(if self.is_raw { text.as_bytes() } else { &passed })?;
        self.out.flush()
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        if self.out.is_terminal() {
            let reset = terminal_reset(self.filter.is_in_alternate_screen());
            // A terminal that is gone needs none.
            let _ = self.out.write_all(&reset).and_then(|()| self.out.flush());
        }
    }
}

/// The signals by which a replay is left.
struct Interrupts([(Signal, u8); 3]);

impl Interrupts {
    fn catch() -> io::Result<Self> {
        let caught = |kind: SignalKind, number| Ok::<_, io::Error>((signal(kind)?, number));
        Ok(Self([
            caught(SignalKind::interrupt(), 2)?,
            caught(SignalKind::terminate(), 15)?,
            caught(SignalKind::hangup(), 1)?,
        ]))
    }

    /// Waits for one; the exit status that tells of it, as shells count.
    async fn next(&mut self) -> u8 {
        std::future::poll_fn(|cx| {
            let came = self
                .0
                .iter_mut()
                .find_map(|(signal, number)| signal.poll_recv(cx).is_ready().then_some(SIGNALLED + *number));
            came.map_or(Poll::Pending, Poll::Ready)
        })
        .await
    }
}

impl Export {
    fn run(self, directory: &RecordingDirectory) -> Result<(), Failure> {
        let recording = find(directory, &self.session)?;
        match &self.file {
            None => self.write(&recording, &mut io::stdout().lock())?,
            Some(path) => {
                let create =
                    |error: io::Error| io::Error::new(error.kind(), format!("{}: {error}", path.display()));
                self.write(&recording, &mut BufWriter::new(File::create_new(path).map_err(create)?))?;
            }
        }
        Ok(())
    }

    fn write(&self, recording: &Recording, out: &mut dyn Write) -> io::Result<()> {
        match self.format {
            Format::AsciicastV3 => {
                io::copy(&mut File::open(recording.cast_path())?, out)?;
            }
            Format::AsciicastV2 => recording.export_asciicast_v2(out)?,
            Format::Text => recording.export_text(out, Escapes::Strip)?,
            Format::Raw => recording.export_text(out, Escapes::Keep)?,
        }
        out.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn speeds_are_positive_numbers() {
        assert!(positive("1.5").is_ok());
        for text in ["0", "-1", "x", "inf", "NaN"] {
            assert!(positive(text).is_err(), "{text}");
        }
    }
}
