//! The record of a call whose outcome was never written.

use postern_audit_format::{Addendum, AddendumReason, Record};
use serde_json::Value;

/// The error code of a call whose outcome is not known.
const ERROR_CODE: &str = "OutcomeUnknown";

/// Why the outcome is not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cause {
    /// The server ended before it was written.
    ServerStopped,
    /// The call was cut off: it took too long, or its connection closed.
    CallCutOff,
}

/// Makes the record from the body of the intent: the same event, of which only the end is missing.
///
/// A body that cannot be read was changed, since it came from a record; that is reported when the chain is verified.
pub(crate) fn record(intent: &[u8], cause: Cause) -> Result<Record, serde_json::Error> {
    let mut record: Record = serde_json::from_slice(intent)?;
    let why = match cause {
        Cause::ServerStopped => "The server stopped before the outcome of this call was recorded.",
        Cause::CallCutOff => "The call was cut off before its outcome was recorded.",
    };
    record.error_code = Some(ERROR_CODE.to_owned());
    record.error_message = Some(format!("{why} It may have taken effect."));
    record.response_elements = None;
    record.addendum = Some(Addendum {
        reason: AddendumReason::ServiceOutage,
        updated_fields: None,
        original_request_id: record.request_id.clone(),
        original_event_id: None,
    });
    record.additional_event_data.insert("outcome".to_owned(), Value::from("unknown"));
    Ok(record)
}
