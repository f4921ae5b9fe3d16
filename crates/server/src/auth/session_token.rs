//! Session tokens of temporary credentials: the server gives its memory to the bearer, sealed.
//!
//! A token holds everything that is needed to verify a signature made with its credentials, so no database
//! is asked and credentials outlive a restart. Changing one bit makes it worthless.

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::{SignedDuration, Timestamp};
use postern_ids::{AccessKeyId, NodeId, RoleName};
use postern_store::{MasterKey, Secret};
use serde::{Deserialize, Serialize};

use crate::random::Random;

/// First byte of a token: the layout. It is under the seal as well.
const VERSION: u8 = 1;
/// Version and nonce, before what is sealed.
const HEADER_LENGTH: usize = 1 + NONCE_LEN;
/// The longest token that is read. Ours have some 400 characters.
const TOKEN_CHARS_MAX: usize = 4096;
/// For which purpose the key is derived from the master key.
const PURPOSE: &str = "session tokens";

/// Temporary credentials of a role, and for whom they were made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TemporaryCredentials {
    /// `ASIA…`.
    pub access_key_id: AccessKeyId,
    /// The secret access key.
    pub secret: Secret<String>,
    /// The role.
    pub role: RoleName,
    /// The session's name; for a node, its ID.
    pub session_name: String,
    /// The node that they are for.
    pub node: Option<NodeId>,
    /// When they were made.
    pub issued_at: Timestamp,
    /// Until when they are good, to the second.
    pub expires_at: Timestamp,
}

/// New credentials with their token.
#[derive(Debug)]
pub struct Issued {
    /// The credentials.
    pub credentials: TemporaryCredentials,
    /// What the bearer sends as `X-Amz-Security-Token`.
    pub token: Secret<String>,
}

/// A token that this server did not make, or that was altered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the session token is not one of this server's")]
pub struct InvalidToken;

/// Makes session tokens and opens them.
pub struct SessionTokens {
    // AES-GCM with random nonces is safe for 2^32 tokens: 100,000 nodes need two years for as many.
    key: RandomizedNonceKey,
}

/// What is sealed.
#[derive(Serialize, Deserialize)]
struct Content {
    key: AccessKeyId,
    secret: String,
    role: RoleName,
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    node: Option<NodeId>,
    issued: i64,
    expires: i64,
}

impl SessionTokens {
    /// Derives the key of the tokens from the master key.
    #[must_use]
    pub fn new(master_key: &MasterKey) -> Self {
        let key = master_key.derive(PURPOSE);
        let key = RandomizedNonceKey::new(&AES_256_GCM, key.expose_secret()).expect("AES-256 takes 32 bytes");
        Self { key }
    }

    /// Makes credentials of `role`, good for `lifetime`.
    #[must_use]
    pub fn issue(
        &self,
        role: RoleName,
        session_name: String,
        node: Option<NodeId>,
        now: Timestamp,
        lifetime: SignedDuration,
        random: &dyn Random,
    ) -> Issued {
        let issued_at = now.as_second();
        let expires_at = issued_at.saturating_add(lifetime.as_secs());
        let credentials = TemporaryCredentials {
            access_key_id: AccessKeyId::temporary(random.bytes()),
            // 40 characters, as AWS's.
            secret: STANDARD.encode(random.bytes::<30>()).into(),
            role,
            session_name,
            node,
            issued_at: Timestamp::from_second(issued_at).expect("it is a Timestamp's second"),
            expires_at: Timestamp::from_second(expires_at).unwrap_or(Timestamp::MAX),
        };
        let token = self.seal(&credentials);
        Issued { credentials, token: token.into() }
    }

    fn seal(&self, credentials: &TemporaryCredentials) -> String {
        let content = Content {
            key: credentials.access_key_id.clone(),
            secret: credentials.secret.expose_secret().clone(),
            role: credentials.role.clone(),
            name: credentials.session_name.clone(),
            node: credentials.node.clone(),
            issued: credentials.issued_at.as_second(),
            expires: credentials.expires_at.as_second(),
        };
        let mut sealed = serde_json::to_vec(&content).expect("texts and numbers are JSON");
        let nonce = self
            .key
            .seal_in_place_append_tag(Aad::from([VERSION]), &mut sealed)
            .expect("a token is far below AES-GCM's limit");
        STANDARD.encode([&[VERSION], nonce.as_ref().as_slice(), &sealed].concat())
    }

