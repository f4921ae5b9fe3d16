//! The word to the user before the time of a session is up.

use std::time::Duration;

use tokio::time::Instant;

use super::EndReason;
use super::end::minutes;

/// How long before the end the user is told; of a short time, half.
const WARNED_BEFORE: Duration = Duration::from_secs(60);

/// What the present client has been told.
#[derive(Debug, Default)]
pub(super) struct Warnings {
    of_idle: Option<Instant>,
    of_duration: Option<Instant>,
}

/// An end that the client is to be told of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Warning {
    /// When to tell.
    pub(super) due: Instant,
    end: Instant,
    reason: EndReason,
}

impl Warnings {
    /// The next thing to tell, of the `limits` of a session.
    pub(super) fn next(&self, limits: impl Iterator<Item = (Instant, EndReason)>) -> Option<Warning> {
        let warnings = limits.filter_map(|(end, reason)| {
            let (told, limit) = match &reason {
                EndReason::Idle(limit) => (self.of_idle, *limit),
                EndReason::MaxDuration(limit) => (self.of_duration, *limit),
                _ => return None,
            };
            let due = end.checked_sub(WARNED_BEFORE.min(limit / 2))?;
            (told != Some(end)).then_some(Warning { due, end, reason })
        });
        warnings.min_by_key(|warning| warning.due)
    }

    /// The client has been told.
    pub(super) fn given(&mut self, warning: &Warning) {
        match warning.reason {
            EndReason::Idle(_) => self.of_idle = Some(warning.end),
            _ => self.of_duration = Some(warning.end),
        }
    }
}

impl Warning {
    /// What to tell at `now`.
    pub(super) fn text(&self, now: Instant) -> String {
        let left = self.end.saturating_duration_since(now);
        // To the second, upwards: the clock has moved on since it was due.
        let left =
            minutes(Duration::from_secs(left.as_millis().div_ceil(1000).try_into().unwrap_or(u64::MAX)));
        match &self.reason {
            EndReason::MaxDuration(limit) => {
                format!("The session ends in {left}: it reaches its maximum duration of {}.", minutes(*limit))
            }
            _ => format!("The session ends in {left} unless something is typed or printed."),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_minute_before_the_end_or_half_of_a_short_time() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let idle = |minutes: u64| (at(60 * minutes), EndReason::Idle(Duration::from_secs(60 * minutes)));
        let longest =
            |minutes: u64| (at(60 * minutes), EndReason::MaxDuration(Duration::from_secs(60 * minutes)));
        let mut warnings = Warnings::default();
        assert_eq!(warnings.next([(at(5), EndReason::AgentLost)].into_iter()), None);
        assert_eq!(warnings.next([idle(1)].into_iter()).unwrap().due, at(30));

        let first = warnings.next([idle(20), longest(30)].into_iter()).unwrap();
        assert_eq!(first.due, at(19 * 60));
        assert_eq!(
            first.text(first.due),
            "The session ends in 1 minute unless something is typed or printed."
        );
        warnings.given(&first);
        let second = warnings.next([idle(20), longest(30)].into_iter()).unwrap();
        assert_eq!(second.due, at(29 * 60));
        assert_eq!(
            second.text(at(30 * 60 - 20)),
            "The session ends in 20 seconds: it reaches its maximum duration of 30 minutes."
        );
        warnings.given(&second);
        assert_eq!(warnings.next([idle(20), longest(30)].into_iter()), None);
        // Something was typed: the end is another one.
        assert_eq!(warnings.next([idle(25), longest(30)].into_iter()).unwrap().due, at(24 * 60));
    }
}
