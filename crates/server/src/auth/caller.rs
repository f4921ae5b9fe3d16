//! Who calls.

use std::net::IpAddr;
use std::sync::Arc;

use postern_ids::{Arn, NodeId, PrincipalId, RoleName, UserName};

use super::TokenFacts;

/// Who calls an operation, as far as the signature tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// Who it is.
    pub principal: Principal,
    /// The access key of the signature; a node's ID if it signed with its RSA key.
    pub access_key_id: Option<String>,
    /// The region that the request is for: `aws:RequestedRegion`.
    pub region: Option<String>,
    /// Where the request came from.
    pub source_ip: IpAddr,
    /// What the session token says. `None`: a long-term key, a node's RSA key, or no signature.
    pub token: Option<Arc<TokenFacts>>,
}

impl Caller {
    /// Somebody who has not signed.
    #[must_use]
    pub fn unsigned(principal: Principal, source_ip: IpAddr) -> Self {
        Self { principal, access_key_id: None, region: None, source_ip, token: None }
    }
}

/// The kinds of callers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Principal {
    /// An IAM user, with a long-term access key or with temporary credentials of `GetSessionToken`.
    User {
        /// The name.
        name: UserName,
        /// The unique identifier.
        id: PrincipalId,
        /// `arn:aws:iam::…:user/…`, with the user's path.
        arn: Arn,
    },
    /// Whoever holds temporary credentials of a role.
    RoleSession {
        /// The role.
        role: RoleName,
        /// The role's unique identifier.
        role_id: PrincipalId,
        /// `arn:aws:iam::…:role/…`, with the role's path: `aws:PrincipalArn`.
        role_arn: Arn,
        /// The session's name; for a node, its ID.
        session_name: String,
        /// `arn:aws:sts::…:assumed-role/…`.
        arn: Arn,
        /// The node that the credentials were issued to, and for which alone they speak.
        node: Option<NodeId>,
    },
    /// A node that signed with its RSA key, to get credentials or to change that key.
    Node {
        /// The node.
        node: NodeId,
        /// `arn:aws:ssm:…:managed-instance/…`.
        arn: Arn,
        /// Which of its keys.
        key: NodeKey,
    },
    /// Somebody whom an OIDC provider vouches for, who asks for a role: only the role's trust policy knows more.
    WebIdentity {
        /// `arn:aws:iam::…:oidc-provider/…`.
        provider: Arn,
        /// For whom it vouches.
        subject: String,
        /// For which of its client IDs.
        audience: String,
    },
    /// Nobody: a machine that wants to register, or somebody before a provider's token was looked at.
    Anonymous,
}

/// Which key a node signed with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NodeKey {
    /// The one that is registered.
    Current,
    /// The one before, shortly after a change whose answer the node may have missed. It can only repeat that
    /// change: the new key must be the one that is registered by now.
    Previous,
}

impl Principal {
    /// The name in messages and logs.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::User { arn, .. }
            | Self::RoleSession { arn, .. }
            | Self::Node { arn, .. }
            | Self::WebIdentity { provider: arn, .. } => arn.as_str(),
            Self::Anonymous => "anonymous",
        }
    }

    /// The node that this caller is.
    #[must_use]
    pub fn node(&self) -> Option<&NodeId> {
        match self {
            Self::Node { node, .. } => Some(node),
            Self::RoleSession { node, .. } => node.as_ref(),
            Self::User { .. } | Self::WebIdentity { .. } | Self::Anonymous => None,
        }
    }

    /// `UserId` of `GetCallerIdentity`.
    #[must_use]
    pub fn user_id(&self) -> Option<String> {
        match self {
            Self::User { id, .. } => Some(id.to_string()),
            Self::RoleSession { role_id, session_name, .. } => Some(format!("{role_id}:{session_name}")),
            Self::WebIdentity { provider, subject, audience } => {
                Some(format!("{provider}:{audience}:{subject}"))
            }
            Self::Node { .. } | Self::Anonymous => None,
        }
    }
}
