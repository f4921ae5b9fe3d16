//! A TCP connection to a name that may have several addresses, some of which may not work.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use tokio::net::{TcpStream, lookup_host};

use crate::error::DialError;

/// How long an address may be silent before the next is tried beside it (RFC 8305 section 5).
const NEXT_ADDRESS_AFTER: Duration = Duration::from_millis(250);

/// Which addresses may be connected to.
pub type AddressFilter = fn(IpAddr) -> bool;

/// Connects to the first address of `host` that answers, of those that `may_reach` admits.
pub(crate) async fn connect(host: &str, port: u16, may_reach: AddressFilter) -> Result<TcpStream, DialError> {
    let name = || format!("{host}:{port}");
    let found = lookup_host((host, port)).await;
    let mut found = found.map_err(|source| DialError::Resolve { host: name(), source })?.peekable();
    let is_known = found.peek().is_some();
    let addresses: Vec<SocketAddr> = found.filter(|address| may_reach(address.ip().to_canonical())).collect();
    if is_known && addresses.is_empty() {
        return Err(DialError::Forbidden { host: name() });
    }
    let stream = race(alternate_families(addresses))
        .await
        .map_err(|source| DialError::Connect { host: name(), source })?;
    // Keystrokes must not wait for more of them.
    stream.set_nodelay(true).map_err(|source| DialError::Connect { host: name(), source })?;
    Ok(stream)
}

/// Starts with the resolver's first choice and then alternates between IPv6 and IPv4 (RFC 8305 section 4).
fn alternate_families(addresses: Vec<SocketAddr>) -> Vec<SocketAddr> {
    let first_is_v6 = addresses.first().is_some_and(SocketAddr::is_ipv6);
    let (preferred, other): (Vec<_>, Vec<_>) =
        addresses.into_iter().partition(|address| address.is_ipv6() == first_is_v6);
    let (mut preferred, mut other) = (preferred.into_iter(), other.into_iter());
    let mut sorted = Vec::new();
    loop {
        match (preferred.next(), other.next()) {
            (None, None) => return sorted,
            (a, b) => sorted.extend(a.into_iter().chain(b)),
        }
    }
}

async fn race(addresses: Vec<SocketAddr>) -> io::Result<TcpStream> {
    let mut waiting = addresses.into_iter();
    let mut attempts = FuturesUnordered::new();
    let mut last_error = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
    loop {
        match waiting.next() {
            Some(address) => attempts.push(TcpStream::connect(address)),
            None if attempts.is_empty() => return Err(last_error),
            None => {}
        }
        let more = waiting.len() > 0;
        tokio::select! {
            Some(result) = attempts.next() => match result {
                Ok(stream) => return Ok(stream),
                Err(error) => last_error = error,
            },
            () = tokio::time::sleep(NEXT_ADDRESS_AFTER), if more => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn families_alternate_from_the_first() {
        let addresses = ["[::1]:1", "[::2]:1", "[::3]:1", "1.1.1.1:1"].map(|text| text.parse().unwrap());
        let sorted: Vec<String> =
            alternate_families(addresses.to_vec()).iter().map(|address| address.ip().to_string()).collect();
        assert_eq!(sorted, ["::1", "1.1.1.1", "::2", "::3"]);
    }

    #[tokio::test]
    async fn only_addresses_that_may_be_reached_are_tried() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        for host in ["127.0.0.1", "localhost", "::ffff:127.0.0.1"] {
            let refused = connect(host, port, |address| !address.is_loopback()).await.unwrap_err();
            assert!(matches!(refused, DialError::Forbidden { .. }), "{host}: {refused}");
        }
        connect("localhost", port, |address| address.is_ipv4()).await.unwrap();
    }

    #[tokio::test]
    async fn a_refusing_address_does_not_hide_a_good_one() {
        let refusing = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let good = listener.local_addr().unwrap();
        assert_eq!(race(vec![refusing, good]).await.unwrap().peer_addr().unwrap(), good);
        assert_eq!(race(vec![refusing]).await.unwrap_err().kind(), io::ErrorKind::ConnectionRefused);
        assert_eq!(race(vec![]).await.unwrap_err().kind(), io::ErrorKind::NotFound);
    }
}
