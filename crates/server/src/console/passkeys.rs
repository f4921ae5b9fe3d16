//! Passkeys: signing in with one, alone or after the password, and a user's own.
//!
//! A passkey always proves two factors, the authenticator and what it asked its user for, so it suffices alone. It is good
//! for the host of the public URL, and only pages of that origin can use it.

mod challenge;
mod own;
mod sign_in;

use aws_lc_rs::hmac;
use http::request::Parts;
use postern_ids::{AccountId, MfaSerial, PrincipalId, UserName};
use postern_store::{Passkey, Secret};
use postern_webauthn::{Base64Url, RelyingParty};
use serde_json::{Value, json};
use url::Host;

use super::refusal::Refusal;
use crate::app::App;
use crate::config::PublicUrl;

pub(super) use own::{begin, create, list, remove, rename};
pub(super) use sign_in::{options, sign_in};

/// How long somebody may take to answer. The browser is told the same.
const ANSWER_SECONDS_MAX: u32 = 300;
/// For which purpose a key is derived from the master key.
pub(crate) const KEY_PURPOSE: &str = "passkeys";

/// What passkeys need.
pub(crate) struct Passkeys {
    /// `None`: the public URL has an address in the place of a name, to which no passkey can belong.
    party: Option<RelyingParty>,
    /// Where the party's pages are, as `Host` says it.
    authority: String,
    /// What challenges are signed with.
    challenges: hmac::Key,
    /// What the names are made with by which authenticators know users.
    handles: hmac::Key,
}

impl Passkeys {
    /// Those of the server at `public_url`; `key` is derived for [`KEY_PURPOSE`].
    pub(crate) fn new(public_url: &PublicUrl, key: &Secret<[u8; 32]>) -> Self {
        let party = match public_url.host() {
            Host::Domain(name) => Some(RelyingParty::new(name.to_ascii_lowercase(), origin(public_url))),
            Host::Ipv4(_) | Host::Ipv6(_) => None,
        };
        let all = hmac::Key::new(hmac::HMAC_SHA256, key.expose_secret());
        let key =
            |purpose: &str| hmac::Key::new(hmac::HMAC_SHA256, hmac::sign(&all, purpose.as_bytes()).as_ref());
        let authority = public_url.authority().to_ascii_lowercase();
        Self { party, authority, challenges: key("challenges"), handles: key("user handles") }
    }

    /// For whom passkeys are made.
    fn party(&self) -> Result<&RelyingParty, Refusal> {
        self.party.as_ref().ok_or_else(Refusal::no_passkeys)
    }

    /// By what authenticators know a user. It is always the same, and tells nobody who it is.
    fn handle(&self, user: &PrincipalId) -> Vec<u8> {
        hmac::sign(&self.handles, user.as_str().as_bytes()).as_ref().to_vec()
    }
}

/// As browsers write it.
fn origin(public_url: &PublicUrl) -> String {
    public_url.to_string().to_ascii_lowercase()
}

/// Why the page that a request comes from cannot use passkeys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unavailable {
    /// The public URL has no name.
    Address,
    /// The page is not at the public URL.
    OtherOrigin,
}

fn unavailable(app: &App, parts: &Parts) -> Option<Unavailable> {
    let passkeys = &app.console.passkeys;
    if passkeys.party.is_none() {
        return Some(Unavailable::Address);
    }
    let is_public = app.console.origins.asked_for(parts).is_some_and(|host| host == passkeys.authority);
    (!is_public).then_some(Unavailable::OtherOrigin)
}

/// Whether a page that asks so can use passkeys.
pub(super) fn are_available(app: &App, parts: &Parts) -> bool {
    unavailable(app, parts).is_none()
}

/// Whether a page of this server can use `passkey`.
pub(super) fn is_usable(app: &App, passkey: &Passkey) -> bool {
    app.console.passkeys.party.as_ref().is_some_and(|party| party.id() == passkey.relying_party)
}

/// The serial number that IAM shows a passkey by.
fn serial(account: &AccountId, user: &UserName, passkey: &Passkey) -> Result<MfaSerial, Refusal> {
    MfaSerial::passkey(account, user, &passkey.id).map_err(|error| Refusal::internal(&error))
}

/// `PublicKeyCredentialDescriptorJSON`s.
fn descriptors<'a>(passkeys: impl IntoIterator<Item = &'a Passkey>) -> Vec<Value> {
    let descriptor = |passkey: &Passkey| {
        json!({
            "type": "public-key",
            "id": Base64Url::encoded(&passkey.credential_id),
            "transports": passkey.transports,
        })
    };
    passkeys.into_iter().map(descriptor).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(url: &str) -> Passkeys {
        Passkeys::new(&url.parse().unwrap(), &Secret::new([1; 32]))
    }

    #[test]
    fn passkeys_belong_to_a_name() {
        for (url, id, origin) in [
            ("https://gate.example", "gate.example", "https://gate.example"),
            ("https://Gate.Example:443/", "gate.example", "https://gate.example"),
            ("https://localhost:8443", "localhost", "https://localhost:8443"),
        ] {
            let party = of(url).party.unwrap();
            assert_eq!((party.id(), party.origin()), (id, origin), "{url}");
        }
        for url in ["https://127.0.0.1:8443", "https://[::1]:8443"] {
            assert_eq!(of(url).party, None, "{url}");
        }
    }

    #[test]
    fn a_handle_is_one_users_and_says_nothing() {
        let user = |byte| PrincipalId::from_random(postern_ids::PrincipalKind::User, [byte; 17]);
        let passkeys = of("https://gate.example");
        assert_eq!(passkeys.handle(&user(1)), of("https://other.example").handle(&user(1)));
        assert_ne!(passkeys.handle(&user(1)), passkeys.handle(&user(2)));
        // WebAuthn Level 3, section 5.4.3: at most 64 bytes.
        assert_eq!(passkeys.handle(&user(1)).len(), 32);
    }
}
