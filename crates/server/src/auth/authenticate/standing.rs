//! Whether whoever once signed a request could still do so: the identity and the credentials are what they were.

use std::sync::Arc;

use jiff::Timestamp;
use postern_ids::AccessKeyId;
use postern_store::StoreError;

use super::{Authenticator, Bearer, Caller, Principal, TokenFacts, is_valid};

/// Why somebody is known no longer. `Display` goes into "the permission was revoked (…)".
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Lost {
    /// The user does not exist any more.
    #[error("its user was deleted")]
    User,
    /// The role does not exist any more.
    #[error("its role was deleted")]
    Role,
    /// The access key was switched off or deleted.
    #[error("its access key is not active any more")]
    Key,
    /// The sessions of the user or role were revoked after the credentials were made.
    #[error("its temporary credentials were revoked")]
    Sessions,
    /// The sign-in to the console that it started in was ended, because it is not trusted any more.
    #[error("its sign-in to the console was revoked")]
    SignIn,
    /// It is a node, and registered no longer.
    #[error("its node was de-registered")]
    Node,
}

impl Authenticator {
    /// The principal behind `bearer` as it is called now, if the credentials `key` or `token` are still good. That
    /// temporary credentials have expired does not count: they were good when they were used.
    ///
    /// # Errors
    /// If storage fails.
    pub async fn standing(
        &self,
        bearer: &Bearer,
        key: Option<&AccessKeyId>,
        token: Option<&Arc<TokenFacts>>,
    ) -> Result<Result<Principal, Lost>, StoreError> {
        if let Some(sign_in) = token.and_then(|facts| facts.sign_in.as_ref())
            && !self.store.is_console_sign_in_trusted(sign_in).await?
        {
            return Ok(Err(Lost::SignIn));
        }
        let is_revoked =
            |valid_after: Option<Timestamp>| token.is_some_and(|facts| !is_valid(facts, valid_after));
        match bearer {
            Bearer::User { id, .. } => {
                let Some(user) = self.identities.user(id).await? else { return Ok(Err(Lost::User)) };
                if is_revoked(user.sessions_valid_after) {
                    return Ok(Err(Lost::Sessions));
                }
                // A long-term key, or the one that the credentials were made with, if that is known.
                let key = match token {
                    Some(facts) => facts.issued_by.as_ref(),
                    None => key,
                };
                let is_active = match key {
                    Some(key) => {
                        let holder = self.identities.active_key(key).await?;
                        holder.is_some_and(|holder| holder.user.id == *id)
                    }
                    None => token.is_some(),
                };
                Ok(if is_active { Ok(self.user_principal(&user)) } else { Err(Lost::Key) })
            }
            Bearer::Role { id, session_name, node, .. } => {
                let Some(id) = id else { return Ok(Err(Lost::Role)) };
                let Some(role) = self.identities.role(id).await? else { return Ok(Err(Lost::Role)) };
                if is_revoked(role.sessions_valid_after) {
                    return Ok(Err(Lost::Sessions));
                }
                if let Some(node) = node
                    && !self.identities.has_node(node).await?
                {
                    return Ok(Err(Lost::Node));
                }
                Ok(Ok(self.role_principal(&role, session_name.clone(), node.clone())))
            }
        }
    }
}

impl Caller {
    /// Who it is in the long run: by unique identifier. `None`: nobody that has credentials of IAM.
    #[must_use]
    pub fn bearer(&self) -> Option<Bearer> {
        match &self.principal {
            Principal::User { name, id, .. } => Some(Bearer::User { name: name.clone(), id: id.clone() }),
            Principal::RoleSession { role, role_id, session_name, node, .. } => Some(Bearer::Role {
                name: role.clone(),
                id: Some(role_id.clone()),
                session_name: session_name.clone(),
                node: node.clone(),
            }),
            Principal::Node { .. } | Principal::WebIdentity { .. } | Principal::Anonymous => None,
        }
    }
}
