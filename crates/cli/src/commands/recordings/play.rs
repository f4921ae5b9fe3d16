//! `postern recordings play`.

use std::time::Duration;

use postern_ids::SessionId;
use postern_recording::{EventKind, EventParser};

use super::moment;
use super::source::{Cast, Source};
use crate::failure::Failure;
use crate::screen::{Interrupts, Screen};

/// Without `--idle-limit` nobody waits longer than this for the next output.
const IDLE_LIMIT_S: f64 = 2.0;

#[derive(Debug, clap::Args)]
pub(crate) struct Play {
    /// The session
    session: SessionId,
    /// How many times as fast
    #[arg(long, value_name = "FACTOR", default_value_t = 1.0, value_parser = positive)]
    speed: f64,
    /// The longest wait between two outputs, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = IDLE_LIMIT_S, value_parser = positive)]
    idle_limit: f64,
    /// Where to begin: a time since the beginning such as 90, 1:30 or 1:02:03.5; what was shown before is shown at once
    #[arg(long, value_name = "TIME", default_value = "0", value_parser = moment::parse)]
    at: Duration,
    /// Let everything through that was recorded: it may set the title and the clipboard, and make the terminal type
    #[arg(long)]
    raw: bool,
}

fn positive(text: &str) -> Result<f64, &'static str> {
    let number: f64 = text.parse().map_err(|_| "a number is needed")?;
    if number.is_finite() && number > 0.0 { Ok(number) } else { Err("a number above 0 is needed") }
}

impl Play {
    /// The recording is a node's output, and whoever wrote it may have had this terminal in mind.
    pub(super) async fn run(self, source: &Source) -> Result<u8, Failure> {
        let cast = source.open(&self.session).await?;
        let mut interrupts = Interrupts::catch()?;
        let mut screen = Screen::new(self.raw);
        tokio::select! {
            biased;
            status = interrupts.next() => Ok(status),
            played = self.show(cast, &mut screen) => played.map(|()| 0),
        }
    }

    async fn show(&self, mut cast: Cast<'_>, screen: &mut Screen) -> Result<(), Failure> {
        let (mut parser, mut events) = (EventParser::new(cast.name()), Vec::new());
        let mut shown = self.at;
        while let Some(bytes) = cast.next().await? {
            let parsed = parser.push(&bytes, &mut events);
            for event in events.drain(..) {
                let EventKind::Output(text) = event.kind else { continue };
                let wait = event.at.saturating_sub(shown).as_secs_f64().min(self.idle_limit) / self.speed;
                shown = shown.max(event.at);
                tokio::time::sleep(Duration::from_secs_f64(wait)).await;
                screen.show(&text)?;
                // A flood without pauses can be interrupted, too.
                tokio::task::yield_now().await;
            }
            parsed?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn speeds_are_positive_numbers() {
        assert!(positive("1.5").is_ok());
        for text in ["0", "-1", "x", "inf", "NaN"] {
            assert!(positive(text).is_err(), "{text}");
        }
    }
}
