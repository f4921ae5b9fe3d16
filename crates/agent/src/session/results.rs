//! Results of sessions, said again until the server has acknowledged them.

use std::collections::VecDeque;
use std::time::Duration;

use bytes::Bytes;
use postern_ids::{NodeId, SessionId};
use postern_protocol::control::AgentTaskComplete;
use tokio::time::Instant;

use super::Outcome;
use crate::stamps;

/// Results that may wait. A server that acknowledges none of so many is not one that will.
const RESULTS_MAX: usize = 1024;
/// Between the first repetitions, as AWS's agent has it; then it doubles.
const REPEAT_AFTER: Duration = Duration::from_secs(1);
/// The longest pause between repetitions.
const REPEAT_AFTER_MAX: Duration = Duration::from_secs(60);
/// What AWS's agent puts before the text of an error; AWS's service and Postern's expect it.
const ERROR_HEADING: &str = "\n----------ERROR-------\n";
/// AWS's agent cuts the text there.
const ERROR_CHARS_MAX: usize = 2500;

#[derive(Debug)]
struct Pending {
    complete: AgentTaskComplete,
    due_at: Option<Instant>,
}

/// See the [module's documentation](self).
#[derive(Debug)]
pub(crate) struct Results {
    node_id: NodeId,
    pending: VecDeque<Pending>,
}

impl Results {
    pub(super) fn new(node_id: NodeId) -> Self {
        Self { node_id, pending: VecDeque::new() }
    }

    pub(super) fn add(&mut self, session: &SessionId, outcome: Outcome) {
        let (status, output) = match outcome {
            Outcome::Success => ("Success", String::new()),
            Outcome::Cancelled => ("Cancelled", String::new()),
            Outcome::Failed(error) => {
                let error: String = error.chars().take(ERROR_CHARS_MAX).collect();
                ("Failed", format!("{ERROR_HEADING}{error}"))
            }
        };
        let complete = AgentTaskComplete {
            task_id: session.to_string(),
            final_task_status: status.to_owned(),
            instance_id: self.node_id.to_string(),
            output,
            ..AgentTaskComplete::default()
        };
        self.pending.retain(|pending| pending.complete.task_id != complete.task_id);
        if self.pending.len() >= RESULTS_MAX {
            self.pending.pop_front();
        }
        self.pending.push_back(Pending { complete, due_at: None });
    }

    /// The server has it.
    pub(crate) fn acknowledge(&mut self, task_id: &str) {
        self.pending.retain(|pending| pending.complete.task_id != task_id);
    }

    /// A new connection: everything is due at once.
    pub(crate) fn handle_connected(&mut self) {
        for pending in &mut self.pending {
            pending.due_at = None;
        }
    }

    /// The next message to send at `now`.
    pub(crate) fn poll_transmit(&mut self, now: Instant) -> Option<Bytes> {
        let due =
            self.pending.iter_mut().find(|pending| pending.due_at.is_none_or(|due_at| due_at <= now))?;
        due.complete.retry_number += 1;
        let pause = REPEAT_AFTER.saturating_mul(1 << (due.complete.retry_number - 1).min(10));
        due.due_at = Some(now + pause.min(REPEAT_AFTER_MAX));
        Some(due.complete.to_message(stamps::stamp()).encode())
    }

    /// When to call [`Self::poll_transmit`] again.
    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        self.pending.iter().filter_map(|pending| pending.due_at).min()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.pending.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use postern_protocol::AgentMessage;

    use super::*;

    fn results() -> Results {
        Results::new("mi-0123456789abcdef0".parse().unwrap())
    }

    fn said(frame: Bytes) -> AgentTaskComplete {
        AgentTaskComplete::from_json(&AgentMessage::decode(frame).unwrap().payload).unwrap()
    }

    #[test]
    fn a_result_is_said_again_until_it_is_acknowledged() {
        let mut results = results();
        let now = Instant::now();
        results.add(&"alice-1".parse().unwrap(), Outcome::Success);
        let first = said(results.poll_transmit(now).unwrap());
        assert_eq!((first.task_id.as_str(), first.final_task_status.as_str()), ("alice-1", "Success"));
        assert_eq!((first.retry_number, first.instance_id.as_str()), (1, "mi-0123456789abcdef0"));
        assert_eq!(results.poll_transmit(now), None);
        assert_eq!(results.poll_timeout(), Some(now + Duration::from_secs(1)));
        let second = said(results.poll_transmit(now + Duration::from_secs(1)).unwrap());
        assert_eq!(second.retry_number, 2);
        assert_eq!(results.poll_timeout(), Some(now + Duration::from_secs(3)));

        results.handle_connected();
        assert_eq!(said(results.poll_transmit(now).unwrap()).retry_number, 3);
        results.acknowledge("alice-2");
        assert!(!results.is_empty());
        results.acknowledge("alice-1");
        assert!(results.is_empty());
        assert_eq!(results.poll_timeout(), None);
    }

    #[test]
    fn a_failure_carries_its_text_below_awss_heading() {
        let mut results = results();
        results.add(&"alice-1".parse().unwrap(), Outcome::Failed("x".repeat(5000)));
        let complete = said(results.poll_transmit(Instant::now()).unwrap());
        assert_eq!(complete.final_task_status, "Failed");
        assert_eq!(complete.output, format!("\n----------ERROR-------\n{}", "x".repeat(2500)));
    }
}
