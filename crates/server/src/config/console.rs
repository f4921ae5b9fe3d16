//! Section `console`: signing in with a browser.

use std::time::Duration;

use super::reader::Reader;
use super::single_sign_on::{self, SignOnProvider};

/// Signing in with a browser.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Console {
    /// A sign-in that is not used for so long ends.
    pub idle_time_max: Duration,
    /// However much it is used, a sign-in ends after this time.
    pub sign_in_time_max: Duration,
    /// The identity providers that people can sign in with, ordered by identifier.
    pub providers: Vec<SignOnProvider>,
}

impl Console {
    pub(super) fn read(reader: &mut Reader) -> Self {
        let hours = |hours: u64| Duration::from_secs(hours * 60 * 60);
        Self {
            idle_time_max: reader.duration("console.idle_time_max", hours(7 * 24)).unwrap_or(hours(1)),
            // As long as AWS's console lets a user be signed in.
            sign_in_time_max: reader.duration("console.sign_in_time_max", hours(7 * 24)).unwrap_or(hours(12)),
            providers: single_sign_on::read(reader),
        }
    }
}
