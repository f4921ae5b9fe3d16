//! `PutLogEvents`: a batch of events for one stream.

use postern_api::ApiError;
use postern_api::logs::{InputLogEvent, PutLogEventsInput, PutLogEventsOutput, RejectedLogEventsInfo};
use postern_logs::{
    Append, AppendError, BATCH_BYTES_MAX, BATCH_SPAN_MS, DAY_MS, EVENT_BYTES_MAX, EVENT_OVERHEAD_BYTES,
    Event, MissingStream,
};

use super::{bounds, group, refusal, stream};
use crate::routes::call::Call;

/// Source of these: `PutLogEvents`, CloudWatch Logs API reference.
const TOO_OLD_AFTER_MS: i64 = 14 * DAY_MS;
const TOO_NEW_BEHIND_MS: i64 = 2 * 60 * 60 * 1000;

pub(super) async fn put_log_events(call: Call<PutLogEventsInput>) -> Result<PutLogEventsOutput, ApiError> {
    call.entry.data_event();
    let group = group::named(&call.input.log_group_name)?;
    let stream = stream::named(&call.input.log_stream_name)?;
    let _permit = call.authorize([stream::check(&call, &group, stream.as_str()).await?]).await?;
    let bytes = check_batch(&call.input.log_events)?;
    bounds::admit(&call, bytes)?;
    let found = group::ensure_exists(&call.app, &group).await?;
    let now_ms = call.at.as_millisecond();
    let accepted = Accepted::of(&call.input.log_events, now_ms, found.expired_before_ms(now_ms));
    let mut input = call.input;
    let events: Vec<Event> = input.log_events.drain(accepted.first..accepted.end).map(event).collect();
    check_span(&events)?;
    let rejected = accepted.rejected();
    let append =
        Append { group, stream, missing_stream: MissingStream::Refuse, events, ingested_at_ms: now_ms };
    let written = call.app.logs.store.append(append).await.map_err(|error| match error {
        AppendError::GroupUnknown => refusal::no_group(),
        AppendError::StreamUnknown => refusal::no_stream(),
        AppendError::Storage(error) => refusal::storage(error),
    })?;
    Ok(PutLogEventsOutput {
        // Nothing depends on it; AWS's have 56 digits.
        next_sequence_token: Some(format!("{:056}", written.last_event_id)),
        rejected_log_events_info: rejected,
        rejected_entity_info: None,
    })
}

fn event(event: InputLogEvent) -> Event {
    Event { timestamp_ms: event.timestamp, message: event.message }
}

/// Sizes and order, which the model does not bound; how many bytes it is.
fn check_batch(events: &[InputLogEvent]) -> Result<usize, ApiError> {
    let sizes = events.iter().map(|event| event.message.len());
    if let Some(size) = sizes.clone().find(|size| *size > EVENT_BYTES_MAX) {
        let message = format!("Log event too large: {size} bytes exceeds limit of {EVENT_BYTES_MAX}");
        return Err(refusal::invalid(message));
    }
    let size: usize = sizes.map(|size| size + EVENT_OVERHEAD_BYTES).sum();
    if size > BATCH_BYTES_MAX {
        let message = format!("Upload too large: {size} bytes exceeds limit of {BATCH_BYTES_MAX}");
        return Err(refusal::invalid(message));
    }
    if !events.is_sorted_by_key(|event| event.timestamp) {
        let message = "Log events in a single PutLogEvents request must be in chronological order.";
        return Err(refusal::invalid(message));
    }
    Ok(size)
}

fn check_span(events: &[Event]) -> Result<(), ApiError> {
    let (Some(first), Some(last)) = (events.first(), events.last()) else { return Ok(()) };
    if last.timestamp_ms - first.timestamp_ms > BATCH_SPAN_MS {
        let message =
            "The batch of log events in a single PutLogEvents request cannot span more than 24 hours.";
        return Err(refusal::invalid(message));
    }
    Ok(())
}

