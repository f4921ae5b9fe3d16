//! Where providers may be: an administrator registers their names, and a name can lead anywhere.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use postern_dial::AddressFilter;

use crate::config::Oidc;

/// Addresses through which clouds give a machine's secrets to every program on it, beside those of the link.
/// Sources: the documentation of the metadata services of Azure (168.63.129.16), Alibaba Cloud (100.100.100.200), Oracle
/// Cloud (192.0.0.192), AWS (fd00:ec2::254) and Google Cloud (fd20:ce::254).
const METADATA_V4: [Ipv4Addr; 3] =
    [Ipv4Addr::new(168, 63, 129, 16), Ipv4Addr::new(100, 100, 100, 200), Ipv4Addr::new(192, 0, 0, 192)];
const METADATA_V6: [Ipv6Addr; 2] = [
    Ipv6Addr::new(0xfd00, 0x0ec2, 0, 0, 0, 0, 0, 0x0254),
    Ipv6Addr::new(0xfd20, 0x00ce, 0, 0, 0, 0, 0, 0x0254),
];

/// Which addresses are asked, by the operator's choice.
pub(super) fn filter(config: &Oidc) -> AddressFilter {
    match (config.allow_loopback, config.allow_private) {
        (true, _) => |_| true,
        (false, true) => is_elsewhere,
        (false, false) => |address| is_elsewhere(address) && !is_private(address),
    }
}

/// The address that a host in a URL is, where it needs no resolving.
pub(super) fn literal(host: &str) -> Option<IpAddr> {
    let name = host.trim_start_matches('[').trim_end_matches(']').trim_end_matches('.').to_ascii_lowercase();
    // RFC 6761 section 6.3.
    if name == "localhost" || name.ends_with(".localhost") {
        return Some(Ipv4Addr::LOCALHOST.into());
    }
    name.parse().ok().map(|address: IpAddr| address.to_canonical())
}

/// Whether it is neither this very machine, nor this link only, nor a metadata service, nor many machines.
fn is_elsewhere(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => {
            !(address.is_loopback()
                || address.octets()[0] == 0
                || address.is_link_local()
                || address.is_broadcast()
                || address.is_multicast()
                || METADATA_V4.contains(&address))
        }
        IpAddr::V6(address) => {
            !(address.is_loopback()
                || address.is_unspecified()
                || address.is_unicast_link_local()
                || address.is_multicast()
                || METADATA_V6.contains(&address))
        }
    }
}

/// Addresses that are only reached from within: RFC 1918, RFC 6598, RFC 4193.
fn is_private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => {
            let [first, second, ..] = address.octets();
            address.is_private() || (first == 100 && second & 0b1100_0000 == 64)
        }
        IpAddr::V6(address) => address.is_unique_local(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_asked(host: &str, allow_loopback: bool, allow_private: bool) -> bool {
        let config = Oidc { allow_loopback, allow_private, ..Oidc::default() };
        filter(&config)(literal(host).unwrap())
    }

    #[test]
    fn this_machine_and_its_clouds_secrets_are_known_by_all_their_names() {
        for host in [
            "localhost",
            "LOCALHOST.",
            "idp.localhost",
            "127.0.0.1",
            "127.9.9.9",
            "[::1]",
            "0.0.0.0",
            "0.1.2.3",
            "[::ffff:127.0.0.1]",
            "169.254.169.254",
            "[::ffff:169.254.169.254]",
            "[fe80::1]",
            "168.63.129.16",
            "100.100.100.200",
            "192.0.0.192",
            "[fd00:ec2::254]",
            "[fd20:ce::254]",
            "224.0.0.1",
            "255.255.255.255",
            "[ff02::1]",
        ] {
            assert!(!is_asked(host, false, true), "{host}");
            assert!(is_asked(host, true, false), "{host}: a test may");
        }
    }

    #[test]
    fn private_addresses_are_the_operators_choice() {
        for host in ["10.0.0.1", "172.16.0.1", "192.168.1.1", "100.64.0.1", "[fd12:3456::1]"] {
            assert!(is_asked(host, false, true), "{host}");
            assert!(!is_asked(host, false, false), "{host}");
        }
        for host in ["192.0.2.1", "100.128.0.1", "172.32.0.1", "[2001:db8::1]"] {
            assert!(is_asked(host, false, false), "{host}");
        }
    }

    #[test]
    fn a_name_has_to_be_resolved() {
        for host in ["idp.example.com", "localhost.example.com"] {
            assert_eq!(literal(host), None, "{host}");
        }
    }
}
