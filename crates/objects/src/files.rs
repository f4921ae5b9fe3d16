//! The files that hold what objects hold.

use std::fs::{self, File};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use aws_lc_rs::hkdf::{HKDF_SHA256, Prk};
use bytes::Bytes;
use futures_util::Stream;
use futures_util::stream::try_unfold;
use postern_store::{Secret, Segment};
use tokio::task::spawn_blocking;

use crate::cipher::{FileKey, HEADER, PIECE_BYTES, TAG_BYTES};
use crate::in_use::{Held, InUse};

/// Where files are that are not complete.
const INCOMING: &str = "incoming";
/// Directories, by the first two digits of a name, keep each of them small.
const SHARD_DIGITS: usize = 2;
/// Pieces read at a time, and all that a slow reader makes the server hold.
const READ_PIECES: u64 = 4;
/// Bytes of a name, which nobody else picks.
const NAME_BYTES: usize = 16;

/// The directory with the files.
#[derive(Clone)]
pub struct Files {
    directory: Arc<Path>,
    root: Arc<Prk>,
    in_use: InUse,
}

/// A file that is being written. Dropped before [`Self::finish`] it was never there.
pub struct FileWriter {
    files: Files,
    name: String,
    file: File,
    key: FileKey,
    piece: Vec<u8>,
    pieces: u64,
    size_bytes: u64,
    is_finished: bool,
}

impl Files {
    /// Opens or makes the directory. `key` encrypts what is in it.
    ///
    /// # Errors
    /// It cannot be made, or what was not completed in it not be removed.
    pub fn open(directory: PathBuf, key: &Secret<[u8; 32]>) -> io::Result<Self> {
        let incoming = directory.join(INCOMING);
        fs::create_dir_all(&incoming)?;
        for entry in fs::read_dir(&incoming)? {
            fs::remove_file(entry?.path())?;
        }
        let root = Prk::new_less_safe(HKDF_SHA256, key.expose_secret());
        Ok(Self { directory: directory.into(), root: Arc::new(root), in_use: InUse::default() })
    }

    /// Begins a file. Blocks.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn create(&self) -> io::Result<FileWriter> {
        let mut name = [0; NAME_BYTES];
        aws_lc_rs::rand::fill(&mut name).map_err(|_| io::Error::other("there are no random numbers"))?;
        let name = hex::encode(name);
        let mut file = File::create_new(self.directory.join(INCOMING).join(&name))?;
        file.write_all(&HEADER)?;
        Ok(FileWriter {
            key: FileKey::of(&self.root, &name),
            files: self.clone(),
            name,
            file,
            piece: Vec::with_capacity(PIECE_BYTES + TAG_BYTES),
            pieces: 0,
            size_bytes: 0,
            is_finished: false,
        })
    }

    /// The bytes of `range` in what `segments` hold one after the other, or an error where that ends early. The files stay
    /// until it is dropped.
    pub fn read(
        &self,
        segments: Vec<Segment>,
        range: Range<u64>,
    ) -> impl Stream<Item = io::Result<Bytes>> + Send + Sync + 'static + use<> {
        let held = self.in_use.hold(&segments);
        let files = self.clone();
        let reading = Reading { files, segments, _held: held, open: None, at: range.start, end: range.end };
        try_unfold(reading, async |mut reading| {
            if reading.at >= reading.end {
                return Ok(None);
            }
            let read = spawn_blocking(move || reading.next().map(|bytes| (bytes, reading)));
            read.await.map_err(|_| io::Error::other("reading broke down"))?.map(Some)
        })
    }

    /// Removes a file, if it is there; one that is being read, when it is not any more. Blocks.
    ///
    /// # Errors
    /// It cannot be removed.
    pub fn remove(&self, name: &str) -> io::Result<()> {
        if self.in_use.defer_removal(name, self.path(name)) {
            return Ok(());
        }
        match fs::remove_file(self.path(name)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    /// The directories that files are in. The names of the files in each begin as it is called. Blocks.
    ///
    /// # Errors
    /// They cannot be read.
    pub fn shards(&self) -> io::Result<Vec<String>> {
        let mut shards = Vec::new();
        for shard in fs::read_dir(&self.directory)? {
            let shard = shard?;
            if shard.file_name() != INCOMING && shard.file_type()?.is_dir() {
                shards.extend(shard.file_name().into_string());
            }
        }
        Ok(shards)
    }

    /// The names of the files in one of them. Blocks.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn names(&self, shard: &str) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in fs::read_dir(self.directory.join(shard))? {
            names.extend(entry?.file_name().into_string());
        }
        Ok(names)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.shard(name).join(name)
    }

    fn shard(&self, name: &str) -> PathBuf {
        self.directory.join(name.get(..SHARD_DIGITS).unwrap_or(name))
    }
}

impl std::fmt::Debug for Files {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Files").field("directory", &self.directory).finish_non_exhaustive()
    }
}

