//! Where the connections of a port session are to lead, as policies ask for it.
//!
//! `postern:DestinationHost`, `postern:DestinationPort`, `postern:DestinationAddress` (of a host that is an address),
//! `postern:DestinationPath` (of a socket file), `postern:Protocol` and `postern:Direction` are keys of `StartSession` on the node and on the document.

use std::net::IpAddr;

use postern_documents::{PortProperties, Properties, SFTP_TYPE, TUNNEL_TYPE};
use postern_gateway::{Direction, Protocol, Route};
use serde::{Deserialize, Serialize};

use super::Check;

/// What a host is called if the document or the caller names none: the node itself.
const NODE: &str = "localhost";

/// A port of a host, or a socket file of the node, in one form whatever the caller wrote.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Destination {
    /// Who connects to whom.
    #[serde(default = "local")]
    pub direction: Direction,
    /// What is spoken.
    #[serde(default = "tcp")]
    pub protocol: Protocol,
    /// A name in lower case, or an address; empty for a socket file.
    pub host: String,
    /// The port; empty for a socket file.
    pub port: String,
    /// The socket file.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub path: String,
}

/// Why a text is no destination.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoDestination {
    /// It has another form.
    #[error(
        "Parameter \"destinations\" has value \"{0:.256}\", which is no direction:protocol:host:port or local:unix:/path."
    )]
    Form(String),
    /// Its host hides which address it is.
    #[error(
        "Parameter \"{parameter}\" has value \"{host:.256}\", which is neither a name nor an address in its usual form."
    )]
    InDisguise {
        /// Where it stands.
        parameter: &'static str,
        /// What stands there.
        host: String,
    },
}

impl Destination {
    /// Of a session that carries connections. Empty: it does not, or each is asked for when it is opened.
    ///
    /// # Errors
    /// What the client says that it will ask for is none.
    pub fn of(properties: &Properties) -> Result<Vec<Self>, NoDestination> {
        let Properties::Port(port) = properties else { return Ok(Vec::new()) };
        let (destinations, parameter) = match port.forwarding_type.as_str() {
            SFTP_TYPE => return Ok(Vec::new()),
            TUNNEL_TYPE => {
                let parsed: Result<_, _> = port.destinations.iter().map(|text| Self::parse(text)).collect();
                (parsed?, "destinations")
            }
            _ => (vec![Self::of_port(port)], "host"),
        };
        match destinations.iter().find(|destination| destination.is_in_disguise()) {
            None => Ok(destinations),
            Some(Self { host, .. }) => Err(NoDestination::InDisguise { parameter, host: host.clone() }),
        }
    }

    fn of_port(port: &PortProperties) -> Self {
        Self {
            direction: Direction::Local,
            protocol: Protocol::Tcp,
            host: plain(&port.host),
            port: port.port_number.clone(),
            path: String::new(),
        }
    }

    /// From what the document's pattern lets through.
    fn parse(text: &str) -> Result<Self, NoDestination> {
        let parsed = || {
            let (direction, rest) = text.split_once(':')?;
            let (protocol, rest) = rest.split_once(':')?;
            let direction = match direction {
                "local" => Direction::Local,
                "remote" => Direction::Remote,
                _ => return None,
            };
            let protocol = match protocol {
                "tcp" => Protocol::Tcp,
                "udp" => Protocol::Udp,
                "unix" => Protocol::Unix,
                _ => return None,
            };
            let (host, port, path) = match protocol {
                Protocol::Unix => ("", None, rest),
                Protocol::Tcp | Protocol::Udp => {
                    let (host, port) = rest.rsplit_once(':')?;
                    let port: u16 = port.parse().ok()?;
                    (host, Some(port).filter(|port| *port > 0 || direction == Direction::Remote), "")
                }
            };
            if port.is_none() && protocol != Protocol::Unix {
                return None;
            }
            let port = port.map(|port| port.to_string()).unwrap_or_default();
            Some(Self::from(&Route {
                direction,
                protocol,
                host: host.to_owned(),
                port,
                path: path.to_owned(),
            }))
        };
        parsed().ok_or_else(|| NoDestination::Form(text.to_owned()))
    }

    /// In the gateway's words.
    #[must_use]
    pub fn route(&self) -> Route {
        let Self { direction, protocol, host, port, path } = self.clone();
        Route { direction, protocol, host, port, path }
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
        self.protocol != Protocol::Unix && self.address().is_none() && (is_number || is_hexadecimal)
    }

