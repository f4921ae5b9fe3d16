//! Proxies: which connections go through one, and the CONNECT request that opens the tunnel.

use http::{HeaderValue, Uri};
use hyper_util::client::proxy::matcher::Matcher;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::endpoint::{Endpoint, is_loopback};
use crate::error::DialError;

/// The longest answer to CONNECT that is read.
const ANSWER_BYTES_MAX: usize = 8 * 1024;

/// Which connections go through a proxy, by the variables that curl, Go and AWS's programs read.
///
/// Connections to this machine never do, as in Go.
#[derive(Debug)]
pub struct Proxies {
    matcher: Matcher,
}

impl Proxies {
    /// As `HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY` say, in upper or lower case.
    #[must_use]
    pub fn from_env() -> Self {
        Self { matcher: Matcher::from_env() }
    }

    /// Always direct.
    #[must_use]
    pub fn none() -> Self {
        Self { matcher: Matcher::builder().build() }
    }

    /// Through `proxy` except to the hosts of `no_proxy` (comma-separated names, addresses, networks).
    #[must_use]
    pub fn new(proxy: &str, no_proxy: &str) -> Self {
        Self { matcher: Matcher::builder().https(proxy.to_owned()).no(no_proxy.to_owned()).build() }
    }

    /// The proxy for connections to `endpoint`.
    pub(crate) fn proxy_for(&self, endpoint: &Endpoint) -> Result<Option<Proxy>, DialError> {
        if !endpoint.is_tls() || is_loopback(endpoint.host()) {
            return Ok(None);
        }
        let Some(intercept) = self.matcher.intercept(&endpoint.url("/")?) else { return Ok(None) };
        Proxy::new(intercept.uri(), intercept.basic_auth().cloned()).map(Some)
    }
}

/// A proxy that takes CONNECT over an unencrypted connection.
pub(crate) struct Proxy {
    pub(crate) host: String,
    pub(crate) port: u16,
    authorization: Option<HeaderValue>,
}

impl Proxy {
    fn new(uri: &Uri, authorization: Option<HeaderValue>) -> Result<Self, DialError> {
        let refuse = |problem| DialError::Url { url: uri.to_string(), problem };
        if uri.scheme_str() != Some("http") {
            return Err(refuse("only proxies with http:// addresses are supported"));
        }
        let host = uri.host().ok_or_else(|| refuse("the proxy's address names no host"))?;
        let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        Ok(Self { host, port: uri.port_u16().unwrap_or(80), authorization })
    }

    /// `host:port`, for messages.
    pub(crate) fn name(&self) -> String {
        format!("{}:{}", self.host, self.port)
    }

    /// Turns a connection to the proxy into one to `endpoint` (RFC 9110 section 9.3.6).
    pub(crate) async fn connect(&self, stream: &mut TcpStream, endpoint: &Endpoint) -> Result<(), DialError> {
        let fail = |problem: String| DialError::Proxy {
            proxy: self.name(),
            host: endpoint.authority().to_owned(),
            problem,
        };
        let host = endpoint.host();
        let target = if host.contains(':') { format!("[{host}]") } else { host.to_owned() };
        let target = format!("{target}:{}", endpoint.port());
        let mut request = format!("CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n").into_bytes();
        if let Some(authorization) = &self.authorization {
            request.extend_from_slice(b"Proxy-Authorization: ");
            request.extend_from_slice(authorization.as_bytes());
            request.extend_from_slice(b"\r\n");
        }
        request.extend_from_slice(b"\r\n");
        stream.write_all(&request).await.map_err(|error| fail(error.to_string()))?;

        let mut answer = Vec::with_capacity(256);
        while !answer.ends_with(b"\r\n\r\n") {
            if answer.len() >= ANSWER_BYTES_MAX {
                return Err(fail("its answer is too long".into()));
            }
            // One byte at a time: the bytes after the answer belong to the tunnel.
            answer.push(stream.read_u8().await.map_err(|error| fail(error.to_string()))?);
        }
        match status(&answer) {
            Some(200..=299) => Ok(()),
            Some(407) => Err(fail("it wants a user name and password (HTTP 407)".into())),
            Some(status) => Err(fail(format!("HTTP status {status}"))),
            None => Err(fail("it does not speak HTTP".into())),
        }
    }
}

/// The status in `HTTP/1.1 200 Connection established`.
fn status(answer: &[u8]) -> Option<u16> {
    let line = answer.split(|&byte| byte == b'\r').next()?;
    let mut words = std::str::from_utf8(line).ok()?.split(' ');
    words.next().filter(|version| version.starts_with("HTTP/1."))?;
    words.next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoint(text: &str) -> Endpoint {
        text.parse().unwrap()
    }

    #[test]
    fn exceptions_and_this_machine_go_direct() {
        let proxies = Proxies::new("http://user:pass@proxy.example:3128", "internal.example,10.0.0.0/8");
        let proxy = proxies.proxy_for(&endpoint("https://postern.example")).unwrap().unwrap();
        assert_eq!(proxy.name(), "proxy.example:3128");
        assert_eq!(proxy.authorization.unwrap(), "Basic dXNlcjpwYXNz");
        for direct in
            ["https://a.internal.example", "https://10.1.2.3", "https://127.0.0.1", "http://localhost:1"]
        {
            assert!(proxies.proxy_for(&endpoint(direct)).unwrap().is_none(), "{direct}");
        }
        assert!(Proxies::none().proxy_for(&endpoint("https://postern.example")).unwrap().is_none());
    }

    #[test]
    fn proxies_of_another_kind_are_refused_by_name() {
        let error =
            Proxies::new("socks5://proxy.example", "").proxy_for(&endpoint("https://postern.example"));
        assert!(matches!(error.err(), Some(DialError::Url { url, .. }) if url.contains("proxy.example")));
    }

    #[test]
    fn answers_of_proxies() {
        for (answer, expected) in [
            (&b"HTTP/1.1 200 Connection established\r\n\r\n"[..], Some(200)),
            (b"HTTP/1.0 407 x\r\n\r\n", Some(407)),
            (b"SSH-2.0-x\r\n\r\n", None),
            (b"", None),
        ] {
            assert_eq!(status(answer), expected);
        }
    }
}
