//! A new credential.

use coset::cbor::value::Value;
use serde::Deserialize;

use crate::authenticator_data::AuthenticatorData;
use crate::client_data::{self, Kind};
use crate::{Base64Url, PublicKey, Refused, RelyingParty};

/// Ways to an authenticator that are remembered: there are six, and later ones.
pub const TRANSPORTS_MAX: usize = 8;
/// The longest name of one.
const TRANSPORT_CHARS_MAX: usize = 32;
/// An attestation may have a chain of certificates.
const BYTES_MAX: usize = 64 * 1024;
const NAME: &str = "attestationObject";

/// `RegistrationResponseJSON`, as far as it is looked at.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Registration {
    /// What the authenticator and the browser said.
    pub response: RegistrationResponse,
}

/// `AuthenticatorAttestationResponseJSON`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RegistrationResponse {
    /// What the browser says of the page.
    #[serde(rename = "clientDataJSON")]
    pub client_data: Base64Url,
    /// What the authenticator says.
    pub attestation_object: Base64Url,
    /// How the browser reached the authenticator.
    #[serde(default)]
    pub transports: Vec<String>,
}

/// A credential to remember.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credential {
    /// Its identifier, by which it is found.
    pub id: Vec<u8>,
    /// Its public key, in COSE: [`PublicKey::read`].
    pub public_key: Vec<u8>,
    /// How often it has signed, if it counts.
    pub sign_count: u32,
    /// Whether it may be on several devices. That never changes.
    pub is_backup_eligible: bool,
    /// Whether it is backed up now.
    pub is_backed_up: bool,
    /// Ways to the authenticator, in the words of the standard.
    pub transports: Vec<String>,
}

impl Registration {
    /// The credential that was made for `challenge`.
    ///
    /// # Errors
    /// [`Refused`].
    pub fn check(self, challenge: &[u8], party: &RelyingParty) -> Result<Credential, Refused> {
        let response = self.response;
        client_data::check(&response.client_data.0, Kind::Registration, challenge, party)?;
        let data = authenticator_data(&response.attestation_object.0)?;
        let data = AuthenticatorData::read(&data)?;
        data.check(party)?;
        let made = data.credential.as_ref().ok_or(Refused::Unreadable(NAME))?;
        PublicKey::of(&made.key).map_err(|_| Refused::UnsupportedKey)?;
        Ok(Credential {
            id: made.id.to_vec(),
            public_key: made.key_bytes.to_vec(),
            sign_count: data.sign_count,
            is_backup_eligible: data.is_backup_eligible(),
            is_backed_up: data.is_backed_up(),
            transports: known(response.transports),
        })
    }
}

/// The authenticator data of an attestation object; the attestation's format and statement say who made the
/// authenticator, which nobody asked.
fn authenticator_data(object: &[u8]) -> Result<Vec<u8>, Refused> {
    let unreadable = Refused::Unreadable(NAME);
    if object.len() > BYTES_MAX {
        return Err(unreadable);
    }
    let mut rest = object;
    let value: Value = coset::cbor::de::from_reader(&mut rest).map_err(|_| unreadable.clone())?;
    let members = value.into_map().map_err(|_| unreadable.clone())?;
    let mut found = members.into_iter().filter(|(name, _)| name.as_text() == Some("authData"));
    match (found.next(), found.next(), rest) {
        (Some((_, Value::Bytes(data))), None, []) => Ok(data),
        _ => Err(unreadable),
    }
}

/// What is kept of the ways: they are handed back to browsers, which ignore what they do not know.
fn known(mut transports: Vec<String>) -> Vec<String> {
    let is_word = |text: &str| {
        (1..=TRANSPORT_CHARS_MAX).contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-')
    };
    transports.retain(|transport| is_word(transport));
    transports.truncate(TRANSPORTS_MAX);
    transports
}
