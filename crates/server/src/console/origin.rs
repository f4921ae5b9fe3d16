//! Which pages are this server's own.
//!
//! A browser says with `Origin` from where a request comes. Own are the public URL, and whatever name the server was asked
//! for by, if its certificate has that name: a page of another name cannot have come from here.

use std::collections::BTreeSet;
use std::net::IpAddr;

use http::header::{HOST, ORIGIN};
use http::request::Parts;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::{FromDer as _, X509Certificate};

use super::refusal::Refusal;
use crate::app::App;
use crate::config::PublicUrl;

/// Digits of the highest port.
const PORT_DIGITS_MAX: usize = 5;

/// The names of this server.
#[derive(Debug, Clone)]
pub(crate) struct Origins {
    /// Host and port as they stand in a URL.
    public: String,
    /// Names of the certificate, in small letters; one may begin with `*.`.
    names: BTreeSet<String>,
}

impl Origins {
    /// Those of a server that shows `certificate` (DER).
    pub(crate) fn new(public_url: &PublicUrl, certificate: &[u8]) -> Self {
        Self { public: public_url.authority().to_ascii_lowercase(), names: names(certificate) }
    }

    /// The host that a request asked for, with its port, if it is one of ours.
    pub(crate) fn asked_for(&self, parts: &Parts) -> Option<String> {
        let host = match parts.headers.get(HOST) {
            Some(host) => host.to_str().ok()?,
            None => parts.uri.authority()?.as_str(),
        };
        let host = host.to_ascii_lowercase();
        let is_own = host == self.public || host_name(&host).is_some_and(|name| self.has(name));
        is_own.then_some(host)
    }

    /// The hosts that a page of this server may open websockets to.
    pub(super) fn hosts(&self, parts: &Parts) -> Vec<String> {
        let mut hosts = vec![self.public.clone()];
        hosts.extend(self.asked_for(parts).filter(|host| *host != self.public));
        hosts
    }

    /// Whether a request comes from a page of this server. One without `Origin` comes from no page, or from one that
    /// only navigates.
    pub(crate) fn is_own(&self, parts: &Parts) -> bool {
        let Some(origin) = parts.headers.get(ORIGIN) else { return false };
        if parts.headers.get_all(ORIGIN).iter().count() != 1 {
            return false;
        }
        let Some(host) = origin.to_str().ok().and_then(|origin| origin.strip_prefix("https://")) else {
            return false;
        };
        host == self.public || self.asked_for(parts).is_some_and(|asked| asked == host)
    }

    fn has(&self, name: &str) -> bool {
        if self.names.contains(name) {
            return true;
        }
        name.split_once('.').is_some_and(|(_, parent)| self.names.contains(&format!("*.{parent}")))
    }
}

/// Refuses what does not come from a page of this server.
pub(super) fn check(app: &App, parts: &Parts) -> Result<(), Refusal> {
    if app.console.origins.is_own(parts) {
        return Ok(());
    }
    Err(Refusal::foreign("The request does not come from a page of this server."))
}

/// A host without its port; `None` if anything else follows it, for the whole is repeated in headers.
fn host_name(host: &str) -> Option<&str> {
    let (name, rest) = match host.strip_prefix('[') {
        Some(bracketed) => bracketed.split_once(']')?,
        None => host.split_at(host.find(':').unwrap_or(host.len())),
    };
    let is_port = |digits: &str| {
        (1..=PORT_DIGITS_MAX).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit())
    };
    // A certificate for all names of a domain is no promise of what stands before the first dot.
    let is_name = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._:".contains(&byte));
    (is_name && (rest.is_empty() || rest.strip_prefix(':').is_some_and(is_port))).then_some(name)
}

/// The names that a certificate is good for.
pub(super) fn names(certificate: &[u8]) -> BTreeSet<String> {
    let Ok((_, certificate)) = X509Certificate::from_der(certificate) else { return BTreeSet::new() };
    let Ok(Some(extension)) = certificate.subject_alternative_name() else { return BTreeSet::new() };
    let named = extension.value.general_names.iter().filter_map(|name| match name {
        GeneralName::DNSName(name) => Some(name.to_ascii_lowercase()),
        GeneralName::IPAddress(bytes) => address(bytes).map(|address| address.to_string()),
        _ => None,
    });
    named.collect()
}

fn address(bytes: &[u8]) -> Option<IpAddr> {
    match *bytes {
        [a, b, c, d] => Some(IpAddr::from([a, b, c, d])),
        _ => <[u8; 16]>::try_from(bytes).ok().map(IpAddr::from),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origins() -> Origins {
        let names = ["gate.example", "localhost", "127.0.0.1", "::1", "*.wild.example"];
        let made = rcgen::generate_simple_self_signed(names.map(str::to_owned)).unwrap();
        Origins::new(&"https://public.example".parse().unwrap(), made.cert.der())
    }

    fn parts(host: &str, origin: Option<&str>) -> Parts {
        let mut request = http::Request::post("/").header("host", host);
        if let Some(origin) = origin {
            request = request.header("origin", origin);
        }
        request.body(()).unwrap().into_parts().0
    }

    #[test]
    fn nothing_follows_a_name_but_a_port() {
        for (host, is_asked_for) in [
            ("gate.example", true),
            ("gate.example:1", true),
            ("gate.example:65535", true),
            ("[::1]", true),
            ("[::1]:8443", true),
            ("public.example", true),
            ("gate.example:1; script-src *", false),
            ("gate.example; script-src *", false),
            ("gate.example:", false),
            ("gate.example:123456", false),
            ("gate.example:+1", false),
            ("gate.example:1:2", false),
            ("[::1]:", false),
            ("[::1]8443", false),
            ("[::1]:1; script-src *", false),
            ("[::1", false),
            ("x.wild.example:1; script-src *", false),
            ("x; script-src *.wild.example", false),
            ("", false),
        ] {
            assert_eq!(origins().asked_for(&parts(host, None)).is_some(), is_asked_for, "{host}");
        }
    }

    #[test]
    fn own_is_the_public_url_and_the_name_that_was_asked_for() {
        for (host, origin, is_own) in [
            ("public.example", "https://public.example", true),
            ("gate.example:8443", "https://gate.example:8443", true),
            ("GATE.example:8443", "https://gate.example:8443", true),
            ("[::1]:8443", "https://[::1]:8443", true),
            ("127.0.0.1:1", "https://127.0.0.1:1", true),
            ("a.wild.example", "https://a.wild.example", true),
            // The public URL is reached by another name, from a page of the public URL.
            ("gate.example:8443", "https://public.example", true),
            ("gate.example:8443", "http://gate.example:8443", false),
            ("gate.example:8443", "https://gate.example", false),
            ("gate.example:8443", "https://gate.example:9443", false),
            ("gate.example:8443", "https://gate.example.evil.example:8443", false),
            ("gate.example:8443", "https://evil.example", false),
            ("gate.example:8443", "https://localhost:8443", false),
            ("gate.example:8443", "null", false),
            ("a.b.wild.example", "https://a.b.wild.example", false),
            // Its name leads here, but the certificate does not have it.
            ("rebound.example:8443", "https://rebound.example:8443", false),
        ] {
            assert_eq!(origins().is_own(&parts(host, Some(origin))), is_own, "{host} {origin}");
        }
        assert!(!origins().is_own(&parts("public.example", None)));
        let mut two = parts("public.example", Some("https://public.example"));
        two.headers.append("origin", "https://evil.example".parse().unwrap());
        assert!(!origins().is_own(&two));
    }
}
