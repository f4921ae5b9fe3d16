//! What time it is.

use jiff::Timestamp;

pub use postern_gateway::Clock;

/// The machine's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the program's clock")]
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }
}
