//! What is stored of a sign-in, sealed: who signed in, and as whom it acts.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use postern_ids::{AccessKeyId, PrincipalId};
use postern_store::{ConsoleSignIn, Secret, StoreError, User};
use serde::{Deserialize, Serialize};

use crate::auth::{Acting, Bearer, TokenFacts};
use crate::random::Random;

/// What is stored of a sign-in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Content {
    /// Who signed in.
    pub(super) owner: Identity,
    /// The role that it acts as since.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) role: Option<Identity>,
}

/// Somebody, as temporary credentials would have it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Identity {
    pub(super) bearer: Bearer,
    pub(super) facts: TokenFacts,
    /// Stands in records in the place of an access key; there is no secret to it.
    pub(super) key: AccessKeyId,
}

impl Identity {
    pub(super) fn new(bearer: Bearer, facts: TokenFacts, random: &dyn Random) -> Self {
        Self { bearer, facts, key: AccessKeyId::temporary(random.bytes()) }
    }

    /// A user who signs in at `now`.
    pub(super) fn of_user(
        user: &User,
        now: Timestamp,
        lifetime: SignedDuration,
        random: &dyn Random,
    ) -> Self {
        let bearer = Bearer::User { name: user.name.clone(), id: user.id.clone() };
        Self::new(bearer, TokenFacts::new(now, lifetime), random)
    }

    pub(super) fn acting(&self) -> Acting<'_> {
        Acting { bearer: &self.bearer, facts: Arc::new(self.facts.clone()), access_key_id: &self.key }
    }

    /// `aws:userid`, by which sign-ins belong to somebody.
    pub(super) fn user_id(&self) -> String {
        match &self.bearer {
            Bearer::User { id, .. } => id.to_string(),
            Bearer::Role { id, session_name, .. } => {
                format!("{}:{session_name}", id.as_ref().map_or("", PrincipalId::as_str))
            }
        }
    }

    /// The name that people know it by.
    pub(super) fn name(&self) -> &str {
        match &self.bearer {
            Bearer::User { name, .. } => name.as_str(),
            Bearer::Role { session_name, .. } => session_name,
        }
    }
}

impl Content {
    /// What is stored of `sign_in`.
    pub(super) fn read(sign_in: &ConsoleSignIn) -> Result<Self, StoreError> {
        serde_json::from_slice(sign_in.content.expose_secret()).map_err(|error| StoreError::InvalidRow {
            table: "console_sign_ins",
            column: "content_sealed",
            id: sign_in.id.clone(),
            source: error.into(),
        })
    }

    /// As it is stored.
    pub(super) fn written(&self) -> Secret<Vec<u8>> {
        serde_json::to_vec(self).expect("texts and numbers are JSON").into()
    }

    /// As whom the sign-in acts.
    pub(super) fn acting(&self) -> &Identity {
        self.role.as_ref().unwrap_or(&self.owner)
    }
}
