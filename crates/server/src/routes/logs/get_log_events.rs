//! `GetLogEvents`: events of one stream, in both directions.

use postern_api::ApiError;
use postern_api::logs::{GetLogEventsInput, GetLogEventsOutput, OutputLogEvent};
use postern_logs::{BATCH_BYTES_MAX, BATCH_EVENTS_MAX, Cut, Direction, EventQuery, StoredEvent, Streams};

use super::{event_token, group, refusal, stream};
use crate::page_token::Listing;
use crate::routes::call::Call;

pub(super) async fn get_log_events(call: Call<GetLogEventsInput>) -> Result<GetLogEventsOutput, ApiError> {
    call.entry.data_event();
    let (app, input) = (&call.app, &call.input);
    let group = group::one_of(app, input.log_group_name.as_deref(), input.log_group_identifier.as_deref())?;
    let name = stream::named(&input.log_stream_name)?;
    let _permit = call.authorize([stream::check(&call, &group, name.as_str()).await?]).await?;
    let found = group::ensure_exists(app, &group).await?;
    let listing = Listing::new("GetLogEvents", &(group.as_str(), name.as_str()));
    let (direction, start) = match &input.next_token {
        Some(token) => {
            let (direction, cut) =
                event_token::open(app, &listing, token).ok_or_else(refusal::invalid_token)?;
            (direction, Some(cut))
        }
        None if input.start_from_head.unwrap_or(false) => (Direction::Forward, None),
        None => (Direction::Backward, None),
    };
    let expired_before_ms = found.expired_before_ms(call.at.as_millisecond()).unwrap_or(0);
    let from_ms = input.start_time.unwrap_or(0).max(expired_before_ms);
    let until_ms = input.end_time.unwrap_or(i64::MAX);
    let query = EventQuery {
        group,
        streams: Streams::Named(vec![name]),
        from_ms,
        until_ms,
        direction,
        start,
        pattern: None,
        events_max: input.limit.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(BATCH_EVENTS_MAX),
        bytes_max: BATCH_BYTES_MAX,
    };
    let mut events = app.logs.store.events(query).await.map_err(refusal::events)?.events;
    // Within a page the earliest comes first, whichever way the pages go.
    if direction == Direction::Backward {
        events.reverse();
    }
    // With nothing on the page, both ways go on where it began.
    let here = start.unwrap_or(Cut::before(from_ms));
    let before = events.first().map_or(here, StoredEvent::cut);
    let behind = events.last().map_or(here, StoredEvent::behind);
    Ok(GetLogEventsOutput {
        next_forward_token: Some(event_token::seal(app, &listing, Direction::Forward, behind)),
        next_backward_token: Some(event_token::seal(app, &listing, Direction::Backward, before)),
        events: Some(events.into_iter().map(shown).collect()),
    })
}

fn shown(event: StoredEvent) -> OutputLogEvent {
    OutputLogEvent {
        timestamp: Some(event.timestamp_ms),
        message: Some(event.message),
        ingestion_time: Some(event.ingested_at_ms),
    }
}
