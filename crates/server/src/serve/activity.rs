//! Whether a connection does anything, so that one that does not can be closed.

use std::time::Duration;

use tokio::sync::watch;

/// What a connection is doing. Clones watch the same one.
#[derive(Debug, Clone)]
pub(super) struct Activity(watch::Sender<usize>);

/// A request that is being answered while this lives.
#[derive(Debug)]
pub(super) struct Answering(Activity);

impl Activity {
    /// A connection that does nothing yet.
    pub(super) fn new() -> Self {
        Self(watch::Sender::new(0))
    }

    /// A request has come.
    pub(super) fn begin(&self) -> Answering {
        self.0.send_modify(|running| *running += 1);
        Answering(self.clone())
    }

    /// Waits until nothing has happened for `limit`.
    pub(super) async fn idle_for(&self, limit: Duration) {
        let mut running = self.0.subscribe();
        loop {
            let is_idle = *running.borrow_and_update() == 0;
            tokio::select! {
                changed = running.changed() => changed.expect("`self` is a sender"),
                () = tokio::time::sleep(limit), if is_idle => return,
            }
        }
    }
}

impl Drop for Answering {
    fn drop(&mut self) {
        self.0.0.send_modify(|running| *running -= 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::time::{Instant, advance};

    #[tokio::test(start_paused = true)]
    async fn a_request_keeps_a_connection_busy_and_starts_its_idle_time_anew() {
        let activity = Activity::new();
        let limit = Duration::from_secs(60);
        let started_at = Instant::now();
        let work = async {
            advance(Duration::from_secs(50)).await;
            let one = activity.begin();
            let other = activity.begin();
            tokio::time::sleep(Duration::from_secs(500)).await;
            drop(one);
            tokio::time::sleep(Duration::from_secs(500)).await;
            drop(other);
        };
        tokio::join!(activity.idle_for(limit), work);
        assert_eq!(started_at.elapsed().as_secs(), 50 + 1000 + 60);
    }
}
