//! Where the connections of port sessions may lead.
//!
//! A name is looked up for each connection, what was found is checked, and one of the very addresses that were checked is
//! connected to: a name that means something else a moment later changes nothing.

use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::ops::RangeInclusive;
use std::str::FromStr;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream, UdpSocket, lookup_host};
use tokio::time::timeout;

use postern_protocol::tunnel::Reason;

/// What a name server gets to answer.
const RESOLVE_WITHIN: Duration = Duration::from_secs(10);
/// What one address gets to answer.
const CONNECT_WITHIN: Duration = Duration::from_secs(10);
/// Addresses of one name that are tried.
const ADDRESSES_MAX: usize = 16;
/// Ports below are for the services of the machine itself.
const FIRST_COMMON_PORT: u16 = 1024;

/// What nobody means to offer to whoever may reach a node: the services that clouds give a machine, its credentials among
/// them, and whatever else is on the same link. AWS's agent denies the first and the last of these
/// (`Mgs.DeniedPortForwardingRemoteIPs` in aws/amazon-ssm-agent).
const DENIED: [(IpAddr, u8); 5] = [
    // Link-local: 169.254.169.254 is the metadata service of AWS, Azure, Google and others.
    (IpAddr::V4(Ipv4Addr::new(169, 254, 0, 0)), 16),
    (IpAddr::V6(Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 0)), 10),
    // The services of Azure's fabric, and the metadata service of Alibaba.
    (IpAddr::V4(Ipv4Addr::new(168, 63, 129, 16)), 32),
    (IpAddr::V4(Ipv4Addr::new(100, 100, 100, 200)), 32),
    // fd00:ec2::254 and its neighbours on AWS.
    (IpAddr::V6(Ipv6Addr::new(0xfd00, 0x0ec2, 0, 0, 0, 0, 0, 0)), 32),
];

/// Addresses, and ports of them: `10.0.0.0/8`, `192.0.2.7:22`, `[fd00::/8]:5000-5999`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    prefix: u8,
    ports: RangeInclusive<u16>,
}

/// It is no network.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("an address or network with an optional port is needed, as 10.0.0.0/8 or [fd00::/8]:5432")]
pub struct NetworkError;

impl FromStr for Network {
    type Err = NetworkError;

    fn from_str(text: &str) -> Result<Self, NetworkError> {
        let (network, ports) = match text.strip_prefix('[') {
            Some(rest) => {
                let (network, ports) = rest.split_once(']').ok_or(NetworkError)?;
                let ports = ports.strip_prefix(':').or_else(|| ports.is_empty().then_some(""));
                (network, ports.ok_or(NetworkError)?)
            }
            None if text.matches(':').count() == 1 => text.split_once(':').ok_or(NetworkError)?,
            None => (text, ""),
        };
        let (address, prefix) = match network.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix.parse().map_err(|_| NetworkError)?)),
            None => (network, None),
        };
        let address: IpAddr = address.parse().map_err(|_| NetworkError)?;
        let longest = if address.is_ipv4() { 32 } else { 128 };
        let prefix = prefix.unwrap_or(longest);
        (prefix <= longest).then_some(()).ok_or(NetworkError)?;
        Ok(Self { address, prefix, ports: port_range(ports)? })
    }
}

fn port_range(text: &str) -> Result<RangeInclusive<u16>, NetworkError> {
    let port = |text: &str| text.parse::<u16>().map_err(|_| NetworkError);
    match text.split_once('-') {
        _ if text.is_empty() => Ok(0..=u16::MAX),
        Some((first, last)) => Ok(port(first)?..=port(last)?),
        None => Ok(port(text)?..=port(text)?),
    }
}

impl Network {
    fn contains(&self, address: SocketAddr) -> bool {
        self.ports.contains(&address.port()) && is_in(address.ip(), self.address, self.prefix)
    }
}

