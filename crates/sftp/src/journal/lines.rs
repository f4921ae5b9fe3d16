//! The journal's lines.

use std::collections::HashMap;

use crate::attributes::{Attributes, Owner, Times};
use crate::quote::quoted;
use crate::reply::StatusCode;
use crate::request::{Extension, OpenFlags, Request};

/// What is shown of a path. No system has longer ones.
const PATH_BYTES_MAX: usize = 4096;

/// An open file.
#[derive(Debug)]
pub(super) struct Opened {
    /// In quotes.
    pub(super) path: String,
    writes: bool,
    pub(super) read_bytes: u64,
    pub(super) written_bytes: u64,
}

impl Opened {
    pub(super) fn new(path: &[u8], flags: OpenFlags) -> Self {
        Self { path: shown(path), writes: flags.contains(OpenFlags::WRITE), read_bytes: 0, written_bytes: 0 }
    }
}

fn shown(path: &[u8]) -> String {
    match path.get(..PATH_BYTES_MAX) {
        Some(beginning) if path.len() > PATH_BYTES_MAX => format!("{}…", quoted(beginning)),
        _ => quoted(path),
    }
}

/// A file is to be opened.
pub(super) fn opened(path: &[u8], flags: OpenFlags, attributes: &Attributes) -> String {
    let purpose = match (flags.contains(OpenFlags::READ), flags.contains(OpenFlags::WRITE)) {
        (true, true) => "read and write",
        (false, true) => "write",
        (_, false) => "read",
    };
    let mut how = String::new();
    for (flag, word) in [
        (OpenFlags::CREATE, "made if missing"),
        (OpenFlags::EXCLUSIVE, "must be new"),
        (OpenFlags::TRUNCATE, "emptied"),
        (OpenFlags::APPEND, "appended to"),
    ] {
        if flags.contains(flag) {
            how.push_str(", ");
            how.push_str(word);
        }
    }
    let mode = match attributes.permissions() {
        Some(mode) if flags.contains(OpenFlags::CREATE) => format!(", mode {mode:04o}"),
        _ => String::new(),
    };
    format!("open {} to {purpose}{how}{mode}", shown(path))
}

/// A file is closed.
pub(super) fn closed(file: &Opened) -> String {
    let Opened { path, writes, read_bytes, written_bytes } = file;
    let moved = match (*writes, *read_bytes) {
        (false, read) => format!("{read} bytes read"),
        (true, 0) => format!("{written_bytes} bytes written"),
        (true, read) => format!("{read} bytes read, {written_bytes} bytes written"),
    };
    format!("close {path}: {moved}")
}

/// What `line` announced did not happen.
pub(super) fn failed(line: &str, code: StatusCode) -> String {
    format!("failed: {line}: {code}")
}

/// What a request changes; `None` if it changes nothing.
pub(super) fn change(request: &Request<'_>, files: &HashMap<Vec<u8>, Opened>) -> Option<String> {
    let of_handle =
        |handle: &[u8]| files.get(handle).map_or_else(|| "an open file".to_owned(), |file| file.path.clone());
    Some(match request {
        Request::Setstat { path, attributes } => format!("set {} of {}", values(attributes), shown(path)),
        Request::Fsetstat { handle, attributes } => {
            format!("set {} of {}", values(attributes), of_handle(handle))
        }
        Request::Remove { path } => format!("remove {}", shown(path)),
        Request::Mkdir { path, .. } => format!("make directory {}", shown(path)),
        Request::Rmdir { path } => format!("remove directory {}", shown(path)),
        Request::Rename { from, to } | Request::Extended(Extension::PosixRename { from, to }) => {
            format!("rename {} to {}", shown(from), shown(to))
        }
        Request::Symlink { target, link } => format!("make link {} to {}", shown(link), shown(target)),
        Request::Extended(Extension::Hardlink { from, to }) => {
            format!("make link {} to the file {}", shown(to), shown(from))
        }
        // What a server of another maker might do with it is not known.
        Request::Extended(Extension::Unknown { name }) => format!("ask for the extension {}", shown(name)),
        _ => return None,
    })
}

fn values(attributes: &Attributes) -> String {
    let mut values = Vec::new();
    if let Some(size) = attributes.size {
        values.push(format!("size {size}"));
    }
    if let Some(mode) = attributes.permissions() {
        values.push(format!("mode {mode:04o}"));
    }
    if let Some(Times { modified, .. }) = attributes.times {
        values.push(format!("time {modified}"));
    }
    if let Some(Owner { uid, gid }) = attributes.owner {
        values.push(format!("owner {uid}:{gid}"));
    }
    if values.is_empty() { "nothing".to_owned() } else { values.join(", ") }
}
