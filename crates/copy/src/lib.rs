//! Copies between this machine and a node, over the stream of a session with the node's file server.
//!
//! A file is written beside its place under another name, compared by SHA-256, and only then given its name: nobody sees
//! half of one, and what broke off can be taken up again. Many requests are under way at once, so that a copy is as
//! fast as the stream. What a node says is hostile: names that are not names are refused, and no tree of a node goes through
//! a link of this machine.

mod download;
mod error;
mod local;
mod names;
mod remote;
mod transfer;
mod upload;

use postern_sftp::quoted;
use tokio::io::{AsyncRead, AsyncWrite};

pub use error::{FileError, RemoteError, StreamError};
pub use remote::Remote;

/// How to copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Options {
    /// Directories with all that is in them.
    pub recursive: bool,
    /// Times and the whole mode too.
    pub preserve: bool,
    /// What an earlier copy left is gone on with, if it is the beginning of the same file.
    pub resume: bool,
}

/// Told how it goes.
pub trait Progress {
    /// A file begins; `from` bytes of `size` are there already. The name is printable.
    fn begin(&mut self, name: &str, size: u64, from: u64);
    /// So many bytes more.
    fn advance(&mut self, bytes: u64);
    /// The file is there and is the same.
    fn finish(&mut self);
    /// It is not; others may go on.
    fn fail(&mut self, error: &FileError);
}

/// Copies one file or directory at a time over one stream.
pub struct Copier<'a, S> {
    remote: &'a mut Remote<S>,
    options: Options,
    progress: &'a mut dyn Progress,
    failures: usize,
}

impl<S> std::fmt::Debug for Copier<'_, S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Copier").field("options", &self.options).field("failures", &self.failures).finish()
    }
}

/// Directories within directories; a tree that is deeper is one without end.
const DEPTH_MAX: usize = 128;

impl<'a, S: AsyncRead + AsyncWrite + Unpin> Copier<'a, S> {
    /// Copies over `remote`.
    pub fn new(remote: &'a mut Remote<S>, options: Options, progress: &'a mut dyn Progress) -> Self {
        Self { remote, options, progress, failures: 0 }
    }

    /// How many files or directories could not be copied.
    #[must_use]
    pub fn failures(&self) -> usize {
        self.failures
    }

    /// Notes a failure after which others may go on, or gives it back.
    fn note(&mut self, outcome: Result<(), FileError>) -> Result<(), FileError> {
        match outcome {
            Err(error) if !error.is_final() => {
                self.failures += 1;
                self.progress.fail(&error);
                Ok(())
            }
            outcome => outcome,
        }
    }
}

/// A name in words for people.
fn shown(path: &[u8]) -> String {
    let quoted = quoted(path);
    let bare = quoted.trim_matches('"');
    if bare.as_bytes() == path { bare.to_owned() } else { quoted }
}
