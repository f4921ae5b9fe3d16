//! The S3 wire protocol over buckets.
//!
//! [`Endpoint`] answers requests that have been authenticated; whether the caller may do what the request asks for is
//! the business of the [`Guard`] that it is made with. The wire (routing, parameters, XML) is `s3s`'s. Buckets are
//! those of a [`postern_objects::Vault`], and some of the server's own that can only be read: [`Objects`], such as
//! [`DirectoryObjects`].
//!
//! Source: Amazon S3 API Reference, version 2006-03-01.

mod backend;
mod body;
mod call;
mod deposit;
mod digests;
mod directory;
mod encoding;
mod endpoint;
mod error;
mod errors;
mod fault;
mod listing;
mod lock;
mod objects;
mod parts;
mod presigned;
mod read;
mod stream;
mod times;
mod vaulted;
mod write;

pub use body::{DECODED_LENGTH, DeclaredBody};
pub use call::{Call, Guard, OnlyNew, Refused};
pub use deposit::{Deposit, DepositError, deposit};
pub use directory::DirectoryObjects;
pub use endpoint::{Body, Endpoint, EndpointConfig, XML_BYTES_MAX};
pub use error::ErrorAnswer;
pub use objects::{ByteStream, Contents, ObjectInfo, Objects, Opened};
