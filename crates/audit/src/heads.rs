//! Signs heads of the chain.

use std::fs::{self, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::PathBuf;

use jiff::Timestamp;
use postern_audit_format::Layout;
use postern_audit_format::head::Head;
use postern_audit_format::segment::{Position, TrailName};

use crate::disk;
use crate::error::OpenError;
use crate::keys::SigningKey;

/// No head is longer: a signature of 8192 bits has 2048 digits.
const HEAD_BYTES_MAX: u64 = 4096;

/// The file of heads, which only grows.
#[derive(Debug)]
pub(crate) struct Heads {
    path: PathBuf,
    trail: TrailName,
    last: Option<Head>,
    /// The length of the file up to the last complete head.
    bytes: u64,
}

impl Heads {
    /// Opens the file, and cuts a head that was not written to its end.
    pub(crate) fn open(layout: &Layout, trail: &TrailName) -> Result<Self, OpenError> {
        let path = layout.heads();
        let named = |error| disk::named(&path, error);
        let opened = disk::private().read(true).append(true).create(true).open(&path);
        let mut file = opened.map_err(named)?;
        let length = file.metadata().map_err(named)?.len();
        let start = length.saturating_sub(2 * HEAD_BYTES_MAX);
        let mut end = Vec::new();
        file.seek(SeekFrom::Start(start)).and_then(|_| file.read_to_end(&mut end)).map_err(named)?;
        let complete = end.iter().rposition(|byte| *byte == b'\n').map_or(0, |index| index + 1);
        let (complete, torn) = end.split_at(complete);
        let bytes = length - u64::try_from(torn.len()).expect("a length fits 64 bits");
        if !torn.is_empty() {
            file.set_len(bytes).and_then(|()| file.sync_all()).map_err(named)?;
        }
        let last = complete.strip_suffix(b"\n").and_then(|lines| lines.rsplit(|byte| *byte == b'\n').next());
        let last = last.map(|line| {
            serde_json::from_slice(line).map_err(|error| OpenError::Damaged {
                path: path.clone(),
                line: 0,
                byte: bytes - 1 - u64::try_from(line.len()).expect("a length fits 64 bits"),
                what: format!("the last head cannot be read: {error}"),
            })
        });
        let last = last.transpose()?;
        disk::sync_directory(layout.directory())?;
        Ok(Self { trail: trail.clone(), last, bytes, path })
    }

    pub(crate) fn last(&self) -> Option<&Head> {
        self.last.as_ref()
    }

    /// Signs a position, unless it was signed last.
    pub(crate) fn sign(&mut self, position: Position, now: Timestamp, key: &SigningKey) -> io::Result<()> {
        if self.last.as_ref().is_some_and(|head| head.sequence >= position.sequence) {
            return Ok(());
        }
        let previous = self.last.as_ref().map(|head| head.signature.as_str());
        let head = Head {
            sequence: position.sequence,
            hash: position.hash,
            time: now,
            fingerprint: key.public().fingerprint.clone(),
            signature: key.sign(&Head::text_to_sign(&self.trail, position, now, previous)),
        };
        let line = head.to_line();
        self.append(&line).map_err(|error| disk::named(&self.path, error))?;
        self.bytes += u64::try_from(line.len()).expect("a length fits 64 bits");
        self.last = Some(head);
        Ok(())
    }

    /// What an earlier attempt left behind is overwritten.
    fn append(&self, line: &[u8]) -> io::Result<()> {
        let mut file = OpenOptions::new().append(true).open(&self.path)?;
        if fs::metadata(&self.path)?.len() > self.bytes {
            file.set_len(self.bytes)?;
        }
        file.write_all(line)?;
        file.sync_data()
    }
}
