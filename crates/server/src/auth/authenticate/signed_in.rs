//! Whoever acts in a sign-in to the console: the same checks as for temporary credentials, but for the signature.

use std::sync::Arc;

use postern_api::{Operation, sts};
use postern_ids::AccessKeyId;

use super::{Action, Authenticator, Bearer, Caller, Received, TokenFacts, Unauthenticated};

/// Who acts in a sign-in: the one who signed in, or a role that was taken on since.
#[derive(Debug, Clone)]
pub struct Acting<'a> {
    /// By unique identifier.
    pub bearer: &'a Bearer,
    /// What policies may ask; the sign-in is named in it.
    pub facts: Arc<TokenFacts>,
    /// What stands in records in the place of an access key. Nothing can be signed with it.
    pub access_key_id: &'a AccessKeyId,
}

impl Authenticator {
    /// The caller of `received`, which came with a good cookie and wants to do `action`.
    ///
    /// # Errors
    /// [`Unauthenticated`]; `ExpiredToken` if whoever signed in is not there any more, or was signed out by others.
    pub async fn signed_in(
        &self,
        acting: Acting<'_>,
        received: Received<'_>,
        action: Action,
    ) -> Result<Caller, Unauthenticated> {
        let Acting { bearer, facts, access_key_id } = acting;
        if facts.expires_at <= received.at {
            return Err(Unauthenticated::ExpiredToken);
        }
        if matches!(bearer, Bearer::User { .. }) && !may_sign_ins_of_users(action) {
            return Err(Unauthenticated::NotByUserSessions);
        }
        let principal = match self.standing(bearer, None, Some(&facts)).await? {
            Ok(principal) => principal,
            Err(lost) => {
                tracing::info!(target: "audit", "a sign-in to the console is good no longer: {lost}");
                return Err(Unauthenticated::ExpiredToken);
            }
        };
        if let Bearer::Role { name, .. } = bearer {
            self.last_used.note_role(name, received.at);
        }
        Ok(Caller {
            principal,
            access_key_id: Some(access_key_id.to_string()),
            region: Some(action.requested_region(&self.region)),
            source_ip: received.source_ip,
            token: Some(facts),
        })
    }
}

/// As for the credentials of `GetSessionToken`, but that AWS's console manages users without MFA as well.
fn may_sign_ins_of_users(action: Action) -> bool {
    match action {
        Action::Operation(Operation::Sts(operation)) => {
            matches!(operation, sts::Operation::AssumeRole | sts::Operation::GetCallerIdentity)
        }
        _ => true,
    }
}
