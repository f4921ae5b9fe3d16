//! One record: what CloudTrail writes about a call or an event.
//!
//! Source: the CloudTrail user guide, "CloudTrail record contents", event version 1.08.

use jiff::Timestamp;
use postern_ids::{AccountId, Region};
use serde::{Deserialize, Serialize, Serializer};
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::identity::UserIdentity;

/// What stands in place of parameters that may hold secrets, as CloudTrail writes it for `SendCommand`.
pub const HIDDEN: &str = "HIDDEN_DUE_TO_SECURITY_REASONS";
/// What stands in place of a token in an answer, as CloudTrail writes it for `StartSession`.
pub const HIDDEN_TOKEN: &str = "Value hidden due to security reasons.";

/// The version of the record's layout.
pub(crate) const EVENT_VERSION: &str = "1.08";

/// One record. Members that AWS leaves out are `None`; `requestParameters` and `responseElements` are then `null`.
///
/// Whoever makes a record has replaced what is secret ([`HIDDEN`]); long values are cut when it is
/// [serialised](Self::to_body).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Record {
    /// The version of this layout.
    pub event_version: String,
    /// Who.
    pub user_identity: UserIdentity,
    /// When the request ended, by the server's clock; written in whole seconds.
    #[serde(serialize_with = "whole_seconds")]
    pub event_time: Timestamp,
    /// The service, such as `ssm.amazonaws.com`.
    pub event_source: String,
    /// The operation or the event.
    pub event_name: String,
    /// The region.
    pub aws_region: Region,
    /// The client's address, or the name of a service.
    #[serde(rename = "sourceIPAddress")]
    pub source_ip_address: String,
    /// The client's own description.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_agent: Option<String>,
    /// The code of the error that was answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_code: Option<String>,
    /// Its text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_message: Option<String>,
    /// The request's members, in lower camel case.
    #[serde(default)]
    pub request_parameters: Option<Value>,
    /// The answer's members, of calls that change something.
    #[serde(default)]
    pub response_elements: Option<Value>,
    /// What Postern adds.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub additional_event_data: Map<String, Value>,
    /// The value of `x-amzn-RequestId`; events have none.
    #[serde(rename = "requestID", default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// Identifies the record.
    #[serde(rename = "eventID")]
    pub event_id: Uuid,
    /// Whether the operation only reads.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub read_only: Option<bool>,
    /// What it was about.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub resources: Vec<Resource>,
    /// What kind of event it was.
    pub event_type: EventType,
    /// The version of the service's API.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api_version: Option<String>,
    /// Whether it was about the management of something, not about data in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub management_event: Option<bool>,
    /// The account that the record belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recipient_account_id: Option<AccountId>,
    /// What the records of one event in two accounts have in common.
    #[serde(rename = "sharedEventID", default, skip_serializing_if = "Option::is_none")]
    pub shared_event_id: Option<Uuid>,
    /// The VPC endpoint that the call came through.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vpc_endpoint_id: Option<String>,
    /// What a service says about its event.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service_event_details: Option<Value>,
    /// What the record is filed under.
    pub event_category: EventCategory,
    /// Why the record is late, or what it corrects.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub addendum: Option<Addendum>,
    /// `"true"` for a call with the console's credentials from elsewhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_credential_from_console: Option<String>,
    /// How the connection was protected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls_details: Option<TlsDetails>,
}

/// Something that a record is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Resource {
    /// Its ARN.
    #[serde(rename = "ARN")]
    pub arn: String,
    /// The account that it is in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account_id: Option<AccountId>,
    /// Its type, such as `AWS::SSM::ManagedInstance`.
    #[serde(rename = "type")]
    pub kind: String,
}

impl Resource {
    /// What `LookupEvents` calls it: the ARN's last part, after the type of the resource.
    #[must_use]
    pub fn name(&self) -> &str {
        let resource = self.arn.splitn(6, ':').nth(5).unwrap_or(&self.arn);
        resource.rsplit('/').next().unwrap_or(resource)
    }
}

/// What kind of event a record is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum EventType {
    /// A call of an operation.
    AwsApiCall,
    /// Something that a service did or saw.
    AwsServiceEvent,
    /// Something done in the console that is no public operation.
    AwsConsoleAction,
    /// A sign-in to the console.
    AwsConsoleSignIn,
}

/// What a record is filed under.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum EventCategory {
    /// Management of resources.
    Management,
    /// Work with the data in them.
    Data,
}

/// Why a record is late, or what it corrects.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Addendum {
    /// Why.
    pub reason: AddendumReason,
    /// The corrected members.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub updated_fields: Option<String>,
    /// The request of the record that is corrected.
    #[serde(rename = "originalRequestID", default, skip_serializing_if = "Option::is_none")]
    pub original_request_id: Option<String>,
    /// The record that is corrected.
    #[serde(rename = "originalEventID", default, skip_serializing_if = "Option::is_none")]
    pub original_event_id: Option<Uuid>,
}

/// Why a record is late or a correction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum AddendumReason {
    /// It could not be delivered in time.
    DeliveryDelay,
    /// A record lacked something or was wrong.
    UpdatedData,
    /// The service was away.
    ServiceOutage,
}

/// How a connection was protected.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TlsDetails {
    /// The version, such as `TLSv1.3`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls_version: Option<String>,
    /// The suite, such as `TLS_AES_128_GCM_SHA256`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cipher_suite: Option<String>,
    /// The name that the client asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_provided_host_header: Option<String>,
}

impl Record {
    /// A call of an operation. What is known beyond the arguments is set afterwards, member by member.
    #[must_use]
    pub fn api_call(
        event_id: Uuid,
        event_time: Timestamp,
        event_source: impl Into<String>,
        event_name: impl Into<String>,
        aws_region: Region,
        user_identity: UserIdentity,
    ) -> Self {
        Self {
            event_version: EVENT_VERSION.to_owned(),
            user_identity,
            event_time,
            event_source: event_source.into(),
            event_name: event_name.into(),
            aws_region,
            source_ip_address: String::new(),
            user_agent: None,
            error_code: None,
            error_message: None,
            request_parameters: None,
            response_elements: None,
            additional_event_data: Map::new(),
            request_id: None,
            event_id,
            read_only: None,
            resources: Vec::new(),
            event_type: EventType::AwsApiCall,
            api_version: None,
            management_event: Some(true),
            recipient_account_id: None,
            shared_event_id: None,
            vpc_endpoint_id: None,
            service_event_details: None,
            event_category: EventCategory::Management,
            addendum: None,
            session_credential_from_console: None,
            tls_details: None,
        }
    }

    /// Something that a service did or saw; `event_source` stands for the address, too.
    #[must_use]
    pub fn service_event(
        event_id: Uuid,
        event_time: Timestamp,
        event_source: &str,
        event_name: &str,
        aws_region: Region,
        user_identity: UserIdentity,
        details: Value,
    ) -> Self {
        Self {
            event_type: EventType::AwsServiceEvent,
            source_ip_address: event_source.to_owned(),
            read_only: Some(false),
            service_event_details: Some(details),
            ..Self::api_call(event_id, event_time, event_source, event_name, aws_region, user_identity)
        }
    }

    /// Who did it, as `LookupEvents` searches for it: a user's name, or the session name of a role.
    #[must_use]
    pub fn username(&self) -> Option<&str> {
        self.user_identity.name()
    }
}

/// CloudTrail's times have no fractions.
fn whole_seconds<S: Serializer>(time: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    let seconds = Timestamp::from_second(time.as_second()).map_err(serde::ser::Error::custom)?;
    serializer.collect_str(&seconds)
}
