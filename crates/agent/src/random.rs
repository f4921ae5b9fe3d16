//! Random numbers, from the cryptographic library that is here anyway.

use std::time::Duration;

use uuid::Uuid;

/// `N` random bytes.
pub(crate) fn bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    aws_lc_rs::rand::fill(&mut bytes).expect("the system's random source works once it has worked");
    bytes
}

/// A version 4 UUID.
pub(crate) fn uuid() -> Uuid {
    uuid::Builder::from_random_bytes(bytes()).into_uuid()
}

/// Evenly distributed between half of `most` and `most`.
pub(crate) fn jittered(most: Duration) -> Duration {
    let fraction = f64::from(u32::from_ne_bytes(bytes())) / f64::from(u32::MAX);
    most.mul_f64(0.5 + fraction / 2.0)
}
