//! Times as AWS's protocols write them.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A moment, to the millisecond: seconds since the epoch in JSON (`1781524800.123`), ISO 8601 in XML.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp {
    epoch_ms: i64,
}

impl Timestamp {
    /// The moment this many milliseconds after the epoch.
    #[must_use]
    pub const fn from_epoch_ms(epoch_ms: i64) -> Self {
        Self { epoch_ms }
    }

    /// Milliseconds since the epoch.
    #[must_use]
    pub const fn epoch_ms(self) -> i64 {
        self.epoch_ms
    }

    /// What a JSON number means; `None` beyond the years -9999 to 9999.
    pub(crate) fn from_epoch_seconds(seconds: f64) -> Option<Self> {
        let epoch_ms = (seconds * 1000.0).round();
        let bounded =
            jiff::Timestamp::MIN.as_millisecond() as f64..=jiff::Timestamp::MAX.as_millisecond() as f64;
        bounded.contains(&epoch_ms).then_some(Self { epoch_ms: epoch_ms as i64 })
    }

    /// What a JSON value means: a number of seconds, or an ISO 8601 text, which some clients send and AWS's do not.
    pub(crate) fn from_json(value: &serde_json::Value) -> Option<Self> {
        match value {
            serde_json::Value::Number(number) => Self::from_epoch_seconds(number.as_f64()?),
            serde_json::Value::String(text) => text.parse().ok(),
            _ => None,
        }
    }
}

impl From<jiff::Timestamp> for Timestamp {
    fn from(time: jiff::Timestamp) -> Self {
        Self { epoch_ms: time.as_millisecond() }
    }
}

impl From<Timestamp> for jiff::Timestamp {
    fn from(time: Timestamp) -> Self {
        jiff::Timestamp::from_millisecond(time.epoch_ms).unwrap_or(if time.epoch_ms < 0 {
            jiff::Timestamp::MIN
        } else {
            jiff::Timestamp::MAX
        })
    }
}

/// ISO 8601 in UTC, as the Query protocol writes it; milliseconds only when there are any.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        jiff::Timestamp::from(*self).fmt(f)
    }
}

impl FromStr for Timestamp {
    type Err = jiff::Error;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse::<jiff::Timestamp>().map(Self::from)
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.epoch_ms % 1000 == 0 {
            serializer.serialize_i64(self.epoch_ms / 1000)
        } else {
            serializer.serialize_f64(self.epoch_ms as f64 / 1000.0)
        }
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = serde_json::Value::deserialize(deserializer)?;
        Self::from_json(&value)
            .ok_or_else(|| de::Error::custom("not a time: neither seconds since the epoch nor ISO 8601"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_forms() {
        let cases = [
            ("1781524800", 1_781_524_800_000),
            ("1781524800.123", 1_781_524_800_123),
            ("1.781524800123E9", 1_781_524_800_123),
            ("0", 0),
            ("-1.5", -1500),
            ("\"2026-06-15T12:00:00Z\"", 1_781_524_800_000),
            ("\"2026-06-15T14:00:00.25+02:00\"", 1_781_524_800_250),
        ];
        for (json, epoch_ms) in cases {
            let time: Timestamp =
                serde_json::from_str(json).unwrap_or_else(|error| panic!("{json}: {error}"));
            assert_eq!(time.epoch_ms(), epoch_ms, "{json}");
        }
        for json in ["1e300", "\"yesterday\"", "true", "null", "{}"] {
            assert!(serde_json::from_str::<Timestamp>(json).is_err(), "{json}");
        }
    }

    #[test]
    fn json_keeps_milliseconds_exactly() {
        for (epoch_ms, json) in [
            (1_781_524_800_000, "1781524800"),
            (1_781_524_800_123, "1781524800.123"),
            (1_781_524_800_001, "1781524800.001"),
            (-1, "-0.001"),
        ] {
            let time = Timestamp::from_epoch_ms(epoch_ms);
            assert_eq!(serde_json::to_string(&time).unwrap(), json);
            assert_eq!(serde_json::from_str::<Timestamp>(json).unwrap(), time);
        }
    }

    #[test]
    fn text_is_iso_8601() {
        assert_eq!(Timestamp::from_epoch_ms(1_781_524_800_000).to_string(), "2026-06-15T12:00:00Z");
        assert_eq!(Timestamp::from_epoch_ms(1_781_524_800_120).to_string(), "2026-06-15T12:00:00.12Z");
    }
}
