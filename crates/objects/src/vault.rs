//! Files and store together.

use std::collections::HashSet;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::{Stream, StreamExt as _};
use postern_store::{
    Bypass, ObjectError, Precondition, Secret, Segment, Store, StoreError, StoredObject, UploadPart,
};
use tokio::task::spawn_blocking;

use crate::files::{FileWriter, Files};

/// What an upload in parts that nobody completes is kept for.
const UPLOAD_KEPT: jiff::SignedDuration = jiff::SignedDuration::from_hours(7 * 24);
/// Uploads ended in one go.
const UPLOADS_ENDED_MAX: u32 = 100;
/// Bytes handed to a thread that may block at a time.
const WRITE_BYTES: usize = 1024 * 1024;

/// What a vault is opened with.
pub struct VaultOptions {
    /// Where the files are.
    pub directory: PathBuf,
    /// Encrypts them.
    pub key: Secret<[u8; 32]>,
    /// Whether the disk has room for so many bytes beside what others need of it. Asked before a file is begun and with each
    /// megabyte of it.
    pub has_room: HasRoom,
}

/// An answer about the disk at the moment, for a number of bytes that are to come.
pub type HasRoom = Arc<dyn Fn(u64) -> bool + Send + Sync>;

/// Buckets with objects in them. Clones are the same vault.
#[derive(Clone)]
pub struct Vault {
    files: Files,
    store: Arc<dyn Store>,
    has_room: HasRoom,
}

