//! Signed heads: whoever holds one can tell whether the chain up to it is still the same.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::chain::Hash;
use crate::segment::{Position, TrailName};

/// A line of `heads.jsonl`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Head {
    /// The number of the chain's last line.
    pub sequence: u64,
    /// Its hash.
    pub hash: Hash,
    /// When the head was signed.
    pub time: Timestamp,
    /// The key that signed it.
    pub fingerprint: String,
    /// The signature of the [text](Self::text_to_sign), in hexadecimal digits.
    pub signature: String,
}

impl Head {
    /// What is signed: these lines, without an end behind the last.
    ///
    /// ```text
    /// postern audit head 1
    /// <account>/<region>/<trail>
    /// <sequence>
    /// <hash>
    /// <time>
    /// <signature of the head before, or null>
    /// ```
    #[must_use]
    pub fn text_to_sign(
        trail: &TrailName,
        position: Position,
        time: Timestamp,
        previous_signature: Option<&str>,
    ) -> String {
        let TrailName { account_id, region, name } = trail;
        let Position { sequence, hash } = position;
        let previous = previous_signature.unwrap_or("null");
        format!("postern audit head 1\n{account_id}/{region}/{name}\n{sequence}\n{hash}\n{time}\n{previous}")
    }

    /// The line that it vouches for.
    #[must_use]
    pub fn position(&self) -> Position {
        Position { sequence: self.sequence, hash: self.hash }
    }

    /// The line in the file, with its end.
    #[must_use]
    pub fn to_line(&self) -> Vec<u8> {
        let mut line = serde_json::to_vec(self).expect("texts and numbers are always JSON");
        line.push(b'\n');
        line
    }
}
