//! What the other side can do, from the version that it states.
//!
//! Source: aws/session-manager-plugin, src/version/; aws/amazon-ssm-agent, agent/versionutil/ and
//! agent/session/plugins/port/. Client and agent decide about multiplexing separately, each from the other's
//! version, so these rules must be exactly AWS's.

use std::cmp::Ordering;

/// Bytes of data in a stream message for a client that is known to take them (AWS's plugin, Postern's own).
/// More gains nothing (measured against the plugin), and a keystroke waits for at most one message.
pub const CHUNK_BYTES: usize = 32 * 1024;

/// Bytes of data in a stream message for everyone else. One third-party client panics on a frame above 2048.
pub const CHUNK_BYTES_UNKNOWN_CLIENT: usize = 1024;

/// What Postern's own client puts before its version.
pub const POSTERN_PREFIX: &str = "postern/";

/// A client sees an agent's features in this version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct AgentVersion([u64; 4]);

impl AgentVersion {
    /// Exactly four decimal numbers; anything else has no features.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        four_numbers(text).map(Self)
    }

    /// The agent takes the flag TerminateSession in a port session with one connection.
    #[must_use]
    pub fn supports_terminate_flag(self) -> bool {
        self > Self([2, 3, 722, 0])
    }

    /// The agent multiplexes connections of a port session.
    #[must_use]
    pub fn supports_multiplexing(self) -> bool {
        self > Self([3, 0, 196, 0])
    }

    /// The agent does not need keep-alive frames in a multiplexed port session.
    #[must_use]
    pub fn disables_keep_alive(self) -> bool {
        self > Self([3, 1, 1511, 0])
    }
}

/// An agent sees a client's features in this version, which may be any text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClientVersion<'a>(pub &'a str);

impl ClientVersion<'_> {
    /// The client multiplexes connections of a port session.
    #[must_use]
    pub fn supports_multiplexing(self) -> bool {
        self.is_postern() || compare(self.0, "1.1.70") != Ordering::Less
    }

    /// The client does not need keep-alive frames in a multiplexed port session.
    #[must_use]
    pub fn disables_keep_alive(self) -> bool {
        self.is_postern() || compare(self.0, "1.2.331.0") == Ordering::Greater
    }

    /// The client cannot tell standard error apart, and its user should be told.
    #[must_use]
    pub fn lacks_separate_output(self) -> bool {
        !self.is_postern() && compare(self.0, "1.2.295") != Ordering::Greater
    }

    /// How many bytes of data a stream message for this client may hold.
    #[must_use]
    pub fn chunk_bytes(self) -> usize {
        if self.is_plugin() || self.is_postern() { CHUNK_BYTES } else { CHUNK_BYTES_UNKNOWN_CLIENT }
    }

    /// Whether this is AWS's plugin, as far as the version tells.
    #[must_use]
    pub fn is_plugin(self) -> bool {
        matches!(four_numbers(self.0), Some([1, 1..=3, _, _]))
    }

    /// Whether this is Postern's own client, which does everything that Postern's agent does.
    #[must_use]
    pub fn is_postern(self) -> bool {
        self.0.starts_with(POSTERN_PREFIX)
    }
}

fn four_numbers(text: &str) -> Option<[u64; 4]> {
    let numbers: Option<Vec<u64>> = text.split('.').map(decimal).collect();
    numbers?.try_into().ok()
}

/// Digits and nothing else: `str::parse` would take a plus sign.
fn decimal(text: &str) -> Option<u64> {
    text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}

/// The agent's order: that of semantic versions if both are, otherwise part by part.
fn compare(a: &str, b: &str) -> Ordering {
    if let (Some(a), Some(b)) = (SemanticVersion::parse(a), SemanticVersion::parse(b)) {
        return a.cmp(&b);
    }
    let parts = |text: &str| text.split('.').map(str::to_owned).collect::<Vec<_>>();
    let (a, b) = (parts(a), parts(b));
    let order = a.iter().zip(&b).map(|(a, b)| compare_part(a, b)).find(|order| order.is_ne());
    order.unwrap_or_else(|| a.len().cmp(&b.len()))
}

fn compare_part(a: &str, b: &str) -> Ordering {
    match (decimal(a), decimal(b)) {
        (Some(a), Some(b)) => a.cmp(&b),
        _ => a.cmp(b),
    }
}

/// A version as semver.org defines it; build metadata does not count.
#[derive(PartialEq, Eq)]
struct SemanticVersion<'a> {
    numbers: [u64; 3],
    prerelease: Option<&'a str>,
}

