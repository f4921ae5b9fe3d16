//! What a session does with files, read from the two directions of its stream: a line for each file that was opened, made,
//! renamed, removed or changed. No content is looked at, and memory is bounded whatever is sent.
//!
//! A line about what is to be done is there when the request is complete, so that its reader can hold the request back until
//! the line is on record. That it failed, and how many bytes a file took or gave, are lines of their own when they are known.

mod lines;

use std::collections::HashMap;

use self::lines::{Opened, change, closed, failed, opened};
use crate::framing::{Head, Heads};
use crate::reply::{DATA, HANDLE, STATUS, StatusCode};
use crate::request::{INIT, Message, Request, WRITE};
use crate::wire::{Reader, WireError};

/// The longest request that is read: two paths of the longest kind that systems have, and more. Data of writes does not
/// count.
const REQUEST_BYTES_MAX: usize = 16 * 1024;
/// What is read of a write: handle, offset and the length of its data.
const WRITE_HEAD_BYTES: usize = 1 + 4 + 4 + HANDLE_BYTES_MAX + 8 + 4;
/// Of replies: a status, a handle, or how much data there is.
const REPLY_HEAD_BYTES: usize = 1 + 4 + 4 + HANDLE_BYTES_MAX;
/// Handles are at most that long (draft, section 6.2).
const HANDLE_BYTES_MAX: usize = 256;
/// Requests without reply; clients keep 64 or so.
const PENDING_MAX: usize = 16 * 1024;
/// What is kept of them: handles and lines.
const PENDING_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Open files; Postern's server has [`HANDLES_MAX`](crate::HANDLES_MAX).
const OPEN_MAX: usize = 1024;

