//! Texts of random characters from random bytes that the caller brings.

/// The alphabet of AWS's unique identifiers (RFC 4648 base 32).
pub(crate) const BASE32_UPPER: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
/// The alphabet of the newer session identifiers: `[a-z0-9]`, without the characters most often misread.
pub(crate) const BASE32_LOWER: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";

/// One character of `alphabet` for each random byte. 256 is a multiple of 32, so none is favoured.
pub(crate) fn text(alphabet: &[u8; 32], random: &[u8]) -> String {
    random.iter().map(|byte| char::from(alphabet[usize::from(byte % 32)])).collect()
}
