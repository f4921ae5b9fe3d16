//! This terminal, while it shows what another one got.

use std::io::{self, IsTerminal as _, Write};
use std::task::Poll;

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::replay_filter::{ReplayFilter, terminal_reset};

/// Added to a signal's number, for the exit status.
const SIGNALLED: u8 = 128;

/// Standard output. If it is a terminal, it is left as it was found, however the replay ends.
pub(crate) struct Screen {
    out: io::Stdout,
    filter: ReplayFilter,
    is_raw: bool,
}

impl Screen {
    pub(crate) fn new(is_raw: bool) -> Self {
        Self { out: io::stdout(), filter: ReplayFilter::new(), is_raw }
    }

    pub(crate) fn show(&mut self, text: &str) -> io::Result<()> {
        let passed = self.filter.pass(text);
        self.out.write_all(if self.is_raw { text.as_bytes() } else { &passed })?;
        self.out.flush()
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        if self.out.is_terminal() {
            let reset = terminal_reset(self.filter.is_in_alternate_screen());
            // A terminal that is gone needs none.
            let _ = self.out.write_all(&reset).and_then(|()| self.out.flush());
        }
    }
}

/// The signals by which a replay is left.
pub(crate) struct Interrupts([(Signal, u8); 3]);

impl Interrupts {
    pub(crate) fn catch() -> io::Result<Self> {
        let caught = |kind: SignalKind, number| Ok::<_, io::Error>((signal(kind)?, number));
        Ok(Self([
            caught(SignalKind::interrupt(), 2)?,
            caught(SignalKind::terminate(), 15)?,
            caught(SignalKind::hangup(), 1)?,
        ]))
    }

    /// Waits for one; the exit status that tells of it, as shells count.
    pub(crate) async fn next(&mut self) -> u8 {
        std::future::poll_fn(|cx| {
            let came = self
                .0
                .iter_mut()
                .find_map(|(signal, number)| signal.poll_recv(cx).is_ready().then_some(SIGNALLED + *number));
            came.map_or(Poll::Pending, Poll::Ready)
        })
        .await
    }
}
