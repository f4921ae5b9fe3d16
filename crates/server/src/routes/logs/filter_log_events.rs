//! `FilterLogEvents`: events of some streams of a group that say something.

use std::sync::Arc;

use postern_api::ApiError;
use postern_api::logs::{FilterLogEventsInput, FilterLogEventsOutput, FilteredLogEvent};
use postern_log_filter::FilterPattern;
use postern_logs::{
    BATCH_BYTES_MAX, BATCH_EVENTS_MAX, Direction, EventQuery, GroupName, StoredEvent, Streams,
};

use super::{event_token, group, refusal, stream};
use crate::page_token::Listing;
use crate::routes::call::Call;

pub(super) async fn filter_log_events(
    call: Call<FilterLogEventsInput>,
) -> Result<FilterLogEventsOutput, ApiError> {
    call.entry.data_event();
    let (app, input) = (&call.app, &call.input);
    let name = group::one_of(app, input.log_group_name.as_deref(), input.log_group_identifier.as_deref())?;
    let _permit = call.authorize([group::check(&call, &name).await?]).await?;
    let pattern = input.filter_pattern.as_deref().map(pattern).transpose()?;
    let streams = streams(input)?;
    let found = group::ensure_exists(app, &name).await?;
    let listing = listing(input, &name);
    let (direction, start) = match &input.next_token {
        Some(token) => {
            let (direction, cut) =
                event_token::open(app, &listing, token).ok_or_else(refusal::invalid_token)?;
            (direction, Some(cut))
        }
        None if input.start_from_head.unwrap_or(true) => (Direction::Forward, None),
        None => (Direction::Backward, None),
    };
    let expired_before_ms = found.expired_before_ms(call.at.as_millisecond()).unwrap_or(0);
    let query = EventQuery {
        group: name,
        streams,
        from_ms: input.start_time.unwrap_or(0).max(expired_before_ms),
        // Included here, other than in `GetLogEvents`.
        until_ms: input.end_time.map_or(i64::MAX, |end| end.saturating_add(1)),
        direction,
        start,
        pattern,
        events_max: input.limit.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(BATCH_EVENTS_MAX),
        bytes_max: BATCH_BYTES_MAX,
    };
    let page = app.logs.store.events(query).await.map_err(refusal::events)?;
    Ok(FilterLogEventsOutput {
        events: Some(page.events.into_iter().map(shown).collect()),
        // Source: `searchedLogStreams`, CloudWatch Logs API reference: an empty list since 2020.
        searched_log_streams: Some(Vec::new()),
        next_token: page.next.map(|next| event_token::seal(app, &listing, direction, next)),
    })
}

/// Reads a pattern; what is wrong with it is said.
pub(super) fn pattern(text: &str) -> Result<Arc<FilterPattern>, ApiError> {
    let parsed = FilterPattern::parse(text);
    parsed.map(Arc::new).map_err(|error| refusal::invalid(format!("Invalid filter pattern: {error}")))
}

fn streams(input: &FilterLogEventsInput) -> Result<Streams, ApiError> {
    match (&input.log_stream_names, &input.log_stream_name_prefix) {
        (None, None) => Ok(Streams::All),
        (None, Some(prefix)) => Ok(Streams::Prefix(prefix.clone())),
        (Some(names), None) => {
            Ok(Streams::Named(names.iter().map(|name| stream::named(name)).collect::<Result<_, _>>()?))
        }
        (Some(_), Some(_)) => {
            let message = "LogStreamNamePrefix and LogStreamNames are mutually exclusive parameters.";
            Err(refusal::invalid(message))
        }
    }
}

fn listing(input: &FilterLogEventsInput, name: &GroupName) -> Listing {
    let asked = (
        name.as_str(),
        &input.log_stream_names,
        &input.log_stream_name_prefix,
        input.start_time,
        input.end_time,
        &input.filter_pattern,
    );
    Listing::new("FilterLogEvents", &asked)
}

fn shown(event: StoredEvent) -> FilteredLogEvent {
    FilteredLogEvent {
        event_id: Some(event_id(&event)),
        log_stream_name: Some(event.stream.to_string()),
        timestamp: Some(event.timestamp_ms),
        message: Some(event.message),
        ingestion_time: Some(event.ingested_at_ms),
    }
}

/// AWS's identifiers of events have 56 digits, and are ordered as events are.
fn event_id(event: &StoredEvent) -> String {
    format!("{:028}{:028}", event.timestamp_ms, event.id)
}
