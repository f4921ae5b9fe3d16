//! An authenticator in software, and what the relying party says to what it does.

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair as RsaKeyPair, KeySize};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, RSA_PKCS1_SHA256,
};
use coset::cbor::value::Value;
use serde_json::json;

use crate::{Assertion, Base64Url, Credential, Known, PublicKey, Refused, Registration, RelyingParty};

const CHALLENGE: &[u8] = b"a challenge of some length, which is random";
const USUAL: u8 = 0b0000_0101;
const CREDENTIAL: u8 = 0b0100_0000;

enum Keys {
    Es256(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
    Rs256(RsaKeyPair),
}

/// All that one could get wrong.
struct Software {
    keys: Keys,
    party: &'static str,
    origin: &'static str,
    flags: u8,
    sign_count: u32,
}

impl Software {
    fn with(keys: Keys) -> Self {
        Self { keys, party: "gate.example", origin: "https://gate.example", flags: USUAL, sign_count: 0 }
    }

    fn new() -> Self {
        Self::with(Keys::Es256(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).unwrap()))
    }

    fn cose_key(&self) -> Vec<u8> {
        let pairs = match &self.keys {
            Keys::Es256(pair) => {
                let point = pair.public_key().as_ref();
                vec![
                    (1, 2.into()),
                    (3, (-7).into()),
                    (-1, 1.into()),
                    (-2, Value::from(&point[1..33])),
                    (-3, Value::from(&point[33..])),
                ]
            }
            Keys::Ed25519(pair) => vec![
                (1, 1.into()),
                (3, (-8).into()),
                (-1, 6.into()),
                (-2, Value::from(pair.public_key().as_ref())),
            ],
            Keys::Rs256(pair) => vec![
                (1, 3.into()),
                (3, (-257).into()),
                (-1, Value::from(pair.public_key().modulus().big_endian_without_leading_zero())),
                (-2, Value::from(pair.public_key().exponent().big_endian_without_leading_zero())),
            ],
        };
        cose(pairs)
    }

    fn data(&self, more: u8, rest: &[u8]) -> Vec<u8> {
        let id = digest(&SHA256, self.party.as_bytes());
        [id.as_ref(), &[self.flags | more], &self.sign_count.to_be_bytes(), rest].concat()
    }

    fn client_data(&self, kind: &str) -> Vec<u8> {
        let challenge = Base64Url::encoded(CHALLENGE);
        json!({ "type": kind, "challenge": challenge, "origin": self.origin }).to_string().into_bytes()
    }

    /// Registers with this COSE key.
    fn register_as(&self, key: &[u8]) -> Registration {
        let data = self.data(CREDENTIAL, &[&[0; 16], [0, 3].as_slice(), b"one", key].concat());
        let object = Value::Map(vec![
            (Value::from("fmt"), Value::from("none")),
            (Value::from("attStmt"), Value::Map(Vec::new())),
            (Value::from("authData"), Value::from(data.as_slice())),
        ]);
        let mut attestation = Vec::new();
        coset::cbor::ser::into_writer(&object, &mut attestation).unwrap();
        let text = json!({ "id": "b25l", "type": "public-key", "clientExtensionResults": {}, "response": {
            "clientDataJSON": Base64Url::encoded(&self.client_data("webauthn.create")),
            "attestationObject": Base64Url::encoded(&attestation),
            "transports": ["internal", "hybrid", "No Word", ""],
        }});
        serde_json::from_value(text).unwrap()
    }

    fn register(&self) -> Result<Credential, Refused> {
        self.register_as(&self.cose_key()).check(CHALLENGE, &party())
    }

    fn assert(&self) -> Assertion {
        let client_data = self.client_data("webauthn.get");
        let data = self.data(0, &[]);
        let signed = [data.as_slice(), digest(&SHA256, &client_data).as_ref()].concat();
        let random = SystemRandom::new();
        let signature = match &self.keys {
            Keys::Es256(pair) => pair.sign(&random, &signed).unwrap().as_ref().to_vec(),
            Keys::Ed25519(pair) => pair.sign(&signed).as_ref().to_vec(),
            Keys::Rs256(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &random, &signed, &mut signature).unwrap();
                signature
            }
        };
        let text = json!({ "rawId": "b25l", "id": "b25l", "type": "public-key", "response": {
            "clientDataJSON": Base64Url::encoded(&client_data),
            "authenticatorData": Base64Url::encoded(&data),
            "signature": Base64Url::encoded(&signature),
            "userHandle": null,
        }});
        serde_json::from_value(text).unwrap()
    }

    fn proves(&self, known: &Known) -> Result<u32, Refused> {
        self.assert().check(CHALLENGE, &party(), known).map(|proved| proved.sign_count)
    }
}

fn cose(pairs: Vec<(i64, Value)>) -> Vec<u8> {
    let map = Value::Map(pairs.into_iter().map(|(label, value)| (label.into(), value)).collect());
    let mut bytes = Vec::new();
    coset::cbor::ser::into_writer(&map, &mut bytes).unwrap();
    bytes
}

fn party() -> RelyingParty {
    RelyingParty::new("gate.example", "https://gate.example")
}

fn known(credential: &Credential) -> Known {
    Known {
        public_key: PublicKey::read(&credential.public_key).unwrap(),
        sign_count: credential.sign_count,
        is_backup_eligible: credential.is_backup_eligible,
    }
}