impl FileWriter {
    /// Adds bytes. Blocks.
    ///
    /// # Errors
    /// They cannot be written; the file is of no use then.
    pub fn write(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            // A full piece is written when more follows: only then is it known not to be the last.
            if self.piece.len() == PIECE_BYTES {
                self.write_piece(false)?;
            }
            let room = (PIECE_BYTES - self.piece.len()).min(bytes.len());
            let (now, later) = bytes.split_at(room);
            self.piece.extend_from_slice(now);
            self.size_bytes += now.len() as u64;
            bytes = later;
        }
        Ok(())
    }

    /// Completes the file: it is on the disk when this returns. Blocks.
    ///
    /// # Errors
    /// It is not.
    pub fn finish(mut self) -> io::Result<Segment> {
        self.write_piece(true)?;
        self.file.sync_all()?;
        let shard = self.files.shard(&self.name);
        fs::create_dir_all(&shard)?;
        fs::rename(self.incoming(), shard.join(&self.name))?;
        self.is_finished = true;
        File::open(&shard)?.sync_all()?;
        File::open(&self.files.directory)?.sync_all()?;
        Ok(Segment { file: self.name.clone(), size_bytes: self.size_bytes })
    }

    fn write_piece(&mut self, is_last: bool) -> io::Result<()> {
        self.key.seal(self.pieces, is_last, &mut self.piece)?;
        self.file.write_all(&self.piece)?;
        self.pieces += 1;
        self.piece.clear();
        Ok(())
    }

    fn incoming(&self) -> PathBuf {
        self.files.directory.join(INCOMING).join(&self.name)
    }
}

impl Drop for FileWriter {
    fn drop(&mut self) {
        if !self.is_finished {
            // What stays is removed at the next start.
            let _ = fs::remove_file(self.incoming());
        }
    }
}

impl std::fmt::Debug for FileWriter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FileWriter").field("name", &self.name).finish_non_exhaustive()
    }
}

/// Where a reader stands in the contents of an object.
struct Reading {
    files: Files,
    segments: Vec<Segment>,
    _held: Held,
    /// The segment that is being read, by its place.
    open: Option<(usize, File, FileKey)>,
    at: u64,
    end: u64,
}

impl Reading {
    /// The next bytes, of one segment.
    fn next(&mut self) -> io::Result<Bytes> {
        let (index, start) = self.segment_at(self.at).ok_or_else(|| {
            io::Error::new(io::ErrorKind::UnexpectedEof, "the object is shorter than it should be")
        })?;
        if self.open.as_ref().is_none_or(|(open, ..)| *open != index) {
            let name = &self.segments[index].file;
            let mut file = File::open(self.files.path(name))?;
            let mut header = [0; HEADER.len()];
            file.read_exact(&mut header)?;
            if header != HEADER {
                return Err(io::Error::new(io::ErrorKind::InvalidData, "the file is none of an object"));
            }
            self.open = Some((index, file, FileKey::of(&self.files.root, name)));
        }
        let size = self.segments[index].size_bytes;
        let within = self.at - start..(self.end - start).min(size);
        let (_, file, key) = self.open.as_mut().expect("it was opened just now");
        let bytes = read_pieces(file, key, size, within)?;
        self.at += bytes.len() as u64;
        Ok(bytes)
    }

    /// The segment that holds a byte, and where it starts.
    fn segment_at(&self, at: u64) -> Option<(usize, u64)> {
        let mut start = 0;
        for (index, segment) in self.segments.iter().enumerate() {
            if at - start < segment.size_bytes {
                return Some((index, start));
            }
            start += segment.size_bytes;
        }
        None
    }
}

/// The first bytes of `range` in a file that holds `size` bytes, as many as a few pieces have.
fn read_pieces(file: &mut File, key: &FileKey, size: u64, range: Range<u64>) -> io::Result<Bytes> {
    let piece_bytes = PIECE_BYTES as u64;
    let first = range.start / piece_bytes;
    let last_of_file = size.saturating_sub(1) / piece_bytes;
    let last = ((range.end - 1) / piece_bytes).min(first + READ_PIECES - 1);
    file.seek(SeekFrom::Start(HEADER.len() as u64 + first * (piece_bytes + TAG_BYTES as u64)))?;
    let mut read = Vec::new();
    for number in first..=last {
        let is_last = number == last_of_file;
        let length = if is_last { size - number * piece_bytes } else { piece_bytes };
        let mut piece = vec![0; usize::try_from(length).unwrap_or(PIECE_BYTES) + TAG_BYTES];
        file.read_exact(&mut piece)?;
        key.open(number, is_last, &mut piece)?;
        read.append(&mut piece);
    }
    let skipped = usize::try_from(range.start - first * piece_bytes).unwrap_or(PIECE_BYTES);
    let wanted = usize::try_from(range.end - range.start).unwrap_or(usize::MAX);
    let bytes = Bytes::from(read).slice(skipped..);
    Ok(bytes.slice(..bytes.len().min(wanted)))
}

#[cfg(test)]
mod tests {
    use futures_util::TryStreamExt as _;
    use proptest::prelude::*;

    use super::*;

    fn files(directory: &Path) -> Files {
        Files::open(directory.join("objects"), &Secret::new([7; 32])).unwrap()
    }

