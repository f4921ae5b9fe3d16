//! The cookie of a sign-in, and the token that pages prove with that they are ours.

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::{digest, hmac};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::HeaderValue;
use http::header::COOKIE;
use http::request::Parts;
use postern_store::{Secret, TokenHash};

use crate::random::Random;

/// `__Host-`: browsers take it only over TLS, for this host alone and the whole of it.
/// Source: draft-ietf-httpbis-rfc6265bis, section 4.1.3.2.
const NAME: &str = "__Host-postern";
/// The header that a page sends its token in.
pub(super) const CSRF_HEADER: &str = "x-postern-csrf";
/// What the token is made for, so that nothing else made with the secret is one.
const CSRF_PURPOSE: &[u8] = b"postern console csrf";

/// The secret of a sign-in, which only the browser keeps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct CookieSecret(Secret<[u8; 32]>);

impl CookieSecret {
    pub(super) fn new(random: &dyn Random) -> Self {
        Self(Secret::new(random.bytes()))
    }

    /// The one that a request came with. Of several cookies of this name none counts: the browser keeps one.
    pub(super) fn of(parts: &Parts) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(value(parts, NAME)?).ok()?;
        Some(Self(Secret::new(bytes.try_into().ok()?)))
    }

    /// What the store knows of it.
    pub(super) fn hash(&self) -> TokenHash {
        let hash = digest::digest(&digest::SHA256, self.0.expose_secret());
        TokenHash(hash.as_ref().try_into().expect("SHA-256 gives 32 bytes"))
    }

    /// The token of this sign-in's pages. It is made from the secret, so nobody else has it and nothing need be stored.
    pub(super) fn csrf(&self) -> String {
        let key = hmac::Key::new(hmac::HMAC_SHA256, self.0.expose_secret());
        URL_SAFE_NO_PAD.encode(hmac::sign(&key, CSRF_PURPOSE))
    }

    /// Whether a request brings the token.
    pub(super) fn has_csrf(&self, parts: &Parts) -> bool {
        let Some(given) = parts.headers.get(CSRF_HEADER) else { return false };
        verify_slices_are_equal(given.as_bytes(), self.csrf().as_bytes()).is_ok()
    }

    /// `Set-Cookie`. It ends with the browser; how long it is good for, the server knows.
    pub(super) fn set(&self) -> HeaderValue {
        let value = URL_SAFE_NO_PAD.encode(self.0.expose_secret());
        let cookie = format!("{NAME}={value}; Path=/; Secure; HttpOnly; SameSite=Strict");
        let mut header = HeaderValue::try_from(cookie).expect("base64 is visible ASCII");
        header.set_sensitive(true);
        header
    }
}

/// The value of the cookie called `name`, if there is exactly one.
pub(super) fn value<'a>(parts: &'a Parts, name: &str) -> Option<&'a str> {
    let texts = parts.headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
    let pairs = texts.flat_map(|text| text.split(';')).filter_map(|pair| pair.trim().split_once('='));
    let mut values = pairs.filter(|(given, _)| *given == name).map(|(_, value)| value);
    values.next().filter(|_| values.next().is_none())
}

/// Whether a `Set-Cookie` gives a browser the cookie of a sign-in.
pub(super) fn is_of_sign_in(set: &HeaderValue) -> bool {
    let given = set.as_bytes().strip_prefix(NAME.as_bytes()).and_then(|rest| rest.strip_prefix(b"="));
    given.is_some_and(|value| !value.starts_with(b";"))
}

/// `Set-Cookie` that takes the cookie away.
pub(super) fn remove() -> HeaderValue {
    HeaderValue::from_static("__Host-postern=; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=0")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::SystemRandom;

    fn parts(cookies: &[&str]) -> Parts {
        let mut request = http::Request::get("/");
        for cookie in cookies {
            request = request.header(COOKIE, *cookie);
        }
        request.body(()).unwrap().into_parts().0
    }

    #[test]
    fn a_browser_brings_back_what_it_was_given() {
        let secret = CookieSecret::new(&SystemRandom);
        let set = secret.set();
        let cookie = set.to_str().unwrap().split(';').next().unwrap().to_owned();
        assert_eq!(CookieSecret::of(&parts(&[&cookie])), Some(secret.clone()));
        assert_eq!(CookieSecret::of(&parts(&[&format!("a=b; {cookie}; c=d")])), Some(secret));
        for none in [vec![], vec!["__Host-postern="], vec!["__Host-postern=AAAA"], vec!["postern=x"]] {
            assert_eq!(CookieSecret::of(&parts(&none)), None, "{none:?}");
        }
        assert_eq!(CookieSecret::of(&parts(&[&cookie, &cookie])), None, "two are none");
        assert!(is_of_sign_in(&set) && !is_of_sign_in(&remove()));
        assert!(!is_of_sign_in(&HeaderValue::from_static("__Host-postern-oidc=AAAA; Path=/")));
    }

    #[test]
    fn the_token_of_pages_is_that_of_one_sign_in() {
        let (one, other) = (CookieSecret::new(&SystemRandom), CookieSecret::new(&SystemRandom));
        let mut request = parts(&[]);
        assert!(!one.has_csrf(&request));
        request.headers.insert(CSRF_HEADER, one.csrf().parse().unwrap());
        assert!(one.has_csrf(&request) && !other.has_csrf(&request));
        assert_ne!(one.csrf(), URL_SAFE_NO_PAD.encode(one.hash().0), "the store does not know it");
    }
}
