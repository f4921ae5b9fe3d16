//! How a file is encrypted: in pieces, so that any part of it can be read without the rest.
//!
//! AES-256-GCM with a key of its own for each file, derived from the file's name. The nonce of a piece is its number
//! and whether it is the last, so that pieces cannot change places and a file that was cut off does not open (the STREAM
//! construction of Hoang, Reyhanitabar, Rogaway and Vizár, "Online Authenticated-Encryption and its Nonce-Reuse
//! Misuse-Resistance", 2015).

use std::io;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::hkdf::{HKDF_SHA256, Prk};

/// What a piece holds before it is encrypted.
pub(crate) const PIECE_BYTES: usize = 64 * 1024;
/// What a piece is longer by in the file.
pub(crate) const TAG_BYTES: usize = 16;
/// What every file begins with: what it is, its layout, and which master key its own comes from.
pub(crate) const HEADER: [u8; 6] = *b"PSTO\x01\x01";

/// The key of one file.
pub(crate) struct FileKey(LessSafeKey);

impl FileKey {
    pub(crate) fn of(root: &Prk, file: &str) -> Self {
        let mut key = [0; 32];
        root.expand(&[b"object file ", file.as_bytes()], HKDF_SHA256)
            .and_then(|output| output.fill(&mut key))
            .expect("32 bytes are what HKDF-SHA256 gives at once");
        Self(LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &key).expect("AES-256 takes 32 bytes")))
    }

    /// Encrypts a piece where it is.
    pub(crate) fn seal(&self, number: u64, is_last: bool, piece: &mut Vec<u8>) -> io::Result<()> {
        self.0
            .seal_in_place_append_tag(nonce(number, is_last), Aad::from(HEADER), piece)
            .map_err(|_| io::Error::other("the cipher refused to encrypt"))
    }

    /// Decrypts a piece where it is.
    pub(crate) fn open(&self, number: u64, is_last: bool, piece: &mut Vec<u8>) -> io::Result<()> {
        let length = self
            .0
            .open_in_place(nonce(number, is_last), Aad::from(HEADER), piece)
            .map_err(|_| {
                io::Error::new(io::ErrorKind::InvalidData, "the file is damaged, or of another master key")
            })?
            .len();
        piece.truncate(length);
        Ok(())
    }
}

fn nonce(number: u64, is_last: bool) -> Nonce {
    let mut nonce = [0; NONCE_LEN];
    nonce[NONCE_LEN - 8..].copy_from_slice(&number.to_be_bytes());
    nonce[0] = u8::from(is_last);
    Nonce::assume_unique_for_key(nonce)
}