    /// The credentials that a token of ours was made for. Whether they have expired is another question.
    ///
    /// # Errors
    /// [`InvalidToken`], and nothing about why.
    pub fn open(&self, token: &str) -> Result<TemporaryCredentials, InvalidToken> {
        if token.len() > TOKEN_CHARS_MAX {
            return Err(InvalidToken);
        }
        let bytes = STANDARD.decode(token).map_err(|_| InvalidToken)?;
        let (header, sealed) = bytes.split_at_checked(HEADER_LENGTH).ok_or(InvalidToken)?;
        if header[0] != VERSION {
            return Err(InvalidToken);
        }
        let nonce = Nonce::try_assume_unique_for_key(&header[1..]).map_err(|_| InvalidToken)?;
        let mut sealed = sealed.to_vec();
        let content =
            self.key.open_in_place(nonce, Aad::from([VERSION]), &mut sealed).map_err(|_| InvalidToken)?;
        let content: Content = serde_json::from_slice(content).map_err(|_| InvalidToken)?;
        Ok(TemporaryCredentials {
            access_key_id: content.key,
            secret: content.secret.into(),
            role: content.role,
            session_name: content.name,
            node: content.node,
            issued_at: Timestamp::from_second(content.issued).map_err(|_| InvalidToken)?,
            expires_at: Timestamp::from_second(content.expires).map_err(|_| InvalidToken)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::SystemRandom;

    fn issue(tokens: &SessionTokens) -> Issued {
        let node: NodeId = "mi-0123456789abcdef0".parse().unwrap();
        let now = Timestamp::from_second(1_795_000_000).unwrap();
        let hour = SignedDuration::from_hours(1);
        let role = "PosternNode".parse().unwrap();
        tokens.issue(role, node.to_string(), Some(node), now, hour, &SystemRandom)
    }

    #[test]
    fn a_token_gives_back_what_it_was_made_for() {
        let tokens = SessionTokens::new(&MasterKey::new([1; 32]));
        let issued = issue(&tokens);
        assert_eq!(tokens.open(issued.token.expose_secret()).unwrap(), issued.credentials);
        assert_eq!(issued.credentials.expires_at.as_second(), 1_795_003_600);
        assert!(issued.credentials.access_key_id.is_temporary());
        assert_eq!(issued.credentials.secret.expose_secret().len(), 40);
        // It survives a restart: the key is derived, not drawn.
        assert!(SessionTokens::new(&MasterKey::new([1; 32])).open(issued.token.expose_secret()).is_ok());
    }

    #[test]
    fn one_altered_bit_makes_a_token_worthless() {
        let tokens = SessionTokens::new(&MasterKey::new([1; 32]));
        let token = STANDARD.decode(issue(&tokens).token.expose_secret()).unwrap();
        for bit in 0..token.len() * 8 {
            let mut altered = token.clone();
            altered[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(tokens.open(&STANDARD.encode(altered)), Err(InvalidToken), "bit {bit}");
        }
        for length in 0..token.len() {
            assert_eq!(tokens.open(&STANDARD.encode(&token[..length])), Err(InvalidToken), "{length} bytes");
        }
    }

    #[test]
    fn what_is_no_token_of_ours_is_refused() {
        let tokens = SessionTokens::new(&MasterKey::new([1; 32]));
        let foreign = issue(&SessionTokens::new(&MasterKey::new([2; 32])));
        for wrong in
            ["", "AQ==", "not base64", foreign.token.expose_secret(), &"A".repeat(TOKEN_CHARS_MAX + 4)]
        {
            assert_eq!(tokens.open(wrong), Err(InvalidToken), "{wrong:?}");
        }
    }

    #[test]
    fn neither_secret_nor_token_is_printed() {
        let issued = issue(&SessionTokens::new(&MasterKey::new([1; 32])));
        let printed = format!("{issued:?}");
        assert!(!printed.contains(issued.token.expose_secret()));
        assert!(!printed.contains(issued.credentials.secret.expose_secret()));
    }
}
