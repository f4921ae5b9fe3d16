//! Who did what a record tells.
//!
//! Source: the CloudTrail user guide, "CloudTrail userIdentity element".

use jiff::Timestamp;
use postern_ids::AccountId;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Who.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UserIdentity {
    /// What they are.
    #[serde(rename = "type")]
    pub kind: IdentityType,
    /// Their unique identifier: `AIDA…`, `AROA…:session-name`, or an account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub principal_id: Option<String>,
    /// Their ARN; of an assumed role, for sessions of a role.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub arn: Option<String>,
    /// Their account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account_id: Option<AccountId>,
    /// The key that signed, as it was sent; empty for a sign-in to the console.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub access_key_id: Option<String>,
    /// The name of a user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_name: Option<String>,
    /// The service that made the call for them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub invoked_by: Option<String>,
    /// What their temporary credentials say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_context: Option<SessionContext>,
}

/// What somebody is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum IdentityType {
    /// The account itself.
    Root,
    /// A user of IAM.
    #[serde(rename = "IAMUser")]
    IamUser,
    /// A session of a role.
    AssumedRole,
    /// A federated session of a user.
    FederatedUser,
    /// Somebody with a token of an OpenID provider.
    WebIdentityUser,
    /// Somebody with an assertion of a SAML provider.
    #[serde(rename = "SAMLUser")]
    SamlUser,
    /// Another account.
    #[serde(rename = "AWSAccount")]
    AwsAccount,
    /// A service.
    #[serde(rename = "AWSService")]
    AwsService,
    /// Somebody of a directory.
    Directory,
    /// Nobody knows.
    Unknown,
}

/// What temporary credentials say.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Default)]
#[serde(rename_all = "camelCase")]
pub struct SessionContext {
    /// Whose session it is: the role.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_issuer: Option<SessionIssuer>,
    /// Who vouched for the person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub web_id_federation_data: Option<WebIdFederationData>,
    /// When and how the credentials were made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attributes: Option<Attributes>,
    /// The person behind the role, when it was set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_identity: Option<String>,
    /// How an instance got them, `1.0` or `2.0`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ec2_role_delivery: Option<String>,
}

/// The role whose session it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SessionIssuer {
    /// `Role`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Its unique identifier.
    pub principal_id: String,
    /// Its ARN.
    pub arn: String,
    /// Its account.
    pub account_id: AccountId,
    /// Its name.
    pub user_name: String,
}

/// Who vouched for the person.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Default)]
#[serde(rename_all = "camelCase")]
pub struct WebIdFederationData {
    /// The provider.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub federated_provider: Option<String>,
    /// What it said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attributes: Option<Value>,
}

/// When and how temporary credentials were made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Attributes {
    /// When.
    pub creation_date: Timestamp,
    /// Whether with a second factor: `"true"` or `"false"`.
    pub mfa_authenticated: String,
}

impl UserIdentity {
    /// An identity of which nothing else is known yet.
    #[must_use]
    pub fn new(kind: IdentityType) -> Self {
        Self {
            kind,
            principal_id: None,
            arn: None,
            account_id: None,
            access_key_id: None,
            user_name: None,
            invoked_by: None,
            session_context: None,
        }
    }

    /// A service that acts by itself.
    #[must_use]
    pub fn service(name: &str) -> Self {
        Self { invoked_by: Some(name.to_owned()), ..Self::new(IdentityType::AwsService) }
    }

    /// A user's name, or the session name of a role, which follows the colon in the unique identifier.
    pub(crate) fn name(&self) -> Option<&str> {
        let session = || self.principal_id.as_deref()?.split_once(':').map(|(_, session)| session);
        self.user_name.as_deref().or_else(session)
    }
}
