//! `ListSessionRecordings`: the recordings that the caller may read, those of the newest sessions first.
//!
//! Listing itself is asked for on no resource, as AWS's `List…` operations are; which recordings a list shows follows from
//! `postern:GetSessionRecording` on each session.

use std::collections::HashMap;

use postern_api::ApiError;
use postern_api::postern::{ListSessionRecordingsInput, ListSessionRecordingsOutput, SessionRecording};
use postern_ids::SessionId;
use postern_recording::RecordingSummary;
use postern_store::{Page, Paged, SessionCursor, SessionQuery, SessionRecord, SessionState};

use super::readable::Readable;
use super::recording_filters::Asked;
use super::session_recording::{shown, shown_status};
use crate::page_token::Listing;
use crate::routes::call::Call;
use crate::routes::failure;

const RESULTS_DEFAULT: usize = 50;
/// Sessions that are read at a time.
const BATCH_SESSIONS: u32 = 100;
/// Sessions that one call looks at: whoever may see few of many gets pages that are not full.
const LOOKED_AT_MAX: usize = 1000;

pub(super) async fn list_session_recordings(
    call: Call<ListSessionRecordingsInput>,
) -> Result<ListSessionRecordingsOutput, ApiError> {
    let asked = Asked::read(call.input.filters.as_deref())?;
    let _permit = call.authorize([call.check()]).await?;
    let listing = Listing::new("ListSessionRecordings", &call.input.filters);
    let after: Option<SessionCursor> = call.page_after(&listing, call.input.next_token.as_deref())?;
    let wanted =
        call.input.max_results.and_then(|count| usize::try_from(count).ok()).unwrap_or(RESULTS_DEFAULT);
    let mut search =
        Search { call: &call, readable: Readable::new(&call), found: Vec::new(), looked_at: 0, wanted };
    let next = match asked {
        Some(asked) => search.run(&asked, after).await?,
        None => None,
    };
    Ok(ListSessionRecordingsOutput {
        recordings: Some(search.found),
        next_token: next.map(|cursor| call.app.page_tokens.seal(&listing, &cursor)),
    })
}

struct Search<'a> {
    call: &'a Call<ListSessionRecordingsInput>,
    readable: Readable<'a, ListSessionRecordingsInput>,
    found: Vec<SessionRecording>,
    looked_at: usize,
    wanted: usize,
}

impl Search<'_> {
    /// Goes through the sessions. The result is where the next call goes on.
    async fn run(
        &mut self,
        asked: &Asked,
        mut after: Option<SessionCursor>,
    ) -> Result<Option<SessionCursor>, ApiError> {
        loop {
            let page = Page { after: after.take(), limit: BATCH_SESSIONS };
            let query = SessionQuery { state: SessionState::Any, filters: asked.sessions.clone(), page };
            let Paged { items, next } = self.call.app.store.sessions(&query).await.map_err(failure::store)?;
            let mut recordings = self.recordings(&items).await?;
            for session in &items {
                self.looked_at += 1;
                if let Some(recording) = recordings.remove(&session.id)
                    && asked.is_for(&shown_status(recording.status))
                    && self.readable.contains(session).await?
                {
                    self.found.push(shown(recording));
                }
                if self.found.len() >= self.wanted || self.looked_at >= LOOKED_AT_MAX {
                    let is_last = next.is_none() && items.last().is_some_and(|last| last.id == session.id);
                    let cursor = SessionCursor { started_at: session.started_at, id: session.id.clone() };
                    return Ok((!is_last).then_some(cursor));
                }
            }
            match next {
                Some(next) => after = Some(next),
                None => return Ok(None),
            }
        }
    }

    async fn recordings(
        &self,
        sessions: &[SessionRecord],
    ) -> Result<HashMap<SessionId, RecordingSummary>, ApiError> {
        let sessions = sessions.iter().map(|session| session.id.clone()).collect();
        let found = self.call.app.recordings.summaries(sessions).await;
        let found = found.map_err(|error| failure::internal(&error))?;
        Ok(found.into_iter().map(|recording| (recording.info.session_id.clone(), recording)).collect())
    }
}
