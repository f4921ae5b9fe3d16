//! `Filters` of operations on recordings.

use postern_api::ApiError;
use postern_api::postern::{RecordingFilter, RecordingFilterKey, RecordingStatus, errors};
use postern_store::SessionFilter;

/// What was asked for.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Asked {
    pub(super) sessions: Vec<SessionFilter>,
    pub(super) statuses: Vec<RecordingStatus>,
}

impl Asked {
    /// `None`: nothing can match, because a value is no identifier of anything here.
    pub(super) fn read(filters: Option<&[RecordingFilter]>) -> Result<Option<Self>, ApiError> {
        let mut asked = Self::default();
        let mut can_match = true;
        for RecordingFilter { key, value } in filters.unwrap_or_default() {
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

    /// Whether a recording in this state was asked for.
    pub(super) fn is_for(&self, status: &RecordingStatus) -> bool {
        self.statuses.iter().all(|asked| asked == status)
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
        let read = |filters: &[RecordingFilter]| Asked::read(Some(filters));
        assert_eq!(Asked::read(None).unwrap(), Some(Asked::default()));
        let asked = read(&[filter("Status", "Running"), filter("Node", "mi-0123456789abcdef0")]).unwrap();
        let node = "mi-0123456789abcdef0".parse().unwrap();
        let sessions = vec![SessionFilter::Target(node)];
        assert_eq!(asked, Some(Asked { sessions, statuses: vec![RecordingStatus::Running] }));
        assert_eq!(read(&[filter("Node", "web-1")]).unwrap(), None);
        assert_eq!(read(&[filter("SessionId", "../x")]).unwrap(), None);
        for wrong in [filter("Status", "Lost"), filter("StartedAfter", "yesterday"), filter("Colour", "red")]
        {
            assert!(read(std::slice::from_ref(&wrong)).is_err(), "{wrong:?}");
        }
    }
}
