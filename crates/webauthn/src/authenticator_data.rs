//! What the authenticator says: for whom, who was there, how often it has signed, and of a new credential its key.
//!
//! Source: WebAuthn Level 3, section 6.1, "Authenticator Data".

use aws_lc_rs::constant_time::verify_slices_are_equal;
use coset::cbor::value::Value;
use coset::{AsCborValue as _, CoseKey};

use crate::{CREDENTIAL_ID_BYTES_MAX, Refused, RelyingParty};

/// With an identifier and an RSA key of the greatest length there is still room for extensions.
const BYTES_MAX: usize = 4096;
const NAME: &str = "authenticatorData";

/// The bits of the flags, by the names that the standard gives them.
const USER_PRESENT: u8 = 1 << 0;
const USER_VERIFIED: u8 = 1 << 2;
const BACKUP_ELIGIBLE: u8 = 1 << 3;
const BACKUP_STATE: u8 = 1 << 4;
const ATTESTED_CREDENTIAL: u8 = 1 << 6;
const EXTENSIONS: u8 = 1 << 7;

/// What the authenticator says.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct AuthenticatorData<'a> {
    id_hash: &'a [u8; 32],
    flags: u8,
    pub(crate) sign_count: u32,
    pub(crate) credential: Option<NewCredential<'a>>,
}

/// A credential that was made.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct NewCredential<'a> {
    pub(crate) id: &'a [u8],
    pub(crate) key: CoseKey,
    /// The key as it came.
    pub(crate) key_bytes: &'a [u8],
}

impl<'a> AuthenticatorData<'a> {
    pub(crate) fn read(bytes: &'a [u8]) -> Result<Self, Refused> {
        let unreadable = Refused::Unreadable(NAME);
        if bytes.len() > BYTES_MAX {
            return Err(unreadable);
        }
        let (id_hash, rest) = bytes.split_first_chunk().ok_or(unreadable.clone())?;
        let (&[flags], rest) = rest.split_first_chunk().ok_or(unreadable.clone())?;
        let (sign_count, mut rest) = rest.split_first_chunk().ok_or(unreadable.clone())?;
        let credential = match flags & ATTESTED_CREDENTIAL {
            0 => None,
            _ => Some(new_credential(&mut rest)?),
        };
        if flags & EXTENSIONS != 0 {
            let extensions = value(&mut rest)?;
            extensions.as_map().ok_or(unreadable.clone())?;
        }
        if !rest.is_empty() {
            return Err(unreadable);
        }
        Ok(Self { id_hash, flags, sign_count: u32::from_be_bytes(*sign_count), credential })
    }

    /// Refuses what is for another relying party, or was made without a user who proved who it is.
    pub(crate) fn check(&self, party: &RelyingParty) -> Result<(), Refused> {
        let is_ours = verify_slices_are_equal(self.id_hash, party.id_hash().as_ref());
        is_ours.map_err(|_| Refused::WrongRelyingParty)?;
        if self.flags & USER_PRESENT == 0 {
            return Err(Refused::NotPresent);
        }
        if self.flags & USER_VERIFIED == 0 {
            return Err(Refused::NotVerified);
        }
        if self.is_backed_up() && !self.is_backup_eligible() {
            return Err(Refused::BackupContradiction);
        }
        Ok(())
    }

    /// Whether the credential may be on several devices.
    pub(crate) fn is_backup_eligible(&self) -> bool {
        self.flags & BACKUP_ELIGIBLE != 0
    }

    /// Whether it is backed up now.
    pub(crate) fn is_backed_up(&self) -> bool {
        self.flags & BACKUP_STATE != 0
    }
}

/// Model of the authenticator, length and identifier, key.
fn new_credential<'a>(rest: &mut &'a [u8]) -> Result<NewCredential<'a>, Refused> {
    let unreadable = || Refused::Unreadable(NAME);
    let (_model, tail) = rest.split_first_chunk::<16>().ok_or_else(unreadable)?;
    let (length, tail) = tail.split_first_chunk().ok_or_else(unreadable)?;
    let length = usize::from(u16::from_be_bytes(*length));
    if !(1..=CREDENTIAL_ID_BYTES_MAX).contains(&length) {
        return Err(unreadable());
    }
    let (id, tail) = tail.split_at_checked(length).ok_or_else(unreadable)?;
    *rest = tail;
    let key = CoseKey::from_cbor_value(value(rest)?).map_err(|_| Refused::UnsupportedKey)?;
    let (key_bytes, _) = tail.split_at(tail.len() - rest.len());
    Ok(NewCredential { id, key, key_bytes })
}

/// One CBOR item from the front of `rest`.
pub(crate) fn value(rest: &mut &[u8]) -> Result<Value, Refused> {
    coset::cbor::de::from_reader(rest).map_err(|_| Refused::Unreadable(NAME))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_may_be_missing_and_nothing_left() {
        let plain = [[7; 32].as_slice(), &[USER_PRESENT], &[0, 0, 1, 2]].concat();
        let read = AuthenticatorData::read(&plain).unwrap();
        assert_eq!((read.sign_count, read.credential.is_none()), (258, true));
        for length in 0..plain.len() {
            assert!(AuthenticatorData::read(&plain[..length]).is_err(), "{length}");
        }
        assert!(AuthenticatorData::read(&[plain.clone(), vec![0]].concat()).is_err());
        let with = |flags: u8, rest: &[u8]| {
            let mut bytes = [&plain, rest].concat();
            bytes[32] = flags;
            AuthenticatorData::read(&bytes).map(|_| ())
        };
        assert_eq!(with(EXTENSIONS, &[0xa0]), Ok(()));
        for extensions in [[].as_slice(), &[0x01], &[0xa1, 0x01], &[0xa0, 0x00], &[0xff]] {
            assert!(with(EXTENSIONS, extensions).is_err(), "{extensions:?}");
        }
        // Nested deeper than any stack is.
        assert!(with(EXTENSIONS, &[0x81; 4000]).is_err());
        // An array that says it has 2^64 - 1 members.
        assert!(with(EXTENSIONS, &[0x9b, 255, 255, 255, 255, 255, 255, 255, 255]).is_err());
        // A credential whose identifier is longer than what there is, or empty.
        assert!(with(ATTESTED_CREDENTIAL, &[[0; 16].as_slice(), &[0, 9], &[1; 8]].concat()).is_err());
        assert!(with(ATTESTED_CREDENTIAL, &[[0; 16].as_slice(), &[0, 0], &[0xa0]].concat()).is_err());
    }
}