#[test]
fn keys_of_all_kinds_that_are_asked_for_register_and_prove_themselves() {
    for keys in [
        Keys::Es256(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).unwrap()),
        Keys::Ed25519(Ed25519KeyPair::generate().unwrap()),
        Keys::Rs256(RsaKeyPair::generate(KeySize::Rsa2048).unwrap()),
    ] {
        let software = Software::with(keys);
        let credential = software.register().unwrap();
        assert_eq!((credential.id.as_slice(), credential.sign_count), (b"one".as_slice(), 0));
        assert_eq!(credential.transports, ["internal", "hybrid"]);
        assert_eq!(software.proves(&known(&credential)), Ok(0));
        let other = Software::new().register().unwrap();
        assert_eq!(software.proves(&known(&other)), Err(Refused::WrongSignature));
        let nobodys = Known { public_key: PublicKey::nobodys(), ..known(&credential) };
        assert_eq!(software.proves(&nobodys), Err(Refused::WrongSignature));
    }
}

#[test]
fn every_bit_of_an_assertion_is_signed() {
    let software = Software { sign_count: 1, ..Software::new() };
    let known = Known { sign_count: 0, ..known(&software.register().unwrap()) };
    let whole = software.assert();
    assert!(whole.check(CHALLENGE, &party(), &known).is_ok());
    let parts: [fn(&mut Assertion) -> &mut Vec<u8>; 3] = [
        |assertion| &mut assertion.response.client_data.0,
        |assertion| &mut assertion.response.authenticator_data.0,
        |assertion| &mut assertion.response.signature.0,
    ];
    for part in parts {
        let mut changed = whole.clone();
        for bit in 0..part(&mut changed).len() * 8 {
            part(&mut changed)[bit / 8] ^= 1 << (bit % 8);
            assert!(changed.check(CHALLENGE, &party(), &known).is_err(), "bit {bit}");
            part(&mut changed)[bit / 8] ^= 1 << (bit % 8);
        }
        assert_eq!(changed, whole);
    }
}

#[test]
fn what_was_not_made_here_with_a_verified_user_is_refused() {
    let make = |change: fn(&mut Software)| {
        let mut software = Software::new();
        let credential = software.register().unwrap();
        change(&mut software);
        let refused = software.proves(&known(&credential)).unwrap_err();
        let at_registration = software.register().unwrap_err();
        assert_eq!(refused, at_registration);
        refused
    };
    assert_eq!(make(|it| it.party = "evil.example"), Refused::WrongRelyingParty);
    assert_eq!(make(|it| it.origin = "https://evil.example"), Refused::WrongOrigin);
    assert_eq!(make(|it| it.flags = 0b0000_0001), Refused::NotVerified);
    assert_eq!(make(|it| it.flags = 0b0000_0100), Refused::NotPresent);
    assert_eq!(make(|it| it.flags = USUAL | 0b0001_0000), Refused::BackupContradiction);
    let software = Software::new();
    let known = known(&software.register().unwrap());
    let other = software.assert().check(b"another challenge", &party(), &known);
    assert_eq!(other.unwrap_err(), Refused::WrongChallenge);
    // Whether it can be backed up is told once and for all.
    let mut eligible = software;
    eligible.flags |= 0b0000_1000;
    assert_eq!(eligible.proves(&known), Err(Refused::BackupContradiction));
    assert!(eligible.register().unwrap().is_backup_eligible);
}

#[test]
fn a_counter_only_grows_unless_there_is_none() {
    let mut software = Software::new();
    let mut known = known(&software.register().unwrap());
    for (before, given, goes_on) in [
        (0, 0, true),
        (0, 1, true),
        (1, 2, true),
        (5, 4_000_000_000, true),
        (1, 1, false),
        (2, 1, false),
        (2, 0, false),
    ] {
        known.sign_count = before;
        software.sign_count = given;
        let expected =
            if goes_on { Ok(given) } else { Err(Refused::CounterWentBack { known: before, given }) };
        assert_eq!(software.proves(&known), expected, "{given} after {before}");
    }
}

#[test]
fn only_keys_that_were_asked_for_are_registered() {
    let software = Software::new();
    let good = software.cose_key();
    assert!(software.register_as(&good).check(CHALLENGE, &party()).is_ok());
    let point: [u8; 32] = [9; 32];
    let part = |bytes: &[u8]| Value::from(bytes);
    let ec = |algorithm: i64, curve: i64, x: Value, y: Value| {
        cose(vec![(1, 2.into()), (3, algorithm.into()), (-1, curve.into()), (-2, x), (-3, y)])
    };
    for (key, name) in [
        (ec(-7, 1, part(&point), part(&point)), "a point beside the curve"),
        (ec(-7, 2, part(&point), part(&point)), "another curve"),
        (ec(-35, 1, part(&point), part(&point)), "another algorithm"),
        (ec(-7, 1, part(&point[1..]), part(&point)), "a coordinate that is too short"),
        (ec(-7, 1, part(&point), Value::Bool(true)), "a compressed point"),
        (cose(vec![(1, 4.into()), (3, 5.into()), (-1, part(&point))]), "a symmetric key"),
        (
            cose(vec![(1, 3.into()), (3, (-257).into()), (-1, part(&[255; 128])), (-2, part(&[1, 0, 1]))]),
            "RSA 1024",
        ),
        (
            cose(vec![(1, 3.into()), (3, (-257).into()), (-1, part(&[255; 4000])), (-2, part(&[3]))]),
            "RSA 32000",
        ),
        (cose(Vec::new()), "nothing"),
    ] {
        let refused = software.register_as(&key).check(CHALLENGE, &party()).unwrap_err();
        let is_expected = matches!(refused, Refused::UnsupportedKey | Refused::Unreadable(_));
        assert!(is_expected && PublicKey::read(&key).is_err(), "{name}: {refused}");
    }
    assert!(PublicKey::read(&[good.clone(), vec![0]].concat()).is_err());
    let trailing = software.register_as(&[good, vec![0]].concat()).check(CHALLENGE, &party());
    assert_eq!(trailing.unwrap_err(), Refused::Unreadable("authenticatorData"));
}
