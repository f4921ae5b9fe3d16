//! Session tokens of temporary credentials: the server gives its memory to the bearer, sealed.
//!
//! A token holds everything that is needed to verify a signature made with its credentials, and all facts that
//! policies ask for, so no database is asked and credentials outlive a restart. Changing one bit makes it worthless.

use std::sync::Arc;

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::{SignedDuration, Timestamp};
use postern_ids::{AccessKeyId, NodeId, PrincipalId, RoleName, UserName};
use postern_store::{MasterKey, Secret};
use serde::{Deserialize, Serialize};

use super::TokenFacts;
use crate::random::Random;

/// First byte of a token: the layout of what is sealed. It is under the seal as well.
const VERSION: u8 = 2;
/// The layout of earlier servers, only for nodes and for an hour: read, no longer made.
const VERSION_OF_NODES: u8 = 1;
/// Version and nonce, before what is sealed.
const HEADER_LENGTH: usize = 1 + NONCE_LEN;
/// The longest token that is made and read; those without policies and tags have some 400 characters. It leaves
/// room for the longest session policy and a dozen long tags, and fits into every client's headers.
pub const TOKEN_CHARS_MAX: usize = 8192;
/// For which purpose the key is derived from the master key.
const PURPOSE: &str = "session tokens";

/// Temporary credentials, and for whom they were made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TemporaryCredentials {
    /// `ASIA…`.
    pub access_key_id: AccessKeyId,
    /// The secret access key.
    pub secret: Secret<String>,
    /// Who acts with them.
    pub bearer: Bearer,
    /// What else is known of the bearer.
    pub facts: Arc<TokenFacts>,
}

/// Who acts with temporary credentials. Unique identifiers stand beside the names, so that whoever gets a name
/// later does not get the sessions of its first holder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Bearer {
    /// A user, by `GetSessionToken`.
    #[serde(rename = "u")]
    User {
        /// The name.
        #[serde(rename = "n")]
        name: UserName,
        /// The unique identifier.
        #[serde(rename = "i")]
        id: PrincipalId,
    },
    /// A session of a role.
    #[serde(rename = "r")]
    Role {
        /// The role's name.
        #[serde(rename = "n")]
        name: RoleName,
        /// The role's unique identifier; earlier servers did not write it.
        #[serde(rename = "i", default, skip_serializing_if = "Option::is_none")]
        id: Option<PrincipalId>,
        /// The session's name; for a node, its ID.
        #[serde(rename = "s")]
        session_name: String,
        /// The node that they are for, and for which alone they speak.
        #[serde(rename = "o", default, skip_serializing_if = "Option::is_none")]
        node: Option<NodeId>,
    },
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

/// Session policies and tags are too much for one token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("The session token would have {size} bytes; the maximum is {TOKEN_CHARS_MAX} bytes.")]
pub struct TokenTooLarge {
    /// How long the token would be.
    pub size: usize,
}

/// Makes session tokens and opens them.
pub struct SessionTokens {
    // AES-GCM with random nonces is safe for 2^32 tokens: 100,000 nodes need two years for as many.
    key: RandomizedNonceKey,
}

/// What is sealed.
#[derive(Serialize, Deserialize)]
struct Content {
    k: AccessKeyId,
    x: String,
    w: Bearer,
    f: TokenFacts,
    /// Makes the token longer, for whoever wants to know what a long one does to his programs.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    z: String,
}

/// What earlier servers sealed.
#[derive(Deserialize)]
struct ContentOfNodes {
    key: AccessKeyId,
    secret: String,
    role: RoleName,
    name: String,
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

    /// Makes credentials for `bearer`, whose token has at least `token_chars_min` characters.
    ///
    /// # Errors
    /// [`TokenTooLarge`], when `facts` hold too much.
    pub fn issue(
        &self,
        bearer: Bearer,
        facts: TokenFacts,
        token_chars_min: usize,
        random: &dyn Random,
    ) -> Result<Issued, TokenTooLarge> {
        let mut content = Content {
            k: AccessKeyId::temporary(random.bytes()),
            // 40 characters, as AWS's.
            x: STANDARD.encode(random.bytes::<30>()),
            w: bearer,
            f: facts,
            z: String::new(),
        };
        let mut token = self.seal(&content);
        if token.len() < token_chars_min.min(TOKEN_CHARS_MAX) {
            content.z = "0".repeat((token_chars_min - token.len()) / 4 * 3 + 3);
            token = self.seal(&content);
        }
        if token.len() > TOKEN_CHARS_MAX {
            return Err(TokenTooLarge { size: token.len() });
        }
        Ok(Issued { credentials: content.into(), token: token.into() })
    }

    fn seal(&self, content: &Content) -> String {
        let mut sealed = serde_json::to_vec(content).expect("texts and numbers are JSON");
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
        let version = header[0];
        let nonce = Nonce::try_assume_unique_for_key(&header[1..]).map_err(|_| InvalidToken)?;
        let mut sealed = sealed.to_vec();
        let content =
            self.key.open_in_place(nonce, Aad::from([version]), &mut sealed).map_err(|_| InvalidToken)?;
        match version {
            VERSION => {
                let content: Content = serde_json::from_slice(content).map_err(|_| InvalidToken)?;
                Ok(content.into())
            }
            VERSION_OF_NODES => {
                let content: ContentOfNodes = serde_json::from_slice(content).map_err(|_| InvalidToken)?;
                content.try_into()
            }
            _ => Err(InvalidToken),
        }
    }
}

impl From<Content> for TemporaryCredentials {
    fn from(content: Content) -> Self {
        Self {
            access_key_id: content.k,
            secret: content.x.into(),
            bearer: content.w,
            facts: Arc::new(content.f),
        }
    }
}

impl TryFrom<ContentOfNodes> for TemporaryCredentials {
    type Error = InvalidToken;

    fn try_from(content: ContentOfNodes) -> Result<Self, InvalidToken> {
        let issued_at = Timestamp::from_second(content.issued).map_err(|_| InvalidToken)?;
        let lifetime = SignedDuration::from_secs(content.expires.saturating_sub(content.issued));
        Ok(Self {
            access_key_id: content.key,
            secret: content.secret.into(),
            bearer: Bearer::Role {
                name: content.role,
                id: None,
                session_name: content.name,
                node: content.node,
            },
            facts: Arc::new(TokenFacts::new(issued_at, lifetime)),
        })
    }
}

#[cfg(test)]
mod tests;
