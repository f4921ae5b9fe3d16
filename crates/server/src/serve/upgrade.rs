//! From an HTTP/1.1 request to a websocket's bytes.
//!
//! Source: RFC 6455, section 4.2. Neither subprotocols nor extensions are negotiated: none of AWS's programs offers
//! any. Framing is for whoever takes the bytes.

use aws_lc_rs::digest::{self, SHA1_FOR_LEGACY_USE_ONLY};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::{CONNECTION, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_VERSION, UPGRADE};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, Version};
use http_body_util::Full;
use hyper_util::rt::TokioIo;
use tokio_util::task::TaskTracker;

use super::ClientStream;

/// RFC 6455, section 1.3.
const ACCEPT_GUID: &[u8] = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// Why a request does not become a websocket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum UpgradeRefused {
    /// It is not a websocket's opening request.
    #[error(
        "not a websocket request: it must be a GET of HTTP/1.1 with Upgrade, Connection and a Sec-WebSocket-Key"
    )]
    NotAWebsocket,
    /// It wants another version of the protocol.
    #[error("only version 13 of the websocket protocol is spoken")]
    Version,
}

/// Answers `request` with 101 and gives the connection, which has left HTTP, to `take` on a task of `tasks`.
///
/// # Errors
/// If the request is not a websocket's opening request.
pub fn upgrade<B, F>(
    mut request: Request<B>,
    tasks: &TaskTracker,
    take: impl FnOnce(ClientStream) -> F + Send + 'static,
) -> Result<Response<Full<Bytes>>, UpgradeRefused>
where
    F: Future<Output = ()> + Send + 'static,
{
    let accept = accept_value(&request)?;
    let upgraded = hyper::upgrade::on(&mut request);
    tasks.spawn(async move {
        match upgraded.await {
            Ok(upgraded) => {
                let parts = upgraded
                    .downcast::<TokioIo<ClientStream>>()
                    .expect("every connection is served over a ClientStream");
                let mut stream = parts.io.into_inner();
                stream.put_back(&parts.read_buf);
                // HTTP's buffers must not live as long as the websocket.
                drop(parts.read_buf);
                take(stream).await;
            }
            Err(error) => tracing::debug!(%error, "the peer was gone before its websocket opened"),
        }
    });
    let mut response = Response::new(Full::default());
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let headers = response.headers_mut();
    headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
    headers.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
    headers.insert(SEC_WEBSOCKET_ACCEPT, accept);
    Ok(response)
}

fn accept_value<B>(request: &Request<B>) -> Result<HeaderValue, UpgradeRefused> {
    let headers = request.headers();
    let is_websocket = request.method() == Method::GET
        && request.version() == Version::HTTP_11
        && lists(headers, &UPGRADE, "websocket")
        && lists(headers, &CONNECTION, "upgrade");
    let key =
        headers.get(SEC_WEBSOCKET_KEY).filter(|key| STANDARD.decode(key).is_ok_and(|key| key.len() == 16));
    let (true, Some(key)) = (is_websocket, key) else { return Err(UpgradeRefused::NotAWebsocket) };
    if headers.get(SEC_WEBSOCKET_VERSION).is_none_or(|version| version != "13") {
        return Err(UpgradeRefused::Version);
    }
    let mut context = digest::Context::new(&SHA1_FOR_LEGACY_USE_ONLY);
    context.update(key.as_bytes());
    context.update(ACCEPT_GUID);
    let accept = STANDARD.encode(context.finish());
    Ok(HeaderValue::try_from(accept).expect("base64 is visible ASCII"))
}

/// Whether a comma-separated header holds `wanted`, in any case.
fn lists(headers: &HeaderMap, name: &HeaderName, wanted: &str) -> bool {
    headers
        .get_all(name)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|item| item.trim().eq_ignore_ascii_case(wanted))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(headers: &[(&str, &str)]) -> Request<()> {
        let mut builder = Request::get("/v1/data-channel/x");
        for (name, value) in headers {
            builder = builder.header(*name, *value);
        }
        builder.body(()).unwrap()
    }

    const GOOD: [(&str, &str); 4] = [
        ("connection", "keep-alive, Upgrade"),
        ("upgrade", "WebSocket"),
        // Key and answer: RFC 6455, section 1.3.
        ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
        ("sec-websocket-version", "13"),
    ];

    #[test]
    fn the_accept_value_is_that_of_the_rfc() {
        assert_eq!(accept_value(&request(&GOOD)).unwrap(), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    }

    #[test]
    fn other_requests_are_refused() {
        for missing in 0..3 {
            let headers: Vec<_> =
                GOOD.iter().enumerate().filter(|(at, _)| *at != missing).map(|(_, header)| *header).collect();
            assert_eq!(accept_value(&request(&headers)), Err(UpgradeRefused::NotAWebsocket), "{missing}");
        }
        assert_eq!(accept_value(&request(&GOOD[..3])), Err(UpgradeRefused::Version));
        let mut post = request(&GOOD);
        *post.method_mut() = Method::POST;
        assert_eq!(accept_value(&post), Err(UpgradeRefused::NotAWebsocket));
        let mut http2 = request(&GOOD);
        *http2.version_mut() = Version::HTTP_2;
        assert_eq!(accept_value(&http2), Err(UpgradeRefused::NotAWebsocket));
    }
}