/// Why something was not done.
#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    /// A rule forbids it, or the store failed.
    #[error(transparent)]
    Object(#[from] ObjectError),
    /// A file could not be written or read.
    #[error("the files of the objects failed")]
    File(#[from] io::Error),
}

impl From<StoreError> for VaultError {
    fn from(error: StoreError) -> Self {
        Self::Object(error.into())
    }
}

impl Vault {
    /// Opens a vault, and removes what a crash has left in it that belongs to nothing.
    ///
    /// # Errors
    /// The directory or the store cannot be read or written.
    pub async fn open(options: VaultOptions, store: Arc<dyn Store>) -> Result<Self, VaultError> {
        let (files, shards) = blocking(move || {
            let files = Files::open(options.directory, &options.key)?;
            let shards = files.shards()?;
            Ok((files, shards))
        })
        .await?;
        let vault = Self { files, store, has_room: options.has_room };
        for shard in shards {
            vault.tidy(shard).await?;
        }
        Ok(vault)
    }

    /// Removes the files of a directory that belong to nothing.
    async fn tidy(&self, shard: String) -> Result<(), VaultError> {
        let needed: HashSet<String> = self.store.files_needed(&shard).await?.into_iter().collect();
        let files = self.files.clone();
        let mut names = blocking(move || files.names(&shard)).await?;
        names.retain(|name| !needed.contains(name));
        self.remove(names).await;
        Ok(())
    }

    /// What the store knows of buckets, objects and uploads. What writes contents goes through the vault.
    #[must_use]
    pub fn store(&self) -> &dyn Store {
        &*self.store
    }

    /// Writes what `contents` gives into a file, and tells each part of it to `seen` on the way. The file belongs to
    /// nothing yet. `length` is how many bytes are said to come, 0 if nobody says: what there is no room for is not begun.
    ///
    /// # Errors
    /// `contents` fails, or the file does; nothing stays then. [`io::ErrorKind::StorageFull`] also if the disk has room, but
    /// not for this.
    pub async fn write(
        &self,
        mut contents: impl Stream<Item = io::Result<Bytes>> + Unpin,
        length: u64,
        mut seen: impl FnMut(&[u8]),
    ) -> io::Result<Segment> {
        let files = self.files.clone();
        let mut to_come = length;
        self.require_room(to_come)?;
        let mut writer: FileWriter = blocking(move || files.create()).await?;
        let (mut waiting, mut bytes) = (Vec::new(), 0);
        while let Some(part) = contents.next().await.transpose()? {
            seen(&part);
            bytes += part.len();
            waiting.push(part);
            if bytes >= WRITE_BYTES {
                self.require_room(to_come)?;
                to_come = to_come.saturating_sub(bytes as u64);
                writer = append(writer, std::mem::take(&mut waiting)).await?;
                bytes = 0;
            }
        }
        let writer = append(writer, waiting).await?;
        blocking(move || writer.finish()).await
    }

    fn require_room(&self, bytes: u64) -> io::Result<()> {
        if (self.has_room)(bytes) { Ok(()) } else { Err(io::ErrorKind::StorageFull.into()) }
    }

    /// Reads `range` of what segments hold one after the other.
    pub fn read(
        &self,
        segments: Vec<Segment>,
        range: std::ops::Range<u64>,
    ) -> impl Stream<Item = io::Result<Bytes>> + Send + Sync + 'static + use<> {
        self.files.read(segments, range)
    }

    /// Removes a file that belongs to nothing.
    pub async fn discard(&self, segment: Segment) {
        self.remove(vec![segment.file]).await;
    }

    /// Makes an object of a file, in the place of what has its key.
    ///
    /// # Errors
    /// As [`postern_store::ObjectStore::put_object`]; the file is removed then.
    pub async fn put_object(
        &self,
        object: &StoredObject,
        contents: Segment,
        precondition: &Precondition,
        bypass: Bypass,
    ) -> Result<(), ObjectError> {
        let done = self.store.put_object(object, std::slice::from_ref(&contents), precondition, bypass).await;
        self.settle(done, [contents.file]).await
    }

    /// Removes an object, if there is one.
    ///
    /// # Errors
    /// As [`postern_store::ObjectStore::delete_object`].
    pub async fn delete_object(
        &self,
        bucket: &str,
        key: &str,
        precondition: &Precondition,
        bypass: Bypass,
    ) -> Result<(), ObjectError> {
        let done = self.store.delete_object(bucket, key, precondition, bypass).await;
        self.settle(done, []).await
    }

    /// Makes a file a part of an upload.
    ///
    /// # Errors
    /// As [`postern_store::UploadStore::put_part`]; the file is removed then.
    pub async fn put_part(&self, upload: &str, part: UploadPart) -> Result<(), ObjectError> {
        let done = self.store.put_part(upload, &part).await;
        self.settle(done, [part.segment.file]).await
    }

    /// Makes an object of the parts of an upload.
    ///
    /// # Errors
    /// As [`postern_store::UploadStore::complete_upload`].
    pub async fn complete_upload(
        &self,
        upload: &str,
        object: &StoredObject,
        parts: &[UploadPart],
        precondition: &Precondition,
        bypass: Bypass,
    ) -> Result<(), ObjectError> {
        let done = self.store.complete_upload(upload, object, parts, precondition, bypass).await;
        self.settle(done, []).await
    }

    /// Ends an upload.
    ///
    /// # Errors
    /// As [`postern_store::UploadStore::abort_upload`].
    pub async fn abort_upload(&self, upload: &str) -> Result<(), ObjectError> {
        let done = self.store.abort_upload(upload).await;
        self.settle(done, []).await
    }

    /// Ends uploads that nobody has completed for a week. To be called now and then.
    ///
    /// # Errors
    /// The store fails.
    pub async fn end_old_uploads(&self, now: jiff::Timestamp) -> Result<(), ObjectError> {
        let Ok(before) = now.checked_sub(UPLOAD_KEPT) else { return Ok(()) };
        loop {
            let old = self.store.uploads_before(before, UPLOADS_ENDED_MAX).await?;
            for upload in &old {
                match self.abort_upload(&upload.id).await {
                    Ok(()) | Err(ObjectError::NoSuchUpload) => {}
                    Err(error) => return Err(error),
                }
            }
            if old.len() < UPLOADS_ENDED_MAX as usize {
                return Ok(());
            }
        }
    }

    /// Removes the files that are not needed after a change, or those that it was to take if it was not done.
    async fn settle<const N: usize>(
        &self,
        done: Result<Vec<String>, ObjectError>,
        taken: [String; N],
    ) -> Result<(), ObjectError> {
        match done {
            Ok(unneeded) => {
                self.remove(unneeded).await;
                Ok(())
            }
            // Whether a store that failed has done it is not known: what belongs to nothing goes at the next start.
            Err(ObjectError::Store(error)) => Err(ObjectError::Store(error)),
            Err(refused) => {
                self.remove(taken.into()).await;
                Err(refused)
            }
        }
    }

    /// Removes files. One that stays is removed at the next start.
    async fn remove(&self, names: Vec<String>) {
        if names.is_empty() {
            return;
        }
        let files = self.files.clone();
        let removed = blocking(move || names.iter().try_for_each(|name| files.remove(name))).await;
        if let Err(error) = removed {
            let error = &error as &dyn std::error::Error;
            tracing::warn!(
                error,
                "a file of an object that is gone could not be removed; it goes at the next start"
            );
        }
    }
}

impl std::fmt::Debug for VaultOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("VaultOptions").field("directory", &self.directory).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Vault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Vault").field("files", &self.files).finish_non_exhaustive()
    }
}

