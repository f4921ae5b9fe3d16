//! What a server says (draft, section 7).

use crate::attributes::{Attributes, put_name};
use crate::wire::{Reader, WireError, packet, put_string, put_u32, put_u64};

const VERSION: u8 = 2;
pub(crate) const STATUS: u8 = 101;
pub(crate) const HANDLE: u8 = 102;
pub(crate) const DATA: u8 = 103;
const NAME: u8 = 104;
const ATTRS: u8 = 105;
const EXTENDED_REPLY: u8 = 201;

/// How a request ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StatusCode {
    /// It is done.
    Ok,
    /// There is nothing more.
    Eof,
    /// There is no such file.
    NoSuchFile,
    /// The user may not.
    PermissionDenied,
    /// Something else.
    Failure,
    /// The request cannot be read.
    BadMessage,
    /// The server does not know the request.
    Unsupported,
    /// A code of another version.
    Other(u32),
}

impl StatusCode {
    const NAMED: [(u32, Self); 7] = [
        (0, Self::Ok),
        (1, Self::Eof),
        (2, Self::NoSuchFile),
        (3, Self::PermissionDenied),
        (4, Self::Failure),
        (5, Self::BadMessage),
        (8, Self::Unsupported),
    ];

    /// The code on the wire.
    #[must_use]
    pub fn code(self) -> u32 {
        match self {
            Self::Other(code) => code,
            named => Self::NAMED.iter().find(|(_, status)| *status == named).map_or(4, |(code, _)| *code),
        }
    }

    /// What a code means.
    #[must_use]
    pub fn from_code(code: u32) -> Self {
        let named = Self::NAMED.iter().find(|(named, _)| *named == code);
        named.map_or(Self::Other(code), |(_, status)| *status)
    }
}

impl std::fmt::Display for StatusCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Ok => "success",
            Self::Eof => "end of file",
            Self::NoSuchFile => "no such file or directory",
            Self::PermissionDenied => "permission denied",
            Self::Failure => "failure",
            Self::BadMessage => "bad message",
            Self::Unsupported => "operation not supported",
            Self::Other(code) => return write!(f, "status {code}"),
        })
    }
}

/// A name in a directory, or a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Name<'a> {
    /// The name, any bytes.
    pub name: &'a [u8],
    /// A line for people, as `ls -l` has it.
    pub long_name: &'a [u8],
    /// What is known of it.
    pub attributes: Attributes,
}

