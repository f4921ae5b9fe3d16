//! `SearchSessionRecordings`: lines of the recordings that the caller may read, by their words.
//!
//! Searching itself is asked for on no resource; where a search looks follows from `postern:GetSessionRecording` on each
//! session. Which sessions those are is settled before anything is looked for: no match, no count and no page tells of
//! a recording that the caller may not read.

use std::collections::{BTreeSet, HashMap};

use postern_api::ApiError;
use postern_api::postern::{
    MatchMark, RecordingMatch, RecordingMatchKind, SearchSessionRecordingsInput,
    SearchSessionRecordingsOutput, errors,
};
use postern_ids::SessionId;
use postern_recording::RecordingSummary;
use postern_search::{Cursor, Hit, HitKind, SearchQuery, Words};
use postern_store::{Page, Paged, SessionCursor, SessionQuery, SessionState};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::readable::Readable;
use super::recording_filters::Asked;
use super::session_command;
use super::session_recording::shown_status;
use crate::page_token::Listing;
use crate::routes::call::Call;
use crate::routes::failure;

const RESULTS_DEFAULT: usize = 50;
/// Sessions that are read at a time.
const BATCH_SESSIONS: u32 = 500;
/// Sessions that one call looks at: whoever has more gets pages that are not full.
const LOOKED_AT_MAX: usize = 3000;

/// Where the next page begins.
#[derive(Debug, Serialize, Deserialize)]
struct PageStart {
    /// Behind this session.
    after: Option<SessionCursor>,
    /// Among those sessions, behind this line.
    line: Option<Cursor>,
}

pub(super) async fn search_session_recordings(
    call: Call<SearchSessionRecordingsInput>,
) -> Result<SearchSessionRecordingsOutput, ApiError> {
    call.entry.data_event();
    let words = Words::parse(&call.input.query).map_err(|error| {
        let message = format!("The query cannot be searched for: {error}.");
        ApiError::new(errors::INVALID_SEARCH_QUERY_EXCEPTION, message)
    })?;
    let asked = Asked::read(call.input.filters.as_deref())?;
    let _permit = call.authorize([call.check()]).await?;
    let listing = Listing::new("SearchSessionRecordings", &(&call.input.query, &call.input.filters));
    let start: Option<PageStart> = call.page_after(&listing, call.input.next_token.as_deref())?;
    let start = start.unwrap_or(PageStart { after: None, line: None });
    let Some(asked) = asked else {
        return Ok(SearchSessionRecordingsOutput {
            matches: Some(Vec::new()),
            incomplete: Some(false),
            next_token: None,
        });
    };
    let limit =
        call.input.max_results.and_then(|count| usize::try_from(count).ok()).unwrap_or(RESULTS_DEFAULT);
    let (sessions, next) = readable_sessions(&call, &asked, start.after.clone()).await?;
    let query = SearchQuery { words, sessions, after: start.line, limit };
    let page = call.app.search.search(&query).await.map_err(|error| failure::internal(&error))?;
    let next = match (page.next, next) {
        (Some(line), _) => Some(PageStart { after: start.after, line: Some(line) }),
        (None, Some(after)) => Some(PageStart { after: Some(after), line: None }),
        (None, None) => None,
    };
    let matches = matches(&call, page.hits).await?;
    Ok(SearchSessionRecordingsOutput {
        matches: Some(matches),
        incomplete: Some(page.is_incomplete),
        next_token: next.map(|next| call.app.page_tokens.seal(&listing, &next)),
    })
}

/// The sessions behind a place in the listing whose recordings the caller may read, and where the listing goes on.
async fn readable_sessions(
    call: &Call<SearchSessionRecordingsInput>,
    asked: &Asked,
    mut after: Option<SessionCursor>,
) -> Result<(Vec<SessionId>, Option<SessionCursor>), ApiError> {
    let mut readable = Readable::new(call);
    let (mut sessions, mut looked_at) = (Vec::new(), 0);
    loop {
        let page = Page { after: after.take(), limit: BATCH_SESSIONS };
        let query = SessionQuery { state: SessionState::Any, filters: asked.sessions.clone(), page };
        let Paged { items, next } = call.app.store.sessions(&query).await.map_err(failure::store)?;
        looked_at += items.len();
        for session in items {
            if readable.contains(&session).await? {
                sessions.push(session.id);
            }
        }
        if next.is_none() || looked_at >= LOOKED_AT_MAX {
            let found = if asked.statuses.is_empty() {
                call.app.recordings.existing(sessions).await.map_err(|error| failure::internal(&error))?
            } else {
                of_status(call, asked, sessions).await?
            };
            return Ok((found, next));
        }
        after = next;
    }
}

async fn of_status(
    call: &Call<SearchSessionRecordingsInput>,
    asked: &Asked,
    sessions: Vec<SessionId>,
) -> Result<Vec<SessionId>, ApiError> {
    let found = call.app.recordings.summaries(sessions).await.map_err(|error| failure::internal(&error))?;
    let found = found.into_iter().filter(|recording| asked.is_for(&shown_status(recording.status)));
    Ok(found.map(|recording| recording.info.session_id).collect())
}

/// The hits with what is known of their recordings. Those of one that has gone meanwhile are left out.
async fn matches(
    call: &Call<SearchSessionRecordingsInput>,
    hits: Vec<Hit>,
) -> Result<Vec<RecordingMatch>, ApiError> {
    let sessions: BTreeSet<SessionId> = hits.iter().map(|hit| hit.session.clone()).collect();
    let found = call.app.recordings.summaries(sessions.into_iter().collect()).await;
    let found = found.map_err(|error| failure::internal(&error))?.into_iter();
    let recordings: HashMap<SessionId, RecordingSummary> =
        found.map(|recording| (recording.info.session_id.clone(), recording)).collect();
    let matches: Vec<RecordingMatch> = hits
        .into_iter()
        .filter_map(|hit| {
            let recording = recordings.get(&hit.session)?;
            Some(shown(hit, recording))
        })
        .collect();
    let mut shown: Vec<&SessionId> = recordings.keys().collect();
    shown.sort();
    call.entry.fact("search", json!({"matches": matches.len(), "recordings": shown}));
    Ok(matches)
}

fn shown(hit: Hit, recording: &RecordingSummary) -> RecordingMatch {
    let index = |place: usize| i32::try_from(place).unwrap_or(i32::MAX);
    let marks =
        hit.marks.iter().map(|mark| MatchMark { start: Some(index(mark.start)), end: Some(index(mark.end)) });
    RecordingMatch {
        session_id: Some(hit.session.to_string()),
        node: Some(recording.info.node.to_string()),
        node_name: recording.info.node_name.clone(),
        owner: Some(recording.info.owner.to_string()),
        started_at: Some(recording.info.started_at.into()),
        at_ms: Some(session_command::millis(hit.at)),
        kind: Some(match hit.kind {
            HitKind::Output => RecordingMatchKind::Output,
            HitKind::Command => RecordingMatchKind::Command,
            HitKind::Session => RecordingMatchKind::Session,
        }),
        marks: Some(marks.collect()),
        line: Some(hit.text),
        command: hit.command.map(session_command::shown),
    }
}
