//! What can go wrong with a copy.

use std::io;
use std::path::PathBuf;

use postern_sftp::{StatusCode, WireError, quoted};

/// The stream to the node's file server is of no use any more.
#[derive(Debug, thiserror::Error)]
pub enum StreamError {
    /// The session is over.
    #[error("the session has ended")]
    Ended,
    /// The other end does not speak SFTP as Postern's agent does.
    #[error("the node's file server does not do what copies need; is its agent up to date?")]
    Version,
    /// What came is not SFTP.
    #[error("the node's file server cannot be understood")]
    Wire(#[from] WireError),
    /// Reading or writing failed.
    #[error("the session failed")]
    Io(#[source] io::Error),
}

/// The node could not do something.
#[derive(Debug, thiserror::Error)]
pub enum RemoteError {
    /// It says why.
    #[error("{}", words(*.code, .message))]
    Refused {
        /// The kind of error.
        code: StatusCode,
        /// The node's words; they may be anything, and are shown harmlessly.
        message: String,
    },
    /// It answered something else.
    #[error("the node's answer does not fit the request")]
    Unexpected,
    /// There is nobody to ask.
    #[error(transparent)]
    Stream(#[from] StreamError),
}

impl RemoteError {
    pub(crate) fn refused(code: StatusCode, message: &[u8]) -> Self {
        /// Longer than the words of any system.
        const MESSAGE_BYTES_MAX: usize = 200;
        let message = message.get(..MESSAGE_BYTES_MAX).unwrap_or(message);
        Self::Refused { code, message: quoted(message).trim_matches('"').to_owned() }
    }
}

fn words(code: StatusCode, message: &str) -> String {
    if message.is_empty() { code.to_string() } else { message.to_owned() }
}

/// Why a file was not copied.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// Something on this machine.
    #[error("{}", .path.display())]
    Local {
        /// What it is about.
        path: PathBuf,
        /// What is wrong.
        source: io::Error,
    },
    /// Something on the node.
    #[error("{path} on the node")]
    Remote {
        /// What it is about, in quotes.
        path: String,
        /// What is wrong.
        source: RemoteError,
    },
    /// Something that is no file.
    #[error("{0} is not a regular file")]
    NotRegular(String),
    /// A directory, and nobody asked for directories.
    #[error("{0} is a directory; -r copies directories")]
    Directory(String),
    /// A name that is none, from a node that would have a file put elsewhere.
    #[error("the node names a file {0}, which is no name of a file")]
    Name(String),
    /// A link that leads to where the copy is.
    #[error("{0} leads to a directory that it is in")]
    Loop(String),
    /// Directories without end.
    #[error("{0} is too deep")]
    TooDeep(String),
    /// A link of this machine that a node's tree would go through.
    #[error("{0} is a link, which a node's directory is not copied through")]
    LocalLink(String),
    /// It got shorter.
    #[error("{0} became shorter while it was copied")]
    Shrank(String),
    /// The copy is not the same.
    #[error("the copy of {0} does not have the SHA-256 of the original; it was removed")]
    Digest(String),
    /// Something else than a directory, where several things are to go or the path ends as one of a directory.
    #[error("{0} is not a directory")]
    TargetNotDirectory(String),
}

impl FileError {
    pub(crate) fn local(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Local { path, source }
    }

    pub(crate) fn remote<E: Into<RemoteError>>(path: &[u8]) -> impl FnOnce(E) -> Self {
        let path = quoted(path);
        move |source| Self::Remote { path, source: source.into() }
    }

    /// Whether nothing else can be copied either.
    #[must_use]
    pub fn is_final(&self) -> bool {
        matches!(self, Self::Remote { source: RemoteError::Stream(_), .. })
    }
}
