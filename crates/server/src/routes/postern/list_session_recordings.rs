//! `ListSessionRecordings`: the recordings that the caller may read, those of the newest sessions first.
//!
//! Listing itself is asked for on no resource, as AWS's `List…` operations are; which recordings a list shows follows from
//! `postern:GetSessionRecording` on each session.

use std::collections::HashMap;

use postern_api::ApiError;
use postern_api::postern::{
    ListSessionRecordingsInput, ListSessionRecordingsOutput, Operation, RecordingFilter, RecordingFilterKey,
    RecordingStatus, SessionRecording, errors,
};
use postern_ids::{NodeId, SessionId};
use postern_recording::RecordingSummary;
use postern_store::{
    Page, Paged, ResourceKey, SessionCursor, SessionFilter, SessionQuery, SessionRecord, SessionState, Tag,
};

use super::session_recording::{shown, shown_status};
use crate::page_token::Listing;
use crate::recordings::check_on;
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
    let asked = Asked::read(call.input.filters.as_deref().unwrap_or_default())?;
    let _permit = call.authorize([call.check()]).await?;
    let listing = Listing::new("ListSessionRecordings", &call.input.filters);
    let after: Option<SessionCursor> = call.page_after(&listing, call.input.next_token.as_deref())?;
    let wanted =
        call.input.max_results.and_then(|count| usize::try_from(count).ok()).unwrap_or(RESULTS_DEFAULT);
    let mut search =
        Search { call: &call, node_tags: HashMap::new(), found: Vec::new(), looked_at: 0, wanted };
    let next = match asked {
        Some(asked) => search.run(&asked, after).await?,
        None => None,
    };
    Ok(ListSessionRecordingsOutput {
        recordings: Some(search.found),
        next_token: next.map(|cursor| call.app.page_tokens.seal(&listing, &cursor)),
    })
}

/// What was asked for.
#[derive(Debug, Default, PartialEq)]
struct Asked {
    sessions: Vec<SessionFilter>,
    statuses: Vec<RecordingStatus>,
}

impl Asked {
    /// `None`: nothing can match, because a value is no identifier of anything here.
    fn read(filters: &[RecordingFilter]) -> Result<Option<Self>, ApiError> {
        let mut asked = Self::default();
        let mut can_match = true;
        for RecordingFilter { key, value } in filters {
            let invalid = || {
                let message = format!("The value {value:.64} of the filter {key} is not valid.");
                ApiError::new(errors::INVALID_FILTER_VALUE_EXCEPTION, message)
            };
            let filter = match key {
                RecordingFilterKey::Node => value.parse().ok().map(SessionFilter::Target),
                RecordingFilterKey::Owner => value.parse().ok().map(SessionFilter::Owner),
                RecordingFilterKey::SessionId => value.parse().ok().map(SessionFilter::SessionId),
                RecordingFilterKey::StartedAfter => {
                    Some(SessionFilter::InvokedAfter(value.parse().map_err(|_| invalid())?))
                }
                RecordingFilterKey::StartedBefore => {
                    Some(SessionFilter::InvokedBefore(value.parse().map_err(|_| invalid())?))
                }
                RecordingFilterKey::Status => {
                    let status = RecordingStatus::from(value.as_str());
                    if matches!(status, RecordingStatus::Unknown(_)) {
                        return Err(invalid());
                    }
                    asked.statuses.push(status);
                    continue;
                }
                // The model's constraints name all there are.
                RecordingFilterKey::Unknown(_) => return Err(invalid()),
            };
            match filter {
                Some(filter) => asked.sessions.push(filter),
                None => can_match = false,
            }
        }
        Ok(can_match.then_some(asked))
    }
}

struct Search<'a> {
    call: &'a Call<ListSessionRecordingsInput>,
    node_tags: HashMap<NodeId, Vec<Tag>>,
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
                    && asked.statuses.iter().all(|status| *status == shown_status(recording.status))
                    && self.is_readable(session).await?
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

    /// Whether the caller may read the recording of a session.
    async fn is_readable(&mut self, session: &SessionRecord) -> Result<bool, ApiError> {
        let call = self.call;
        if !self.node_tags.contains_key(&session.node) {
            let tags =
                call.app.store.tags(&ResourceKey::node(&session.node)).await.map_err(failure::store)?;
            self.node_tags.insert(session.node.clone(), tags);
        }
        let tags = self.node_tags.get(&session.node).map_or(&[][..], Vec::as_slice);
        let read = postern_api::Operation::Postern(Operation::GetSessionRecording);
        let check = check_on(&call.app, read, &session.id, Some(session), tags);
        let reviewed = call.app.authorizer.review(&call.caller, &call.context, [vec![check]]).await;
        Ok(reviewed.map_err(|undecided| failure::internal(&undecided))?.is_ok())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filter(key: &str, value: &str) -> RecordingFilter {
        RecordingFilter { key: key.into(), value: value.to_owned() }
    }

    #[test]
    fn filters_are_read() {
        assert_eq!(Asked::read(&[]).unwrap(), Some(Asked::default()));
        let read =
            Asked::read(&[filter("Status", "Running"), filter("Node", "mi-0123456789abcdef0")]).unwrap();
        let node = "mi-0123456789abcdef0".parse().unwrap();
        let sessions = vec![SessionFilter::Target(node)];
        assert_eq!(read, Some(Asked { sessions, statuses: vec![RecordingStatus::Running] }));
        assert_eq!(Asked::read(&[filter("Node", "web-1")]).unwrap(), None);
        assert_eq!(Asked::read(&[filter("SessionId", "../x")]).unwrap(), None);
        for wrong in [filter("Status", "Lost"), filter("StartedAfter", "yesterday"), filter("Colour", "red")]
        {
            assert!(Asked::read(std::slice::from_ref(&wrong)).is_err(), "{wrong:?}");
        }
    }
}
