//! Pseudo-terminals and the processes of a session: the only crate with `unsafe`.
//!
//! A session's program does not run as a child of the agent but as a child of a small *keeper* process that this crate
//! forks first. The keeper is the subreaper of everything below it (`PR_SET_CHILD_SUBREAPER`), reaps it, tells how the
//! program ended, and exits when nothing is left. So "everything under the session" is exactly "the descendants of
//! the keeper", however they daemonised or changed their session and process group; and the end of the keeper, which is
//! the end of file on its pipe, means that all are gone and no zombie is left. Neither SIGCHLD handlers nor polling are
//! needed, and other users of child processes in the same program are not disturbed.
//!
//! `tokio::process` cannot give a child its own session and controlling terminal without `pre_exec`, does not say
//! which step of a start failed, and would know only the direct child.
//!
//! On systems without subreapers (macOS) the keeper sees the direct child only and the end of a session reaches the
//! processes that kept their parent. Such leftovers lose their terminal all the same.

mod child;
mod command;
mod descendants;
mod descriptor;
mod launch;
mod pipes;
mod terminal;
mod user;

pub use child::{Child, ExitStatus, Killer, StillRunning};
pub use command::{Command, InvalidCommand};
pub use launch::{Signal, SpawnError, Step};
pub use pipes::{
    Conversation, Input, PipeReader, PipeWriter, Piped, Streams, spawn_to_speak_with, spawn_with_pipes,
};
pub use terminal::{OnTerminal, Resizer, TerminalReader, TerminalWriter, WindowSize, spawn_on_terminal};
pub use user::{LookupError, User};
