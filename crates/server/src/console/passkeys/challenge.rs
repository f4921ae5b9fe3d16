//! Challenges: random, for one browser and one errand, and good for some minutes.
//!
//! The browser keeps its challenge in a cookie, signed, so that nothing need be remembered of those that are never answered,
//! however many there are. One that was answered well is remembered until its time is over, and not taken again.

use aws_lc_rs::{digest, hmac};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::HeaderValue;
use http::request::Parts;
use jiff::{SignedDuration, Timestamp};
use postern_store::{SpentChallenge, TokenHash};

use super::ANSWER_SECONDS_MAX;
use crate::console::cookie;
use crate::random::Random;

const COOKIE_NAME: &str = "__Host-postern-passkey";
const VALUE_BYTES: usize = 32;

/// What an answer is wanted for. That of one is none of another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Errand<'a> {
    /// Signing in with a passkey alone.
    SignIn,
    /// The second factor of the half-done sign-in with this name.
    SecondFactor(&'a str),
    /// A new passkey, in the sign-in with this name.
    Registration(&'a str),
}

impl Errand<'_> {
    /// Different for each: names have no spaces.
    fn text(self) -> String {
        match self {
            Self::SignIn => "sign-in".to_owned(),
            Self::SecondFactor(sign_in) => format!("second-factor {sign_in}"),
            Self::Registration(sign_in) => format!("registration {sign_in}"),
        }
    }
}

/// What an authenticator is to sign.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Challenge {
    value: [u8; VALUE_BYTES],
    /// In whole seconds since 1970.
    expires_at: i64,
}

impl Challenge {
    /// A new one.
    pub(super) fn new(random: &dyn Random, now: Timestamp) -> Self {
        Self { value: random.bytes(), expires_at: now.as_second() + i64::from(ANSWER_SECONDS_MAX) }
    }

    pub(super) fn value(&self) -> &[u8] {
        &self.value
    }

    /// `Set-Cookie`, for the browser that is to answer.
    pub(super) fn cookie(&self, key: &hmac::Key, errand: Errand<'_>) -> HeaderValue {
        let tag = hmac::sign(key, &self.signed(errand));
        let bytes = [self.value.as_slice(), &self.expires_at.to_be_bytes(), tag.as_ref()].concat();
        let value = URL_SAFE_NO_PAD.encode(bytes);
        let cookie = format!(
            "{COOKIE_NAME}={value}; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age={ANSWER_SECONDS_MAX}"
        );
        let mut header = HeaderValue::try_from(cookie).expect("base64 is visible ASCII");
        header.set_sensitive(true);
        header
    }

    /// `Set-Cookie` that takes it away.
    pub(super) fn remove_cookie() -> HeaderValue {
        HeaderValue::from_static(
            "__Host-postern-passkey=; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=0",
        )
    }

    /// The one that this browser was given for this errand, if its time is not over.
    pub(super) fn of(parts: &Parts, key: &hmac::Key, errand: Errand<'_>, now: Timestamp) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(cookie::value(parts, COOKIE_NAME)?).ok()?;
        let (value, rest) = bytes.split_first_chunk()?;
        let (expires_at, tag) = rest.split_first_chunk()?;
        let challenge = Self { value: *value, expires_at: i64::from_be_bytes(*expires_at) };
        hmac::verify(key, &challenge.signed(errand), tag).ok()?;
        (now.as_second() < challenge.expires_at).then_some(challenge)
    }

    /// What is remembered of it once it was answered.
    pub(super) fn spent(&self) -> SpentChallenge {
        let hash = digest::digest(&digest::SHA256, &self.value);
        let margin = SignedDuration::from_secs(1);
        let expires_at = Timestamp::from_second(self.expires_at).and_then(|at| at.checked_add(margin));
        SpentChallenge {
            hash: TokenHash(hash.as_ref().try_into().expect("SHA-256 gives 32 bytes")),
            expires_at: expires_at.unwrap_or(Timestamp::MAX),
        }
    }

    fn signed(&self, errand: Errand<'_>) -> Vec<u8> {
        [self.value.as_slice(), &self.expires_at.to_be_bytes(), errand.text().as_bytes()].concat()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::SystemRandom;

    fn key(byte: u8) -> hmac::Key {
        hmac::Key::new(hmac::HMAC_SHA256, &[byte; 32])
    }

    fn parts(cookies: &[&str]) -> Parts {
        let mut request = http::Request::get("/");
        for cookie in cookies {
            request = request.header("cookie", *cookie);
        }
        request.body(()).unwrap().into_parts().0
    }

    #[test]
    fn a_challenge_is_good_for_its_errand_and_some_minutes() {
        let now: Timestamp = "2026-11-27T08:00:00Z".parse().unwrap();
        let challenge = Challenge::new(&SystemRandom, now);
        let set = challenge.cookie(&key(1), Errand::SecondFactor("one"));
        let cookie = set.to_str().unwrap().split(';').next().unwrap().to_owned();
        let found = |errand, seconds| {
            let at = now.checked_add(SignedDuration::from_secs(seconds)).unwrap();
            Challenge::of(&parts(&[&cookie]), &key(1), errand, at)
        };
        assert_eq!(found(Errand::SecondFactor("one"), 0), Some(challenge.clone()));
        assert_eq!(found(Errand::SecondFactor("one"), 299), Some(challenge));
        assert_eq!(found(Errand::SecondFactor("one"), 300), None);
        for other in [Errand::SignIn, Errand::SecondFactor("two"), Errand::Registration("one")] {
            assert_eq!(found(other, 0), None, "{other:?}");
        }
    }

    #[test]
    fn nobody_makes_one_for_himself() {
        let now: Timestamp = "2026-11-27T08:00:00Z".parse().unwrap();
        let challenge = Challenge::new(&SystemRandom, now);
        let set = challenge.cookie(&key(1), Errand::SignIn);
        let cookie = set.to_str().unwrap().split(';').next().unwrap();
        let is_taken = |cookies: &[&str], byte| {
            Challenge::of(&parts(cookies), &key(byte), Errand::SignIn, now).is_some()
        };
        assert!(is_taken(&[cookie], 1));
        assert!(!is_taken(&[cookie], 2) && !is_taken(&[cookie, cookie], 1));
        let value = cookie.split_once('=').unwrap().1;
        let bytes = URL_SAFE_NO_PAD.decode(value).unwrap();
        for at in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[at] ^= 1;
            let text = format!("{COOKIE_NAME}={}", URL_SAFE_NO_PAD.encode(changed));
            assert!(!is_taken(&[&text], 1), "byte {at}");
        }
        for text in ["", "AA", &value[..40]] {
            assert!(!is_taken(&[&format!("{COOKIE_NAME}={text}")], 1), "{text:?}");
        }
    }
}