/// The stream is not one that can be followed; what it does is not known from here on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotUnderstood {
    /// It is not SFTP.
    #[error(transparent)]
    Wire(#[from] WireError),
    /// The client began with something else than its version.
    #[error("the client does not begin with its version")]
    Beginning,
    /// More than any client needs.
    #[error("too many {0} at once")]
    TooMany(&'static str),
    /// Two requests under one number cannot be told apart.
    #[error("a request has the number of another that is not answered")]
    Ambiguous,
}

/// A request whose reply says something.
#[derive(Debug)]
enum Pending {
    Open {
        line: String,
        opened: Opened,
    },
    Close {
        handle: Vec<u8>,
    },
    Read {
        handle: Vec<u8>,
    },
    Write {
        handle: Vec<u8>,
        bytes: u64,
    },
    /// Worth a word only if it fails.
    Change {
        line: String,
    },
    /// Nothing to say, but its number is taken.
    Other,
}

impl Pending {
    fn kept_bytes(&self) -> usize {
        match self {
            Self::Open { line, opened } => line.len() + opened.path.len(),
            Self::Change { line } => line.len(),
            Self::Close { handle } | Self::Read { handle } | Self::Write { handle, .. } => handle.len(),
            Self::Other => 0,
        }
    }
}

/// See the [module's documentation](self).
#[derive(Debug, Default)]
pub struct Journal {
    requests: Heads,
    replies: Heads,
    book: Book,
}

/// What is known between the packets.
#[derive(Debug, Default)]
struct Book {
    has_begun: bool,
    pending: HashMap<u32, Pending>,
    pending_bytes: usize,
    files: HashMap<Vec<u8>, Opened>,
}

impl Journal {
    /// Takes the next bytes from the client and adds what they are to do to `lines`.
    ///
    /// # Errors
    /// They cannot be understood, nor anything after them.
    pub fn client(&mut self, bytes: &[u8], lines: &mut Vec<String>) -> Result<(), NotUnderstood> {
        let Self { requests, book, .. } = self;
        let most = |packet_type| if packet_type == WRITE { WRITE_HEAD_BYTES } else { REQUEST_BYTES_MAX };
        requests.push(bytes, most, |head| book.request(head, lines))
    }

    /// Takes the next bytes from the node and adds what they tell to `lines`.
    ///
    /// # Errors
    /// As for [`Self::client`].
    pub fn node(&mut self, bytes: &[u8], lines: &mut Vec<String>) -> Result<(), NotUnderstood> {
        let Self { replies, book, .. } = self;
        replies.push(bytes, |_| REPLY_HEAD_BYTES, |head| book.reply(head, lines))
    }

    /// The stream has ended: what is still open is closed by that. Adds the last words to `lines`.
    pub fn finish(&mut self, lines: &mut Vec<String>) {
        let mut left: Vec<Opened> = self.book.files.drain().map(|(_, file)| file).collect();
        left.sort_by(|a, b| a.path.cmp(&b.path));
        lines.extend(
            left.iter().map(|file| format!("{}; the session ended before it was closed", closed(file))),
        );
    }
}

impl Book {
    fn request(&mut self, head: Head<'_>, lines: &mut Vec<String>) -> Result<(), NotUnderstood> {
        let packet_type = head.bytes.first().copied().unwrap_or_default();
        if !std::mem::replace(&mut self.has_begun, true) {
            return if packet_type == INIT { Ok(()) } else { Err(NotUnderstood::Beginning) };
        }
        if packet_type == WRITE {
            return self.write(head);
        }
        if head.bytes.len() < head.length {
            return Err(WireError::Length(u32::try_from(head.length).unwrap_or(u32::MAX)).into());
        }
        let Message::Request { id, request } = Message::parse(head.bytes)? else {
            return Err(NotUnderstood::Beginning);
        };
        let pending = match request {
            Request::Open { path, flags, ref attributes } => {
                let line = opened(path, flags, attributes);
                lines.push(line.clone());
                Pending::Open { line, opened: Opened::new(path, flags) }
            }
            Request::Close { handle } => Pending::Close { handle: handle.to_vec() },
            Request::Read { handle, .. } => Pending::Read { handle: handle.to_vec() },
            ref request => match change(request, &self.files) {
                Some(line) => {
                    lines.push(line.clone());
                    Pending::Change { line }
                }
                None => Pending::Other,
            },
        };
        self.expect(id, pending)
    }

    fn write(&mut self, head: Head<'_>) -> Result<(), NotUnderstood> {
        let mut reader = Reader::new(head.bytes);
        reader.u8("type")?;
        let id = reader.u32("id")?;
        let handle = reader.string("handle")?;
        if handle.len() > HANDLE_BYTES_MAX {
            return Err(NotUnderstood::Wire(WireError::Short("handle")));
        }
        reader.u64("offset")?;
        let bytes = reader.u32("data")?;
        let head_bytes = 1 + 4 + 4 + handle.len() + 8 + 4;
        // The packet's length must be that of its parts: otherwise the node would read another one.
        if usize::try_from(bytes).ok() != head.length.checked_sub(head_bytes) {
            return Err(WireError::Short("data").into());
        }
        self.expect(id, Pending::Write { handle: handle.to_vec(), bytes: bytes.into() })
    }

    fn expect(&mut self, id: u32, pending: Pending) -> Result<(), NotUnderstood> {
        self.pending_bytes += pending.kept_bytes();
        if self.pending.len() >= PENDING_MAX || self.pending_bytes > PENDING_BYTES_MAX {
            return Err(NotUnderstood::TooMany("requests"));
        }
        match self.pending.insert(id, pending) {
            None => Ok(()),
            Some(_) => Err(NotUnderstood::Ambiguous),
        }
    }

    fn reply(&mut self, head: Head<'_>, lines: &mut Vec<String>) -> Result<(), NotUnderstood> {
        let mut reader = Reader::new(head.bytes);
        let packet_type = reader.u8("type")?;
        let id = reader.u32("id")?;
        // The version has no request, and whatever a node invents concerns no file.
        let Some(pending) = self.pending.remove(&id) else { return Ok(()) };
        self.pending_bytes -= pending.kept_bytes();
        let status = match packet_type {
            STATUS => Some(StatusCode::from_code(reader.u32("status")?)),
            _ => None,
        };
        match pending {
            Pending::Open { opened, .. } if packet_type == HANDLE => {
                let handle = reader.string("handle")?.to_vec();
                if self.files.len() >= OPEN_MAX {
                    return Err(NotUnderstood::TooMany("open files"));
                }
                self.files.insert(handle, opened);
            }
            Pending::Open { line, .. } | Pending::Change { line } => {
                if let Some(code) = status.filter(|code| *code != StatusCode::Ok) {
                    lines.push(failed(&line, code));
                }
            }
            Pending::Close { handle } => lines.extend(self.files.remove(&handle).as_ref().map(closed)),
            Pending::Read { handle } if packet_type == DATA => {
                let bytes = reader.u32("data")?;
                if let Some(file) = self.files.get_mut(&handle) {
                    file.read_bytes = file.read_bytes.saturating_add(bytes.into());
                }
            }
            Pending::Write { handle, bytes } if status == Some(StatusCode::Ok) => {
                if let Some(file) = self.files.get_mut(&handle) {
                    file.written_bytes = file.written_bytes.saturating_add(bytes);
                }
            }
            Pending::Read { .. } | Pending::Write { .. } | Pending::Other => {}
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
