//! The record of one call while the call runs: each step adds what it has found out.

use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use postern_api::{ApiError, Code, CommonError, Protocol};
use postern_audit::{Class, HIDDEN, Pending, Record};
use postern_ids::{AccountId, Arn, NodeId};
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::elements::elements;
use super::operation::{Described, event_source};
use super::{identity, resource, sign_in_event};
use crate::auth::{Caller, Check, NotAuthorized, Permit, Principal};

/// The record of one call while the call runs.
pub(crate) struct Entry {
    account: AccountId,
    draft: Mutex<Draft>,
}

/// What is known so far.
pub(super) struct Draft {
    pub(super) record: Record,
    pub(super) what: What,
    pub(super) who: Who,
    pub(super) is_data: bool,
    /// The operation's own additions to the table of hidden members.
    shown_parameters: bool,
    pub(super) pending: Option<Pending>,
    pub(super) is_begun: bool,
}

/// Which operation it is.
#[derive(Debug, Clone, Copy)]
pub(super) enum What {
    /// Nothing that has asked for an operation: a browser, a scanner.
    Nothing,
    /// One that this server does not know.
    Unknown,
    Known(Described),
}

/// Who calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Who {
    Stranger,
    Node(NodeId),
    Person,
}

/// How a call ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failure {
    /// The code as the client gets it.
    pub(crate) code: String,
    pub(crate) message: String,
    /// Whether the caller was known and not allowed.
    pub(crate) is_denial: bool,
}

impl Failure {
    /// An error that is answered in a protocol; `None`: XML of its own.
    pub(crate) fn new(error: &ApiError, protocol: Protocol) -> Self {
        Self {
            code: error.code.name_in(protocol).to_owned(),
            message: error.message.clone(),
            is_denial: error.code == Code::Common(CommonError::AccessDenied),
        }
    }
}

impl std::fmt::Debug for Entry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Entry")
    }
}

impl Entry {
    pub(super) fn new(record: Record, account: AccountId) -> Self {
        let draft = Draft {
            record,
            what: What::Nothing,
            who: Who::Stranger,
            is_data: false,
            shown_parameters: false,
            pending: None,
            is_begun: false,
        };
        Self { account, draft: Mutex::new(draft) }
    }

    pub(super) fn account(&self) -> &AccountId {
        &self.account
    }

    pub(super) fn draft(&self) -> MutexGuard<'_, Draft> {
        self.draft.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The operation that the request asks for.
    pub(crate) fn operation(&self, operation: impl Into<Described>) {
        let described = operation.into();
        let mut draft = self.draft();
        draft.record.event_source = event_source(described.service);
        described.name.clone_into(&mut draft.record.event_name);
        draft.record.api_version = described.api_version.map(str::to_owned);
        draft.record.read_only = Some(described.is_read_only);
        draft.what = What::Known(described);
    }

    /// An operation on buckets or objects.
    pub(crate) fn object_operation(&self, name: &str, is_read_only: bool) {
        self.operation(Described {
            service: "s3",
            name: "",
            api_version: Some("2006-03-01"),
            is_read_only,
            changes: false,
            shows_answer: false,
            is_routine_of_nodes: false,
        });
        name.clone_into(&mut self.draft().record.event_name);
    }

    /// An operation that nobody knows, by the name that was sent.
    pub(crate) fn unknown_operation(&self, service: &str, name: &str) {
        let mut draft = self.draft();
        let plain = |text: &str| -> String {
            text.chars().filter(|c| c.is_ascii_graphic()).take(UNKNOWN_NAME_CHARS_MAX).collect()
        };
        draft.record.event_source = event_source(&plain(service));
        draft.record.event_name = plain(name);
        draft.what = What::Unknown;
    }

    /// Work with data rather than management.
    pub(crate) fn data_event(&self) {
        let mut draft = self.draft();
        draft.is_data = true;
        draft.record.management_event = Some(false);
        draft.record.event_category = postern_audit::EventCategory::Data;
    }

