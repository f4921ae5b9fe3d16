//! Who called, as a record shows it.

use postern_audit::{
    Attributes, IdentityType, SessionContext, SessionIssuer, UserIdentity, WebIdFederationData,
};
use postern_ids::AccountId;
use serde_json::json;

use crate::auth::{Caller, Principal, TokenFacts};

/// A caller whose signature was good, or who needed none.
pub(crate) fn of_caller(caller: &Caller, account: &AccountId) -> UserIdentity {
    let known = |kind| UserIdentity {
        principal_id: caller.principal.user_id(),
        arn: Some(caller.principal.name().to_owned()),
        account_id: Some(account.clone()),
        access_key_id: caller.access_key_id.clone(),
        ..UserIdentity::new(kind)
    };
    match &caller.principal {
        Principal::User { name, .. } => UserIdentity {
            user_name: Some(name.to_string()),
            session_context: caller.token.as_deref().map(session_context),
            ..known(IdentityType::IamUser)
        },
        Principal::RoleSession { role, role_id, role_arn, .. } => {
            let issuer = SessionIssuer {
                kind: "Role".to_owned(),
                principal_id: role_id.to_string(),
                arn: role_arn.to_string(),
                account_id: account.clone(),
                user_name: role.to_string(),
            };
            let context = caller.token.as_deref().map(session_context).unwrap_or_default();
            let session_context = Some(SessionContext { session_issuer: Some(issuer), ..context });
            UserIdentity { session_context, ..known(IdentityType::AssumedRole) }
        }
        // It signs with a key of its own that no user or role has.
        Principal::Node { node, .. } => {
            UserIdentity { principal_id: Some(node.to_string()), ..known(IdentityType::AwsAccount) }
        }
        Principal::WebIdentity { subject, .. } => UserIdentity {
            arn: None,
            user_name: Some(subject.clone()),
            ..known(IdentityType::WebIdentityUser)
        },
        Principal::Anonymous => UserIdentity::new(IdentityType::Unknown),
    }
}

/// Somebody who has proved nothing, with the access key that they named, if it can be one.
pub(crate) fn of_stranger(claimed_access_key: Option<String>) -> UserIdentity {
    UserIdentity { access_key_id: claimed_access_key, ..UserIdentity::new(IdentityType::Unknown) }
}

fn session_context(token: &TokenFacts) -> SessionContext {
    let federation = token.federation.as_ref().map(|federation| WebIdFederationData {
        federated_provider: Some(federation.provider.to_string()),
        attributes: Some(json!(federation.claims)),
    });
    SessionContext {
        attributes: Some(Attributes {
            creation_date: token.issued_at,
            mfa_authenticated: token.mfa_at.is_some().to_string(),
        }),
        web_id_federation_data: federation,
        source_identity: token.source_identity.clone(),
        ..SessionContext::default()
    }
}
