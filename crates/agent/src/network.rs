//! Notices that the network of this machine has changed, so that a lost server is tried again at once.
//!
//! On Linux the kernel says so on a netlink socket (rtnetlink(7)). It is open only while the agent waits to try again:
//! a machine whose containers come and go would otherwise wake an agent that has nothing to do.

/// Waits until an address or a route appears or goes. Where nobody tells, it waits for ever.
pub(crate) async fn changed() {
    #[cfg(target_os = "linux")]
    if let Ok(socket) = linux::listen() {
        let mut message = [0; 16];
        // One message is enough; what it says does not matter. The rest goes with the socket.
        if socket.recv(&mut message).await.is_ok() {
            return;
        }
    }
    std::future::pending().await
}

#[cfg(target_os = "linux")]
mod linux {
    use std::io;
    use std::os::unix::net::UnixDatagram as StdDatagram;

    use rustix::net::netlink::SocketAddrNetlink;
    use rustix::net::{AddressFamily, SocketFlags, SocketType};
    use tokio::net::UnixDatagram;

    /// Groups of linux/rtnetlink.h: addresses and routes. Links that come up without either change nothing for us.
    const RTMGRP_IPV4_IFADDR: u32 = 0x10;
    const RTMGRP_IPV4_ROUTE: u32 = 0x40;
    const RTMGRP_IPV6_IFADDR: u32 = 0x100;
    const RTMGRP_IPV6_ROUTE: u32 = 0x400;

    /// A netlink socket in the clothes of the only datagram socket that the runtime takes from outside: both are read
    /// with recv(2), and nothing else is done with it.
    pub(super) fn listen() -> io::Result<UnixDatagram> {
        let socket = rustix::net::socket_with(
            AddressFamily::NETLINK,
            SocketType::RAW,
            SocketFlags::NONBLOCK | SocketFlags::CLOEXEC,
            None, // of the protocols of netlink, the first: NETLINK_ROUTE
        )?;
        let groups = RTMGRP_IPV4_IFADDR | RTMGRP_IPV4_ROUTE | RTMGRP_IPV6_IFADDR | RTMGRP_IPV6_ROUTE;
        rustix::net::bind(&socket, &SocketAddrNetlink::new(0, groups))?;
        UnixDatagram::from_std(StdDatagram::from(socket))
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_kernel_lets_us_listen() {
        let socket = linux::listen().unwrap();
        let mut message = [0; 16];
        let nothing_yet = socket.try_recv(&mut message).unwrap_err();
        assert_eq!(nothing_yet.kind(), std::io::ErrorKind::WouldBlock);
    }

    /// Says to the process below that it is in a network of its own.
    const INSIDE: &str = "POSTERN_TEST_INSIDE_NAMESPACE";

    /// Runs itself again in a network namespace of its own, so that the machine's network stays as it is.
    #[tokio::test]
    async fn a_new_address_is_noticed() {
        if std::env::var_os(INSIDE).is_some() {
            return a_new_address_is_noticed_here().await;
        }
        let unshare = || {
            let mut unshare = tokio::process::Command::new("unshare");
            unshare.args(["--user", "--map-root-user", "--net", "--"]);
            unshare
        };
        let probe = unshare().args(["ip", "link"]).output().await;
        if !probe.as_ref().is_ok_and(|output| output.status.success()) {
            eprintln!("skipped: a network namespace needs unshare, ip, and leave to make one: {probe:?}");
            return;
        }
        let output = unshare()
            .arg(std::env::current_exe().unwrap())
            .args(["--exact", "network::tests::a_new_address_is_noticed", "--nocapture"])
            .env(INSIDE, "1")
            .output()
            .await
            .unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success() && said.contains("1 passed"), "{output:?}");
    }

    async fn a_new_address_is_noticed_here() {
        let mut changed = std::pin::pin!(changed());
        let polled = std::future::poll_fn(|cx| std::task::Poll::Ready(changed.as_mut().poll(cx))).await;
        assert!(polled.is_pending(), "nothing has happened yet");
        let change = async {
            // Loopback gets its address.
            let status = tokio::process::Command::new("ip").args(["link", "set", "lo", "up"]).status().await;
            assert!(status.expect("iproute2 is installed").success());
        };
        let limit = std::time::Duration::from_secs(10);
        let both = async { tokio::join!(changed, change) };
        tokio::time::timeout(limit, both).await.expect("the kernel tells of the address");
    }
}
