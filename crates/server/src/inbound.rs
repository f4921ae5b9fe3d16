//! A request that has arrived whole, and the answers to it.

use std::net::SocketAddr;

use bytes::Bytes;
use http::request::Parts;
use http::{HeaderName, HeaderValue, Response, StatusCode};
use http_body_util::Full;
use jiff::Timestamp;
use postern_api::Answer;

use crate::auth::{Received, RequestContext};

/// The header that names a request in our log and in the client's.
pub(crate) const REQUEST_ID: HeaderName = HeaderName::from_static("x-amzn-requestid");

/// A request that has arrived whole.
#[derive(Debug)]
pub(crate) struct Inbound {
    pub(crate) parts: Parts,
    pub(crate) body: Bytes,
    pub(crate) peer: SocketAddr,
    pub(crate) at: Timestamp,
    pub(crate) request_id: String,
}

impl Inbound {
    /// As the authentication sees it.
    pub(crate) fn received(&self) -> Received<'_> {
        Received {
            parts: &self.parts,
            body: &self.body,
            source_ip: self.peer.ip().to_canonical(),
            at: self.at,
        }
    }

    /// As policies see it.
    pub(crate) fn context(&self) -> RequestContext {
        let header = |name| self.header(name).map(str::to_owned);
        RequestContext {
            request_id: self.request_id.clone(),
            at: self.at,
            user_agent: header("user-agent"),
            referer: header("referer"),
        }
    }

    /// The value of a header, if it is text.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.parts.headers.get(name)?.to_str().ok()
    }
}

/// Puts an answer on the wire.
pub(crate) fn response(answer: Answer) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::from(answer.body));
    *response.status_mut() = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    for (name, value) in answer.headers {
        // Values are ours: content types and codes.
        if let Ok(value) = HeaderValue::try_from(value) {
            response.headers_mut().insert(HeaderName::from_static(name), value);
        }
    }
    response
}
