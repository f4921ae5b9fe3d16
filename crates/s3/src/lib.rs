//! The S3 wire protocol over a small, read-only store of objects.
//!
//! [`Endpoint`] answers requests that have been authenticated; whether the caller may do what the request asks for is
//! the business of the [`Guard`] that it is made with, and where objects are is that of the [`Objects`]. The wire
//! (routing, parameters, XML) is `s3s`'s. [`DirectoryObjects`] serves files.
//!
//! Nothing can be written: what would write is refused after the guard has been asked.
//!
//! Source: Amazon S3 API Reference, version 2006-03-01.

mod backend;
mod call;
mod directory;
mod endpoint;
mod error;
mod listing;
mod objects;
mod stream;

pub use call::{Call, Guard, Refused};
pub use directory::DirectoryObjects;
pub use endpoint::{Body, Endpoint, EndpointConfig};
pub use error::ErrorAnswer;
pub use objects::{ObjectInfo, Objects, Opened};