    /// Who calls.
    pub(crate) fn caller(&self, caller: &Caller) {
        let mut draft = self.draft();
        draft.record.user_identity = identity::of_caller(caller, &self.account);
        let is_of_console = caller.token.as_ref().is_some_and(|token| token.sign_in.is_some());
        draft.record.session_credential_from_console = is_of_console.then(|| "true".to_owned());
        draft.who = match &caller.principal {
            // An unsigned call: who makes it has yet to be proved.
            Principal::Anonymous => Who::Stranger,
            principal => principal.node().map_or(Who::Person, |node| Who::Node(node.clone())),
        };
    }

    /// What was asked for.
    pub(crate) fn input(&self, input: &impl Serialize) {
        let mut parameters = elements(input);
        let mut draft = self.draft();
        if !draft.shown_parameters
            && HIDES_PARAMETERS.contains(&draft.record.event_name.as_str())
            && let Some(hidden) = parameters.as_mut().and_then(|parameters| parameters.get_mut("parameters"))
        {
            *hidden = HIDDEN.into();
        }
        draft.record.request_parameters = parameters;
    }

    /// The parameters of the document may be seen: ports and hosts, for example.
    pub(crate) fn show_parameters(&self, input: &impl Serialize) {
        self.draft().shown_parameters = true;
        self.input(input);
    }

    /// What was asked for, where it is no shape of the model.
    pub(crate) fn parameters(&self, parameters: Map<String, Value>) {
        self.draft().record.request_parameters = (!parameters.is_empty()).then(|| parameters.into());
    }

    /// What is answered, if records of the operation show that.
    pub(crate) fn output(&self, output: &impl Serialize) {
        let mut draft = self.draft();
        if let What::Known(Described { shows_answer: true, .. }) = draft.what {
            draft.record.response_elements = elements(output);
        }
    }

    /// What the call is about.
    pub(crate) fn resource(&self, arn: &Arn) {
        self.named_resource(arn.as_str());
    }

    /// The same by its name.
    pub(crate) fn named_resource(&self, arn: &str) {
        let Some(resource) = resource::of_arn(arn, &self.account) else { return };
        let resources = &mut self.draft().record.resources;
        if !resources.iter().any(|known| known.arn == resource.arn) {
            resources.push(resource);
        }
    }

    /// What policies are asked.
    pub(crate) fn checks(&self, checks: &[Check]) {
        // Of two names of one thing the first is its own.
        checks.iter().filter_map(|check| check.names().first()).for_each(|arn| self.resource(arn));
    }

    /// What they said.
    pub(crate) fn decision(&self, decided: &Result<Permit, NotAuthorized>) {
        let decision = match decided {
            Ok(permit) => described_decision(permit.decision()),
            Err(NotAuthorized::Denied(denied)) => described_decision(&denied.decision),
            Err(NotAuthorized::Undecided(_)) => json!({"result": "UNDECIDED"}),
        };
        self.fact("decision", decision);
    }

    /// A fact of Postern's own.
    pub(crate) fn fact(&self, name: &str, value: impl Into<Value>) {
        self.draft().record.additional_event_data.insert(name.to_owned(), value.into());
    }
}

/// Longer names are none.
const UNKNOWN_NAME_CHARS_MAX: usize = 64;
/// Operations whose `parameters` are what a document's program is run with: they may hold anything.
const HIDES_PARAMETERS: [&str; 2] = ["SendCommand", "StartSession"];

/// A decision as records have it.
pub(crate) fn described_decision(decision: &postern_iam::Decision) -> Value {
    use postern_iam::{Layer, Verdict};
    let result = match decision.verdict {
        Verdict::Allow => "ALLOW",
        Verdict::ImplicitDeny => "IMPLICIT_DENY",
        Verdict::ExplicitDeny => "EXPLICIT_DENY",
    };
    let layer = match decision.layer {
        Layer::Guardrail => "guardrail",
        Layer::Resource => "resource",
        Layer::Identity => "identity",
        Layer::Boundary => "boundary",
        Layer::Session => "session",
    };
    match &decision.statement {
        Some(statement) => json!({
            "result": result,
            "layer": layer,
            "policy": &*statement.policy,
            "statement": statement.index,
        }),
        None => json!({"result": result, "layer": layer}),
    }
}

