//! From this machine to the node.

use std::fs::Metadata;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use postern_sftp::{Attributes, FileKind, OpenFlags};
use tokio::io::{AsyncRead, AsyncWrite};

use crate::error::{FileError, RemoteError};
use crate::local;
use crate::names::{from_home, join, last_name, partial_path};
use crate::transfer::{self, Digest, TransferError};
use crate::{Copier, DEPTH_MAX, shown};

/// A directory of this machine, by what tells it from all others.
type Identity = (u64, u64);

impl<S: AsyncRead + AsyncWrite + Unpin> Copier<'_, S> {
    /// Copies `sources` to `target` on the node: into it, if it is a directory.
    ///
    /// # Errors
    /// Nothing more can be copied. What failed alone is counted in [`Self::failures`].
    pub async fn upload(&mut self, sources: &[&Path], target: &[u8]) -> Result<(), FileError> {
        let target = from_home(target);
        let found = self.remote.stat(&target).await.map_err(FileError::remote(&target))?;
        let is_directory = found.and_then(|found| found.kind()) == Some(FileKind::Directory);
        if !is_directory && (sources.len() > 1 || target.ends_with(b"/")) && !self.makes_target(sources) {
            return Err(FileError::TargetNotDirectory(shown(&target)));
        }
        for source in sources {
            let name = last_name(local::bytes(source)).map(<[u8]>::to_vec).or_else(|| resolved_name(source));
            let place = match name {
                Some(name) if is_directory => join(&target, &name),
                _ => target.clone(),
            };
            let outcome = self.upload_any(source, &place, &mut Vec::new()).await;
            self.note(outcome)?;
        }
        Ok(())
    }

    /// `cp -r directory new-directory/` makes the latter.
    fn makes_target(&self, sources: &[&Path]) -> bool {
        self.options.recursive && matches!(sources, [only] if only.is_dir())
    }

    /// `above` are the directories that `source` is in.
    async fn upload_any(
        &mut self,
        source: &Path,
        target: &[u8],
        above: &mut Vec<Identity>,
    ) -> Result<(), FileError> {
        // Links are followed, as scp does.
        let metadata = std::fs::metadata(source).map_err(FileError::local(source))?;
        if !metadata.is_dir() {
            return self.upload_file(source, target).await;
        }
        if !self.options.recursive {
            return Err(FileError::Directory(shown(local::bytes(source))));
        }
        let identity = (metadata.dev(), metadata.ino());
        if above.contains(&identity) {
            return Err(FileError::Loop(shown(local::bytes(source))));
        }
        if above.len() >= DEPTH_MAX {
            return Err(FileError::TooDeep(shown(local::bytes(source))));
        }
        above.push(identity);
        let outcome = Box::pin(self.upload_directory(source, target, &metadata, above)).await;
        above.pop();
        outcome
    }

    async fn upload_directory(
        &mut self,
        source: &Path,
        target: &[u8],
        metadata: &Metadata,
        above: &mut Vec<Identity>,
    ) -> Result<(), FileError> {
        let on_node = |error: RemoteError| FileError::remote(target)(error);
        let names = local_names(source).map_err(FileError::local(source))?;
        let is_new = match self.remote.stat(target).await.map_err(on_node)? {
            Some(found) if found.kind() == Some(FileKind::Directory) => false,
            Some(_) => return Err(FileError::TargetNotDirectory(shown(target))),
            None => {
                // It must take files until it has its own mode.
                let mode = metadata.mode() & 0o777 | 0o700;
                self.remote.make_directory(target, mode).await.map_err(on_node)?;
                true
            }
        };
        for name in names {
            let outcome =
                self.upload_any(&source.join(local::path(&name)), &join(target, &name), above).await;
            self.note(outcome)?;
        }
        let mode = metadata.mode() & 0o7777;
        let changes = match (self.options.preserve, is_new) {
            (true, _) => {
                Attributes { mode: Some(mode), times: Some(local::times(metadata)), ..Attributes::default() }
            }
            // Only what keeps its owner out was held back.
            (false, true) if mode & 0o700 != 0o700 => {
                Attributes { mode: Some(mode & 0o777), ..Attributes::default() }
            }
            (false, _) => return Ok(()),
        };
        self.remote.set_path(target, changes).await.map_err(on_node)
    }

    async fn upload_file(&mut self, source: &Path, target: &[u8]) -> Result<(), FileError> {
        let here = |error: io::Error| FileError::local(source)(error);
        let (file, metadata) = local::open(source).map_err(here)?;
        if !metadata.is_file() {
            return Err(FileError::NotRegular(shown(local::bytes(source))));
        }
        let target = self.final_target(target).await?;
        let partial = partial_path(&target);
        let there = |error: RemoteError| FileError::remote(&partial)(error);
        let existing = self.remote.stat(&target).await.map_err(FileError::remote(&target))?;
        if existing.is_some_and(|existing| existing.kind() != Some(FileKind::Regular)) {
            return Err(FileError::NotRegular(shown(&target)));
        }
        let mut sending = Sending { file, size: metadata.len(), digest: Digest::new(), offset: 0 };
        let (handle, is_partial_ours) = self.open_partial(&partial, &mut sending, &metadata).await?;
        self.progress.begin(&shown(local::bytes(source)), sending.size, sending.offset);
        let sent = transfer::send(
            self.remote,
            &mut sending.file,
            &handle,
            sending.offset,
            &mut sending.digest,
            self.progress,
        )
        .await;
        let length = match sent {
            Ok(length) => length,
            Err(error) => {
                if !matches!(error, TransferError::Remote(RemoteError::Stream(_))) {
                    self.remote.close(&handle).await.map_err(there)?;
                }
                return Err(match error {
                    TransferError::Local(error) => here(error),
                    TransferError::Remote(error) => there(error),
                    TransferError::Shrank => FileError::Shrank(shown(local::bytes(source))),
                });
            }
        };
        let found = self.remote.digest(&handle, length).await.map_err(there)?;
        let is_whole = self.remote.fstat(&handle).await.map_err(there)?.size == Some(length);
        if found != sending.digest.value() || !is_whole {
            self.remote.close(&handle).await.map_err(there)?;
            self.remote.remove(&partial).await.map_err(there)?;
            return Err(FileError::Digest(shown(local::bytes(source))));
        }
        let changes = Attributes {
            mode: match existing.and_then(|existing| existing.permissions()) {
                _ if self.options.preserve => Some(metadata.mode() & 0o7777),
                Some(mode) => Some(mode),
                None if is_partial_ours => None,
                None => Some(metadata.mode() & 0o755),
            },
            times: self.options.preserve.then(|| local::times(&metadata)),
            ..Attributes::default()
        };
        if changes != Attributes::default() {
            self.remote.set(&handle, changes).await.map_err(there)?;
        }
        self.remote.close(&handle).await.map_err(there)?;
        self.remote.replace(&partial, &target).await.map_err(there)?;
        self.progress.finish();
        Ok(())
    }

    /// Where a link at the target leads: the file there is replaced, not the link.
    async fn final_target(&mut self, target: &[u8]) -> Result<Vec<u8>, FileError> {
        let found = self.remote.lstat(target).await.map_err(FileError::remote(target))?;
        if found.and_then(|found| found.kind()) != Some(FileKind::Symlink) {
            return Ok(target.to_vec());
        }
        self.remote.real_path(target).await.map_err(FileError::remote(target))
    }

    /// Opens what is written to: what an earlier copy left, if that is the beginning of this file, or a new one. Whether it is
    /// new, with the mode of the original less what the node takes from new files.
    async fn open_partial(
        &mut self,
        partial: &[u8],
        sending: &mut Sending,
        metadata: &Metadata,
    ) -> Result<(Vec<u8>, bool), FileError> {
        let there = |error: RemoteError| FileError::remote(partial)(error);
        let found = self.remote.lstat(partial).await.map_err(there)?;
        if let Some(found) = found {
            if self.options.resume
                && let Some(handle) = self.resume(partial, &found, sending).await?
            {
                return Ok((handle, false));
            }
            self.remote.remove(partial).await.map_err(there)?;
        }
        let flags = OpenFlags::READ | OpenFlags::WRITE | OpenFlags::CREATE | OpenFlags::EXCLUSIVE;
        let handle = self.remote.open(partial, flags, Some(metadata.mode() & 0o777)).await.map_err(there)?;
        Ok((handle, true))
    }

    /// Goes on with what is there, if it is a file of this user's with the bytes of this one.
    async fn resume(
        &mut self,
        partial: &[u8],
        found: &Attributes,
        sending: &mut Sending,
    ) -> Result<Option<Vec<u8>>, FileError> {
        let there = |error: RemoteError| FileError::remote(partial)(error);
        let home = self.remote.stat(b".").await.map_err(there)?;
        let is_ours = home.is_some_and(|home| home.owner.map(|o| o.uid) == found.owner.map(|o| o.uid));
        let length = found.size.filter(|&length| length > 0 && length <= sending.size);
        let Some(length) = length.filter(|_| is_ours && found.kind() == Some(FileKind::Regular)) else {
            return Ok(None);
        };
        let handle =
            self.remote.open(partial, OpenFlags::READ | OpenFlags::WRITE, None).await.map_err(there)?;
        let mut digest = Digest::new();
        let is_read = local::digest_of(&mut sending.file, length, &mut digest)
            .map_err(FileError::local(local::path(partial)))?;
        if is_read && self.remote.digest(&handle, length).await.map_err(there)? == digest.value() {
            sending.digest = digest;
            sending.offset = length;
            return Ok(Some(handle));
        }
        self.remote.close(&handle).await.map_err(there)?;
        io::Seek::rewind(&mut sending.file).map_err(FileError::local(local::path(partial)))?;
        Ok(None)
    }
}

/// A file on its way.
struct Sending {
    file: std::fs::File,
    size: u64,
    digest: Digest,
    /// What is there already.
    offset: u64,
}

/// The name of `.` or `..`.
fn resolved_name(path: &Path) -> Option<Vec<u8>> {
    let path = path.canonicalize().ok()?;
    last_name(local::bytes(&path)).map(<[u8]>::to_vec)
}

/// The names in a directory, in their order.
fn local_names(directory: &Path) -> io::Result<Vec<Vec<u8>>> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(directory)? {
        names.push(local::bytes(Path::new(&entry?.file_name())).to_vec());
    }
    names.sort_unstable();
    Ok(names)
}
