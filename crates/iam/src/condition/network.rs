//! Ranges of IP addresses.

use core::net::IpAddr;

/// A range in CIDR notation; a bare address is a range of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Network {
    V4 { address: u32, mask: u32 },
    V6 { address: u128, mask: u128 },
}

impl Network {
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (address, length) = match text.split_once('/') {
            Some((address, length)) => (address, Some(prefix_length(length)?)),
            None => (text, None),
        };
        match address.parse().ok()? {
            IpAddr::V4(v4) => {
                let host_bits = u32::BITS.checked_sub(length.unwrap_or(u32::BITS))?;
                let mask = u32::MAX.checked_shl(host_bits).unwrap_or(0);
                Some(Self::V4 { address: v4.to_bits() & mask, mask })
            }
            IpAddr::V6(v6) => {
                let host_bits = u128::BITS.checked_sub(length.unwrap_or(u128::BITS))?;
                let mask = u128::MAX.checked_shl(host_bits).unwrap_or(0);
                Some(Self::V6 { address: v6.to_bits() & mask, mask })
            }
        }
    }

    /// Addresses of one family are in no range of the other.
    pub(crate) fn contains(&self, found: IpAddr) -> bool {
        match (self, found) {
            (Self::V4 { address, mask }, IpAddr::V4(found)) => found.to_bits() & mask == *address,
            (Self::V6 { address, mask }, IpAddr::V6(found)) => found.to_bits() & mask == *address,
            _ => false,
        }
    }
}

fn prefix_length(text: &str) -> Option<u32> {
    let digits = (1..=3).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
    digits.then(|| text.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges() {
        let cases = [
            ("203.0.113.0/24", "203.0.113.255", true),
            ("203.0.113.0/24", "203.0.114.0", false),
            ("203.0.113.77/24", "203.0.113.1", true),
            ("203.0.113.10", "203.0.113.10", true),
            ("203.0.113.10", "203.0.113.11", false),
            ("0.0.0.0/0", "255.255.255.255", true),
            ("0.0.0.0/0", "::1", false),
            ("::/0", "203.0.113.10", false),
            ("::/0", "2001:db8::1", true),
            ("2001:db8::/32", "2001:db8:ffff::1", true),
            ("2001:db8::/32", "2001:db9::", false),
            ("2001:db8::1", "2001:db8:0:0::1", true),
            ("::ffff:0:0/96", "203.0.113.10", false),
        ];
        for (range, address, expected) in cases {
            let network = Network::parse(range).unwrap_or_else(|| panic!("{range} is a range"));
            assert_eq!(network.contains(address.parse().unwrap()), expected, "{range} {address}");
        }
    }

    #[test]
    fn what_is_no_range() {
        for text in [
            "",
            "/",
            "10.0.0.0/",
            "10.0.0.0/33",
            "::/129",
            "10.0.0/8",
            "10.0.0.0/+8",
            "010.0.0.1",
            "10.0.0.0/8/8",
            "*",
        ] {
            assert_eq!(Network::parse(text), None, "{text}");
        }
    }
}
