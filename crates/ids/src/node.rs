//! Managed nodes and the activations they register with.

use std::fmt;
use std::str::FromStr;

use uuid::Uuid;

use crate::{ParseError, is_lower_hex, text_id, write_hex};

text_id!(
    /// A managed (hybrid) node: `mi-` and 17 hexadecimal digits.
    NodeId,
    "a node ID (mi- and 17 hexadecimal digits)",
    |text| text.strip_prefix("mi-").is_some_and(|digits| is_lower_hex(digits, 17))
);

impl NodeId {
    /// A new identifier; 68 of the 72 random bits are used.
    #[must_use]
    pub fn from_random(random: [u8; 9]) -> Self {
        let mut text = String::from("mi-");
        write_hex(&mut text, &random).expect("writing to a String cannot fail");
        text.truncate("mi-".len() + 17);
        Self(text)
    }
}

/// An activation: the permission to register a number of nodes for some time.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct ActivationId(Uuid);

impl ActivationId {
    /// A new identifier, as a version 4 UUID.
    #[must_use]
    pub fn from_random(random: [u8; 16]) -> Self {
        Self(uuid::Builder::from_random_bytes(random).into_uuid())
    }
}

impl FromStr for ActivationId {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let error = || ParseError::new(text, "an activation ID (a lower-case UUID)");
        let uuid = Uuid::try_parse(text).map_err(|_| error())?;
        if uuid.to_string() == text { Ok(Self(uuid)) } else { Err(error()) }
    }
}

impl fmt::Display for ActivationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for ActivationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_id_is_mi_and_17_digits() {
        assert!("mi-0123456789abcdef0".parse::<NodeId>().is_ok());
        for wrong in [
            "",
            "mi-",
            "mi-0123456789abcdef",
            "mi-0123456789ABCDEF0",
            "i-0123456789abcdef0",
            "mi-0123456789abcdef01",
        ] {
            assert!(wrong.parse::<NodeId>().is_err(), "{wrong:?}");
        }
        let made = NodeId::from_random([0xab; 9]);
        assert_eq!(made.as_str(), "mi-abababababababababa"[..20].to_owned());
        assert_eq!(made.as_str().parse::<NodeId>().unwrap(), made);
    }

    #[test]
    fn an_activation_id_is_a_lower_case_uuid() {
        let id = ActivationId::from_random([7; 16]);
        assert_eq!(id.to_string().parse::<ActivationId>().unwrap(), id);
        assert!("0123".parse::<ActivationId>().is_err());
        assert!("11111111-2222-4333-8444-ABCDEFABCDEF".parse::<ActivationId>().is_err());
    }
}
