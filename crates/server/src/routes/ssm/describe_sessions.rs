//! `DescribeSessions`: live sessions, and those that ended within 30 days; newest first.

use std::collections::BTreeSet;

use postern_api::ssm::{
    self, DescribeSessionsInput, DescribeSessionsOutput, Session, SessionFilterKey, SessionManagerOutputUrl,
    errors,
};
use postern_api::{ApiError, CommonError};
use postern_store::{
    AccessType, Page, SessionCursor, SessionFilter, SessionQuery, SessionRecord, SessionState, SessionStatus,
};

use crate::page_token::Listing;
use crate::routes::call::Call;
use crate::routes::failure;

const RESULTS_DEFAULT: u32 = 200;
/// Source: AWS SSM API reference, `DescribeSessions`.
const FILTERS_MAX: usize = 6;

/// What a filter comes to.
enum Condition {
    Filter(SessionFilter),
    /// No session can match: the value is no identifier of anything here.
    Nothing,
}

pub(super) async fn describe_sessions(
    call: Call<DescribeSessionsInput>,
) -> Result<DescribeSessionsOutput, ApiError> {
    let state = match &call.input.state {
        ssm::SessionState::Active => SessionState::Active,
        ssm::SessionState::History => SessionState::History { now: call.at },
        ssm::SessionState::Unknown(other) => {
            let message = format!("State {other:.32} is not valid.");
            return Err(ApiError::new(CommonError::Validation, message));
        }
    };
    let filters = filters(call.input.filters.as_deref().unwrap_or_default())?;
    let _permit = call.authorize([call.check()]).await?;
    let listing = Listing::new("DescribeSessions", &(&call.input.state, &call.input.filters));
    let after: Option<SessionCursor> = call.page_after(&listing, call.input.next_token.as_deref())?;
    let Some(filters) = filters else {
        return Ok(DescribeSessionsOutput { sessions: Some(Vec::new()), next_token: None });
    };
    let limit = call.input.max_results.and_then(|count| u32::try_from(count).ok()).unwrap_or(RESULTS_DEFAULT);
    let query = SessionQuery { state, filters, page: Page { after, limit } };
    let found = call.app.store.sessions(&query).await.map_err(failure::store)?;
    Ok(DescribeSessionsOutput {
        sessions: Some(found.items.into_iter().map(shown).collect()),
        next_token: found.next.map(|cursor| call.app.page_tokens.seal(&listing, &cursor)),
    })
}

/// `None`: no session can match.
fn filters(given: &[ssm::SessionFilter]) -> Result<Option<Vec<SessionFilter>>, ApiError> {
    let invalid = |message: String| ApiError::new(CommonError::Validation, message);
    if given.len() > FILTERS_MAX {
        return Err(invalid(format!("At most {FILTERS_MAX} filters can be given.")));
    }
    let mut keys = BTreeSet::new();
    let mut filters = Vec::new();
    let mut can_match = true;
    for filter in given {
        if !keys.insert(filter.key.as_str()) {
            return Err(invalid(format!("The filter key {} is given twice.", filter.key)));
        }
        match condition(&filter.key, &filter.value)? {
            Condition::Filter(filter) => filters.push(filter),
            Condition::Nothing => can_match = false,
        }
    }
    Ok(can_match.then_some(filters))
}

fn condition(key: &SessionFilterKey, value: &str) -> Result<Condition, ApiError> {
    let invalid = || {
        let message = format!("The value {value:.64} of the filter {key} is not valid.");
        ApiError::new(CommonError::Validation, message)
    };
    let filter = match key {
        SessionFilterKey::InvokedAfter => SessionFilter::InvokedAfter(value.parse().map_err(|_| invalid())?),
        SessionFilterKey::InvokedBefore => {
            SessionFilter::InvokedBefore(value.parse().map_err(|_| invalid())?)
        }
        SessionFilterKey::Status => {
            SessionFilter::Status(value.parse::<SessionStatus>().map_err(|_| invalid())?)
        }
        SessionFilterKey::AccessType => {
            SessionFilter::AccessType(value.parse::<AccessType>().map_err(|_| invalid())?)
        }
        SessionFilterKey::Target => match value.parse() {
            Ok(node) => SessionFilter::Target(node),
            Err(_) => return Ok(Condition::Nothing),
        },
        SessionFilterKey::Owner => match value.parse() {
            Ok(arn) => SessionFilter::Owner(arn),
            Err(_) => return Ok(Condition::Nothing),
        },
        SessionFilterKey::SessionId => match value.parse() {
            Ok(session) => SessionFilter::SessionId(session),
            Err(_) => return Ok(Condition::Nothing),
        },
        SessionFilterKey::Unknown(key) => {
            let message = format!("The filter key {key:.64} is not valid.");
            return Err(ApiError::new(errors::INVALID_FILTER_KEY, message));
        }
    };
    Ok(Condition::Filter(filter))
}

fn shown(session: SessionRecord) -> Session {
    Session {
        session_id: Some(session.id.to_string()),
        target: Some(session.node.to_string()),
        status: Some(session.status.as_str().into()),
        start_date: Some(session.started_at.into()),
        end_date: session.ended_at.map(Into::into),
        document_name: Some(session.document_name),
        owner: Some(session.owner_arn.to_string()),
        reason: session.reason,
        details: session.details.or(session.end_reason),
        // Members of AWS's answers, empty when the session is logged nowhere else.
        output_url: Some(SessionManagerOutputUrl::default()),
        max_session_duration: session.max_session_duration_minutes.map(|minutes| minutes.to_string()),
        access_type: Some(session.access_type.as_str().into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filter(key: &str, value: &str) -> ssm::SessionFilter {
        ssm::SessionFilter { key: key.into(), value: value.to_owned() }
    }

    #[test]
    fn a_value_that_names_nothing_matches_nothing() {
        assert_eq!(filters(&[]).unwrap(), Some(vec![]));
        let status = filter("Status", "Connected");
        assert_eq!(
            filters(std::slice::from_ref(&status)).unwrap(),
            Some(vec![SessionFilter::Status(SessionStatus::Connected)])
        );
        assert_eq!(filters(&[status, filter("Target", "i-0123456789abcdef0")]).unwrap(), None);
    }

    #[test]
    fn values_that_cannot_be_read_are_refused() {
        for wrong in [
            vec![filter("InvokedAfter", "yesterday")],
            vec![filter("Status", "Sleeping")],
            vec![filter("Colour", "red")],
            vec![filter("Status", "Connected"), filter("Status", "Failed")],
        ] {
            assert!(filters(&wrong).is_err(), "{wrong:?}");
        }
    }
}