fn is_in(address: IpAddr, network: IpAddr, prefix: u8) -> bool {
    match (address, network) {
        (IpAddr::V4(address), IpAddr::V4(network)) => {
            let mask = u32::MAX.checked_shl(32 - u32::from(prefix.min(32))).unwrap_or(0);
            address.to_bits() & mask == network.to_bits() & mask
        }
        (IpAddr::V6(address), IpAddr::V6(network)) => {
            let mask = u128::MAX.checked_shl(128 - u32::from(prefix.min(128))).unwrap_or(0);
            address.to_bits() & mask == network.to_bits() & mask
        }
        _ => false,
    }
}

/// Where connections of this node may lead.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Destinations {
    /// Where they may, even if it is denied by default; if there are any, nowhere else.
    pub allowed: Vec<Network>,
    /// Where they may not, whatever is allowed.
    pub denied: Vec<Network>,
    /// What a session may have this node listen on, other than the ports of its loopback from 1024 on.
    pub listenable: Vec<Network>,
}

impl Destinations {
    /// Whether a connection may lead to that address, in whatever form it is written.
    #[must_use]
    pub fn permit(&self, address: SocketAddr) -> bool {
        let address = SocketAddr::new(plain(address.ip()), address.port());
        if self.denied.iter().any(|network| network.contains(address)) {
            return false;
        }
        if !self.allowed.is_empty() {
            return self.allowed.iter().any(|network| network.contains(address));
        }
        !DENIED.iter().any(|(network, prefix)| is_in(address.ip(), *network, *prefix))
    }

    /// Whether a session may have this node listen there.
    #[must_use]
    pub fn permit_listening(&self, on: SocketAddr) -> bool {
        let on = SocketAddr::new(on.ip().to_canonical(), on.port());
        let is_harmless = on.ip().is_loopback() && (on.port() == 0 || on.port() >= FIRST_COMMON_PORT);
        is_harmless || self.listenable.iter().any(|network| network.contains(on))
    }

    /// Listens, on an address and a port of it, or on any if it is 0. No name at all is the loopback.
    ///
    /// # Errors
    /// It may not be listened on, or cannot.
    pub(crate) async fn listen(&self, host: &str, port: u16) -> Result<TcpListener, ConnectError> {
        let address = match host {
            "" => Ipv4Addr::LOCALHOST.into(),
            name if name.eq_ignore_ascii_case("localhost") => Ipv4Addr::LOCALHOST.into(),
            "*" => Ipv4Addr::UNSPECIFIED.into(),
            address => address.parse::<IpAddr>().map_err(|_| ConnectError::Listen {
                host: host.to_owned(),
                port,
                source: io::Error::new(io::ErrorKind::InvalidInput, "it is no address of this node"),
            })?,
        };
        let on = SocketAddr::new(address, port);
        if !self.permit_listening(on) {
            return Err(ConnectError::ListeningForbidden { on });
        }
        let listening = TcpListener::bind(on).await;
        listening.map_err(|source| ConnectError::Listen { host: address.to_string(), port, source })
    }

    /// The addresses of a host, all of which may be connected to.
    ///
    /// # Errors
    /// The name has none, or one of them may not be.
    pub(crate) async fn resolve(&self, to: &Host) -> Result<Vec<SocketAddr>, ConnectError> {
        let addresses = to.addresses().await.map_err(|source| ConnectError::Resolve { source })?;
        self.check(to, addresses)
    }

    /// What a name server said is taken only if all of it may be connected to, each time that it is asked.
    fn check(&self, to: &Host, addresses: Vec<SocketAddr>) -> Result<Vec<SocketAddr>, ConnectError> {
        if addresses.iter().all(|address| self.permit(*address)) {
            return Ok(addresses);
        }
        Err(ConnectError::Forbidden { host: to.name().to_owned() })
    }

