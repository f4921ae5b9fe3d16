//! Where the connections of a port session are to lead, as policies ask for it.
//!
//! `postern:DestinationHost`, `postern:DestinationPort`, `postern:DestinationAddress` (of a host that is an address),
//! `postern:Protocol` and `postern:Direction` are keys of `StartSession` on the node and on the document.

use std::net::IpAddr;

use postern_documents::{Properties, SFTP_TYPE};
use serde::{Deserialize, Serialize};

use super::Check;

/// What a host is called if the document or the caller names none: the node itself.
const NODE: &str = "localhost";

/// A port of a host, in one form whatever the caller wrote.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Destination {
    /// A name in lower case, or an address.
    pub host: String,
    /// The port.
    pub port: String,
}

impl Destination {
    /// Of a session that carries connections. `None`: it does not.
    #[must_use]
    pub fn of(properties: &Properties) -> Option<Self> {
        let Properties::Port(port) = properties else { return None };
        let leads_to_port = port.forwarding_type != SFTP_TYPE;
        leads_to_port.then(|| Self { host: plain(&port.host), port: port.port_number.clone() })
    }

    /// The host, if it is an address.
    #[must_use]
    pub fn address(&self) -> Option<IpAddr> {
        self.host.parse().ok()
    }

    /// Whether the host is an address that is written as no one writes one: nodes would connect to it, and no policy
    /// would know it. Source of the test: "ends in a number checker", URL Standard, 3.5.
    #[must_use]
    pub fn is_in_disguise(&self) -> bool {
        let last = self.host.rsplit('.').next().unwrap_or_default();
        let hexadecimal = last.strip_prefix("0x");
        let is_number = !last.is_empty() && last.bytes().all(|byte| byte.is_ascii_digit());
        let is_hexadecimal =
            hexadecimal.is_some_and(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()));
        self.address().is_none() && (is_number || is_hexadecimal)
    }

    /// With what policies can ask about it.
    pub fn describe(&self, check: Check) -> Check {
        let check = check
            .with("postern:DestinationHost", self.host.as_str())
            .with("postern:DestinationPort", self.port.as_str())
            .with("postern:Protocol", "tcp")
            .with("postern:Direction", "local");
        match self.address() {
            Some(address) => check.with("postern:DestinationAddress", address),
            None => check,
        }
    }
}

/// Without what makes two names of one.
fn plain(host: &str) -> String {
    let host = host.trim().trim_start_matches('[').trim_end_matches(']');
    if let Ok(address) = host.parse::<IpAddr>() {
        return address.to_canonical().to_string();
    }
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    if host.is_empty() { NODE.to_owned() } else { host }
}

#[cfg(test)]
mod tests {
    use postern_api::ssm::Operation;
    use postern_documents::PortProperties;

    use super::*;

    fn to(host: &str) -> Destination {
        let port = PortProperties { host: host.into(), port_number: "5432".into(), ..Default::default() };
        Destination::of(&Properties::Port(port)).unwrap()
    }

    #[test]
    fn a_host_has_one_form() {
        for (written, expected) in [
            ("", "localhost"),
            ("LOCALHOST", "localhost"),
            ("DB.internal.", "db.internal"),
            (" 10.0.0.1 ", "10.0.0.1"),
            ("::ffff:10.0.0.1", "10.0.0.1"),
            ("[2001:DB8:0::1]", "2001:db8::1"),
        ] {
            assert_eq!(to(written).host, expected, "{written}");
        }
    }

    #[test]
    fn addresses_in_disguise_are_known() {
        for (host, is_in_disguise) in [
            ("2130706433", true),
            ("127.1", true),
            ("0x7f.0.0.0x1", true),
            ("010.0.0.1", true),
            ("10.0.0.1", false),
            ("2001:db8::1", false),
            ("db1", false),
            ("db.0x", true),
            ("db-1.internal", false),
        ] {
            assert_eq!(to(host).is_in_disguise(), is_in_disguise, "{host}");
        }
    }

    #[test]
    fn policies_can_ask_where_it_leads() {
        let keys = |host: &str| to(host).describe(Check::new(Operation::StartSession)).keys;
        let names: Vec<String> = keys("db.internal").into_iter().map(|(name, _)| name).collect();
        let expected = ["DestinationHost", "DestinationPort", "Protocol", "Direction"];
        assert_eq!(names, expected.map(|name| format!("postern:{name}")));
        assert_eq!(keys("10.0.0.1").len(), 5);
    }

    #[test]
    fn files_and_shells_lead_nowhere() {
        let files = PortProperties { forwarding_type: SFTP_TYPE.into(), ..Default::default() };
        assert_eq!(Destination::of(&Properties::Port(files)), None);
        assert_eq!(Destination::of(&Properties::Commands(Default::default())), None);
    }
}
