//! The keys that sign heads and digests.
//!
//! `keys/<fingerprint>.json` is the public key, `keys/<fingerprint>.sealed` the private one, sealed. Old keys stay, so
//! that what they signed can be checked.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use aws_lc_rs::encoding::{AsDer as _, Pkcs8V1Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_SHA256};
use jiff::Timestamp;
use postern_audit_format::Layout;
use postern_audit_format::key::{self, PublicKey};
use zeroize::Zeroize as _;

use crate::disk;
use crate::error::OpenError;

/// First byte of a sealed key: which layout follows.
const LAYOUT: u8 = 1;
/// How long before it was made and after it has signed last a key counts. A digest's time lies before its making, and
/// whoever asks for keys may ask for a time near the edge.
const VALIDITY_MARGIN: Duration = Duration::from_secs(24 * 60 * 60);

/// The keys of a trail.
#[derive(Debug)]
pub(crate) struct Keys {
    directory: PathBuf,
    sealing: Sealing,
    lifetime: Duration,
    /// All of them, the oldest first.
    public: Vec<PublicKey>,
    /// The newest.
    signing: Option<SigningKey>,
}

/// The key that signs.
pub(crate) struct SigningKey {
    pair: KeyPair,
    public: PublicKey,
}

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "<signing key {}>", self.public.fingerprint)
    }
}

impl SigningKey {
    pub(crate) fn public(&self) -> &PublicKey {
        &self.public
    }

    /// A signature in hexadecimal digits. The same text has the same signature.
    pub(crate) fn sign(&self, text: &str) -> String {
        let mut signature = vec![0; self.pair.public_modulus_len()];
        self.pair
            .sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), text.as_bytes(), &mut signature)
            .expect("a key of 2048 bits signs a SHA-256");
        key::digits(&signature)
    }
}

impl Keys {
    /// Reads the keys in the trail's directory.
    pub(crate) fn open(
        layout: &Layout,
        sealing_key: [u8; 32],
        lifetime: Duration,
    ) -> Result<Self, OpenError> {
        let directory = layout.keys();
        let sealing = Sealing::new(sealing_key);
        let mut public = Vec::new();
        let entries = fs::read_dir(&directory).map_err(|error| disk::named(&directory, error))?;
        for entry in entries {
            let path = entry.map_err(|error| disk::named(&directory, error))?.path();
            if path.extension().is_some_and(|extension| extension == "json") {
                public.push(read_public(&path)?);
            }
        }
        public.sort_by_key(|key| (key.validity_start_time, key.fingerprint.clone()));
        let mut keys = Self { directory, sealing, lifetime, public, signing: None };
        if let Some(newest) = keys.public.last().cloned() {
            keys.signing = Some(keys.read_private(newest)?);
        }
        Ok(keys)
    }

    pub(crate) fn public(&self) -> &[PublicKey] {
        &self.public
    }

    /// The key that signs now, if there is one that has not signed long enough.
    pub(crate) fn signing(&self, now: Timestamp) -> Option<&SigningKey> {
        self.signing.as_ref().filter(|key| {
            now.saturating_add(VALIDITY_MARGIN).is_ok_and(|last| last < key.public.validity_end_time)
        })
    }

    /// Makes a key that signs from now on. It must be on the chain before it signs anything.
    pub(crate) fn rotate(&mut self, now: Timestamp) -> Result<&PublicKey, OpenError> {
        let failed = |what| OpenError::Key { path: self.directory.clone(), what };
        let pair = KeyPair::generate(KeySize::Rsa2048).map_err(|_| failed("no key can be made"))?;
        let start = now.saturating_sub(VALIDITY_MARGIN).unwrap_or(Timestamp::MIN);
        let end = now.saturating_add(self.lifetime + VALIDITY_MARGIN).unwrap_or(Timestamp::MAX);
        let public = PublicKey::new(pair.public_key().as_ref(), whole(start), whole(end));
        let private: Pkcs8V1Der<'_> = pair.as_der().map_err(|_| failed("no key can be written"))?;
        let sealed = self.sealing.seal(&public.fingerprint, private.as_ref())?;
        // The private part first: a public key without one could not sign.
        write(&self.sealed_path(&public), &sealed)?;
        let json = serde_json::to_vec(&public).expect("texts and times are always JSON");
        write(&self.directory.join(format!("{}.json", public.fingerprint)), &json)?;
        self.signing = Some(SigningKey { pair, public: public.clone() });
        self.public.push(public);
        Ok(self.public.last().expect("it was just pushed"))
    }

