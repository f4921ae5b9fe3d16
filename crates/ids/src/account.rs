//! The account and the region that a deployment answers for.

use crate::text_id;

text_id!(
    /// A 12-digit AWS account number.
    AccountId,
    "an account ID (12 digits)",
    |text| text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit())
);

impl Default for AccountId {
    /// The account of a deployment that names none.
    fn default() -> Self {
        "000000000000".parse().expect("twelve digits")
    }
}

text_id!(
    /// A region name. Made-up names such as `home-lab` are fine: AWS's agent wants `[A-Za-z0-9-]`, at most 100.
    Region,
    "a region (letters, digits and hyphens, at most 100)",
    |text| (1..=100).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_has_twelve_digits() {
        assert_eq!("000000000000".parse::<AccountId>().unwrap().to_string(), "000000000000");
        for wrong in ["", "1234", "00000000000a", "0000000000000"] {
            assert!(wrong.parse::<AccountId>().is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn a_region_can_be_made_up() {
        assert!("home-lab".parse::<Region>().is_ok());
        assert!("eu west".parse::<Region>().is_err());
        assert!("".parse::<Region>().is_err());
    }
}
