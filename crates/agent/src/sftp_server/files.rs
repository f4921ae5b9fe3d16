//! What is done with files.

use std::ffi::OsStr;
use std::fs::{DirBuilder, File, Metadata, Permissions};
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{
    DirBuilderExt as _, FileExt as _, FileTypeExt as _, MetadataExt as _, PermissionsExt as _,
};
use std::path::{Path, PathBuf};

use aws_lc_rs::digest::{Context, SHA256};
use postern_sftp::{Attributes, OpenFlags, Owner, Times};
use rustix::fs::{AtFlags, CWD, Mode, OFlags, RenameFlags, Timespec, Timestamps};
use rustix::io::Errno;

/// What is read at once for a digest.
const DIGEST_BLOCK_BYTES: usize = 256 * 1024;

/// A path as the client wrote it; nothing means where the server runs, the home directory.
pub(super) fn path(bytes: &[u8]) -> &Path {
    Path::new(OsStr::from_bytes(if bytes.is_empty() { b"." } else { bytes }))
}

/// What is known of a file.
pub(super) fn attributes(metadata: &Metadata) -> Attributes {
    let seconds = |time: i64| u32::try_from(time.max(0)).unwrap_or(u32::MAX);
    Attributes {
        size: Some(metadata.len()),
        owner: Some(Owner { uid: metadata.uid(), gid: metadata.gid() }),
        mode: Some(metadata.mode()),
        times: Some(Times { accessed: seconds(metadata.atime()), modified: seconds(metadata.mtime()) }),
    }
}

/// Opens a file, but no pipe or socket: these have no offsets, and opening one may take for ever.
pub(super) fn open(path: &Path, flags: OpenFlags, attributes: &Attributes) -> io::Result<File> {
    let mut how = match (flags.contains(OpenFlags::READ), flags.contains(OpenFlags::WRITE)) {
        (true, true) => OFlags::RDWR,
        (false, true) => OFlags::WRONLY,
        (_, false) => OFlags::RDONLY,
    };
    for (flag, meaning) in [
        (OpenFlags::APPEND, OFlags::APPEND),
        (OpenFlags::CREATE, OFlags::CREATE),
        (OpenFlags::TRUNCATE, OFlags::TRUNC),
        (OpenFlags::EXCLUSIVE, OFlags::EXCL),
    ] {
        if flags.contains(flag) {
            how |= meaning;
        }
    }
    let mode = Mode::from_raw_mode((attributes.permissions().unwrap_or(0o666)) as _);
    let how = how | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let file = File::from(rustix::fs::open(path, how, mode)?);
    let kind = file.metadata()?.file_type();
    if kind.is_fifo() || kind.is_socket() {
        return Err(io::Error::other("not a file"));
    }
    Ok(file)
}

/// Fills `buffer` as far as the file goes.
pub(super) fn read(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
    let mut filled = 0;
    while let Some(rest) = buffer.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match file.read_at(rest, offset.saturating_add(u64::try_from(filled).unwrap_or(u64::MAX))) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(_) if filled > 0 => break,
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

pub(super) fn write(file: &File, data: &[u8], offset: u64) -> io::Result<()> {
    file.write_all_at(data, offset)
}

/// The SHA-256 of `length` bytes from `offset` on, or as many as there are; of all with a length of 0.
pub(super) fn digest(file: &File, offset: u64, length: u64) -> io::Result<[u8; 32]> {
    let mut context = Context::new(&SHA256);
    let mut buffer = vec![0; DIGEST_BLOCK_BYTES];
    let mut at = offset;
    let mut left = if length == 0 { u64::MAX } else { length };
    while left > 0 {
        let most = usize::try_from(left).unwrap_or(usize::MAX).min(buffer.len());
        let count = read(file, buffer.get_mut(..most).unwrap_or_default(), at)?;
        if count == 0 {
            break;
        }
        context.update(buffer.get(..count).unwrap_or_default());
        let count = u64::try_from(count).unwrap_or(u64::MAX);
        at = at.saturating_add(count);
        left = left.saturating_sub(count);
    }
    let mut digest = [0; 32];
    digest.copy_from_slice(context.finish().as_ref());
    Ok(digest)
}

/// The absolute path without links; its last name need not exist.
pub(super) fn real_path(path: &Path) -> io::Result<PathBuf> {
    match path.canonicalize() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else { return Err(error) };
            let parent = if parent.as_os_str().is_empty() { Path::new(".") } else { parent };
            Ok(parent.canonicalize()?.join(name))
        }
        result => result,
    }
}

/// Gives a file a name that nothing has. Where the file system cannot tell, it is looked first.
pub(super) fn rename_to_new(from: &Path, to: &Path) -> io::Result<()> {
    match rustix::fs::renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
        Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => {
            if to.symlink_metadata().is_ok() {
                return Err(Errno::EXIST.into());
            }
            std::fs::rename(from, to)
        }
        result => Ok(result?),
    }
}

pub(super) fn make_directory(path: &Path, attributes: &Attributes) -> io::Result<()> {
    DirBuilder::new().mode(attributes.permissions().unwrap_or(0o777)).create(path)
}

/// Changes what is there in `attributes`, of what a link leads to.
pub(super) fn set_attributes(path: &Path, attributes: &Attributes) -> io::Result<()> {
    if let Some(size) = attributes.size {
        open(path, OpenFlags::WRITE, &Attributes::default())?.set_len(size)?;
    }
    if let Some(permissions) = attributes.permissions() {
        std::fs::set_permissions(path, Permissions::from_mode(permissions))?;
    }
    if let Some(times) = attributes.times {
        rustix::fs::utimensat(CWD, path, &timestamps(times), AtFlags::empty())?;
    }
    if let Some(Owner { uid, gid }) = attributes.owner {
        std::os::unix::fs::chown(path, Some(uid), Some(gid))?;
    }
    Ok(())
}

/// The same of an open file.
pub(super) fn set_attributes_of_open(file: &File, attributes: &Attributes) -> io::Result<()> {
    if let Some(size) = attributes.size {
        file.set_len(size)?;
    }
    if let Some(permissions) = attributes.permissions() {
        file.set_permissions(Permissions::from_mode(permissions))?;
    }
    if let Some(times) = attributes.times {
        rustix::fs::futimens(file, &timestamps(times))?;
    }
    if let Some(Owner { uid, gid }) = attributes.owner {
        std::os::unix::fs::fchown(file, Some(uid), Some(gid))?;
    }
    Ok(())
}

fn timestamps(times: Times) -> Timestamps {
    let at = |seconds: u32| Timespec { tv_sec: seconds.into(), tv_nsec: 0 };
    Timestamps { last_access: at(times.accessed), last_modification: at(times.modified) }
}

/// The numbers of statvfs(3) in its order.
pub(super) fn file_system(path: &Path) -> io::Result<[u64; 11]> {
    let facts = rustix::fs::statvfs(path)?;
    Ok([
        facts.f_bsize,
        facts.f_frsize,
        facts.f_blocks,
        facts.f_bfree,
        facts.f_bavail,
        facts.f_files,
        facts.f_ffree,
        facts.f_favail,
        facts.f_fsid,
        facts.f_flag.bits(),
        facts.f_namemax,
    ])
}
