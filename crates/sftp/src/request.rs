//! What a client says (draft, sections 4 and 6).

use crate::attributes::Attributes;
use crate::wire::{Reader, WireError, packet, put_string, put_u32, put_u64};

pub(crate) const INIT: u8 = 1;
const OPEN: u8 = 3;
const CLOSE: u8 = 4;
const READ: u8 = 5;
pub(crate) const WRITE: u8 = 6;
const LSTAT: u8 = 7;
const FSTAT: u8 = 8;
const SETSTAT: u8 = 9;
const FSETSTAT: u8 = 10;
const OPENDIR: u8 = 11;
const READDIR: u8 = 12;
const REMOVE: u8 = 13;
const MKDIR: u8 = 14;
const RMDIR: u8 = 15;
const REALPATH: u8 = 16;
const STAT: u8 = 17;
const RENAME: u8 = 18;
const READLINK: u8 = 19;
const SYMLINK: u8 = 20;
const EXTENDED: u8 = 200;

/// How a file is to be opened: `pflags`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OpenFlags(pub u32);

impl OpenFlags {
    /// To read.
    pub const READ: Self = Self(0x01);
    /// To write.
    pub const WRITE: Self = Self(0x02);
    /// Writes go to the end.
    pub const APPEND: Self = Self(0x04);
    /// It is made if it is not there.
    pub const CREATE: Self = Self(0x08);
    /// It is emptied.
    pub const TRUNCATE: Self = Self(0x10);
    /// It must not be there.
    pub const EXCLUSIVE: Self = Self(0x20);

    /// Whether all of `others` are set.
    #[must_use]
    pub fn contains(self, others: Self) -> bool {
        self.0 & others.0 == others.0
    }
}

impl std::ops::BitOr for OpenFlags {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// A packet from a client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Message<'a> {
    /// The first one: the newest version that the client speaks.
    Init(u32),
    /// Any other.
    Request {
        /// What its reply will be called.
        id: u32,
        /// What is asked for.
        request: Request<'a>,
    },
}