impl<'a> SemanticVersion<'a> {
    fn parse(text: &'a str) -> Option<Self> {
        let text = text.split_once('+').map_or(text, |(version, _build)| version);
        let (numbers, prerelease) = match text.split_once('-') {
            Some((numbers, prerelease)) => (numbers, Some(prerelease)),
            None => (text, None),
        };
        let numbers: Option<Vec<u64>> = numbers.split('.').map(Self::number).collect();
        if prerelease.is_some_and(|text| text.split('.').any(str::is_empty)) {
            return None;
        }
        Some(Self { numbers: numbers?.try_into().ok()?, prerelease })
    }

    fn number(text: &str) -> Option<u64> {
        if text.len() > 1 && text.starts_with('0') { None } else { decimal(text) }
    }

    fn cmp(&self, other: &Self) -> Ordering {
        self.numbers.cmp(&other.numbers).then_with(|| match (self.prerelease, other.prerelease) {
            (None, None) => Ordering::Equal,
            (None, Some(_)) => Ordering::Greater,
            (Some(_), None) => Ordering::Less,
            (Some(a), Some(b)) => Self::compare_prerelease(a, b),
        })
    }

    /// Numbers by value and before texts; a longer one after its beginning.
    fn compare_prerelease(a: &str, b: &str) -> Ordering {
        let key = |part: &str| (decimal(part).is_none(), decimal(part), part.to_owned());
        a.split('.').map(key).cmp(b.split('.').map(key))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn features_of_clients() {
        // version, multiplexing, keep-alive off, should be updated
        let table = [
            ("", false, false, true),
            ("1.1.69.0", false, false, true),
            ("1.1.70", true, false, true),
            ("1.1.70.0", true, false, true),
            ("1.2.0.0", true, false, true),
            ("1.2.295", true, false, true),
            ("1.2.295.0", true, false, false),
            ("1.2.312.0", true, false, false),
            ("1.2.331.0", true, false, false),
            ("1.2.339.0", true, true, false),
            ("1.2.707.0", true, true, false),
            ("1.3.0.0", true, true, false),
            ("2.0", true, true, false),
            ("3.0.0.0", true, true, false),
            ("1.2.3", true, false, true),
            ("1.1.70-rc.1", false, false, true),
            ("postern/0.1.0", true, true, false),
        ];
        for (text, multiplexing, keep_alive_off, update) in table {
            let version = ClientVersion(text);
            assert_eq!(version.supports_multiplexing(), multiplexing, "multiplexing of {text:?}");
            assert_eq!(version.disables_keep_alive(), keep_alive_off, "keep-alive of {text:?}");
            assert_eq!(version.lacks_separate_output(), update, "update of {text:?}");
        }
    }

    #[test]
    fn features_of_agents() {
        // version, terminate flag, multiplexing, keep-alive off
        let table = [
            ("2.3.722.0", false, false, false),
            ("2.3.722.1", true, false, false),
            ("3.0.196.0", true, false, false),
            ("3.0.197.0", true, true, false),
            ("3.1.1511.0", true, true, false),
            ("3.3.987.0", true, true, true),
            ("4.0.0.0", true, true, true),
        ];
        for (text, terminate, multiplexing, keep_alive_off) in table {
            let version = AgentVersion::parse(text).unwrap();
            assert_eq!(version.supports_terminate_flag(), terminate, "terminate flag of {text}");
            assert_eq!(version.supports_multiplexing(), multiplexing, "multiplexing of {text}");
            assert_eq!(version.disables_keep_alive(), keep_alive_off, "keep-alive of {text}");
        }
        for wrong in ["", "3.3.987", "3.3.987.0.0", "3.3.987.x", "3.3..0", "3.3.+987.0", "3.3.987.0 "] {
            assert_eq!(AgentVersion::parse(wrong), None, "{wrong:?}");
        }
    }

    #[test]
    fn only_known_clients_get_large_chunks() {
        for known in ["1.1.17.0", "1.2.677.0", "1.3.0.0", "postern/0.1.0"] {
            assert_eq!(ClientVersion(known).chunk_bytes(), CHUNK_BYTES, "{known:?}");
        }
        for unknown in ["", "0.0.1", "1.2.677", "1.0.0.0", "1.4.0.0", "2.2.0.0", "1.2.677.x"] {
            assert_eq!(ClientVersion(unknown).chunk_bytes(), CHUNK_BYTES_UNKNOWN_CLIENT, "{unknown:?}");
        }
    }
}
