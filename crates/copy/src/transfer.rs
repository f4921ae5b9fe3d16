//! The content of one file, with many requests under way.

use std::collections::{BTreeMap, VecDeque};
use std::io::{self, Read};

use aws_lc_rs::digest::{Context, SHA256};
use postern_sftp::{Request, StatusCode};
use tokio::io::{AsyncRead, AsyncWrite};

use crate::Progress;
use crate::error::RemoteError;
use crate::remote::{Answer, Remote};

/// Data in one request.
const BLOCK_BYTES: usize = 64 * 1024;
/// Requests under way: 2 MiB, as much as the stream takes.
const OUTSTANDING_MAX: usize = 32;

/// A running SHA-256.
pub(crate) struct Digest(Context);

impl Digest {
    pub(crate) fn new() -> Self {
        Self(Context::new(&SHA256))
    }

    pub(crate) fn update(&mut self, data: &[u8]) {
        self.0.update(data);
    }

    /// The digest so far.
    pub(crate) fn value(&self) -> [u8; 32] {
        let mut value = [0; 32];
        value.copy_from_slice(self.0.clone().finish().as_ref());
        value
    }
}

/// Why a file's content did not arrive.
pub(crate) enum TransferError {
    Local(io::Error),
    Remote(RemoteError),
    /// The file ended early.
    Shrank,
}

impl<E: Into<RemoteError>> From<E> for TransferError {
    fn from(error: E) -> Self {
        Self::Remote(error.into())
    }
}

/// Sends the rest of `file`, from `offset` on, to the open file `handle`; how long it is then.
pub(crate) async fn send<S: AsyncRead + AsyncWrite + Unpin>(
    remote: &mut Remote<S>,
    file: &mut impl Read,
    handle: &[u8],
    mut offset: u64,
    digest: &mut Digest,
    progress: &mut dyn Progress,
) -> Result<u64, TransferError> {
    let mut block = vec![0; BLOCK_BYTES];
    let mut pending: VecDeque<(u32, u64)> = VecDeque::new();
    let mut is_read = false;
    let outcome = loop {
        while !is_read && pending.len() < OUTSTANDING_MAX {
            let count = match fill(file, &mut block) {
                Ok(count) => count,
                Err(error) => return fail(remote, pending, TransferError::Local(error)).await,
            };
            is_read = count < block.len();
            if count > 0 {
                let data = &block[..count];
                digest.update(data);
                let count = u64::try_from(count).unwrap_or_default();
                pending.push_back((remote.submit(Request::Write { handle, offset, data }), count));
                offset += count;
            }
        }
        if pending.is_empty() {
            break Ok(offset);
        }
        let (id, answer) = remote.next_answer().await?;
        let Some(at) = pending.iter().position(|(waiting, _)| *waiting == id) else { continue };
        let bytes = pending.remove(at).map_or(0, |(_, bytes)| bytes);
        match answer {
            Answer::Done => progress.advance(bytes),
            answer => break Err(refusal(answer)),
        }
    };
    match outcome {
        Ok(length) => Ok(length),
        Err(error) => fail(remote, pending, error.into()).await,
    }
}

/// Takes the content of the open file `handle` from `offset` on to `size`, or to its end if that is not known, and gives it
/// to `write` in order.
pub(crate) async fn receive<S: AsyncRead + AsyncWrite + Unpin>(
    remote: &mut Remote<S>,
    handle: &[u8],
    mut offset: u64,
    size: Option<u64>,
    mut write: impl FnMut(&[u8]) -> io::Result<()>,
    progress: &mut dyn Progress,
) -> Result<(), TransferError> {
    let block = u64::try_from(BLOCK_BYTES).unwrap_or(u64::MAX);
    let mut requested = offset;
    // What was asked for: where and how much.
    let mut pending: VecDeque<(u32, u64, u64)> = VecDeque::new();
    // What came before its turn; no more than is under way.
    let mut early: BTreeMap<u64, Vec<u8>> = BTreeMap::new();
    let outstanding_max = if size.is_some() { OUTSTANDING_MAX } else { 1 };
    let mut has_ended = false;
    let outcome = loop {
        while pending.len() + early.len() < outstanding_max && !has_ended {
            let length = size.map_or(block, |size| size.saturating_sub(requested).min(block));
            if length == 0 {
                break;
            }
            pending.push_back((ask(remote, handle, requested, length), requested, length));
            requested += length;
        }
        if pending.is_empty() {
            break if size.is_some_and(|size| offset < size) { Err(TransferError::Shrank) } else { Ok(()) };
        }
        let (id, answer) = remote.next_answer().await?;
        let Some(at) = pending.iter().position(|(waiting, ..)| *waiting == id) else { continue };
        let Some((_, from, length)) = pending.remove(at) else { continue };
        match answer {
            Answer::Data(data) => {
                let count = u64::try_from(data.len()).unwrap_or(u64::MAX);
                if count == 0 || count > length {
                    break Err(RemoteError::Unexpected.into());
                }
                if size.is_none() {
                    requested = from + count;
                } else if count < length {
                    let rest =
                        (ask(remote, handle, from + count, length - count), from + count, length - count);
                    pending.push_back(rest);
                }
                early.insert(from, data);
            }
            Answer::Refused { code: StatusCode::Eof, .. } if size.is_none() => has_ended = true,
            Answer::Refused { code: StatusCode::Eof, .. } => break Err(TransferError::Shrank),
            answer => break Err(refusal(answer).into()),
        }
        if let Err(error) = write_ordered(&mut early, &mut offset, &mut write, progress) {
            break Err(TransferError::Local(error));
        }
    };
    match outcome {
        Ok(()) => Ok(()),
        Err(error) => {
            let pending = pending.into_iter().map(|(id, ..)| (id, 0)).collect();
            fail(remote, pending, error).await
        }
    }
}

fn ask<S: AsyncRead + AsyncWrite + Unpin>(
    remote: &mut Remote<S>,
    handle: &[u8],
    offset: u64,
    length: u64,
) -> u32 {
    let length = u32::try_from(length).unwrap_or(u32::MAX);
    remote.submit(Request::Read { handle, offset, length })
}

fn write_ordered(
    early: &mut BTreeMap<u64, Vec<u8>>,
    offset: &mut u64,
    write: &mut impl FnMut(&[u8]) -> io::Result<()>,
    progress: &mut dyn Progress,
) -> io::Result<()> {
    while let Some(data) = early.remove(offset) {
        write(&data)?;
        let count = u64::try_from(data.len()).unwrap_or_default();
        *offset += count;
        progress.advance(count);
    }
    Ok(())
}

fn refusal(answer: Answer) -> RemoteError {
    match answer {
        Answer::Refused { code, message } => RemoteError::refused(code, &message),
        _ => RemoteError::Unexpected,
    }
}

/// Leaves nothing under way behind.
async fn fail<S: AsyncRead + AsyncWrite + Unpin, T>(
    remote: &mut Remote<S>,
    pending: VecDeque<(u32, u64)>,
    error: TransferError,
) -> Result<T, TransferError> {
    if !matches!(error, TransferError::Remote(RemoteError::Stream(_))) {
        remote.settle(pending.into_iter().map(|(id, _)| id).collect()).await?;
    }
    Err(error)
}

/// Reads until the block is full or the file ends.
pub(crate) fn fill(file: &mut impl Read, block: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < block.len() {
        match file.read(&mut block[filled..]) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}
