//! `NextToken`: where a listing goes on, opaque to callers and good only for the listing it came from.
//!
//! A token is its cursor behind a MAC over the cursor and over what was asked: operation, account, region and
//! filters. Nothing is remembered between pages.

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use serde::de::DeserializeOwned;

const TAG_BYTES: usize = 32;
/// Longer ones are not ours; cursors are identifiers and times.
const TOKEN_CHARS_MAX: usize = 1024;

/// Makes and reads the tokens of every listing.
pub(crate) struct PageTokens(hmac::Key);

/// What was asked, `NextToken` and `MaxResults` left out: a token goes on only with the same.
pub(crate) struct Listing(Vec<u8>);

impl Listing {
    /// The listing of `operation` with these filters.
    pub(crate) fn new(operation: &str, filters: &impl Serialize) -> Self {
        // A tuple in JSON: no two different askings have the same text.
        Self(serde_json::to_vec(&(operation, filters)).expect("inputs have text keys"))
    }
}

impl PageTokens {
    /// Tokens under `key`, which is bound to the deployment.
    pub(crate) fn new(key: &[u8; 32]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, key))
    }

    /// The token that goes on behind `cursor`.
    pub(crate) fn seal(&self, listing: &Listing, cursor: &impl Serialize) -> String {
        let cursor = serde_json::to_vec(cursor).expect("cursors have text keys");
        let mut token = self.tag(listing, &cursor).as_ref().to_vec();
        token.extend_from_slice(&cursor);
        URL_SAFE_NO_PAD.encode(token)
    }

    /// The cursor in `token`, or `None` if this listing never gave that token.
    pub(crate) fn open<C: DeserializeOwned>(&self, listing: &Listing, token: &str) -> Option<C> {
        if token.len() > TOKEN_CHARS_MAX {
            return None;
        }
        let token = URL_SAFE_NO_PAD.decode(token).ok()?;
        let (tag, cursor) = token.split_at_checked(TAG_BYTES)?;
        hmac::verify(&self.0, &self.signed(listing, cursor), tag).ok()?;
        serde_json::from_slice(cursor).ok()
    }

    fn tag(&self, listing: &Listing, cursor: &[u8]) -> hmac::Tag {
        hmac::sign(&self.0, &self.signed(listing, cursor))
    }

    fn signed(&self, listing: &Listing, cursor: &[u8]) -> Vec<u8> {
        let length = u64::try_from(listing.0.len()).expect("a length fits");
        [&length.to_be_bytes()[..], &listing.0, cursor].concat()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_goes_on_only_where_it_came_from() {
        let tokens = PageTokens::new(&[7; 32]);
        let listing = Listing::new("DescribeSessions", &[("Status", "Connected")]);
        let token = tokens.seal(&listing, &"admin-1");
        assert_eq!(tokens.open::<String>(&listing, &token).as_deref(), Some("admin-1"));

        for other in [
            Listing::new("DescribeSessions", &[("Status", "Failed")]),
            Listing::new("DescribeActivations", &[("Status", "Connected")]),
        ] {
            assert_eq!(tokens.open::<String>(&other, &token), None);
        }
        assert_eq!(PageTokens::new(&[8; 32]).open::<String>(&listing, &token), None);
        for forged in ["", "forged", &token[..8], &token.replace('a', "b"), &"A".repeat(5000)] {
            assert_eq!(tokens.open::<String>(&listing, forged), None, "{forged:.20}");
        }
    }
}
