//! `GetSessionTimeline`: the commands of a recorded session, as far as the index has read it. Who may read the recording
//! may ask for them.

use postern_api::ApiError;
use postern_api::postern::{GetSessionTimelineInput, GetSessionTimelineOutput};
use serde_json::json;

use super::readable;
use super::session_command::{millis, shown};
use super::session_recording::{not_found, parse};
use crate::page_token::Listing;
use crate::recordings;
use crate::routes::call::Call;
use crate::routes::failure;

const RESULTS_DEFAULT: u32 = 200;

pub(super) async fn get_session_timeline(
    call: Call<GetSessionTimelineInput>,
) -> Result<GetSessionTimelineOutput, ApiError> {
    call.entry.data_event();
    let session = parse(&call.input.session_id)?;
    let check = recordings::check(&call.app, readable::action(), &session).await.map_err(failure::store)?;
    let _permit = call.authorize([check]).await?;
    let listing = Listing::new("GetSessionTimeline", &call.input.session_id);
    let after: Option<u32> = call.page_after(&listing, call.input.next_token.as_deref())?;
    let found = call.app.recordings.summaries(vec![session.clone()]).await;
    if found.map_err(|error| failure::internal(&error))?.is_empty() {
        return Err(not_found(&session));
    }
    let limit = call.input.max_results.and_then(|count| u32::try_from(count).ok()).unwrap_or(RESULTS_DEFAULT);
    let page = call.app.search.timeline(&session, after.unwrap_or(0), limit).await;
    let Some(page) = page.map_err(|error| failure::internal(&error))? else {
        // It is read soon.
        return Ok(GetSessionTimelineOutput {
            session_id: Some(session.to_string()),
            commands: Some(Vec::new()),
            read_to: Some(0),
            complete: Some(false),
            next_token: None,
        });
    };
    call.entry.fact("timeline", json!({"commands": page.commands.len()}));
    let last = page.commands.last().filter(|_| page.has_more).map(|command| command.number);
    Ok(GetSessionTimelineOutput {
        session_id: Some(session.to_string()),
        commands: Some(page.commands.into_iter().map(shown).collect()),
        read_to: Some(millis(page.timeline.read_to)),
        complete: Some(page.timeline.is_complete),
        next_token: last.map(|number| call.app.page_tokens.seal(&listing, &number)),
    })
}
