//! Signals that mean something to a session.

use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};

/// What a signal asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Asked {
    /// The window has another size.
    Resize,
    /// Ctrl-C in a terminal that is not raw.
    Interrupt,
    /// Ctrl-\ in a terminal that is not raw.
    Quit,
    /// End at once; the number is the signal's.
    End(i32),
}

/// The signals, from now on.
#[derive(Debug)]
pub(crate) struct Signals {
    window: Signal,
    interrupt: Signal,
    quit: Signal,
    terminate: Signal,
    hang_up: Signal,
}

impl Signals {
    pub(crate) fn new() -> io::Result<Self> {
        Ok(Self {
            window: signal(SignalKind::window_change())?,
            interrupt: signal(SignalKind::interrupt())?,
            quit: signal(SignalKind::quit())?,
            terminate: signal(SignalKind::terminate())?,
            hang_up: signal(SignalKind::hangup())?,
        })
    }

    /// The next one. Safe to drop at any time.
    pub(crate) async fn next(&mut self) -> Asked {
        tokio::select! {
            _ = self.window.recv() => Asked::Resize,
            _ = self.interrupt.recv() => Asked::Interrupt,
            _ = self.quit.recv() => Asked::Quit,
            _ = self.terminate.recv() => Asked::End(SignalKind::terminate().as_raw_value()),
            _ = self.hang_up.recv() => Asked::End(SignalKind::hangup().as_raw_value()),
        }
    }
}