async fn append(mut writer: FileWriter, parts: Vec<Bytes>) -> io::Result<FileWriter> {
    if parts.is_empty() {
        return Ok(writer);
    }
    blocking(move || {
        parts.iter().try_for_each(|part| writer.write(part))?;
        Ok(writer)
    })
    .await
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> io::Result<T> + Send + 'static) -> io::Result<T> {
    spawn_blocking(work).await.unwrap_or_else(|_| Err(io::Error::other("a thread broke down")))
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::sync::atomic::{AtomicI64, Ordering};

    use futures_util::stream;
    use postern_store::{Bucket, MasterKey, SqliteOptions, SqliteStore};

    use super::*;

    async fn open(directory: &Path, has_room: HasRoom) -> Vault {
        let store =
            SqliteStore::open(&SqliteOptions::new(directory.join("db")), MasterKey::new([1; 32])).await;
        let key = Secret::new([2; 32]);
        let options = VaultOptions { directory: directory.join("objects"), key, has_room };
        Vault::open(options, Arc::new(store.unwrap())).await.unwrap()
    }

    async fn write(vault: &Vault, mebibytes: usize) -> io::Result<Segment> {
        let parts = (0..mebibytes).map(|_| Ok(Bytes::from(vec![7; 1 << 20])));
        vault.write(stream::iter(parts), 0, |_| ()).await
    }

    fn object(key: &str, segment: &Segment) -> StoredObject {
        StoredObject {
            bucket: "b".to_owned(),
            key: key.to_owned(),
            size_bytes: segment.size_bytes,
            entity_tag: String::new(),
            modified_at: jiff::Timestamp::UNIX_EPOCH,
            attributes: Default::default(),
            retention: None,
        }
    }

    fn files_below(directory: &Path) -> usize {
        let entries = std::fs::read_dir(directory).unwrap().map(Result::unwrap);
        entries.map(|entry| if entry.path().is_dir() { files_below(&entry.path()) } else { 1 }).sum()
    }

    #[tokio::test]
    async fn the_start_removes_what_belongs_to_nothing_and_nothing_else() {
        let directory = tempfile::tempdir().unwrap();
        let vault = open(directory.path(), Arc::new(|_| true)).await;
        let at = jiff::Timestamp::UNIX_EPOCH;
        vault
            .store
            .create_bucket(&Bucket { name: "b".to_owned(), created_at: at, lock: None })
            .await
            .unwrap();
        let bypass = Bypass { at, governance: false };
        for n in 0..20 {
            let (kept, _left) = (write(&vault, 0).await.unwrap(), write(&vault, 0).await.unwrap());
            let object = object(&n.to_string(), &kept);
            vault.put_object(&object, kept, &Precondition::None, bypass).await.unwrap();
        }
        let objects = directory.path().join("objects");
        assert_eq!(files_below(&objects), 40);
        let again = open(directory.path(), Arc::new(|_| true)).await;
        assert_eq!(files_below(&objects), 20);
        let (_, segments) = again.store.object_contents("b", "7").await.unwrap().unwrap();
        assert!(objects.join(&segments[0].file[..2]).join(&segments[0].file).exists());
    }

    #[tokio::test]
    async fn what_has_no_room_is_refused_and_leaves_nothing() {
        let directory = tempfile::tempdir().unwrap();
        let left = Arc::new(AtomicI64::new(4));
        let asked = Arc::clone(&left);
        let vault =
            open(directory.path(), Arc::new(move |_| asked.fetch_sub(1, Ordering::Relaxed) > 0)).await;
        write(&vault, 2).await.unwrap();
        let refused = write(&vault, 3).await.unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::StorageFull);
        assert_eq!(write(&vault, 0).await.unwrap_err().kind(), io::ErrorKind::StorageFull);
        assert_eq!(files_below(&directory.path().join("objects")), 1);
        left.store(100, Ordering::Relaxed);
        write(&vault, 3).await.unwrap();
    }

    #[tokio::test]
    async fn what_is_said_to_be_too_long_is_not_read() {
        let directory = tempfile::tempdir().unwrap();
        let vault = open(directory.path(), Arc::new(|bytes| bytes <= 2 << 20)).await;
        let unread = stream::poll_fn(|_| panic!("nothing is read"));
        let refused = vault.write(unread, (2 << 20) + 1, |_| ()).await.unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::StorageFull);
        let parts = [1, 1].map(|mebibytes| Ok(Bytes::from(vec![7; mebibytes << 20])));
        vault.write(stream::iter(parts), 2 << 20, |_| ()).await.unwrap();
    }
}
