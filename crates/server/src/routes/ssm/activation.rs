//! Activation codes: shown once, kept as a hash.

use aws_lc_rs::constant_time;
use aws_lc_rs::digest::{SHA256, digest};

use crate::random::Random;

/// 32 characters that are told apart easily, so that a random byte gives one without favouring any.
const ALPHABET: &[u8; 32] = b"ABCDEFGHJKLMNPQRSTUVWXYZ23456789";
/// 130 bits. AWS's agent wants at least 20 characters (core/agent_parser.go).
const CODE_CHARS: usize = 26;

/// A new code.
pub(super) fn new_code(random: &dyn Random) -> String {
    random.bytes::<CODE_CHARS>().iter().map(|byte| char::from(ALPHABET[usize::from(byte % 32)])).collect()
}

/// What is kept of a code. It is random and long, so a plain hash cannot be reversed.
pub(super) fn hash(code: &str) -> [u8; 32] {
    digest(&SHA256, code.as_bytes()).as_ref().try_into().expect("SHA-256 gives 32 bytes")
}

/// Whether `code` is the one with this hash, in a time that tells nothing.
pub(super) fn is_code(code: &str, expected: &[u8; 32]) -> bool {
    constant_time::verify_slices_are_equal(&hash(code), expected).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::SystemRandom;

    #[test]
    fn a_code_is_alphanumeric_and_long_enough_for_the_agent() {
        let code = new_code(&SystemRandom);
        assert!(code.len() >= 20 && code.bytes().all(|b| b.is_ascii_alphanumeric()), "{code}");
        assert!(is_code(&code, &hash(&code)));
        assert!(!is_code("", &hash(&code)));
    }
}
