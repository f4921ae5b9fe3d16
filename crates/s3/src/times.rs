//! Times of the wire and ours.

use std::time::SystemTime;

use jiff::Timestamp;
use s3s::dto::{Timestamp as WireTime, TimestampFormat};

pub(crate) fn to_wire(time: Timestamp) -> WireTime {
    to_system(time).into()
}

/// Every platform's clock reaches further than ours.
pub(crate) fn to_system(time: Timestamp) -> SystemTime {
    SystemTime::try_from(time).unwrap_or(SystemTime::UNIX_EPOCH)
}

/// `None` for a time that is beyond ours.
pub(crate) fn from_wire(time: &WireTime) -> Option<Timestamp> {
    text(time, TimestampFormat::DateTime)?.parse().ok()
}

/// Whole seconds since the epoch: headers know no less.
pub(crate) fn seconds(time: &WireTime) -> i64 {
    from_wire(time).map_or(i64::MAX, Timestamp::as_second)
}

fn text(time: &WireTime, format: TimestampFormat) -> Option<String> {
    let mut text = Vec::new();
    time.format(format, &mut text).ok()?;
    String::from_utf8(text).ok()
}