impl Draft {
    /// Whether an intent must be on the trail before the call does its work.
    pub(super) fn needs_intent(&self) -> bool {
        let What::Known(described) = self.what else { return false };
        !self.is_begun && described.changes && !self.is_routine()
    }

    fn changes(&self) -> bool {
        matches!(self.what, What::Known(described) if described.changes)
    }

    /// Whether it is what nodes do over and over.
    pub(super) fn is_routine(&self) -> bool {
        matches!((&self.what, &self.who), (What::Known(described), Who::Node(_)) if described.is_routine_of_nodes)
    }

    /// A change that was answered with success and asked for no permit is a mistake of ours.
    pub(super) fn check_intent(&self) {
        if self.needs_intent() && self.record.error_code.is_none() {
            tracing::error!("{} changed something before it was on the audit trail", self.record.event_name);
            debug_assert!(false, "{} acts without a permit", self.record.event_name);
        }
    }

    /// What the record is kept as.
    pub(super) fn class(&self) -> Class {
        let is_read_only = self.is_read_only();
        match &self.who {
            Who::Node(_) => Class::Node,
            Who::Person | Who::Stranger if self.is_data => Class::Data,
            Who::Person | Who::Stranger if is_read_only => Class::Read,
            Who::Person | Who::Stranger => Class::Write,
        }
    }

    pub(super) fn is_read_only(&self) -> bool {
        self.record.read_only.unwrap_or(false)
    }

    /// Whether nothing comes of the call but its answer. Credentials are more, though CloudTrail calls that reading.
    pub(super) fn only_reads(&self) -> bool {
        let gives = matches!(self.what, What::Known(described) if described.hands_out());
        self.is_read_only() && !gives
    }

    /// Completes the record.
    pub(super) fn end(&mut self, at: Timestamp, failure: Option<Failure>) {
        self.record.event_time = at;
        let Some(failure) = failure else { return };
        self.record.response_elements = sign_in_event::failed(self.what);
        // CloudTrail writes the form without the suffix, whatever is on the wire.
        let code = if failure.is_denial { "AccessDenied" } else { &failure.code };
        if failure.is_denial && failure.code != code {
            let wire = Value::from(failure.code.clone());
            self.record.additional_event_data.insert("wireErrorCode".to_owned(), wire);
        }
        // Of a failed sign-in it says only that it failed.
        let is_told = self.record.response_elements.is_none() || self.changes();
        self.record.error_code = is_told.then(|| code.to_owned());
        self.record.error_message = Some(failure.message);
    }
}

#[cfg(test)]
mod tests {
    use postern_api::{Operation, kms, ssm, sts};
    use postern_audit::{IdentityType, UserIdentity};

    use super::*;

    #[test]
    fn what_hands_out_credentials_does_not_only_read() {
        for (operation, only_reads) in [
            (Operation::Ssm(ssm::Operation::DescribeSessions), true),
            (Operation::Ssm(ssm::Operation::StartSession), false),
            (Operation::Sts(sts::Operation::GetCallerIdentity), true),
            (Operation::Sts(sts::Operation::AssumeRole), false),
            (Operation::Sts(sts::Operation::AssumeRoleWithWebIdentity), false),
            (Operation::Sts(sts::Operation::GetSessionToken), false),
            (Operation::Kms(kms::Operation::DescribeKey), true),
            (Operation::Kms(kms::Operation::Decrypt), false),
        ] {
            let (region, who) = ("us-east-1".parse().unwrap(), UserIdentity::new(IdentityType::Unknown));
            let (id, at) = (uuid::Uuid::nil(), Timestamp::UNIX_EPOCH);
            let record = Record::api_call(id, at, String::new(), String::new(), region, who);
            let entry = Entry::new(record, "111122223333".parse().unwrap());
            entry.operation(operation);
            assert_eq!(entry.draft().only_reads(), only_reads, "{operation:?}");
        }
    }
}
