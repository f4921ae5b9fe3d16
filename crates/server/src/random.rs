//! Where identifiers, codes and keys come from.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use postern_store::Secret;

/// A source of bytes that nobody can predict. An argument, so that tests can know them.
pub trait Random: Send + Sync {
    /// Fills `bytes`.
    fn fill(&self, bytes: &mut [u8]);
}

impl dyn Random + '_ {
    /// `N` random bytes.
    pub fn bytes<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        self.fill(&mut bytes);
        bytes
    }
}

/// A new secret access key, which has 40 characters as AWS's do.
pub(crate) fn secret_access_key(random: &dyn Random) -> Secret<String> {
    Secret::new(STANDARD.encode(random.bytes::<30>()))
}

/// The operating system's random numbers.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemRandom;

impl Random for SystemRandom {
    fn fill(&self, bytes: &mut [u8]) {
        aws_lc_rs::rand::fill(bytes).expect("aws-lc aborts rather than give no random bytes");
    }
}