/// A packet from a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply<'a> {
    /// The first one.
    Version {
        /// The version that is spoken.
        version: u32,
        /// Names and data of extensions.
        extensions: Vec<(&'a [u8], &'a [u8])>,
    },
    /// How the request ended.
    Status {
        /// Its meaning.
        code: StatusCode,
        /// For people; from the server, so it may be anything.
        message: &'a [u8],
    },
    /// An open file or directory.
    Handle(&'a [u8]),
    /// What was read.
    Data(&'a [u8]),
    /// Names.
    Names(Vec<Name<'a>>),
    /// Attributes.
    Attributes(Attributes),
    /// The reply to an extension.
    Extended(Extended<'a>),
}

/// The content of a reply to an extension.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Extended<'a> {
    /// As it came; what it means depends on the request.
    Raw(&'a [u8]),
    /// Numbers one after the other: limits, or facts of a file system.
    Numbers(&'a [u64]),
    /// A digest.
    Digest([u8; 32]),
}

impl<'a> Reply<'a> {
    /// A status without words of its own.
    #[must_use]
    pub fn status(code: StatusCode) -> Self {
        Self::Status { code, message: b"" }
    }

    /// Reads a packet, from its type on: the request's id (0 of the first one), and the reply.
    ///
    /// # Errors
    /// It is not one of a server's.
    pub fn parse(packet: &'a [u8]) -> Result<(u32, Self), WireError> {
        let mut reader = Reader::new(packet);
        let packet_type = reader.u8("type")?;
        if packet_type == VERSION {
            let version = reader.u32("version")?;
            let mut extensions = Vec::new();
            while !reader.is_empty() {
                extensions.push((reader.string("extension")?, reader.string("extension")?));
            }
            return Ok((0, Self::Version { version, extensions }));
        }
        let id = reader.u32("id")?;
        let reply = match packet_type {
            STATUS => {
                let code = StatusCode::from_code(reader.u32("status")?);
                // Servers of older versions end here.
                let message = if reader.is_empty() { b"" } else { reader.string("message")? };
                return Ok((id, Self::Status { code, message }));
            }
            HANDLE => Self::Handle(reader.string("handle")?),
            DATA => Self::Data(reader.string("data")?),
            NAME => {
                let count = reader.u32("count")?;
                let mut names = Vec::new();
                for _ in 0..count {
                    names.push(Name {
                        name: reader.string("name")?,
                        long_name: reader.string("long name")?,
                        attributes: Attributes::read(&mut reader)?,
                    });
                }
                Self::Names(names)
            }
            ATTRS => Self::Attributes(Attributes::read(&mut reader)?),
            EXTENDED_REPLY => return Ok((id, Self::Extended(Extended::Raw(reader.rest())))),
            other => return Err(WireError::Type(other)),
        };
        reader.end()?;
        Ok((id, reply))
    }

    /// Adds the packet to `out`.
    pub fn put(&self, id: u32, out: &mut Vec<u8>) {
        match self {
            Self::Version { version, extensions } => packet(out, VERSION, |out| {
                put_u32(out, *version);
                for (name, data) in extensions {
                    put_string(out, name);
                    put_string(out, data);
                }
            }),
            Self::Status { code, message } => packet(out, STATUS, |out| {
                put_u32(out, id);
                put_u32(out, code.code());
                put_string(out, message);
                put_string(out, b"");
            }),
            Self::Handle(handle) => packet(out, HANDLE, |out| {
                put_u32(out, id);
                put_string(out, handle);
            }),
            Self::Data(data) => packet(out, DATA, |out| {
                put_u32(out, id);
                put_string(out, data);
            }),
            Self::Names(names) => packet(out, NAME, |out| {
                put_u32(out, id);
                put_u32(out, u32::try_from(names.len()).unwrap_or(u32::MAX));
                for name in names {
                    put_name(out, name.name, name.long_name, &name.attributes);
                }
            }),
            Self::Attributes(attributes) => packet(out, ATTRS, |out| {
                put_u32(out, id);
                attributes.put(out);
            }),
            Self::Extended(extended) => packet(out, EXTENDED_REPLY, |out| {
                put_u32(out, id);
                extended.put(out);
            }),
        }
    }
}

impl Extended<'_> {
    /// The digest, of a reply to [`CHECK_FILE`](crate::CHECK_FILE).
    ///
    /// # Errors
    /// It is no SHA-256.
    pub fn digest(&self) -> Result<[u8; 32], WireError> {
        let raw = match self {
            Self::Digest(digest) => return Ok(*digest),
            Self::Numbers(_) => return Err(WireError::Short("digest")),
            Self::Raw(raw) => raw,
        };
        let mut reader = Reader::new(raw);
        if reader.string("algorithm")? != b"sha256" {
            return Err(WireError::Short("digest"));
        }
        let digest = reader.string("digest")?.try_into().map_err(|_| WireError::Short("digest"))?;
        reader.end()?;
        Ok(digest)
    }

    fn put(&self, out: &mut Vec<u8>) {
        match self {
            Self::Raw(raw) => out.extend_from_slice(raw),
            Self::Numbers(numbers) => numbers.iter().for_each(|number| put_u64(out, *number)),
            Self::Digest(digest) => {
                put_string(out, b"sha256");
                put_string(out, digest);
            }
        }
    }
}
