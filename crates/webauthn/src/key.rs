//! Public keys of credentials, as COSE has them, and the signatures that are made with them.
//!
//! Source: RFC 9053, sections 2 and 7; RFC 8230, section 4; WebAuthn Level 3, section 5.8.5.

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1, ED25519, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents, UnparsedPublicKey,
};
use coset::cbor::value::Value;
use coset::iana::{self, EnumI64 as _};
use coset::{Algorithm, CborSerializable as _, CoseKey, KeyType, Label};

/// The algorithms to ask authenticators for, the preferred one first: ES256, EdDSA and RS256. The last is that of Windows
/// Hello on older machines.
pub const ALGORITHMS: [i64; 3] = [-7, -8, -257];

/// Bytes of an RSA modulus: 2048 to 4096 bits.
const MODULUS_BYTES: std::ops::RangeInclusive<usize> = 256..=512;
/// A public exponent is 65537 nearly everywhere.
const EXPONENT_BYTES_MAX: usize = 8;
const COORDINATE_BYTES: usize = 32;

/// A key that signatures are verified with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicKey(Kind);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Kind {
    /// A point of P-256, uncompressed (SEC 1, section 2.3.3).
    Es256(Vec<u8>),
    Ed25519(Vec<u8>),
    Rs256 {
        modulus: Vec<u8>,
        exponent: Vec<u8>,
    },
}

/// Bytes that are no key of the kinds that were asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a COSE key for ES256, EdDSA or RS256")]
pub struct InvalidKey;

impl PublicKey {
    /// Reads a COSE key.
    ///
    /// # Errors
    /// [`InvalidKey`], also for a point that is not on its curve.
    pub fn read(bytes: &[u8]) -> Result<Self, InvalidKey> {
        Self::of(&CoseKey::from_slice(bytes).map_err(|_| InvalidKey)?)
    }

    /// A key that nobody has the private part of, for taking as long as with one: it is the generator of P-256, of which
    /// everybody does, so what it verifies proves nothing.
    #[must_use]
    pub fn nobodys() -> Self {
        // Source: SP 800-186, section 3.2.1.3.
        let x = "6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296";
        let y = "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5";
        let byte = |at: usize, text: &str| u8::from_str_radix(&text[at..at + 2], 16).unwrap_or_default();
        let bytes = |text| (0..2 * COORDINATE_BYTES).step_by(2).map(move |at| byte(at, text));
        Self(Kind::Es256(std::iter::once(4).chain(bytes(x)).chain(bytes(y)).collect()))
    }

    pub(crate) fn of(key: &CoseKey) -> Result<Self, InvalidKey> {
        let Some(Algorithm::Assigned(algorithm)) = key.alg else { return Err(InvalidKey) };
        let KeyType::Assigned(key_type) = key.kty else { return Err(InvalidKey) };
        let kind = match (key_type, algorithm) {
            (iana::KeyType::EC2, iana::Algorithm::ES256) => {
                let curve = iana::EllipticCurve::P_256.to_i64();
                has_curve(key, iana::Ec2KeyParameter::Crv.to_i64(), curve)?;
                let x = coordinate(key, iana::Ec2KeyParameter::X.to_i64())?;
                let y = coordinate(key, iana::Ec2KeyParameter::Y.to_i64())?;
                Kind::Es256([&[4], x, y].concat())
            }
            (iana::KeyType::OKP, iana::Algorithm::EdDSA) => {
                let curve = iana::EllipticCurve::Ed25519.to_i64();
                has_curve(key, iana::OkpKeyParameter::Crv.to_i64(), curve)?;
                Kind::Ed25519(coordinate(key, iana::OkpKeyParameter::X.to_i64())?.to_vec())
            }
            (iana::KeyType::RSA, iana::Algorithm::RS256) => {
                let modulus = bytes(key, iana::RsaKeyParameter::N.to_i64())?.to_vec();
                let exponent = bytes(key, iana::RsaKeyParameter::E.to_i64())?.to_vec();
                if !MODULUS_BYTES.contains(&modulus.len()) || exponent.len() > EXPONENT_BYTES_MAX {
                    return Err(InvalidKey);
                }
                Kind::Rs256 { modulus, exponent }
            }
            _ => return Err(InvalidKey),
        };
        let key = Self(kind);
        key.is_possible().then_some(key).ok_or(InvalidKey)
    }

    /// Whether `signature` is one of `message` by this key.
    #[must_use]
    pub fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        match &self.0 {
            Kind::Es256(point) => {
                UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, point).verify(message, signature)
            }
            Kind::Ed25519(key) => UnparsedPublicKey::new(&ED25519, key).verify(message, signature),
            Kind::Rs256 { modulus, exponent } => RsaPublicKeyComponents { n: modulus, e: exponent }.verify(
                &RSA_PKCS1_2048_8192_SHA256,
                message,
                signature,
            ),
        }
        .is_ok()
    }

    /// Whether the library takes it for a key.
    fn is_possible(&self) -> bool {
        use aws_lc_rs::rsa::PublicKeyComponents;
        use aws_lc_rs::signature::ParsedPublicKey;
        match &self.0 {
            Kind::Es256(point) => ParsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, point).is_ok(),
            Kind::Ed25519(key) => ParsedPublicKey::new(&ED25519, key).is_ok(),
            Kind::Rs256 { modulus, exponent } => PublicKeyComponents { n: modulus, e: exponent }
                .to_parsed_public_key(&RSA_PKCS1_2048_8192_SHA256)
                .is_ok(),
        }
    }
}

fn parameter(key: &CoseKey, label: i64) -> Result<&Value, InvalidKey> {
    let mut found = key.params.iter().filter(|(name, _)| *name == Label::Int(label));
    found.next().map(|(_, value)| value).ok_or(InvalidKey)
}

fn bytes(key: &CoseKey, label: i64) -> Result<&[u8], InvalidKey> {
    parameter(key, label)?.as_bytes().map(Vec::as_slice).ok_or(InvalidKey)
}

fn coordinate(key: &CoseKey, label: i64) -> Result<&[u8], InvalidKey> {
    bytes(key, label).and_then(|bytes| (bytes.len() == COORDINATE_BYTES).then_some(bytes).ok_or(InvalidKey))
}

fn has_curve(key: &CoseKey, label: i64, curve: i64) -> Result<(), InvalidKey> {
    let given = parameter(key, label)?.as_integer().ok_or(InvalidKey)?;
    if given == curve.into() { Ok(()) } else { Err(InvalidKey) }
}
