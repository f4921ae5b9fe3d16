//! The end of the program: the first signal drains, a second one aborts, and so does the deadline.

use std::io;
use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// How the program came to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// Everything that was open has ended.
    Drained,
    /// Something was cut off.
    Aborted,
}

/// SIGTERM and SIGINT, caught from the moment this is made.
#[derive(Debug)]
pub struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    /// Catches the signals from now on.
    ///
    /// # Errors
    /// If the system refuses.
    pub fn catch() -> io::Result<Self> {
        Ok(Self { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

/// Runs `work` until it ends. The first signal cancels `shutdown`; from then on `work` has `drain_time_max`.
pub async fn run(
    work: impl Future<Output = ()>,
    shutdown: CancellationToken,
    mut signals: Signals,
    drain_time_max: Duration,
) -> Ended {
    let mut work = std::pin::pin!(work);
    tokio::select! {
        () = &mut work => return Ended::Drained,
        () = signals.next() => {}
    }
    tracing::info!("stopping: waiting for what is open; a second signal aborts");
    shutdown.cancel();
    tokio::select! {
        () = &mut work => Ended::Drained,
        () = signals.next() => {
            tracing::warn!("aborted by a second signal");
            Ended::Aborted
        }
        () = tokio::time::sleep(drain_time_max) => {
            tracing::warn!("aborted: not everything ended within {} s", drain_time_max.as_secs());
            Ended::Aborted
        }
    }
}