    /// With what policies can ask about it. A socket file has no host and no port, so that whoever may reach a port of the node
    /// may not reach its sockets by that.
    pub fn describe(&self, check: Check) -> Check {
        let check = check
            .with("postern:Protocol", self.protocol.as_str())
            .with("postern:Direction", self.direction.as_str());
        if self.protocol == Protocol::Unix {
            return check.with("postern:DestinationPath", self.path.as_str());
        }
        let check = check
            .with("postern:DestinationHost", self.host.as_str())
            .with("postern:DestinationPort", self.port.as_str());
        match self.address() {
            Some(address) => check.with("postern:DestinationAddress", address),
            None => check,
        }
    }
}

impl From<&Route> for Destination {
    fn from(route: &Route) -> Self {
        let host = if route.protocol == Protocol::Unix { String::new() } else { plain(&route.host) };
        Self {
            direction: route.direction,
            protocol: route.protocol,
            host,
            port: route.port.clone(),
            path: route.path.clone(),
        }
    }
}

/// What sessions had before there was another.
fn local() -> Direction {
    Direction::Local
}

/// Likewise.
fn tcp() -> Protocol {
    Protocol::Tcp
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
    use super::*;
    use postern_api::ssm::Operation;

    fn to(host: &str) -> Destination {
        Destination::of_port(&port_of(host))
    }

    fn port_of(host: &str) -> PortProperties {
        PortProperties { host: host.into(), port_number: "5432".into(), ..Default::default() }
    }

    fn tunnel(destinations: &[&str]) -> Result<Vec<Destination>, NoDestination> {
        let destinations = destinations.iter().map(|text| (*text).to_owned()).collect();
        let port = PortProperties { forwarding_type: TUNNEL_TYPE.into(), destinations, ..Default::default() };
        Destination::of(&Properties::Port(port))
    }

    fn names(destination: &Destination) -> Vec<String> {
        let keys = destination.describe(Check::new(Operation::StartSession)).keys;
        keys.into_iter().map(|(name, _)| name.trim_start_matches("postern:").to_owned()).collect()
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
    fn a_session_in_disguise_is_none() {
        assert_eq!(Destination::of(&Properties::Port(port_of("db.internal"))), Ok(vec![to("db.internal")]));
        let disguised = Destination::of(&Properties::Port(port_of("2130706433"))).unwrap_err().to_string();
        assert!(disguised.starts_with("Parameter \"host\" has value \"2130706433\""), "{disguised}");
        let disguised = tunnel(&["local:tcp:0x7f.1:22"]).unwrap_err().to_string();
        assert!(disguised.starts_with("Parameter \"destinations\" has value \"0x7f.1\""), "{disguised}");
    }

    #[test]
    fn what_a_tunnel_will_ask_for() {
        let shown = |text: &str| {
            tunnel(&[text]).map(|found| {
                let Destination { direction, protocol, .. } = &found[0];
                format!("{} {protocol} {}", direction.as_str(), found[0].route())
            })
        };
        for (text, expected) in [
            ("local:tcp:DB.internal.:5432", Some("local tcp db.internal:5432")),
            ("remote:tcp:127.0.0.1:0", Some("remote tcp 127.0.0.1:0")),
            ("local:udp:[FD00:0::1]:53", Some("local udp [fd00::1]:53")),
            ("local:unix:/run/x.sock", Some("local unix /run/x.sock")),
            ("local:tcp:db:0", None),
            ("local:tcp:db:65536", None),
            ("away:tcp:db:1", None),
            ("local:sctp:db:1", None),
            ("db", None),
        ] {
            assert_eq!(shown(text).ok().as_deref(), expected, "{text}");
        }
        assert_eq!(tunnel(&[]), Ok(Vec::new()));
    }

    #[test]
    fn what_was_stored_before_there_was_another_leads_to_a_port() {
        let stored = serde_json::json!({"host": "db.internal", "port": "5432"});
        assert_eq!(serde_json::from_value::<Destination>(stored).unwrap(), to("db.internal"));
    }

    #[test]
    fn policies_can_ask_where_it_leads() {
        assert_eq!(
            names(&to("db.internal")),
            ["Protocol", "Direction", "DestinationHost", "DestinationPort"]
        );
        assert_eq!(names(&to("10.0.0.1")).len(), 5);
        let socket = &tunnel(&["local:unix:/run/x.sock"]).unwrap()[0];
        assert_eq!(names(socket), ["Protocol", "Direction", "DestinationPath"]);
    }

    #[test]
    fn files_and_shells_lead_nowhere() {
        let files = PortProperties { forwarding_type: SFTP_TYPE.into(), ..Default::default() };
        assert_eq!(Destination::of(&Properties::Port(files)), Ok(Vec::new()));
        assert_eq!(Destination::of(&Properties::Commands(Default::default())), Ok(Vec::new()));
    }
}
