//! A delivery that broke off by a fault of the server's own, and is begun again.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures_util::FutureExt as _;
use postern_store::StoreError;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use super::delivery::pause;

/// How long it is tried.
pub(super) struct Patience<'a> {
    pub(super) shutdown: &'a CancellationToken,
    pub(super) pause_max: Duration,
    pub(super) give_up_after: Duration,
}

/// How it ended.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Ended {
    ByItself,
    /// The server stops; the next process goes on.
    Stopped,
    GivenUp,
}

impl Patience<'_> {
    /// Begins what `begin` makes, and again after a growing pause as long as it panics or its store fails. `broke` hears why, and
    /// when it goes on.
    pub(super) async fn run<F>(&self, mut begin: impl FnMut() -> F, broke: impl Fn(&str, Duration)) -> Ended
    where
        F: Future<Output = Result<(), StoreError>>,
    {
        let (mut since, mut times) = (Instant::now(), 0_u32);
        loop {
            let began = Instant::now();
            let why = match AssertUnwindSafe(begin()).catch_unwind().await {
                Ok(Ok(())) => return Ended::ByItself,
                Ok(Err(error)) => format!(
                    "{error}: {}",
                    std::error::Error::source(&error).map_or_else(String::new, ToString::to_string)
                ),
                // Its message has been logged where it panicked.
                Err(_) => "it panicked".to_owned(),
            };
            // What has gone well for a while is no part of what goes wrong now.
            if times == 0 || began.elapsed() > self.pause_max {
                (since, times) = (Instant::now(), 0);
            }
            if since.elapsed() >= self.give_up_after {
                return Ended::GivenUp;
            }
            times = times.saturating_add(1);
            let pause = pause(times, self.pause_max);
            broke(&why, pause);
            tokio::select! {
                () = self.shutdown.cancelled() => return Ended::Stopped,
                () = sleep(pause) => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    /// What `outcomes` come to, with the pauses between; the last is repeated.
    async fn run(shutdown: &CancellationToken, outcomes: &[&str]) -> (Ended, Vec<u64>) {
        let patience =
            Patience { shutdown, pause_max: Duration::from_secs(4), give_up_after: Duration::from_secs(60) };
        let (mut at, pauses) = (0, Mutex::new(Vec::new()));
        let begin = || {
            let outcome = outcomes[at.min(outcomes.len() - 1)];
            at += 1;
            async move {
                match outcome {
                    "done" => Ok(()),
                    "long" => {
                        sleep(Duration::from_secs(3600)).await;
                        panic!("{outcome}")
                    }
                    _ => panic!("{outcome}"),
                }
            }
        };
        let broke = |_: &str, pause: Duration| pauses.lock().unwrap().push(pause.as_secs());
        let ended = patience.run(begin, broke).await;
        (ended, pauses.into_inner().unwrap())
    }

    #[tokio::test(start_paused = true)]
    async fn what_panics_is_begun_again_after_a_growing_pause() {
        let shutdown = CancellationToken::new();
        assert_eq!(run(&shutdown, &["done"]).await, (Ended::ByItself, vec![]));
        let outcomes = ["first", "second", "third", "fourth", "done"];
        assert_eq!(run(&shutdown, &outcomes).await, (Ended::ByItself, vec![1, 2, 4, 4]));
        let outcomes = ["first", "second", "long", "long", "done"];
        assert_eq!(
            run(&shutdown, &outcomes).await,
            (Ended::ByItself, vec![1, 2, 1, 1]),
            "it went well between"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn what_never_goes_well_is_given_up() {
        let (ended, pauses) = run(&CancellationToken::new(), &["always"]).await;
        assert_eq!(ended, Ended::GivenUp);
        assert!((60..=64).contains(&pauses.iter().sum::<u64>()), "{pauses:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_server_that_stops_waits_for_no_pause() {
        let shutdown = CancellationToken::new();
        shutdown.cancel();
        assert_eq!(run(&shutdown, &["always"]).await, (Ended::Stopped, vec![1]));
    }
}
