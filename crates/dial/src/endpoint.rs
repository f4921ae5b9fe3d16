//! Where a service answers: scheme, host, port and the path that everything is below.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use http::Uri;
use http::uri::{Authority, PathAndQuery, Scheme};

use crate::error::DialError;

/// The address of a service, for example `https://postern.example:8443`.
///
/// `https` and `wss` always mean TLS. `http` and `ws` are taken only for this very machine, because requests
/// carry credentials.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Endpoint {
    tls: bool,
    /// Without the brackets of an IPv6 address.
    host: String,
    port: u16,
    /// Host and, unless it is the scheme's own, port: the value of the `Host` header.
    authority: Authority,
    /// Without a slash at its end; empty for an address without a path.
    base_path: String,
}

impl Endpoint {
    /// Whether connections are encrypted.
    #[must_use]
    pub fn is_tls(&self) -> bool {
        self.tls
    }

    /// The host name or address, an IPv6 address without its brackets.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port, also when the address did not name one.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The value of the `Host` header.
    #[must_use]
    pub fn authority(&self) -> &str {
        self.authority.as_str()
    }

    /// The URL of `path_and_query` (which begins with `/`) below this endpoint, with scheme `http` or `https`.
    ///
    /// # Errors
    /// [`DialError::Url`] if that is no valid path.
    pub fn url(&self, path_and_query: &str) -> Result<Uri, DialError> {
        let target = format!("{}{path_and_query}", self.base_path);
        let invalid =
            |_| DialError::Url { url: format!("{self}{path_and_query}"), problem: "the path is not valid" };
        let target = PathAndQuery::try_from(target).map_err(|error| invalid(error.into()))?;
        let scheme = if self.tls { Scheme::HTTPS } else { Scheme::HTTP };
        Uri::builder()
            .scheme(scheme)
            .authority(self.authority.clone())
            .path_and_query(target)
            .build()
            .map_err(invalid)
    }

    /// The endpoint that `uri` lies on, with an empty base path.
    ///
    /// # Errors
    /// [`DialError::Url`] if the URL has no host, another scheme than `http(s)` and `ws(s)`, or asks for an
    /// unencrypted connection to another machine.
    pub fn of(uri: &Uri) -> Result<Self, DialError> {
        let refuse = |problem| DialError::Url { url: uri.to_string(), problem };
        let tls = match uri.scheme_str() {
            Some("https" | "wss") => true,
            Some("http" | "ws") => false,
            _ => return Err(refuse("it must begin with https:// (or wss://)")),
        };
        let authority = uri.authority().ok_or_else(|| refuse("it names no host"))?;
        if authority.as_str().contains('@') {
            return Err(refuse("it contains a user name; credentials do not belong in the address"));
        }
        let host = authority.host().trim_start_matches('[').trim_end_matches(']').to_ascii_lowercase();
        if host.is_empty() {
            return Err(refuse("it names no host"));
        }
        if !tls && !is_loopback(&host) {
            return Err(refuse("unencrypted http:// is only accepted for this machine itself; use https://"));
        }
        let default_port = if tls { 443 } else { 80 };
        let port = authority.port_u16().unwrap_or(default_port);
        let bracketed = if host.contains(':') { format!("[{host}]") } else { host.clone() };
        let text = if port == default_port { bracketed } else { format!("{bracketed}:{port}") };
        let authority = Authority::try_from(text).map_err(|_| refuse("the host is not valid"))?;
        Ok(Self { tls, host, port, authority, base_path: String::new() })
    }
}

impl FromStr for Endpoint {
    type Err = DialError;

    fn from_str(text: &str) -> Result<Self, DialError> {
        let refuse = |problem| DialError::Url { url: text.to_owned(), problem };
        let uri: Uri = text.parse().map_err(|_| refuse("it is not a URL"))?;
        if uri.query().is_some() {
            return Err(refuse("an endpoint has no query"));
        }
        let mut endpoint = Self::of(&uri)?;
        uri.path().trim_end_matches('/').clone_into(&mut endpoint.base_path);
        Ok(endpoint)
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.tls { "https" } else { "http" };
        write!(f, "{scheme}://{}{}", self.authority, self.base_path)
    }
}

/// Whether `host` is this machine whatever the resolver says (RFC 6761 section 6.3 for `localhost`).
pub(crate) fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_taken_apart() {
        for (text, tls, host, port, printed) in [
            ("https://Postern.Example", true, "postern.example", 443, "https://postern.example"),
            ("https://postern.example:443/", true, "postern.example", 443, "https://postern.example"),
            ("wss://h:8443/base/", true, "h", 8443, "https://h:8443/base"),
            ("https://[::1]:8443", true, "::1", 8443, "https://[::1]:8443"),
            ("http://127.0.0.1:80", false, "127.0.0.1", 80, "http://127.0.0.1"),
            ("ws://localhost:9", false, "localhost", 9, "http://localhost:9"),
        ] {
            let endpoint: Endpoint = text.parse().unwrap();
            assert_eq!((endpoint.is_tls(), endpoint.host(), endpoint.port()), (tls, host, port), "{text}");
            assert_eq!(endpoint.to_string(), printed, "{text}");
        }
    }

    #[test]
    fn addresses_that_would_leak_or_lead_nowhere_are_refused() {
        for text in [
            "",
            "postern.example",
            "ftp://postern.example",
            "http://postern.example",
            "ws://192.0.2.1",
            "https://user:secret@postern.example",
            "https://",
            "https://h?x=1",
        ] {
            assert!(matches!(text.parse::<Endpoint>(), Err(DialError::Url { .. })), "{text}");
        }
    }

    #[test]
    fn urls_lie_below_the_base_path() {
        let endpoint: Endpoint = "https://h:8443/base".parse().unwrap();
        assert_eq!(endpoint.url("/v1/x?y=z").unwrap().to_string(), "https://h:8443/base/v1/x?y=z");
        assert!(endpoint.url("/a b").is_err());
    }
}
