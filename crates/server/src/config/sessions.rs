//! Section `sessions`: rules of sessions.

use std::str::FromStr;
use std::time::Duration;

use postern_documents::TimeLimits;

use super::reader::Reader;

/// Rules of sessions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sessions {
    /// Whether a client may open its data channel with the session's token alone, as plugins before 1.2.764.0 and
    /// browser clients do. A signature that is present is verified in any case.
    pub allow_unsigned_data_channels: bool,
    /// How long a session waits for a node whose connection was lost.
    pub agent_returns_within: Duration,
    /// Whether `StartSession` without a document's name asks for the right to the default document.
    pub document_check: DocumentCheck,
    /// What becomes of a live session whose owner may start it no longer.
    pub revocation: Revocation,
    /// How long the account's documents may let sessions be idle, and last.
    pub time_limits: TimeLimits,
}

/// Whether `StartSession` without a document's name asks for the right to the default document. With a name, it always
/// asks for the right to the named one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum DocumentCheck {
    /// It does, as AWS does today.
    #[default]
    Always,
    /// Only if policies demand it with `ssm:SessionDocumentAccessCheck`, as AWS did until 2025.
    Legacy,
}

/// What becomes of a live session whose owner may start it no longer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Revocation {
    /// It ends within two seconds.
    #[default]
    Immediate,
    /// It goes on; only the next one does not start, as on AWS.
    NextStart,
}

impl Sessions {
    pub(super) fn read(reader: &mut Reader) -> Self {
        Self {
            allow_unsigned_data_channels: reader
                .truth("sessions.allow_unsigned_data_channels")
                .unwrap_or(true),
            // A reboot of a router, or of what stands before the server; a reboot of the node ends its shells anyway.
            agent_returns_within: reader
                .duration("sessions.agent_returns_within", Duration::from_secs(24 * 60 * 60))
                .unwrap_or(Duration::from_secs(5 * 60)),
            document_check: reader.parsed("sessions.document_check").unwrap_or_default(),
            revocation: reader.parsed("sessions.revocation").unwrap_or_default(),
            time_limits: TimeLimits {
                idle_minutes_max: minutes_max(
                    reader,
                    "sessions.idle_timeout_max",
                    TimeLimits::AWS.idle_minutes_max,
                ),
                duration_minutes_max: minutes_max(
                    reader,
                    "sessions.duration_max",
                    TimeLimits::AWS.duration_minutes_max,
                ),
            },
        }
    }
}

/// A time in whole minutes, or `unlimited`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct MinutesMax(Option<u32>);

fn minutes_max(reader: &mut Reader, setting: &'static str, default: Option<u32>) -> Option<u32> {
    reader.parsed::<MinutesMax>(setting).map_or(default, |MinutesMax(max)| max)
}

impl FromStr for MinutesMax {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "unlimited" {
            return Ok(Self(None));
        }
        let wrong = || format!("{text:?} is neither \"unlimited\" nor a time in whole minutes such as 60m");
        let seconds = text.parse::<jiff::SignedDuration>().map_err(|_| wrong())?.as_secs();
        let minutes = u32::try_from(seconds / 60).map_err(|_| wrong())?;
        if minutes == 0 || seconds % 60 != 0 { Err(wrong()) } else { Ok(Self(Some(minutes))) }
    }
}

impl FromStr for DocumentCheck {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "always" => Ok(Self::Always),
            "legacy" => Ok(Self::Legacy),
            _ => Err(format!("{text:?} is neither \"always\" nor \"legacy\"")),
        }
    }
}

impl FromStr for Revocation {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "immediate" => Ok(Self::Immediate),
            "next-start" => Ok(Self::NextStart),
            _ => Err(format!("{text:?} is neither \"immediate\" nor \"next-start\"")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_whole_minutes_or_none() {
        for (text, expected) in [
            ("unlimited", Some(None)),
            ("60m", Some(Some(60))),
            ("24h", Some(Some(1440))),
            ("120s", Some(Some(2))),
            ("90s", None),
            ("0s", None),
            ("-5m", None),
            ("20", None),
        ] {
            assert_eq!(text.parse::<MinutesMax>().ok(), expected.map(MinutesMax), "{text}");
        }
    }
}