    fn sealed_path(&self, key: &PublicKey) -> PathBuf {
        self.directory.join(format!("{}.sealed", key.fingerprint))
    }

    fn read_private(&self, public: PublicKey) -> Result<SigningKey, OpenError> {
        let path = self.sealed_path(&public);
        let sealed = fs::read(&path).map_err(|error| disk::named(&path, error))?;
        let failed = |what| OpenError::Key { path: path.clone(), what };
        let mut private = self
            .sealing
            .open(&public.fingerprint, &sealed)
            .ok_or_else(|| failed("it was sealed with another master key, or was changed"))?;
        let pair = KeyPair::from_pkcs8(&private);
        private.zeroize();
        let pair = pair.map_err(|_| failed("it is no RSA key"))?;
        if key::fingerprint(pair.public_key().as_ref()) != public.fingerprint {
            return Err(failed("it does not belong to its public key"));
        }
        Ok(SigningKey { pair, public })
    }
}

fn read_public(path: &Path) -> Result<PublicKey, OpenError> {
    let json = fs::read(path).map_err(|error| disk::named(path, error))?;
    PublicKey::parse(&json).map_err(|_| OpenError::Key { path: path.to_owned(), what: "it is no public key" })
}

fn write(path: &Path, contents: &[u8]) -> Result<(), OpenError> {
    disk::write_aside(path, contents)?;
    Ok(disk::put_in_place(path)?)
}

/// AWS's times of keys have no fractions.
fn whole(time: Timestamp) -> Timestamp {
    Timestamp::from_second(time.as_second()).unwrap_or(time)
}

/// Seals private keys at rest: AES-256-GCM, bound to the fingerprint.
struct Sealing(RandomizedNonceKey);

impl std::fmt::Debug for Sealing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("<sealing key>")
    }
}

impl Sealing {
    fn new(mut key: [u8; 32]) -> Self {
        let sealing = RandomizedNonceKey::new(&AES_256_GCM, &key).expect("AES-256 takes 32 bytes");
        key.zeroize();
        Self(sealing)
    }

    /// Layout, nonce, ciphertext with its tag.
    fn seal(&self, fingerprint: &str, plain: &[u8]) -> Result<Vec<u8>, OpenError> {
        let mut body = Vec::with_capacity(plain.len() + AES_256_GCM.tag_len());
        body.extend_from_slice(plain);
        let nonce = self
            .0
            .seal_in_place_append_tag(Aad::from(fingerprint.as_bytes()), &mut body)
            .map_err(|_| OpenError::Key { path: fingerprint.into(), what: "it cannot be sealed" })?;
        Ok([&[LAYOUT], nonce.as_ref().as_slice(), &body].concat())
    }

    fn open(&self, fingerprint: &str, sealed: &[u8]) -> Option<Vec<u8>> {
        let (header, body) = sealed.split_at_checked(1 + NONCE_LEN)?;
        let nonce = Nonce::try_assume_unique_for_key(header.strip_prefix(&[LAYOUT])?).ok()?;
        let mut body = body.to_vec();
        let length = self.0.open_in_place(nonce, Aad::from(fingerprint.as_bytes()), &mut body).ok()?.len();
        body.truncate(length);
        Some(body)
    }
}
