//! SFTP version 3: its packets, for the node's server and for clients, and the journal that the gateway keeps of what a
//! session does with files.
//!
//! Source: draft-ietf-secsh-filexfer-02, with OpenSSH's extensions (PROTOCOL of openssh-portable, section 4) and one of
//! our own, [`CHECK_FILE`]. Where OpenSSH differs from the draft we follow OpenSSH, which is what everybody speaks:
//! SSH_FXP_SYMLINK has the target before the link.

mod attributes;
mod framing;
mod journal;
mod quote;
mod reply;
mod request;
mod wire;

pub use attributes::{Attributes, FileKind, Owner, Times};
pub use framing::{PACKET_BYTES_MAX, Packets};
pub use journal::{Journal, NotUnderstood};
pub use quote::quoted;
pub use reply::{Extended, Name, Reply, StatusCode};
pub use request::{Extension, Message, OpenFlags, Request};
pub use wire::WireError;

/// The version of the protocol. Clients of newer ones take it.
pub const VERSION: u32 = 3;

/// The most bytes of data in one read or write: with its head it fits a packet of 256 KiB, as OpenSSH has it.
pub const DATA_BYTES_MAX: u32 = 255 * 1024;

/// Files and directories that one session may have open at once.
pub const HANDLES_MAX: usize = 64;

/// Our extension: the SHA-256 of a range of an open file. The request holds the handle, the offset and the length (0: to the
/// end); the reply the text `sha256` and the digest as a string of 32 bytes.
pub const CHECK_FILE: &str = "check-file@postern";

/// The extensions of Postern's server with their versions.
pub const EXTENSIONS: [(&str, &str); 6] = [
    ("posix-rename@openssh.com", "1"),
    ("fsync@openssh.com", "1"),
    ("statvfs@openssh.com", "2"),
    ("hardlink@openssh.com", "1"),
    ("limits@openssh.com", "1"),
    (CHECK_FILE, "1"),
];
