//! Who calls.

use std::net::IpAddr;

use jiff::Timestamp;
use postern_ids::{Arn, NodeId, PrincipalId, RoleName, UserName};

/// Who calls an operation, as far as the signature tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// Who it is.
    pub principal: Principal,
    /// The access key of the signature; a node's ID if it signed with its RSA key.
    pub access_key_id: Option<String>,
    /// Where the request came from.
    pub source_ip: IpAddr,
    /// When the temporary credentials were issued.
    pub token_issued_at: Option<Timestamp>,
}

/// The kinds of callers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Principal {
    /// An IAM user with a long-term access key.
    User {
        /// The name.
        name: UserName,
        /// The unique identifier.
        id: PrincipalId,
        /// `arn:aws:iam::…:user/…`.
        arn: Arn,
    },
    /// Whoever holds temporary credentials of a role.
    RoleSession {
        /// The role.
        role: RoleName,
        /// The role's unique identifier.
        role_id: PrincipalId,
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
    /// Nobody: a machine that wants to register.
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
            Self::User { arn, .. } | Self::RoleSession { arn, .. } | Self::Node { arn, .. } => arn.as_str(),
            Self::Anonymous => "anonymous",
        }
    }

    /// The node that this caller is.
    #[must_use]
    pub fn node(&self) -> Option<&NodeId> {
        match self {
            Self::Node { node, .. } => Some(node),
            Self::RoleSession { node, .. } => node.as_ref(),
            Self::User { .. } | Self::Anonymous => None,
        }
    }

    /// `UserId` of `GetCallerIdentity`.
    #[must_use]
    pub fn user_id(&self) -> Option<String> {
        match self {
            Self::User { id, .. } => Some(id.to_string()),
            Self::RoleSession { role_id, session_name, .. } => Some(format!("{role_id}:{session_name}")),
            Self::Node { .. } | Self::Anonymous => None,
        }
    }
}
