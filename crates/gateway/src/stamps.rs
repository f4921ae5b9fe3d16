//! Identifiers and times for the messages that the gateway itself writes.

use aws_lc_rs::rand::{SecureRandom, SystemRandom};
use postern_protocol::payload::{Stamp, Stamps};

use crate::Clock;

/// Fresh message identifiers from the system's random source, times from the gateway's clock.
pub(crate) struct SystemStamps<'a> {
    clock: &'a dyn Clock,
}

impl<'a> SystemStamps<'a> {
    pub(crate) fn new(clock: &'a dyn Clock) -> Self {
        Self { clock }
    }
}

impl Stamps for SystemStamps<'_> {
    fn stamp(&mut self) -> Stamp {
        let created_ms = u64::try_from(self.clock.now().as_millisecond()).unwrap_or_default();
        Stamp { message_id: uuid::Builder::from_random_bytes(random()).into_uuid(), created_ms }
    }
}

/// Random bytes for identifiers and tokens.
pub(crate) fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    SystemRandom::new().fill(&mut bytes).expect("the system's random source works");
    bytes
}
