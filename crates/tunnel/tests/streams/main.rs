//! Both ends of a session with streams.
#![expect(clippy::unwrap_used, reason = "tests")]

mod connections;
mod hostile;
mod joined;