    fn write(files: &Files, bytes: &[u8]) -> Segment {
        let mut writer = files.create().unwrap();
        bytes.chunks(10_000).for_each(|chunk| writer.write(chunk).unwrap());
        writer.finish().unwrap()
    }

    fn read(files: &Files, segments: &[Segment], range: Range<u64>) -> io::Result<Vec<u8>> {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let chunks: io::Result<Vec<Bytes>> =
            runtime.block_on(files.read(segments.to_vec(), range).try_collect());
        Ok(chunks?.concat())
    }

    fn pattern(length: usize) -> Vec<u8> {
        (0..length).map(|n| (n % 251) as u8).collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]

        #[test]
        fn any_part_is_read_as_it_was_written(
            sizes in prop::collection::vec(
                prop_oneof![0..200_usize, Just(PIECE_BYTES), Just(2 * PIECE_BYTES), 0..400_000_usize], 1..4),
            from in 0.0..1.0_f64,
            to in 0.0..=1.0_f64,
        ) {
            let directory = tempfile::tempdir().unwrap();
            let files = files(directory.path());
            let all = pattern(sizes.iter().sum());
            let mut start = 0;
            let segments: Vec<Segment> = sizes.iter().map(|size| {
                let segment = write(&files, &all[start..start + size]);
                start += size;
                segment
            }).collect();
            let (from, to) = ((from * all.len() as f64) as usize, (to * all.len() as f64) as usize);
            let range = from..to.max(from);
            let got = read(&files, &segments, range.start as u64..range.end as u64).unwrap();
            prop_assert!(got == all[range]);
        }
    }

    #[test]
    fn nothing_of_it_is_on_the_disk_in_clear() {
        let directory = tempfile::tempdir().unwrap();
        let files = files(directory.path());
        let segment = write(&files, &b"a secret of the session ".repeat(100));
        let raw = fs::read(files.path(&segment.file)).unwrap();
        assert!(!raw.windows(8).any(|window| window == b"a secret"));
        assert_eq!(files.shards().unwrap(), [segment.file.get(..SHARD_DIGITS).unwrap()]);
        assert_eq!(files.names(&segment.file[..SHARD_DIGITS]).unwrap(), [segment.file]);
    }

    #[test]
    fn a_changed_file_is_not_read() {
        let directory = tempfile::tempdir().unwrap();
        let files = files(directory.path());
        let good = pattern(3 * PIECE_BYTES);
        let segment = write(&files, &good);
        let path = files.path(&segment.file);
        let raw = fs::read(&path).unwrap();
        let stride = PIECE_BYTES + TAG_BYTES;
        let mut flipped = raw.clone();
        flipped[HEADER.len() + 5] ^= 1;
        let mut swapped = raw.clone();
        swapped[HEADER.len()..HEADER.len() + 2 * stride].rotate_left(stride);
        let cut = raw[..HEADER.len() + 2 * stride].to_vec();
        for (what, bytes) in [("flipped", flipped), ("swapped", swapped), ("cut", cut.clone())] {
            fs::write(&path, bytes).unwrap();
            assert!(read(&files, std::slice::from_ref(&segment), 0..segment.size_bytes).is_err(), "{what}");
        }
        // As long as the store would be told, but not as it was written.
        fs::write(&path, cut).unwrap();
        let shorter = Segment { size_bytes: 2 * PIECE_BYTES as u64, ..segment };
        assert!(read(&files, std::slice::from_ref(&shorter), 0..shorter.size_bytes).is_err());
    }

    #[tokio::test]
    async fn what_is_removed_is_read_to_its_end_by_whoever_had_begun() {
        let directory = tempfile::tempdir().unwrap();
        let files = files(directory.path());
        let contents = pattern(10 * PIECE_BYTES);
        let segments = [write(&files, &contents), write(&files, b"end")];
        let size = contents.len() as u64 + 3;
        let (one, other) = (files.read(segments.to_vec(), 0..size), files.read(segments.to_vec(), 0..1));
        for segment in &segments {
            files.remove(&segment.file).unwrap();
        }
        drop(other);
        let read: Vec<Bytes> = one.try_collect().await.unwrap();
        assert!(read.concat() == [&contents[..], b"end"].concat());
        for segment in &segments {
            assert!(!files.path(&segment.file).exists());
        }
        assert!(files.read(segments.to_vec(), 0..1).try_collect::<Vec<_>>().await.is_err());
    }

    #[test]
    fn what_is_not_finished_was_never_there() {
        let directory = tempfile::tempdir().unwrap();
        let files = files(directory.path());
        let mut writer = files.create().unwrap();
        writer.write(b"half").unwrap();
        drop(writer);
        let writer = files.create().unwrap();
        std::mem::forget(writer);
        let incoming = directory.path().join("objects").join(INCOMING);
        assert_eq!(fs::read_dir(&incoming).unwrap().count(), 1);
        let again = super::tests::files(directory.path());
        assert_eq!(fs::read_dir(&incoming).unwrap().count(), 0);
        assert_eq!(again.shards().unwrap(), Vec::<String>::new());
    }
}
