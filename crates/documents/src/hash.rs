//! The hash by which a document's content is known.

use sha2::{Digest as _, Sha256};

/// SHA-256 of the content as stored, in hexadecimal: `Hash` of `DescribeDocument`, with `HashType` `Sha256`.
#[must_use]
pub fn content_hash(content: &str) -> String {
    hex::encode(Sha256::digest(content.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_the_hash_of_the_bytes() {
        assert_eq!(content_hash(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    }
}