    /// A socket for datagrams to and from the first address of a host. Whether anything is there, none says.
    ///
    /// # Errors
    /// It may not be connected to, or no way leads there.
    pub(crate) async fn connect_datagrams(&self, to: &Host) -> Result<UdpSocket, ConnectError> {
        let addresses = self.resolve(to).await?;
        let nothing = || ConnectError::Resolve { source: io::ErrorKind::NotFound.into() };
        let address = *addresses.first().ok_or_else(nothing)?;
        let any: IpAddr = match address {
            SocketAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
            SocketAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
        };
        let failed = |source| ConnectError::Dial { address, source };
        let socket = UdpSocket::bind((any, 0)).await.map_err(failed)?;
        socket.connect(address).await.map_err(failed)?;
        Ok(socket)
    }

    /// Connects to the first address of a host that answers.
    ///
    /// # Errors
    /// It may not be connected to, or no address answers.
    pub(crate) async fn connect(&self, to: &Host) -> Result<TcpStream, ConnectError> {
        let mut first_error = None;
        for address in self.resolve(to).await? {
            let connected = timeout(CONNECT_WITHIN, TcpStream::connect(address)).await;
            match connected.unwrap_or_else(|_elapsed| Err(io::ErrorKind::TimedOut.into())) {
                Ok(stream) => {
                    // Keystrokes should not wait for the acknowledgement of the one before.
                    let _ = stream.set_nodelay(true);
                    return Ok(stream);
                }
                Err(source) => {
                    first_error.get_or_insert(ConnectError::Dial { address, source });
                }
            }
        }
        let source = io::ErrorKind::NotFound.into();
        Err(first_error.unwrap_or(ConnectError::Resolve { source }))
    }
}

/// An address as what it leads to: IPv4 in the clothes of IPv6 is IPv4 (RFC 4291, 2.5.5.2; NAT64, RFC 6052, 2.1), and no address
/// at all is this node, as the kernel sees it.
fn plain(address: IpAddr) -> IpAddr {
    let address = match address.to_canonical() {
        IpAddr::V6(v6) if is_in(address, IpAddr::V6(NAT64), 96) => {
            IpAddr::V4(Ipv4Addr::from_bits((v6.to_bits() & u128::from(u32::MAX)) as u32))
        }
        other => other,
    };
    match address {
        IpAddr::V4(Ipv4Addr::UNSPECIFIED) => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(Ipv6Addr::UNSPECIFIED) => Ipv6Addr::LOCALHOST.into(),
        other => other,
    }
}

const NAT64: Ipv6Addr = Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, 0, 0);

/// Why there is no connection, in the words of AWS's agent where that has any.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConnectError {
    #[error("Forwarding to IP address {host} is forbidden.")]
    Forbidden { host: String },
    #[error("Unable to connect to specified port: {source}")]
    Resolve { source: io::Error },
    /// Go's wording has the address in front.
    #[error("Unable to connect to specified port: dial tcp {address}: {source}")]
    Dial { address: SocketAddr, source: io::Error },
    /// AWS's agent listens on nothing; the words are ours.
    #[error("Listening on {on} is forbidden.")]
    ListeningForbidden { on: SocketAddr },
    #[error("Unable to listen on port {port} of {host}: {source}")]
    Listen { host: String, port: u16, source: io::Error },
}

impl ConnectError {
    /// The same for programs.
    pub(crate) fn reason(&self) -> Reason {
        match self {
            Self::Forbidden { .. } | Self::ListeningForbidden { .. } => Reason::Forbidden,
            Self::Resolve { source } if source.kind() == io::ErrorKind::TimedOut => Reason::TimedOut,
            Self::Resolve { .. } => Reason::NotFound,
            Self::Dial { source, .. } | Self::Listen { source, .. } => match source.kind() {
                io::ErrorKind::ConnectionRefused => Reason::RefusedByPeer,
                io::ErrorKind::TimedOut => Reason::TimedOut,
                io::ErrorKind::HostUnreachable
                | io::ErrorKind::NetworkUnreachable
                | io::ErrorKind::AddrNotAvailable => Reason::Unreachable,
                io::ErrorKind::AddrInUse => Reason::InUse,
                io::ErrorKind::PermissionDenied => Reason::Forbidden,
                _ => Reason::Failed,
            },
        }
    }
}

