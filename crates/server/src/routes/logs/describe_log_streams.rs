//! `DescribeLogStreams`: streams of a group, by name or by the time of their last event.

use postern_api::ApiError;
use postern_api::logs::{DescribeLogStreamsInput, DescribeLogStreamsOutput, LogStream, OrderBy};
use postern_logs::{GroupName, StreamFilter, StreamOrder, StreamPosition};

use super::{group, refusal, stream};
use crate::app::App;
use crate::page_token::Listing;
use crate::routes::call::Call;

const PAGE_STREAMS: u32 = 50;

pub(super) async fn describe_log_streams(
    call: Call<DescribeLogStreamsInput>,
) -> Result<DescribeLogStreamsOutput, ApiError> {
    let (app, input) = (&call.app, &call.input);
    let name = group::one_of(app, input.log_group_name.as_deref(), input.log_group_identifier.as_deref())?;
    let prefix = input.log_stream_name_prefix.as_deref();
    let check = group::check(&call, &name).await?;
    // Agents look for a stream of their own, by its whole name.
    let check = stream::about_owner(&call, check, prefix.unwrap_or_default()).await?;
    let _permit = call.authorize([check]).await?;
    let order = match input.order_by {
        Some(OrderBy::LastEventTime) => StreamOrder::LastEvent,
        _ => StreamOrder::Name,
    };
    if order == StreamOrder::LastEvent && prefix.is_some() {
        let message = "Cannot order by LastEventTime with a logStreamNamePrefix.";
        return Err(refusal::invalid(message));
    }
    let is_descending = input.descending.unwrap_or(false);
    let filter = StreamFilter { prefix: prefix.map(str::to_owned), order, is_descending };
    let asked = (name.as_str(), prefix, order == StreamOrder::Name, is_descending);
    let listing = Listing::new("DescribeLogStreams", &asked);
    let after = match &input.next_token {
        None => None,
        Some(token) => Some(position(app, &listing, token)?),
    };
    let limit = input.limit.and_then(|limit| u32::try_from(limit).ok()).unwrap_or(PAGE_STREAMS);
    let found = app.logs.store.streams(&name, &filter, after.as_ref(), limit + 1).await;
    let mut found = found.map_err(refusal::events)?;
    let has_more = found.len() > usize::try_from(limit).unwrap_or(usize::MAX);
    found.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    let last = found.last().filter(|_| has_more).map(StreamPosition::of);
    Ok(DescribeLogStreamsOutput {
        next_token: last
            .map(|last| app.page_tokens.seal(&listing, &(last.last_event_ms, last.name.as_str()))),
        log_streams: Some(found.into_iter().map(|stream| shown(app, &name, stream)).collect()),
    })
}

fn position(app: &App, listing: &Listing, token: &str) -> Result<StreamPosition, ApiError> {
    let cursor: Option<(i64, String)> = app.page_tokens.open(listing, token);
    let (last_event_ms, name) = cursor.ok_or_else(refusal::invalid_token)?;
    Ok(StreamPosition { name: stream::named(&name)?, last_event_ms })
}

fn shown(app: &App, group: &GroupName, stream: postern_logs::LogStream) -> LogStream {
    LogStream {
        arn: Some(group::stream_arn(app, group, stream.name.as_str()).to_string()),
        log_stream_name: Some(stream.name.to_string()),
        creation_time: Some(stream.created_at_ms),
        first_event_timestamp: stream.first_event_ms,
        last_event_timestamp: stream.last_event_ms,
        last_ingestion_time: stream.last_ingestion_ms,
        // Source: `storedBytes` of `LogStream`, CloudWatch Logs API reference: zero since 2019.
        stored_bytes: Some(0),
        upload_sequence_token: None,
    }
}
