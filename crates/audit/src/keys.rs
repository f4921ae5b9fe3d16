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
use postern_audit_format::delivery::whole_seconds;
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
    files: Files,
    /// All of them, the oldest first.
    public: Vec<PublicKey>,
    /// The newest.
    signing: SigningKey,
    /// The one before.
    previous: Option<SigningKey>,
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
    /// Reads the keys in the trail's directory, of which the chain names some. Without any, the first is made.
    pub(crate) fn open(
        layout: &Layout,
        sealing_key: [u8; 32],
        lifetime: Duration,
        named: &[PublicKey],
        now: Timestamp,
    ) -> Result<Self, OpenError> {
        let directory = layout.keys();
        let keys = Files { directory, sealing: Sealing::new(sealing_key), lifetime };
        let mut public = keys.read_public()?;
        let unnamed = public.extract_if(.., |key| !named.is_empty() && !named.contains(key));
        // A key that the chain does not name was being made when the server stopped; it has not signed anything.
        unnamed.into_iter().try_for_each(|key| keys.remove(&key))?;
        if let Some(lost) = named.iter().find(|named| !public.contains(named)) {
            let path = keys.public_path(lost);
            return Err(OpenError::Key { path, what: "it is missing, or not as the chain names it" });
        }
        let signing = match public.last() {
            Some(newest) => keys.read_private(newest)?,
            None => keys.make(now)?,
        };
        let before = public.len().checked_sub(2).and_then(|index| public.get(index));
        let previous = before.map(|before| keys.read_private(before)).transpose()?;
        if public.is_empty() {
            public.push(signing.public.clone());
        }
        Ok(Self { files: keys, public, signing, previous })
    }

    /// All public keys, the oldest first.
    pub(crate) fn public(&self) -> &[PublicKey] {
        &self.public
    }

    /// The key that signs.
    pub(crate) fn signing(&self) -> &SigningKey {
        &self.signing
    }

    /// The key that signed before.
    pub(crate) fn previous(&self) -> Option<&SigningKey> {
        self.previous.as_ref()
    }

    /// Whether the key has not signed long enough.
    pub(crate) fn is_fresh(&self, now: Timestamp) -> bool {
        let end = self.signing.public.validity_end_time;
        now.saturating_add(VALIDITY_MARGIN).is_ok_and(|last| last < end)
    }

    /// Makes a key, which must be on the chain before it signs.
    pub(crate) fn make(&self, now: Timestamp) -> Result<SigningKey, OpenError> {
        self.files.make(now)
    }

    /// Lets a key sign from now on.
    pub(crate) fn hand_over(&mut self, next: SigningKey) {
        self.public.push(next.public.clone());
        self.previous = Some(std::mem::replace(&mut self.signing, next));
    }
}

/// The files of keys.
#[derive(Debug)]
struct Files {
    directory: PathBuf,
    sealing: Sealing,
    lifetime: Duration,
}

impl Files {
    fn make(&self, now: Timestamp) -> Result<SigningKey, OpenError> {
        let failed = |what| OpenError::Key { path: self.directory.clone(), what };
        let pair = KeyPair::generate(KeySize::Rsa2048).map_err(|_| failed("no key can be made"))?;
        let start = now.saturating_sub(VALIDITY_MARGIN).unwrap_or(Timestamp::MIN);
        let end = now.saturating_add(self.lifetime + VALIDITY_MARGIN).unwrap_or(Timestamp::MAX);
        let (start, end) = (whole_seconds(start), whole_seconds(end));
        let public = PublicKey::new(pair.public_key().as_ref(), start, end);
        let private: Pkcs8V1Der<'_> = pair.as_der().map_err(|_| failed("no key can be written"))?;
        let sealed = self.sealing.seal(&public.fingerprint, private.as_ref())?;
        // The private part first: a public key without one could not sign.
        write(&self.sealed_path(&public), &sealed)?;
        let json = serde_json::to_vec(&public).expect("texts and times are always JSON");
        write(&self.public_path(&public), &json)?;
        Ok(SigningKey { pair, public })
    }

    /// The public keys, the oldest first.
    fn read_public(&self) -> Result<Vec<PublicKey>, OpenError> {
        let mut public = Vec::new();
        let entries = fs::read_dir(&self.directory).map_err(|error| disk::named(&self.directory, error))?;
        for entry in entries {
            let path = entry.map_err(|error| disk::named(&self.directory, error))?.path();
            if path.extension().is_some_and(|extension| extension == "json") {
                public.push(read_public(&path)?);
            }
        }
        public.sort_by_key(|key| (key.validity_start_time, key.fingerprint.clone()));
        Ok(public)
    }

    fn remove(&self, key: &PublicKey) -> Result<(), OpenError> {
        disk::remove_if_there(&self.public_path(key))?;
        Ok(disk::remove_if_there(&self.sealed_path(key))?)
    }

    fn public_path(&self, key: &PublicKey) -> PathBuf {
        self.directory.join(format!("{}.json", key.fingerprint))
    }

    fn sealed_path(&self, key: &PublicKey) -> PathBuf {
        self.directory.join(format!("{}.sealed", key.fingerprint))
    }

    fn read_private(&self, public: &PublicKey) -> Result<SigningKey, OpenError> {
        let path = self.sealed_path(public);
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
        Ok(SigningKey { pair, public: public.clone() })
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