/// What a client asks for. Paths are bytes, relative ones start in the home directory.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "fields are called as in the draft")]
pub enum Request<'a> {
    /// Open a file.
    Open { path: &'a [u8], flags: OpenFlags, attributes: Attributes },
    /// Close a file or directory.
    Close { handle: &'a [u8] },
    /// Read from a file.
    Read { handle: &'a [u8], offset: u64, length: u32 },
    /// Write to a file.
    Write { handle: &'a [u8], offset: u64, data: &'a [u8] },
    /// Attributes of a path, of a link itself.
    Lstat { path: &'a [u8] },
    /// Attributes of an open file.
    Fstat { handle: &'a [u8] },
    /// Change attributes of a path.
    Setstat { path: &'a [u8], attributes: Attributes },
    /// Change attributes of an open file.
    Fsetstat { handle: &'a [u8], attributes: Attributes },
    /// Open a directory.
    Opendir { path: &'a [u8] },
    /// The next names of a directory.
    Readdir { handle: &'a [u8] },
    /// Remove a file.
    Remove { path: &'a [u8] },
    /// Make a directory.
    Mkdir { path: &'a [u8], attributes: Attributes },
    /// Remove an empty directory.
    Rmdir { path: &'a [u8] },
    /// The absolute path.
    Realpath { path: &'a [u8] },
    /// Attributes of a path.
    Stat { path: &'a [u8] },
    /// Give a file another name that nothing has.
    Rename { from: &'a [u8], to: &'a [u8] },
    /// Where a link leads.
    Readlink { path: &'a [u8] },
    /// Make a symbolic link.
    Symlink { target: &'a [u8], link: &'a [u8] },
    /// Something else.
    Extended(Extension<'a>),
}

/// What is not in the draft.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "fields are called as in OpenSSH's PROTOCOL")]
pub enum Extension<'a> {
    /// Give a file another name, replacing what has it: `posix-rename@openssh.com`.
    PosixRename { from: &'a [u8], to: &'a [u8] },
    /// Wait until a file is on the disk: `fsync@openssh.com`.
    Fsync { handle: &'a [u8] },
    /// Facts of a file system: `statvfs@openssh.com`.
    Statvfs { path: &'a [u8] },
    /// Another name for the same file: `hardlink@openssh.com`.
    Hardlink { from: &'a [u8], to: &'a [u8] },
    /// What the server takes: `limits@openssh.com`.
    Limits,
    /// The digest of a range: [`CHECK_FILE`](crate::CHECK_FILE).
    CheckFile { handle: &'a [u8], offset: u64, length: u64 },
    /// One that is not known here.
    Unknown { name: &'a [u8] },
}

impl<'a> Message<'a> {
    /// Reads a packet, from its type on.
    ///
    /// # Errors
    /// It is not one of a client's.
    pub fn parse(packet: &'a [u8]) -> Result<Self, WireError> {
        let mut reader = Reader::new(packet);
        let packet_type = reader.u8("type")?;
        if packet_type == INIT {
            // A client may name extensions; no server minds them.
            return Ok(Self::Init(reader.u32("version")?));
        }
        let id = reader.u32("id")?;
        let request = Request::read(packet_type, &mut reader)?;
        // Attributes end with the packet for clients that add to them.
        if !matches!(request, Request::Extended(_)) {
            reader.end()?;
        }
        Ok(Self::Request { id, request })
    }

    /// Adds the packet to `out`.
    pub fn put(&self, out: &mut Vec<u8>) {
        match self {
            Self::Init(version) => packet(out, INIT, |out| put_u32(out, *version)),
            Self::Request { id, request } => packet(out, request.packet_type(), |out| {
                put_u32(out, *id);
                request.put(out);
            }),
        }
    }
}

impl<'a> Request<'a> {
    fn read(packet_type: u8, reader: &mut Reader<'a>) -> Result<Self, WireError> {
        Ok(match packet_type {
            OPEN => Self::Open {
                path: reader.string("path")?,
                flags: OpenFlags(reader.u32("flags")?),
                attributes: Attributes::read(reader)?,
            },
            CLOSE => Self::Close { handle: reader.string("handle")? },
            READ => Self::Read {
                handle: reader.string("handle")?,
                offset: reader.u64("offset")?,
                length: reader.u32("length")?,
            },
            WRITE => Self::Write {
                handle: reader.string("handle")?,
                offset: reader.u64("offset")?,
                data: reader.string("data")?,
            },
            LSTAT => Self::Lstat { path: reader.string("path")? },
            FSTAT => Self::Fstat { handle: reader.string("handle")? },
            SETSTAT => Self::Setstat { path: reader.string("path")?, attributes: Attributes::read(reader)? },
            FSETSTAT => {
                Self::Fsetstat { handle: reader.string("handle")?, attributes: Attributes::read(reader)? }
            }
            OPENDIR => Self::Opendir { path: reader.string("path")? },
            READDIR => Self::Readdir { handle: reader.string("handle")? },
            REMOVE => Self::Remove { path: reader.string("path")? },
            MKDIR => Self::Mkdir { path: reader.string("path")?, attributes: Attributes::read(reader)? },
            RMDIR => Self::Rmdir { path: reader.string("path")? },
            REALPATH => Self::Realpath { path: reader.string("path")? },
            STAT => Self::Stat { path: reader.string("path")? },
            RENAME => Self::Rename { from: reader.string("old path")?, to: reader.string("new path")? },
            READLINK => Self::Readlink { path: reader.string("path")? },
            SYMLINK => Self::Symlink { target: reader.string("target")?, link: reader.string("link")? },
            EXTENDED => Self::Extended(Extension::read(reader)?),
            other => return Err(WireError::Type(other)),
        })
    }

    fn packet_type(&self) -> u8 {
        match self {
            Self::Open { .. } => OPEN,
            Self::Close { .. } => CLOSE,
            Self::Read { .. } => READ,
            Self::Write { .. } => WRITE,
            Self::Lstat { .. } => LSTAT,
            Self::Fstat { .. } => FSTAT,
            Self::Setstat { .. } => SETSTAT,
            Self::Fsetstat { .. } => FSETSTAT,
            Self::Opendir { .. } => OPENDIR,
            Self::Readdir { .. } => READDIR,
            Self::Remove { .. } => REMOVE,
            Self::Mkdir { .. } => MKDIR,
            Self::Rmdir { .. } => RMDIR,
            Self::Realpath { .. } => REALPATH,
            Self::Stat { .. } => STAT,
            Self::Rename { .. } => RENAME,
            Self::Readlink { .. } => READLINK,
            Self::Symlink { .. } => SYMLINK,
            Self::Extended(_) => EXTENDED,
        }
    }

    fn put(&self, out: &mut Vec<u8>) {
        match self {
            Self::Open { path, flags, attributes } => {
                put_string(out, path);
                put_u32(out, flags.0);
                attributes.put(out);
            }
            Self::Close { handle } | Self::Fstat { handle } | Self::Readdir { handle } => {
                put_string(out, handle);
            }
            Self::Read { handle, offset, length } => {
                put_string(out, handle);
                put_u64(out, *offset);
                put_u32(out, *length);
            }
            Self::Write { handle, offset, data } => {
                put_string(out, handle);
                put_u64(out, *offset);
                put_string(out, data);
            }
            Self::Lstat { path }
            | Self::Opendir { path }
            | Self::Remove { path }
            | Self::Rmdir { path }
            | Self::Realpath { path }
            | Self::Stat { path }
            | Self::Readlink { path } => put_string(out, path),
            Self::Setstat { path: name, attributes }
            | Self::Mkdir { path: name, attributes }
            | Self::Fsetstat { handle: name, attributes } => {
                put_string(out, name);
                attributes.put(out);
            }
            Self::Rename { from: first, to: second } | Self::Symlink { target: first, link: second } => {
                put_string(out, first);
                put_string(out, second);
            }
            Self::Extended(extension) => extension.put(out),
        }
    }
}

impl<'a> Extension<'a> {
    fn read(reader: &mut Reader<'a>) -> Result<Self, WireError> {
        let name = reader.string("extension")?;
        let extension = match name {
            b"posix-rename@openssh.com" => {
                Self::PosixRename { from: reader.string("old path")?, to: reader.string("new path")? }
            }
            b"fsync@openssh.com" => Self::Fsync { handle: reader.string("handle")? },
            b"statvfs@openssh.com" => Self::Statvfs { path: reader.string("path")? },
            b"hardlink@openssh.com" => {
                Self::Hardlink { from: reader.string("old path")?, to: reader.string("new path")? }
            }
            b"limits@openssh.com" => Self::Limits,
            name if name == crate::CHECK_FILE.as_bytes() => Self::CheckFile {
                handle: reader.string("handle")?,
                offset: reader.u64("offset")?,
                length: reader.u64("length")?,
            },
            name => return Ok(Self::Unknown { name }),
        };
        reader.end()?;
        Ok(extension)
    }

    fn put(&self, out: &mut Vec<u8>) {
        match self {
            Self::PosixRename { from, to } => {
                put_string(out, b"posix-rename@openssh.com");
                put_string(out, from);
                put_string(out, to);
            }
            Self::Fsync { handle } => {
                put_string(out, b"fsync@openssh.com");
                put_string(out, handle);
            }
            Self::Statvfs { path } => {
                put_string(out, b"statvfs@openssh.com");
                put_string(out, path);
            }
            Self::Hardlink { from, to } => {
                put_string(out, b"hardlink@openssh.com");
                put_string(out, from);
                put_string(out, to);
            }
            Self::Limits => put_string(out, b"limits@openssh.com"),
            Self::CheckFile { handle, offset, length } => {
                put_string(out, crate::CHECK_FILE.as_bytes());
                put_string(out, handle);
                put_u64(out, *offset);
                put_u64(out, *length);
            }
            Self::Unknown { name } => put_string(out, name),
        }
    }
}
