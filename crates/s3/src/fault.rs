//! What is wrong with a body that describes a request, as clients are told it: `s3s` says of all that it failed itself.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use futures_util::{Stream, StreamExt as _};
use s3s::{S3Error, S3ErrorCode};

use crate::body::BodyError;
use crate::errors::{error, failed};

/// What became of a request's body; in the extensions of the request.
#[derive(Debug, Clone, Default)]
pub(crate) struct Fault(Arc<Seen>);

#[derive(Debug, Default)]
struct Seen {
    /// It is what an object is to hold: whoever writes it says how it went.
    is_contents: AtomicBool,
    fault: OnceLock<Wrong>,
}

#[derive(Debug, Clone, Copy)]
enum Wrong {
    TooLong,
    Body(BodyError),
}

impl Fault {
    /// The body is that of an object.
    pub(crate) fn is_of_contents(&self) {
        self.0.is_contents.store(true, Ordering::Relaxed);
    }

    /// Looks at what passes. More than `bytes_max` is too much for a description.
    pub(crate) fn watch<S>(&self, body: S, bytes_max: usize) -> impl Stream<Item = io::Result<Bytes>> + use<S>
    where
        S: Stream<Item = io::Result<Bytes>>,
    {
        let (seen, mut left) = (Arc::clone(&self.0), bytes_max);
        body.inspect(move |part| {
            let wrong = match part {
                Ok(bytes) if bytes.len() > left => Some(Wrong::TooLong),
                Ok(bytes) => {
                    left -= bytes.len();
                    None
                }
                Err(error) => BodyError::of(error).map(Wrong::Body),
            };
            if let Some(wrong) = wrong {
                // The first is what it fails with.
                seen.fault.get_or_init(|| wrong);
            }
        })
    }

    /// What was wrong with a description, if anything was.
    pub(crate) fn found(&self) -> Option<S3Error> {
        if self.0.is_contents.load(Ordering::Relaxed) {
            return None;
        }
        Some(match self.0.fault.get()? {
            Wrong::TooLong => error(S3ErrorCode::MaxMessageLengthExceeded, "Your request was too large."),
            Wrong::Body(body) => failed((*body).into()),
        })
    }
}
