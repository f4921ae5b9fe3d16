//! `StartLiveTail`: events of up to ten groups as they come, as an event stream.

use std::sync::Arc;

use http::header::CONTENT_TYPE;
use http::{HeaderValue, Response};
use http_body_util::StreamBody;
use hyper::body::Frame;
use postern_api::logs::{LiveTailSessionStart, StartLiveTailInput, errors};
use postern_api::{ApiError, event_stream, json};
use postern_logs::GroupName;

use super::live_tail::{LiveTail, Right, Wanted};
use super::{as_of_logs, filter_log_events, group, refusal};
use crate::app::App;
use crate::auth::{Action, Check};
use crate::inbound::Inbound;
use crate::routes::call::Call;
use crate::serve::{self, Body};

/// Answers the operation; events come until the client, the server or three hours end it.
pub(crate) async fn start_live_tail(app: &Arc<App>, inbound: &Inbound) -> Result<Response<Body>, ApiError> {
    start(app, inbound).await.map_err(as_of_logs)
}

async fn start(app: &Arc<App>, inbound: &Inbound) -> Result<Response<Body>, ApiError> {
    let operation = <StartLiveTailInput as postern_api::Request>::OPERATION;
    let caller = inbound.authenticate(app, Action::from(operation)).await?;
    let input = json::decode::<StartLiveTailInput>(&inbound.body)?;
    inbound.entry.input(&input);
    inbound.entry.data_event();
    let call = Call::new(app, caller, input, inbound);
    let groups = groups(app, &call.input)?;
    let mut checks: Vec<Check> = Vec::with_capacity(groups.len());
    for name in &groups {
        checks.push(group::check(&call, name).await?);
    }
    let _permit = call.authorize(checks).await?;
    for name in &groups {
        group::ensure_exists(app, name).await?;
    }
    let wanted = wanted(&call.input, groups)?;
    let place = Arc::clone(&app.logs.live_tails).try_acquire_owned().map_err(|_| {
        let message = "You have reached the maximum limit of concurrent Live Tail sessions.";
        ApiError::new(errors::LIMIT_EXCEEDED_EXCEPTION, message)
    })?;
    let started = started(app, &call.input, &inbound.request_id);
    let right = Right::of(&call.caller, &call.context, operation);
    let tail = LiveTail::new(Arc::clone(app), wanted, right, place);
    let first = [event_stream::initial_response(), event_stream::event("sessionStart", &started)].concat();
    let frames = tail.frames(first);
    let frames = futures_util::StreamExt::map(frames, |bytes| Ok::<_, serve::BodyError>(Frame::data(bytes)));
    let mut response = Response::new(serve::boxed(StreamBody::new(frames)));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(event_stream::CONTENT_TYPE));
    Ok(response)
}

/// The groups, by their ARNs.
fn groups(app: &App, input: &StartLiveTailInput) -> Result<Vec<GroupName>, ApiError> {
    let by_arn = |identifier: &String| {
        if !identifier.starts_with("arn:") || identifier.ends_with('*') {
            let message = "logGroupIdentifiers must be ARNs of log groups that do not end with an asterisk.";
            return Err(refusal::invalid(message));
        }
        group::of_arn(app, identifier)
    };
    input.log_group_identifiers.iter().map(by_arn).collect()
}

fn wanted(input: &StartLiveTailInput, groups: Vec<GroupName>) -> Result<Wanted, ApiError> {
    let (names, prefixes) = (&input.log_stream_names, &input.log_stream_name_prefixes);
    if names.is_some() && prefixes.is_some() {
        let message = "logStreamNames and logStreamNamePrefixes are mutually exclusive parameters.";
        return Err(refusal::invalid(message));
    }
    if groups.len() > 1 && (names.is_some() || prefixes.is_some()) {
        let message = "Log streams can be given for one log group only.";
        return Err(refusal::invalid(message));
    }
    let pattern = input.log_event_filter_pattern.as_deref().map(filter_log_events::pattern).transpose()?;
    Ok(Wanted { groups, names: names.clone(), prefixes: prefixes.clone(), pattern })
}

fn started(app: &App, input: &StartLiveTailInput, request_id: &str) -> LiveTailSessionStart {
    LiveTailSessionStart {
        request_id: Some(request_id.to_owned()),
        session_id: Some(uuid::Builder::from_random_bytes(app.random.bytes()).into_uuid().to_string()),
        log_group_identifiers: Some(input.log_group_identifiers.clone()),
        log_stream_names: Some(input.log_stream_names.clone().unwrap_or_default()),
        log_stream_name_prefixes: Some(input.log_stream_name_prefixes.clone().unwrap_or_default()),
        log_event_filter_pattern: Some(input.log_event_filter_pattern.clone().unwrap_or_default()),
    }
}
