//! Section-less setting `public_url`: how clients and nodes reach the port.

use std::fmt;
use std::net::SocketAddr;
use std::str::FromStr;

use url::{Host, Url};

/// An `https` URL of a host and perhaps a port: AWS's agent keeps neither a path nor another scheme.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicUrl {
    host: Host,
    port: u16,
}

const HTTPS_PORT: u16 = 443;

impl PublicUrl {
    /// What is true of a server that listens on `address` and was told nothing else.
    #[must_use]
    pub fn of_listener(address: SocketAddr, host_name: &str) -> Self {
        let host = match address {
            address if address.ip().is_unspecified() => {
                Host::parse(host_name).unwrap_or_else(|_| Host::Domain("localhost".to_owned()))
            }
            SocketAddr::V4(address) => Host::Ipv4(*address.ip()),
            SocketAddr::V6(address) => Host::Ipv6(*address.ip()),
        };
        Self { host, port: address.port() }
    }

    /// The host, for the certificate.
    #[must_use]
    pub fn host(&self) -> &Host {
        &self.host
    }

    /// Host and port as they stand in a URL; the port of HTTPS is left out.
    #[must_use]
    pub fn authority(&self) -> String {
        match self.port {
            HTTPS_PORT => self.host.to_string(),
            port => format!("{}:{port}", self.host),
        }
    }
}

impl fmt::Display for PublicUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "https://{}", self.authority())
    }
}

/// A text that cannot be the public URL.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not a URL such as https://postern.example:8443 (https, no path)")]
pub struct PublicUrlError {
    text: String,
}

impl FromStr for PublicUrl {
    type Err = PublicUrlError;

    fn from_str(text: &str) -> Result<Self, PublicUrlError> {
        let error = || PublicUrlError { text: text.to_owned() };
        let url = Url::parse(text).map_err(|_| error())?;
        let is_bare = url.scheme() == "https"
            && url.path() == "/"
            && url.query().is_none()
            && url.fragment().is_none()
            && url.username().is_empty()
            && url.password().is_none();
        let host = url.host().ok_or_else(error)?.to_owned();
        if !is_bare || url.port() == Some(0) {
            return Err(error());
        }
        Ok(Self { host, port: url.port().unwrap_or(HTTPS_PORT) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_public_url_is_https_and_has_no_path() {
        for (text, printed) in [
            ("https://postern.example", "https://postern.example"),
            ("https://postern.example:443/", "https://postern.example"),
            ("https://[::1]:8443", "https://[::1]:8443"),
        ] {
            assert_eq!(text.parse::<PublicUrl>().unwrap().to_string(), printed);
        }
        for wrong in
            ["", "postern", "http://postern", "https://a/b", "https://a?b", "https://u@a", "https://a:0"]
        {
            assert!(wrong.parse::<PublicUrl>().is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn without_a_url_the_bound_address_or_the_host_name_is_used() {
        let any: SocketAddr = "0.0.0.0:8443".parse().unwrap();
        assert_eq!(PublicUrl::of_listener(any, "gate.example").to_string(), "https://gate.example:8443");
        assert_eq!(PublicUrl::of_listener(any, "").to_string(), "https://localhost:8443");
        let one: SocketAddr = "[::1]:1".parse().unwrap();
        assert_eq!(PublicUrl::of_listener(one, "gate.example").to_string(), "https://[::1]:1");
    }
}
