//! What the browser says of the page that asked.
//!
//! Source: WebAuthn Level 3, section 5.8.1, `CollectedClientData`.

use aws_lc_rs::constant_time::verify_slices_are_equal;
use serde::Deserialize;

use crate::{Base64Url, Refused, RelyingParty};

/// Browsers write some 200 bytes.
const BYTES_MAX: usize = 4096;

/// What the page asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Registration,
    Assertion,
}

/// Members that are not looked at may be there: the standard says so.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ClientData<'a> {
    #[serde(rename = "type")]
    kind: &'a str,
    challenge: Base64Url,
    origin: std::borrow::Cow<'a, str>,
    #[serde(default)]
    cross_origin: bool,
    #[serde(default)]
    top_origin: Option<serde::de::IgnoredAny>,
}

/// Refuses what was not made for this challenge, by a page of the relying party.
pub(crate) fn check(bytes: &[u8], kind: Kind, challenge: &[u8], party: &RelyingParty) -> Result<(), Refused> {
    let unreadable = Refused::Unreadable("clientDataJSON");
    if bytes.len() > BYTES_MAX {
        return Err(unreadable);
    }
    let data: ClientData<'_> = serde_json::from_slice(bytes).map_err(|_| unreadable)?;
    let wanted = match kind {
        Kind::Registration => "webauthn.create",
        Kind::Assertion => "webauthn.get",
    };
    if data.kind != wanted {
        return Err(Refused::WrongKind);
    }
    verify_slices_are_equal(&data.challenge.0, challenge).map_err(|_| Refused::WrongChallenge)?;
    if data.origin != party.origin() {
        return Err(Refused::WrongOrigin);
    }
    if data.cross_origin || data.top_origin.is_some() {
        return Err(Refused::Framed);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_own_pages_with_our_challenge() {
        let party = RelyingParty::new("gate.example", "https://gate.example:8443");
        let written = |kind: &str, challenge: &str, rest: &str| {
            format!(r#"{{"type":"{kind}","challenge":"{challenge}",{rest}"other_keys_can_be_added_here":1}}"#)
        };
        let own = r#""origin":"https://gate.example:8443","#;
        for (text, expected) in [
            (written("webauthn.get", "AQI", own), Ok(())),
            (written("webauthn.get", "AQI", &format!(r#"{own}"crossOrigin":false,"#)), Ok(())),
            (written("webauthn.get", "AQI", &format!(r#"{own}"topOrigin":null,"#)), Ok(())),
            (written("webauthn.create", "AQI", own), Err(Refused::WrongKind)),
            (written("webauthn.get", "AQM", own), Err(Refused::WrongChallenge)),
            (written("webauthn.get", "", own), Err(Refused::WrongChallenge)),
            (written("webauthn.get", "A", own), Err(Refused::Unreadable("clientDataJSON"))),
            (written("webauthn.get", "AQI=", own), Err(Refused::Unreadable("clientDataJSON"))),
            (
                written("webauthn.get", "AQI", r#""origin":"https://gate.example","#),
                Err(Refused::WrongOrigin),
            ),
            (
                written("webauthn.get", "AQI", r#""origin":"https://gate.example:8443/","#),
                Err(Refused::WrongOrigin),
            ),
            (
                written("webauthn.get", "AQI", r#""origin":"https://gate.example:8443.evil.example","#),
                Err(Refused::WrongOrigin),
            ),
            (
                written("webauthn.get", "AQI", r#""origin":"http://gate.example:8443","#),
                Err(Refused::WrongOrigin),
            ),
            (written("webauthn.get", "AQI", &format!(r#"{own}"crossOrigin":true,"#)), Err(Refused::Framed)),
            (
                written("webauthn.get", "AQI", &format!(r#"{own}"topOrigin":"https://evil.example","#)),
                Err(Refused::Framed),
            ),
            (written("webauthn.get", "AQI", ""), Err(Refused::Unreadable("clientDataJSON"))),
            (
                written("webauthn.get", "AQI", &format!("{own}{own}")),
                Err(Refused::Unreadable("clientDataJSON")),
            ),
            ("[]".to_owned(), Err(Refused::Unreadable("clientDataJSON"))),
            (" ".repeat(BYTES_MAX + 1), Err(Refused::Unreadable("clientDataJSON"))),
        ] {
            assert_eq!(check(text.as_bytes(), Kind::Assertion, &[1, 2], &party), expected, "{text}");
        }
    }
}
