//! The running program of a session: how it ended, signals to it, and the end of everything under it.

use std::io;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rustix::process::{Pid, WaitOptions};
use tokio::io::unix::AsyncFd;
use tokio::time::{Instant, timeout_at};

use crate::Signal;
use crate::descendants::descendants;
use crate::descriptor::{read, watch};
use crate::launch::{Launched, REPORT_BYTES, REPORT_ENDED, parse_report};

/// How a program ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExitStatus {
    /// It returned this code.
    Code(i32),
    /// It was ended by this signal.
    Signal(i32),
    /// Whoever was to tell was killed.
    Unknown,
}

impl ExitStatus {
    /// The code that a shell would show in `$?`: 128 and the signal's number for a signal.
    #[must_use]
    pub fn shell_code(self) -> i32 {
        match self {
            Self::Code(code) => code,
            Self::Signal(signal) => 128 + signal,
            Self::Unknown => 255,
        }
    }

    fn from_wait(status: i32) -> Self {
        if libc::WIFEXITED(status) {
            Self::Code(libc::WEXITSTATUS(status))
        } else if libc::WIFSIGNALED(status) {
            Self::Signal(libc::WTERMSIG(status))
        } else {
            Self::Unknown
        }
    }
}

/// A session's program and everything that it started. Dropping it kills all of that.
#[derive(Debug)]
pub struct Child {
    killer: Killer,
    reports: AsyncFd<OwnedFd>,
    status: Option<ExitStatus>,
    is_reaped: bool,
}

/// Sends signals to a session's processes.
#[derive(Debug, Clone)]
pub struct Killer {
    keeper: Pid,
    leader: Pid,
    /// From the end of the leader on its number may belong to someone else.
    leader_lives: Arc<AtomicBool>,
    /// Likewise for the keeper.
    keeper_lives: Arc<AtomicBool>,
}

/// Processes that even SIGKILL did not end in time; they hang in the kernel.
#[derive(Debug, thiserror::Error)]
#[error("{count} processes of the session cannot be ended")]
pub struct StillRunning {
    /// How many.
    pub count: usize,
}

/// Time for processes to vanish after SIGKILL, which only those that hang in the kernel do not.
const KILL_TIME_MAX: Duration = Duration::from_secs(5);
/// Between two rounds of SIGKILL, which catch what was started during the round before.
const KILL_AGAIN_AFTER: Duration = Duration::from_millis(20);

impl Child {
    /// Takes over what was launched. Must be called in the context of a runtime.
    pub(crate) fn new(launched: Launched) -> io::Result<Self> {
        let Launched { keeper, leader, reports } = launched;
        let killer = Killer {
            keeper,
            leader,
            leader_lives: Arc::new(AtomicBool::new(true)),
            keeper_lives: Arc::new(AtomicBool::new(true)),
        };
        match watch(reports) {
            Ok(reports) => Ok(Self { killer, reports, status: None, is_reaped: false }),
            Err(error) => {
                killer.signal_all(Signal::Kill);
                Err(error)
            }
        }
    }

    /// The process ID of the session's leader, the program itself.
    #[must_use]
    pub fn id(&self) -> i32 {
        self.killer.leader.as_raw_nonzero().get()
    }

    /// A handle for signals.
    #[must_use]
    pub fn killer(&self) -> Killer {
        self.killer.clone()
    }

    /// Waits until the program itself has ended; others that it started may still run. Cancelling loses nothing.
    pub async fn wait(&mut self) -> ExitStatus {
        while self.status.is_none() {
            match self.next_report().await {
                Some((REPORT_ENDED, status)) => self.leader_ended(ExitStatus::from_wait(status)),
                Some(_) => {}
                None => self.all_ended(),
            }
        }
        self.status.unwrap_or(ExitStatus::Unknown)
    }

    /// Ends everything: SIGHUP, then SIGKILL to what is left after `grace`. Returns when all are gone and reaped.
    ///
    /// # Errors
    /// If processes hang in the kernel. They are then left behind.
    pub async fn end(&mut self, grace: Duration) -> Result<ExitStatus, StillRunning> {
        if !self.is_over_by(Instant::now()).await {
            self.killer.signal_all(Signal::Hangup);
            self.killer.signal_all(Signal::Continue);
        }
        let deadline = Instant::now() + grace;
        if !self.is_over_by(deadline).await {
            let give_up_at = Instant::now() + KILL_TIME_MAX;
            loop {
                self.killer.signal_all(Signal::Kill);
                let now = Instant::now();
                if self.is_over_by(give_up_at.min(now + KILL_AGAIN_AFTER)).await {
                    break;
                }
                if now >= give_up_at {
                    return Err(StillRunning { count: descendants(self.killer.keeper).len() });
                }
            }
        }
        Ok(self.status.unwrap_or(ExitStatus::Unknown))
    }

    /// Whether all have ended by `deadline`; waits until then or until they have.
    async fn is_over_by(&mut self, deadline: Instant) -> bool {
        while !self.is_reaped {
            match timeout_at(deadline, self.next_report()).await {
                Err(_elapsed) => return false,
                Ok(Some((REPORT_ENDED, status))) => self.leader_ended(ExitStatus::from_wait(status)),
                Ok(Some(_)) => {}
                Ok(None) => self.all_ended(),
            }
        }
        true
    }

    /// The keeper's next report, or `None` when it has exited.
    async fn next_report(&self) -> Option<(u32, i32)> {
        let mut bytes = [0; REPORT_BYTES];
        // Reports are written whole, hence read whole.
        match read(&self.reports, &mut bytes).await {
            Ok(REPORT_BYTES) => Some(parse_report(bytes)),
            _ => None,
        }
    }

    fn leader_ended(&mut self, status: ExitStatus) {
        self.killer.leader_lives.store(false, Ordering::Relaxed);
        self.status = Some(status);
    }

    /// The pipe has ended, so the keeper has: at most a few instructions are left to it, hence this does not block.
    fn all_ended(&mut self) {
        self.killer.leader_lives.store(false, Ordering::Relaxed);
        self.killer.keeper_lives.store(false, Ordering::Relaxed);
        self.status.get_or_insert(ExitStatus::Unknown);
        if !self.is_reaped {
            let _ = rustix::process::waitpid(Some(self.killer.keeper), WaitOptions::empty());
            self.is_reaped = true;
        }
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        if self.is_reaped {
            return;
        }
        self.killer.signal_all(Signal::Kill);
        // Without the keeper what escaped would be nobody's; it goes last. A drop may not wait for others, but
        // a process that is sent SIGKILL is gone at once.
        let _ = rustix::process::kill_process(self.killer.keeper, rustix::process::Signal::KILL);
        let _ = rustix::process::waitpid(Some(self.killer.keeper), WaitOptions::empty());
        self.killer.keeper_lives.store(false, Ordering::Relaxed);
        self.killer.leader_lives.store(false, Ordering::Relaxed);
    }
}

impl Killer {
    /// Sends `signal` to the process group of the program, if the program still runs.
    pub fn signal(&self, signal: Signal) {
        if self.leader_lives.load(Ordering::Relaxed) {
            let _ = rustix::process::kill_process_group(self.leader, signal.to_system());
        }
    }

    /// Sends `signal` to everything under the session, whatever group or session it moved to.
    pub fn signal_all(&self, signal: Signal) {
        if !self.keeper_lives.load(Ordering::Relaxed) {
            return;
        }
        self.signal(signal);
        for pid in descendants(self.keeper) {
            let _ = rustix::process::kill_process(pid, signal.to_system());
        }
    }
}
