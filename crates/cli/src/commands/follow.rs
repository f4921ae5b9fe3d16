//! `postern sessions follow`.

use postern_client::{Following, Seen, SessionEnd};
use postern_recording::{EventKind, EventParser};

use crate::arguments::Global;
use crate::commands::api;
use crate::failure::Failure;
use crate::screen::{Interrupts, Screen};
use crate::visible;

#[derive(Debug, clap::Args)]
pub(crate) struct Follow {
    /// The session's ID
    session: String,
    /// Let everything through that the session's terminal gets: it may set the title and the clipboard, and make the
    /// terminal type
    #[arg(long)]
    raw: bool,
}

impl Follow {
    /// What is shown is a node's output, and whoever wrote it may have had this terminal in mind.
    pub(super) async fn run(self, global: &Global) -> Result<u8, Failure> {
        let api = api(global).await?;
        let following = Following::open(&api, &self.session).await?;
        let mut interrupts = Interrupts::catch()?;
        let mut screen = Screen::new(self.raw);
        let ended = tokio::select! {
            biased;
            status = interrupts.next() => return Ok(status),
            ended = self.show(following, &mut screen) => ended?,
        };
        drop(screen);
        let why = ended.details.or(ended.reason).unwrap_or_default();
        eprintln!("\npostern: session {} is over: {}", self.session, visible::line(&why));
        Ok(0)
    }

    async fn show(&self, mut following: Following<'_>, screen: &mut Screen) -> Result<SessionEnd, Failure> {
        let (mut parser, mut events) = (EventParser::new(format!("session {}", self.session)), Vec::new());
        loop {
            let lines = match following.next().await? {
                Seen::Lines(lines) => lines,
                Seen::Ended(ended) => return Ok(ended),
            };
            let parsed = parser.push(lines.as_bytes(), &mut events);
            for event in events.drain(..) {
                if let EventKind::Output(text) = event.kind {
                    screen.show(&text)?;
                }
            }
            parsed?;
        }
    }
}
