//! What this machine is called and runs, for the list of nodes.

use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};

/// A description of this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Machine {
    pub(crate) computer_name: String,
    pub(crate) ip_address: String,
    pub(crate) platform_name: String,
    pub(crate) platform_version: String,
}

impl Machine {
    /// Looks again each time: addresses and names change.
    pub(crate) fn describe() -> Self {
        let release = ["/etc/os-release", "/usr/lib/os-release"]
            .iter()
            .find_map(|path| std::fs::read_to_string(path).ok())
            .unwrap_or_default();
        Self {
            computer_name: rustix::system::uname().nodename().to_string_lossy().into_owned(),
            ip_address: ip_address().map(|address| address.to_string()).unwrap_or_default(),
            platform_name: release_field(&release, "NAME").unwrap_or_else(|| std::env::consts::OS.to_owned()),
            platform_version: release_field(&release, "VERSION_ID").unwrap_or_default(),
        }
    }
}

/// A field of os-release(5).
fn release_field(release: &str, key: &str) -> Option<String> {
    let value = release.lines().find_map(|line| line.trim().strip_prefix(key)?.strip_prefix('='))?;
    Some(value.trim().trim_matches(['"', '\'']).to_owned())
}

/// The address that this machine would use towards the Internet. Connecting a datagram socket sends nothing.
fn ip_address() -> Option<IpAddr> {
    [("0.0.0.0:0", "192.0.2.1:9"), ("[::]:0", "[2001:db8::1]:9")]
        .into_iter()
        .find_map(|(from, to)| {
            let socket = UdpSocket::bind(from).ok()?;
            socket.connect(to.parse::<SocketAddr>().ok()?).ok()?;
            Some(socket.local_addr().ok()?.ip())
        })
        .or(Some(IpAddr::V4(Ipv4Addr::LOCALHOST)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_read_with_and_without_quotes() {
        let release =
            "PRETTY_NAME=\"Debian GNU/Linux 12\"\nNAME=\"Debian GNU/Linux\"\nVERSION_ID='12'\nID=debian\n";
        assert_eq!(release_field(release, "NAME").as_deref(), Some("Debian GNU/Linux"));
        assert_eq!(release_field(release, "VERSION_ID").as_deref(), Some("12"));
        assert_eq!(release_field(release, "ID").as_deref(), Some("debian"));
        assert_eq!(release_field(release, "VERSION"), None);
    }

    #[test]
    fn this_machine_has_a_name_and_an_address() {
        let machine = Machine::describe();
        assert!(!machine.computer_name.is_empty());
        assert!(machine.ip_address.parse::<IpAddr>().is_ok(), "{machine:?}");
    }
}
