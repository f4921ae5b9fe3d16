//! The lines at the bottom of a terminal: how much each session carries.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::time::Instant;

use super::Said;
use crate::amount::bytes;

/// Lines that are too long are cut by the terminal, which then still knows how many there are.
const WRAP_OFF: &str = "\u{1b}[?7l";
const WRAP_ON: &str = "\u{1b}[?7h";
const ERASE_LINE: &str = "\r\u{1b}[K";
const LINE_UP: &str = "\u{1b}[A";

/// See the [module's documentation](self).
#[derive(Debug, Default)]
pub(super) struct StatusLines {
    nodes: BTreeMap<String, Status>,
    drawn: usize,
}

#[derive(Debug, Default)]
struct Status {
    connections: usize,
    sent: Counter,
    received: Counter,
    counted_at: Option<Instant>,
}

/// Bytes of all sessions, and of one second.
#[derive(Debug, Default)]
struct Counter {
    of_earlier_sessions: u64,
    of_session: u64,
    rate: u64,
}

impl StatusLines {
    pub(super) fn note(&mut self, node: &str, said: &Said<'_>, now: Instant) {
        match said {
            Said::Started { .. } => {
                let status = self.nodes.entry(node.to_owned()).or_default();
                status.sent.begin();
                status.received.begin();
                status.counted_at = Some(now);
            }
            Said::Status { connections, sent, received } => {
                let status = self.nodes.entry(node.to_owned()).or_default();
                let millis = status.counted_at.map_or(1000, |at| now.duration_since(at).as_millis()).max(1);
                status.connections = *connections;
                status.sent.count(*sent, millis);
                status.received.count(*received, millis);
                status.counted_at = Some(now);
            }
            Said::Ended { .. } | Said::Waiting { .. } => {
                self.nodes.remove(node);
            }
            _ => {}
        }
    }

    /// Takes the lines away; the cursor is where they began.
    pub(super) fn clear(&mut self) {
        let text = self.erasing();
        self.drawn = 0;
        // A terminal that is gone shows nothing.
        let _ = std::io::stderr().write_all(text.as_bytes());
    }

    pub(super) fn draw(&mut self) {
        let text = format!("{}{WRAP_OFF}{}{WRAP_ON}", self.erasing(), self.text());
        self.drawn = self.nodes.len();
        let _ = std::io::stderr().write_all(text.as_bytes());
    }

    fn erasing(&self) -> String {
        match self.drawn {
            0 => String::new(),
            lines => format!("{ERASE_LINE}{}", format!("{LINE_UP}{ERASE_LINE}").repeat(lines - 1)),
        }
    }

    fn text(&self) -> String {
        let lines: Vec<String> = self.nodes.iter().map(|(node, status)| status.line(node)).collect();
        lines.join("\r\n")
    }
}

impl Status {
    fn line(&self, node: &str) -> String {
        let Self { connections, sent, received, .. } = self;
        format!(
            "{node}: {connections} open, up {}/s ({}), down {}/s ({})",
            bytes(sent.rate),
            bytes(sent.total()),
            bytes(received.rate),
            bytes(received.total()),
        )
    }
}

impl Counter {
    fn begin(&mut self) {
        self.of_earlier_sessions += std::mem::take(&mut self.of_session);
        self.rate = 0;
    }

    fn count(&mut self, of_session: u64, millis: u128) {
        let more = of_session.saturating_sub(self.of_session);
        self.rate = u64::try_from(u128::from(more) * 1000 / millis).unwrap_or(u64::MAX);
        self.of_session = of_session;
    }

    fn total(&self) -> u64 {
        self.of_earlier_sessions + self.of_session
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn rates_are_of_the_last_second_and_totals_of_all_sessions() {
        let begin = Instant::now();
        let mut lines = StatusLines::default();
        let status = |sent, received| Said::Status { connections: 2, sent, received };
        lines.note("mi-1", &Said::Started { session: "s" }, begin);
        lines.note("mi-1", &status(1024, 4096), begin + Duration::from_secs(1));
        assert_eq!(lines.text(), "mi-1: 2 open, up 1.0 KiB/s (1.0 KiB), down 4.0 KiB/s (4.0 KiB)");
        lines.note("mi-1", &status(5120, 4096), begin + Duration::from_secs(3));
        assert_eq!(lines.text(), "mi-1: 2 open, up 2.0 KiB/s (5.0 KiB), down 0 B/s (4.0 KiB)");
        lines.note("mi-1", &Said::Started { session: "t" }, begin + Duration::from_secs(4));
        lines.note("mi-1", &status(1024, 0), begin + Duration::from_secs(5));
        assert_eq!(lines.text(), "mi-1: 2 open, up 1.0 KiB/s (6.0 KiB), down 0 B/s (4.0 KiB)");
    }

    #[test]
    fn as_many_lines_are_erased_as_were_drawn() {
        let mut lines = StatusLines::default();
        assert_eq!(lines.erasing(), "");
        lines.drawn = 2;
        assert_eq!(lines.erasing(), "\r\u{1b}[K\u{1b}[A\r\u{1b}[K");
    }
}