/// Which events of an ordered batch are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Accepted {
    /// Events before this one are too old.
    too_old_end: usize,
    /// Events before this one are older than the group keeps them.
    first: usize,
    /// This event and those behind it are too new.
    end: usize,
    all: usize,
}

impl Accepted {
    fn of(events: &[InputLogEvent], now_ms: i64, expired_before_ms: Option<i64>) -> Self {
        let before = |time: i64| events.partition_point(|event| event.timestamp < time);
        let too_old_end = before(now_ms - TOO_OLD_AFTER_MS);
        let first = expired_before_ms.map_or(0, before).max(too_old_end);
        let end = before(now_ms + TOO_NEW_BEHIND_MS + 1).max(first);
        Self { too_old_end, first, end, all: events.len() }
    }

    /// What is said of those that are not written.
    fn rejected(self) -> Option<RejectedLogEventsInfo> {
        let index = |at: usize, is_there: bool| i32::try_from(at).ok().filter(|_| is_there);
        let info = RejectedLogEventsInfo {
            too_new_log_event_start_index: index(self.end, self.end < self.all),
            too_old_log_event_end_index: index(self.too_old_end, self.too_old_end > 0),
            expired_log_event_end_index: index(self.first, self.first > self.too_old_end),
        };
        (info != RejectedLogEventsInfo::default()).then_some(info)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW_MS: i64 = 1_795_000_000_000;

    fn at(times: &[i64]) -> Vec<InputLogEvent> {
        times.iter().map(|time| InputLogEvent { timestamp: NOW_MS + time, message: "m".to_owned() }).collect()
    }

    #[test]
    fn what_is_too_old_expired_or_too_new_is_rejected() {
        let events =
            at(&[-15 * DAY_MS, -14 * DAY_MS, -2 * DAY_MS, -1, TOO_NEW_BEHIND_MS, TOO_NEW_BEHIND_MS + 1]);
        let kept = Accepted::of(&events, NOW_MS, None);
        assert_eq!((kept.first, kept.end), (1, 5));
        let info = kept.rejected().unwrap();
        assert_eq!((info.too_old_log_event_end_index, info.expired_log_event_end_index), (Some(1), None));
        assert_eq!(info.too_new_log_event_start_index, Some(5));
        let kept = Accepted::of(&events, NOW_MS, Some(NOW_MS - DAY_MS));
        assert_eq!((kept.first, kept.end), (3, 5));
        assert_eq!(kept.rejected().unwrap().expired_log_event_end_index, Some(3));
        assert_eq!(Accepted::of(&at(&[-5, 5]), NOW_MS, None).rejected(), None);
        let none = Accepted::of(&at(&[-15 * DAY_MS]), NOW_MS, None);
        assert_eq!((none.first, none.end), (1, 1));
    }

    #[test]
    fn sizes_order_and_span_are_bounded() {
        let of_size = |bytes: usize| InputLogEvent { timestamp: NOW_MS, message: "m".repeat(bytes) };
        assert!(check_batch(&[of_size(EVENT_BYTES_MAX)]).is_ok());
        for (events, message) in [
            (
                vec![of_size(EVENT_BYTES_MAX + 1)],
                "Log event too large: 1048551 bytes exceeds limit of 1048550",
            ),
            (
                vec![of_size(524_263), of_size(524_262)],
                "Upload too large: 1048577 bytes exceeds limit of 1048576",
            ),
            (at(&[1, 0]), "Log events in a single PutLogEvents request must be in chronological order."),
        ] {
            assert_eq!(check_batch(&events).unwrap_err().message, message);
        }
        let span = |ms| check_span(&at(&[0, ms]).into_iter().map(event).collect::<Vec<_>>());
        assert!(span(BATCH_SPAN_MS).is_ok() && span(BATCH_SPAN_MS + 1).is_err());
    }
}
