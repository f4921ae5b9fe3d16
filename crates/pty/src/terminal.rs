//! A program on a pseudo-terminal of its own. Reading, writing, resizing and killing are separate handles.

use std::io;
use std::os::fd::OwnedFd;
use std::sync::Arc;

use rustix::pty::OpenptFlags;
use rustix::termios::{InputModes, OptionalActions, Winsize};
use tokio::io::unix::AsyncFd;

use crate::descriptor::{read, read_now, try_read, watch, write};
use crate::launch::{Stdio, launch};
use crate::{Child, Command, SpawnError};

/// Rows and columns of a terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WindowSize {
    /// Rows.
    pub rows: u16,
    /// Columns.
    pub columns: u16,
}

/// A program that runs on a terminal.
#[derive(Debug)]
pub struct OnTerminal {
    /// What the program shows.
    pub reader: TerminalReader,
    /// What is typed.
    pub writer: TerminalWriter,
    /// The window.
    pub resizer: Resizer,
    /// The program.
    pub child: Child,
}

/// The terminal's output.
#[derive(Debug)]
pub struct TerminalReader(Arc<AsyncFd<OwnedFd>>);

/// The terminal's input.
#[derive(Debug)]
pub struct TerminalWriter(Arc<AsyncFd<OwnedFd>>);

/// The terminal's window size.
#[derive(Debug)]
pub struct Resizer(Arc<AsyncFd<OwnedFd>>);

/// Starts `command` on a new terminal, as session leader with that terminal as its controlling terminal and with
/// `size` in force from its first instruction on.
///
/// Blocks for a millisecond or so (longer if the working directory hangs), and needs the context of a runtime: call it
/// from a blocking task.
///
/// # Errors
/// If there is no terminal left, or a step of the start fails.
pub fn spawn_on_terminal(command: &Command, size: WindowSize) -> Result<OnTerminal, SpawnError> {
    let (master, slave) =
        open_terminal(command, size).map_err(|error| SpawnError::Prepare("open a terminal", error))?;
    let launched = launch(command, &Stdio::Terminal(&slave))?;
    drop(slave);
    let failed = |error| SpawnError::Prepare("watch the terminal", error);
    let child = Child::new(launched).map_err(failed)?;
    let master = Arc::new(watch(master).map_err(failed)?);
    Ok(OnTerminal {
        reader: TerminalReader(Arc::clone(&master)),
        writer: TerminalWriter(Arc::clone(&master)),
        resizer: Resizer(master),
        child,
    })
}

/// Both ends of a new terminal, which belongs to the program's user as after a login.
fn open_terminal(command: &Command, size: WindowSize) -> io::Result<(OwnedFd, OwnedFd)> {
    #[cfg(target_os = "linux")]
    let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
    #[cfg(not(target_os = "linux"))]
    let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY;
    let master = rustix::pty::openpt(flags)?;
    rustix::io::fcntl_setfd(&master, rustix::io::FdFlags::CLOEXEC)?;
    rustix::pty::grantpt(&master)?;
    rustix::pty::unlockpt(&master)?;
    let name = rustix::pty::ptsname(&master, Vec::new())?;
    let slave = rustix::fs::open(
        name.as_c_str(),
        rustix::fs::OFlags::RDWR | rustix::fs::OFlags::NOCTTY | rustix::fs::OFlags::CLOEXEC,
        rustix::fs::Mode::empty(),
    )?;
    if let Some(identity) = &command.identity
        && rustix::process::geteuid().is_root()
    {
        rustix::fs::fchown(&slave, Some(rustix::fs::Uid::from_raw(identity.uid)), None)?;
    }
    let mut modes = rustix::termios::tcgetattr(&slave)?;
    // Erasing a character in canonical mode removes all of its bytes.
    modes.input_modes |= InputModes::IUTF8;
    rustix::termios::tcsetattr(&slave, OptionalActions::Now, &modes)?;
    rustix::termios::tcsetwinsize(&slave, window(size))?;
    Ok((master, slave))
}

fn window(size: WindowSize) -> Winsize {
    Winsize { ws_row: size.rows, ws_col: size.columns, ws_xpixel: 0, ws_ypixel: 0 }
}

impl TerminalReader {
    /// Waits for output and reads up to `buffer.len()` bytes of it; 0 when no program has the terminal open any more.
    /// Cancelling loses nothing.
    ///
    /// # Errors
    /// If the terminal fails.
    pub async fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        read(&self.0, buffer).await
    }

    /// Reads what there is now: `None` if nothing, 0 at the end.
    ///
    /// # Errors
    /// If the terminal fails.
    pub fn try_read(&mut self, buffer: &mut [u8]) -> io::Result<Option<usize>> {
        try_read(&self.0, buffer)
    }

    /// As [`Self::try_read`], but also what the runtime has not heard of yet: the echo of what was written just now.
    ///
    /// # Errors
    /// If the terminal fails.
    pub fn read_now(&mut self, buffer: &mut [u8]) -> io::Result<Option<usize>> {
        read_now(&self.0, buffer)
    }
}

impl TerminalWriter {
    /// Waits for room and writes the beginning of `bytes`; returns how many. Cancelling loses nothing.
    ///
    /// # Errors
    /// If no program has the terminal open any more, or it fails.
    pub async fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        write(&self.0, bytes).await
    }
}

impl Resizer {
    /// Sets the window size; the programs in the foreground are told by SIGWINCH.
    ///
    /// # Errors
    /// If the terminal is gone.
    pub fn resize(&self, size: WindowSize) -> io::Result<()> {
        Ok(rustix::termios::tcsetwinsize(self.0.get_ref(), window(size))?)
    }
}
