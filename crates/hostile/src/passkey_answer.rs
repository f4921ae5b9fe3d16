//! Whatever a browser answers about a passkey is refused unless the passkey has signed it, and of a new one a key is kept that is
//! one.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use postern_webauthn::{
    Assertion, AssertionResponse, Base64Url, Known, PublicKey, Registration, RegistrationResponse,
    RelyingParty,
};

const CHALLENGE: &[u8] = b"challenge";

pub(crate) fn run(bytes: &[u8]) {
    let party = RelyingParty::new("gate.example", "https://gate.example");
    let known = Known { public_key: PublicKey::nobodys(), sign_count: 0, is_backup_eligible: false };
    // As it stands, and as the bytes within what the browser says, which would hide them from the fuzzer.
    if let Ok(assertion) = serde_json::from_slice::<Assertion>(bytes) {
        let _ = assertion.check(CHALLENGE, &party, &known);
    }
    if let Ok(registration) = serde_json::from_slice::<Registration>(bytes) {
        let _ = registration.check(CHALLENGE, &party);
    }
    let (data, signature) = bytes.split_at(bytes.len().min(37));
    let response = AssertionResponse {
        client_data: client_data("webauthn.get"),
        authenticator_data: Base64Url(data.to_vec()),
        signature: Base64Url(signature.to_vec()),
        user_handle: None,
    };
    let assertion = Assertion { raw_id: Base64Url(Vec::new()), response };
    assertion.check(CHALLENGE, &party, &known).expect_err("nobody has signed it");
    let response = RegistrationResponse {
        client_data: client_data("webauthn.create"),
        attestation_object: Base64Url(bytes.to_vec()),
        transports: Vec::new(),
    };
    if let Ok(credential) = (Registration { response }).check(CHALLENGE, &party) {
        PublicKey::read(&credential.public_key).expect("it was one when it was registered");
    }
}

fn client_data(kind: &str) -> Base64Url {
    let challenge = URL_SAFE_NO_PAD.encode(CHALLENGE);
    let text = format!(r#"{{"type":"{kind}","challenge":"{challenge}","origin":"https://gate.example"}}"#);
    Base64Url(text.into_bytes())
}

/// SHA-256 of `gate.example`, of a user who is there and verified.
const DATA: &str = "1c9e5344848b5e74643168ae4b053155de03c30a4a67685a1ff904152c5251410500000001";

pub(crate) fn seeds() -> Vec<Vec<u8>> {
    let answer = r#"{"id":"AAAA","rawId":"AAAA","type":"public-key","response":{"clientDataJSON":"e30","authenticatorData":"AAAA","signature":"MAYCAQECAQE","userHandle":null}}"#;
    let made = r#"{"id":"AAAA","rawId":"AAAA","type":"public-key","response":{"clientDataJSON":"e30","attestationObject":"oA","transports":["internal"]}}"#;
    let data: Vec<u8> =
        (0..DATA.len()).step_by(2).filter_map(|at| u8::from_str_radix(&DATA[at..at + 2], 16).ok()).collect();
    // {"fmt": "none", "attStmt": {}, "authData": the same}
    let head = b"\xa3\x63fmt\x64none\x67attStmt\xa0\x68authData\x58\x25";
    vec![answer.into(), made.into(), data.clone(), [head.as_slice(), &data].concat()]
}
