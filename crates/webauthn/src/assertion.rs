//! A credential that answers a challenge.

use aws_lc_rs::digest;
use serde::Deserialize;

use crate::authenticator_data::AuthenticatorData;
use crate::client_data::{self, Kind};
use crate::{Base64Url, PublicKey, Refused, RelyingParty};

/// `AuthenticationResponseJSON`, as far as it is looked at.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Assertion {
    /// The credential's identifier.
    pub raw_id: Base64Url,
    /// What the authenticator and the browser said.
    pub response: AssertionResponse,
}

/// `AuthenticatorAssertionResponseJSON`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AssertionResponse {
    /// What the browser says of the page.
    #[serde(rename = "clientDataJSON")]
    pub client_data: Base64Url,
    /// What the authenticator says.
    pub authenticator_data: Base64Url,
    /// The signature over both.
    pub signature: Base64Url,
    /// Whose the credential is, as it was told at registration.
    #[serde(default)]
    pub user_handle: Option<Base64Url>,
}

/// What was remembered of a credential.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// Its key.
    pub public_key: PublicKey,
    /// The last counter.
    pub sign_count: u32,
    /// Whether it may be on several devices.
    pub is_backup_eligible: bool,
}

/// What is to be remembered of a credential that has proved to be there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Proved {
    /// The counter.
    pub sign_count: u32,
    /// Whether it is backed up now.
    pub is_backed_up: bool,
}

impl Assertion {
    /// Whether `known` has answered `challenge`.
    ///
    /// # Errors
    /// [`Refused`].
    pub fn check(&self, challenge: &[u8], party: &RelyingParty, known: &Known) -> Result<Proved, Refused> {
        let response = &self.response;
        client_data::check(&response.client_data.0, Kind::Assertion, challenge, party)?;
        let data = AuthenticatorData::read(&response.authenticator_data.0)?;
        data.check(party)?;
        let client_data_hash = digest::digest(&digest::SHA256, &response.client_data.0);
        let signed = [response.authenticator_data.0.as_slice(), client_data_hash.as_ref()].concat();
        if !known.public_key.verifies(&signed, &response.signature.0) {
            return Err(Refused::WrongSignature);
        }
        if data.is_backup_eligible() != known.is_backup_eligible {
            return Err(Refused::BackupContradiction);
        }
        // Authenticators that do not count say 0 always.
        let counts = data.sign_count != 0 || known.sign_count != 0;
        if counts && data.sign_count <= known.sign_count {
            return Err(Refused::CounterWentBack { known: known.sign_count, given: data.sign_count });
        }
        Ok(Proved { sign_count: data.sign_count, is_backed_up: data.is_backed_up() })
    }
}
