//! A file's bytes as they are sent.

use std::io::{self, SeekFrom};
use std::ops::Range;

use bytes::{Bytes, BytesMut};
use futures_util::Stream;
use futures_util::stream::try_unfold;
use tokio::fs::File;
use tokio::io::{AsyncReadExt as _, AsyncSeekExt as _};

/// Bytes that are read at a time, and all that a slow reader makes the server hold.
const CHUNK_BYTES: usize = 64 * 1024;

/// The bytes of `file` in `range`, as many as it says or an error.
pub(crate) fn of_file(
    file: File,
    range: Range<u64>,
) -> impl Stream<Item = io::Result<Bytes>> + Send + Sync + 'static {
    let left = range.end.saturating_sub(range.start);
    try_unfold((file, Some(range.start), left), async |(mut file, seek_to, left)| {
        if left == 0 {
            return Ok(None);
        }
        if let Some(start) = seek_to.filter(|start| *start > 0) {
            file.seek(SeekFrom::Start(start)).await?;
        }
        let room = usize::try_from(left).unwrap_or(CHUNK_BYTES).min(CHUNK_BYTES);
        let mut chunk = BytesMut::zeroed(room);
        let read = file.read(&mut chunk).await?;
        if read == 0 {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the object became shorter"));
        }
        chunk.truncate(read);
        let left = left.saturating_sub(u64::try_from(read).unwrap_or(left));
        Ok(Some((chunk.freeze(), (file, None, left))))
    })
}
