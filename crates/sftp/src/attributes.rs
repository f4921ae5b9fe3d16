//! What is known of a file, or is to become so: ATTRS (draft, section 5).

use crate::wire::{Reader, WireError, put_string, put_u32, put_u64};

const SIZE: u32 = 0x1;
const OWNER: u32 = 0x2;
const PERMISSIONS: u32 = 0x4;
const TIMES: u32 = 0x8;
const EXTENDED: u32 = 0x8000_0000;

/// The bits of a mode that say what kind of file it is; POSIX's S_IFMT and its values, the same on every system.
const KIND_MASK: u32 = 0o170_000;

/// Whom a file belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Owner {
    /// The user.
    pub uid: u32,
    /// The group.
    pub gid: u32,
}

/// When a file was used, in seconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Times {
    /// Last read.
    pub accessed: u32,
    /// Last written.
    pub modified: u32,
}

/// What kind of file it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileKind {
    /// With content.
    Regular,
    /// With files.
    Directory,
    /// With the path of another.
    Symlink,
    /// A device, a pipe, a socket.
    Other,
}

/// Any of these may be missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Attributes {
    /// In bytes.
    pub size: Option<u64>,
    /// User and group.
    pub owner: Option<Owner>,
    /// Permissions and kind, as `st_mode` has them.
    pub mode: Option<u32>,
    /// Times.
    pub times: Option<Times>,
}

impl Attributes {
    /// The permissions alone.
    #[must_use]
    pub fn permissions(&self) -> Option<u32> {
        self.mode.map(|mode| mode & 0o7777)
    }

    /// The kind, if the mode is known.
    #[must_use]
    pub fn kind(&self) -> Option<FileKind> {
        self.mode.map(|mode| match mode & KIND_MASK {
            0o100_000 => FileKind::Regular,
            0o040_000 => FileKind::Directory,
            0o120_000 => FileKind::Symlink,
            _ => FileKind::Other,
        })
    }

    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Self, WireError> {
        let flags = reader.u32("attributes")?;
        let mut attributes = Self::default();
        if flags & SIZE != 0 {
            attributes.size = Some(reader.u64("size")?);
        }
        if flags & OWNER != 0 {
            attributes.owner = Some(Owner { uid: reader.u32("user")?, gid: reader.u32("group")? });
        }
        if flags & PERMISSIONS != 0 {
            attributes.mode = Some(reader.u32("permissions")?);
        }
        if flags & TIMES != 0 {
            attributes.times = Some(Times { accessed: reader.u32("times")?, modified: reader.u32("times")? });
        }
        if flags & EXTENDED != 0 {
            // Nobody uses them; they end where the packet does at the latest.
            for _ in 0..reader.u32("extended attributes")? {
                reader.string("extended attributes")?;
                reader.string("extended attributes")?;
            }
        }
        Ok(attributes)
    }

    pub(crate) fn put(&self, out: &mut Vec<u8>) {
        let flags = [
            (self.size.is_some(), SIZE),
            (self.owner.is_some(), OWNER),
            (self.mode.is_some(), PERMISSIONS),
            (self.times.is_some(), TIMES),
        ];
        put_u32(out, flags.iter().filter(|(is_there, _)| *is_there).map(|(_, flag)| flag).sum());
        if let Some(size) = self.size {
            put_u64(out, size);
        }
        if let Some(Owner { uid, gid }) = self.owner {
            put_u32(out, uid);
            put_u32(out, gid);
        }
        if let Some(mode) = self.mode {
            put_u32(out, mode);
        }
        if let Some(Times { accessed, modified }) = self.times {
            put_u32(out, accessed);
            put_u32(out, modified);
        }
    }
}

/// A name with attributes, as directories list them.
pub(crate) fn put_name(out: &mut Vec<u8>, name: &[u8], long_name: &[u8], attributes: &Attributes) {
    put_string(out, name);
    put_string(out, long_name);
    attributes.put(out);
}
