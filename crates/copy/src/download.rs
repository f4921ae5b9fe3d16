//! From the node to this machine.

use std::fs::{DirBuilder, Permissions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use postern_sftp::{Attributes, FileKind, OpenFlags};
use tokio::io::{AsyncRead, AsyncWrite};

use crate::error::{FileError, RemoteError};
use crate::local::{self, Partial};
use crate::names::{from_home, is_name, join, last_name};
use crate::transfer::{self, Digest, TransferError};
use crate::{Copier, DEPTH_MAX, shown};

impl<S: AsyncRead + AsyncWrite + Unpin> Copier<'_, S> {
    /// Copies `sources` of the node to `target`: into it, if it is a directory. `is_one` if nothing else goes there.
    ///
    /// # Errors
    /// Nothing more can be copied. What failed alone is counted in [`Self::failures`].
    pub async fn download(
        &mut self,
        sources: &[&[u8]],
        target: &Path,
        is_one: bool,
    ) -> Result<(), FileError> {
        let is_directory = target.is_dir();
        let names_directory = local::bytes(target).ends_with(b"/") && !self.options.recursive;
        if !is_directory && (!is_one || sources.len() > 1 || names_directory) {
            return Err(FileError::TargetNotDirectory(shown(local::bytes(target))));
        }
        for source in sources {
            let outcome = self.download_one(&from_home(source), target, is_directory).await;
            self.note(outcome)?;
        }
        Ok(())
    }

    async fn download_one(
        &mut self,
        source: &[u8],
        target: &Path,
        is_directory: bool,
    ) -> Result<(), FileError> {
        let mut place = target.to_owned();
        if is_directory {
            let name = match last_name(source) {
                Some(name) => name.to_vec(),
                // The home directory, or one above: the node knows what it is called.
                None => {
                    let path = self.remote.real_path(source).await.map_err(FileError::remote(source))?;
                    last_name(&path).map(<[u8]>::to_vec).unwrap_or_default()
                }
            };
            if !name.is_empty() {
                place.push(local::path(&name));
            }
        }
        self.download_any(source, &place, 0).await
    }

    async fn download_any(&mut self, source: &[u8], target: &Path, depth: usize) -> Result<(), FileError> {
        // Links are followed, as scp does: what they lead to is copied.
        let found = self.remote.stat(source).await.map_err(FileError::remote(source))?;
        let Some(found) = found else {
            let missing = RemoteError::refused(postern_sftp::StatusCode::NoSuchFile, b"");
            return Err(FileError::remote(source)(missing));
        };
        match found.kind() {
            Some(FileKind::Regular) => self.download_file(source, target, depth).await,
            Some(FileKind::Directory) if !self.options.recursive => Err(FileError::Directory(shown(source))),
            Some(FileKind::Directory) if depth >= DEPTH_MAX => Err(FileError::TooDeep(shown(source))),
            Some(FileKind::Directory) => {
                if depth > 0 {
                    self.refuse_loop(source).await?;
                }
                Box::pin(self.download_directory(source, target, &found, depth)).await
            }
            _ => Err(FileError::NotRegular(shown(source))),
        }
    }

    /// A link to a directory that it is in would be copied without end.
    async fn refuse_loop(&mut self, source: &[u8]) -> Result<(), FileError> {
        let there = |error: RemoteError| FileError::remote(source)(error);
        let is_link = self.remote.lstat(source).await.map_err(there)?.and_then(|found| found.kind());
        if is_link != Some(FileKind::Symlink) {
            return Ok(());
        }
        let leads_to = self.remote.real_path(source).await.map_err(there)?;
        // The directory that the link lies in.
        let parent = match source.iter().rposition(|byte| *byte == b'/') {
            Some(0) => &b"/"[..],
            Some(slash) => &source[..slash],
            None => b".",
        };
        let lies_in = self.remote.real_path(parent).await.map_err(there)?;
        if local::path(&lies_in).starts_with(local::path(&leads_to)) {
            return Err(FileError::Loop(shown(source)));
        }
        Ok(())
    }

    async fn download_directory(
        &mut self,
        source: &[u8],
        target: &Path,
        found: &Attributes,
        depth: usize,
    ) -> Result<(), FileError> {
        let here = |error: io::Error| FileError::local(target)(error);
        let mode = found.permissions().unwrap_or(0o777);
        let names = self.remote.list(source).await.map_err(FileError::remote(source))?;
        let is_new = match target.symlink_metadata() {
            Ok(metadata) if metadata.is_symlink() && depth > 0 => {
                return Err(FileError::LocalLink(shown(local::bytes(target))));
            }
            Ok(_) if target.is_dir() => false,
            Ok(_) => return Err(FileError::TargetNotDirectory(shown(local::bytes(target)))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                DirBuilder::new().mode(mode & 0o777 | 0o700).create(target).map_err(here)?;
                true
            }
            Err(error) => return Err(here(error)),
        };
        for name in names {
            let outcome = if is_name(&name) {
                let place = target.join(local::path(&name));
                self.download_any(&join(source, &name), &place, depth + 1).await
            } else {
                Err(FileError::Name(postern_sftp::quoted(&name)))
            };
            self.note(outcome)?;
        }
        if self.options.preserve {
            std::fs::set_permissions(target, Permissions::from_mode(mode)).map_err(here)?;
            if let Some(times) = found.times {
                local::set_times(target, times).map_err(here)?;
            }
        } else if is_new && mode & 0o700 != 0o700 {
            std::fs::set_permissions(target, Permissions::from_mode(local::masked(mode))).map_err(here)?;
        }
        Ok(())
    }

    async fn download_file(&mut self, source: &[u8], target: &Path, depth: usize) -> Result<(), FileError> {
        let there = |error: RemoteError| FileError::remote(source)(error);
        let handle = self.remote.open(source, OpenFlags::READ, None).await.map_err(there)?;
        // A link in the way of a tree is replaced, not followed.
        let place = if depth == 0 { final_target(target) } else { place_in_tree(target) };
        let outcome = match place {
            Ok((target, mode)) => self.receive(source, &handle, &target, mode).await,
            Err(error) => Err(error),
        };
        match &outcome {
            Err(error) if error.is_final() => {}
            _ => self.remote.close(&handle).await.map_err(there)?,
        }
        outcome
    }

    async fn receive(
        &mut self,
        source: &[u8],
        handle: &[u8],
        target: &Path,
        existing_mode: Option<u32>,
    ) -> Result<(), FileError> {
        let there = |error: RemoteError| FileError::remote(source)(error);
        let here = |error: io::Error| FileError::local(target)(error);
        let found = self.remote.fstat(handle).await.map_err(there)?;
        // Some files say that they are empty and are not: those of /proc.
        let size = found.size.filter(|size| *size > 0);
        let mut partial = None;
        let (mut digest, mut offset) = (Digest::new(), 0);
        if let (true, Some(size)) = (self.options.resume, size)
            && let Some(mut left) = Partial::resume(target).map_err(here)?
            && let Some((length, of_left)) = left.digest(size).map_err(here)?
            && length > 0
            && self.remote.digest(handle, length).await.map_err(there)? == of_left.value()
        {
            (partial, digest, offset) = (Some(left), of_left, length);
        }
        let mut partial = match partial {
            Some(partial) => partial,
            None => Partial::create(target).map_err(here)?,
        };
        self.progress.begin(&shown(source), size.unwrap_or(0), offset);
        let from = offset;
        let write = |data: &[u8]| {
            digest.update(data);
            offset += u64::try_from(data.len()).unwrap_or_default();
            partial.file.write_all(data)
        };
        let received = transfer::receive(self.remote, handle, from, size, write, self.progress).await;
        received.map_err(|error| match error {
            TransferError::Local(error) => here(error),
            TransferError::Remote(error) => there(error),
            TransferError::Shrank => FileError::Shrank(shown(source)),
        })?;
        // A file of /proc may be another one each time it is read.
        if size.is_some() && self.remote.digest(handle, offset).await.map_err(there)? != digest.value() {
            partial.remove();
            return Err(FileError::Digest(shown(source)));
        }
        let mode = found.permissions().unwrap_or(0o666);
        let mode = match existing_mode {
            _ if self.options.preserve => mode,
            Some(existing) => existing,
            None => local::masked(mode),
        };
        let times = found.times.filter(|_| self.options.preserve);
        partial.finish(mode, times).map_err(here)?;
        self.progress.finish();
        Ok(())
    }
}

/// The file that is replaced, not a link to it, and the mode that it keeps.
fn final_target(target: &Path) -> Result<(PathBuf, Option<u32>), FileError> {
    let metadata = match target.metadata() {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok((target.to_owned(), None)),
        Err(error) => return Err(FileError::local(target)(error)),
    };
    if !metadata.is_file() {
        return Err(FileError::NotRegular(shown(local::bytes(target))));
    }
    let real = target.canonicalize().map_err(FileError::local(target))?;
    Ok((real, Some(metadata.permissions().mode() & 0o7777)))
}

fn place_in_tree(target: &Path) -> Result<(PathBuf, Option<u32>), FileError> {
    match target.symlink_metadata() {
        Ok(metadata) if metadata.is_symlink() => Ok((target.to_owned(), None)),
        _ => final_target(target),
    }
}