/// A port of a host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Host {
    /// A name or an address; empty for this node.
    name: String,
    port: u16,
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.name(), self.port)
    }
}

impl Host {
    pub(crate) fn new(name: &str, port: u16) -> Self {
        Self { name: name.trim().to_owned(), port }
    }

    /// Whether that is this one, as far as their names say.
    pub(crate) fn is(&self, name: &str, port: u16) -> bool {
        let other = Self::new(name, port);
        self.port == port && self.bare_name().eq_ignore_ascii_case(other.bare_name())
    }

    fn bare_name(&self) -> &str {
        self.name().trim_start_matches('[').trim_end_matches(']')
    }

    fn name(&self) -> &str {
        if self.name.is_empty() { "localhost" } else { &self.name }
    }

    async fn addresses(&self) -> io::Result<Vec<SocketAddr>> {
        if self.name().eq_ignore_ascii_case("localhost") {
            let loopback = [IpAddr::from(Ipv4Addr::LOCALHOST), Ipv6Addr::LOCALHOST.into()];
            return Ok(loopback.map(|address| SocketAddr::new(address, self.port)).to_vec());
        }
        let found = timeout(RESOLVE_WITHIN, lookup_host((self.bare_name(), self.port))).await;
        let found = found.unwrap_or_else(|_elapsed| Err(io::ErrorKind::TimedOut.into()))?;
        Ok(found.take(ADDRESSES_MAX).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn networks(texts: &[&str]) -> Vec<Network> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    fn permits(destinations: &Destinations, address: &str) -> bool {
        destinations.permit(address.parse().unwrap())
    }

    #[test]
    fn metadata_and_links_are_denied_however_they_are_written() {
        let rules = Destinations::default();
        for denied in [
            "169.254.169.254:80",
            "169.254.1.1:22",
            "[::ffff:169.254.169.254]:80",
            "[64:ff9b::a9fe:a9fe]:80",
            "[fe80::1]:22",
            "[fd00:ec2::254]:80",
            "168.63.129.16:80",
        ] {
            assert!(!permits(&rules, denied), "{denied}");
        }
        for permitted in ["127.0.0.1:22", "10.0.0.1:5432", "[fd00::1]:80", "[::1]:80", "169.253.0.1:80"] {
            assert!(permits(&rules, permitted), "{permitted}");
        }
    }

    #[test]
    fn what_the_operator_says_counts_more() {
        let denied = networks(&["10.0.0.0/8", "127.0.0.1:5432", "[::/0]:1-1023"]);
        let rules = Destinations { denied, ..Destinations::default() };
        for (address, is_permitted) in [
            ("10.1.2.3:80", false),
            ("[::ffff:10.1.2.3]:80", false),
            ("127.0.0.1:5432", false),
            ("127.0.0.1:5433", true),
            ("0.0.0.0:5432", false),
            ("[::ffff:0.0.0.0]:5432", false),
            ("[::]:22", false),
            ("[2001:db8::1]:22", false),
            ("[2001:db8::1]:1024", true),
            ("169.254.169.254:80", false),
        ] {
            assert_eq!(permits(&rules, address), is_permitted, "{address}");
        }
        let rules = Destinations {
            allowed: networks(&["192.0.2.0/24", "169.254.169.254"]),
            denied: networks(&["192.0.2.1"]),
            ..Destinations::default()
        };
        for (address, is_permitted) in [
            ("192.0.2.2:80", true),
            ("192.0.2.1:80", false),
            ("127.0.0.1:80", false),
            ("169.254.169.254:80", true),
            ("169.254.169.253:80", false),
        ] {
            assert_eq!(permits(&rules, address), is_permitted, "{address}");
        }
    }

    #[test]
    fn what_is_no_network_is_refused() {
        for text in
            ["", "db.internal", "10.0.0.0/33", "::/129", "10.0.0.1:x", "[::1", "[::1]x", "10.0.0.1:1-x"]
        {
            assert_eq!(text.parse::<Network>(), Err(NetworkError), "{text}");
        }
        assert!("::1".parse::<Network>().is_ok());
    }

    #[test]
    fn a_name_that_means_something_else_the_next_time_is_checked_again() {
        let rules = Destinations::default();
        let host = Host::new("rebinding.example", 80);
        let addresses = |texts: &[&str]| texts.iter().map(|text| text.parse().unwrap()).collect::<Vec<_>>();
        let first = addresses(&["192.0.2.1:80"]);
        assert_eq!(rules.check(&host, first.clone()).unwrap(), first, "the very addresses that were checked");
        for then in [
            &["169.254.169.254:80"][..],
            &["192.0.2.1:80", "169.254.169.254:80"],
            &["[::ffff:169.254.169.254]:80"],
        ] {
            let error = rules.check(&host, addresses(then)).unwrap_err();
            assert_eq!(error.reason(), Reason::Forbidden, "{then:?}");
        }
    }

    #[test]
    fn nodes_listen_on_common_ports_of_their_loopback() {
        let rules = Destinations::default();
        let wide = Destinations {
            listenable: networks(&["0.0.0.0:8000-8999", "127.0.0.1:80"]),
            ..Destinations::default()
        };
        for (on, by_default, if_allowed) in [
            ("127.0.0.1:8080", true, true),
            ("127.0.0.1:0", true, true),
            ("[::1]:1024", true, true),
            ("[::ffff:127.0.0.1]:8080", true, true),
            ("127.0.0.1:80", false, true),
            ("127.0.0.1:443", false, false),
            ("0.0.0.0:8080", false, true),
            ("[::ffff:0.0.0.0]:8080", false, true),
            ("0.0.0.0:9000", false, false),
            ("0.0.0.0:0", false, false),
            ("[::]:8080", false, false),
            ("192.0.2.1:8080", false, false),
        ] {
            let on: SocketAddr = on.parse().unwrap();
            assert_eq!(
                (rules.permit_listening(on), wide.permit_listening(on)),
                (by_default, if_allowed),
                "{on}"
            );
        }
    }

    #[test]
    fn the_same_host_has_several_names() {
        assert!(Host::new("", 80).is("localhost", 80) && Host::new("DB", 80).is("db", 80));
        assert!(Host::new("[::1]", 80).is("::1", 80));
        assert!(!Host::new("db", 80).is("db", 81) && !Host::new("db", 80).is("db.internal", 80));
    }

    #[tokio::test]
    async fn datagrams_go_only_where_they_may() {
        let rules = Destinations { denied: networks(&["127.0.0.0/8"]), ..Destinations::default() };
        for name in ["127.0.0.1", "localhost", "::ffff:127.0.0.1"] {
            let error = rules.connect_datagrams(&Host::new(name, 53)).await.unwrap_err();
            assert_eq!(error.reason(), Reason::Forbidden, "{name}");
        }
        let socket = Destinations::default().connect_datagrams(&Host::new("127.0.0.1", 53)).await.unwrap();
        assert_eq!(socket.peer_addr().unwrap(), "127.0.0.1:53".parse().unwrap());
    }

    #[tokio::test]
    async fn an_address_is_checked_before_it_is_connected_to() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let rules =
            Destinations { denied: networks(&[&format!("127.0.0.1:{port}")]), ..Destinations::default() };
        for name in ["127.0.0.1", "localhost", "", "::ffff:127.0.0.1", "2130706433"] {
            let error = rules.connect(&Host::new(name, port)).await.unwrap_err();
            let shown = if name.is_empty() { "localhost" } else { name };
            assert_eq!(error.to_string(), format!("Forwarding to IP address {shown} is forbidden."));
        }
        for name in ["127.0.0.1", "localhost", ""] {
            assert!(Destinations::default().connect(&Host::new(name, port)).await.is_ok(), "{name}");
        }
    }
}
