//! What is told while connections are forwarded: lines for people, or objects of JSON for programs.

mod status;

use std::cell::RefCell;
use std::io::{IsTerminal as _, Write as _};
use std::time::Instant;

use postern_client::{Reason, Refused};
use serde::Serialize;

use self::status::StatusLines;
use crate::visible;

/// Something that happened to what goes through a node. Also the form of JSON: what users' programs read.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub(super) enum Said<'a> {
    /// A session began.
    Started {
        session: &'a str,
    },
    /// A forward can be used.
    Listening {
        forward: &'a str,
        address: &'a str,
        /// Not on this machine.
        #[serde(skip)]
        is_at_node: bool,
    },
    /// It cannot.
    NotListening {
        forward: &'a str,
        reason: &'static str,
        message: &'a str,
    },
    /// It is there no more.
    Cancelled {
        forward: &'a str,
    },
    Opened {
        forward: &'a str,
        connection: u32,
        source: &'a str,
        destination: &'a str,
        address: Option<&'a str>,
    },
    Refused {
        forward: &'a str,
        connection: u32,
        source: &'a str,
        destination: &'a str,
        reason: &'static str,
        message: &'a str,
    },
    Closed {
        forward: &'a str,
        connection: u32,
        sent: u64,
        received: u64,
        message: Option<&'a str>,
    },
    /// How much this session has carried.
    Status {
        connections: usize,
        sent: u64,
        received: u64,
    },
    /// The connection with the server is lost, and is being made again.
    Disconnected,
    /// It is back.
    Reconnected,
    /// Agent or server have something to say.
    Message {
        message: &'a str,
    },
    /// There is no session, which is told at the end.
    Failed {
        message: &'a str,
    },
    /// The session ended.
    Ended {
        reason: &'a str,
    },
    /// A new one is started after so many seconds.
    Waiting {
        reason: &'a str,
        seconds: f32,
    },
}

#[derive(Serialize)]
struct Line<'a> {
    #[serde(flatten)]
    said: &'a Said<'a>,
    node: &'a str,
}

/// Who is told.
pub(super) struct Show {
    is_json: bool,
    wants_status: bool,
    /// Of several nodes it is told which one is meant.
    names_nodes: bool,
    /// On a terminal.
    lines: Option<RefCell<StatusLines>>,
}

impl Show {
    pub(super) fn new(is_json: bool, wants_status: bool, names_nodes: bool) -> Self {
        let lines = std::io::stderr().is_terminal().then(RefCell::default);
        Self { is_json, wants_status, names_nodes, lines }
    }

    /// Whether anybody looks at how much is carried.
    pub(super) fn wants_traffic(&self) -> bool {
        self.wants_status || self.lines.is_some()
    }

    pub(super) fn say(&self, node: &str, said: &Said<'_>) {
        if let Some(lines) = &self.lines {
            lines.borrow_mut().note(node, said, Instant::now());
        }
        let (out, err) = self.texts(node, said);
        if let Some(lines) = &self.lines
            && (out.is_some() || err.is_some())
        {
            lines.borrow_mut().clear();
        }
        // Whom nobody reads is no reason to end what others use.
        if let Some(line) = out {
            let mut out = std::io::stdout().lock();
            let _ = writeln!(out, "{line}").and_then(|()| out.flush());
        }
        if let Some(line) = err {
            let _ = writeln!(std::io::stderr(), "postern: {line}");
        }
        if let Some(lines) = &self.lines {
            lines.borrow_mut().draw();
        }
    }

    /// The status lines go away.
    pub(super) fn end(&self) {
        if let Some(lines) = &self.lines {
            lines.borrow_mut().clear();
        }
    }

    /// What goes to standard output, and what to standard error.
    fn texts(&self, node: &str, said: &Said<'_>) -> (Option<String>, Option<String>) {
        let through = if self.names_nodes { format!(" through {node}") } else { String::new() };
        let told = match said {
            Said::Listening { forward, address, is_at_node } if !self.is_json => {
                let address =
                    if *is_at_node { format!("{address} of {node}") } else { (*address).to_owned() };
                let line = format!("Listening on {address} ({forward}){through}");
                return (Some(visible::line(&line).into_owned()), None);
            }
            Said::NotListening { forward, reason, message } => {
                Some(format!("{forward}{through}: {}", because(reason, message)))
            }
            Said::Refused { source, destination, reason, message, .. } => {
                let source = if source.is_empty() { "a connection" } else { source };
                Some(format!("{source} to {destination}{through}: {}", because(reason, message)))
            }
            Said::Disconnected => Some(format!("connection{through} lost, reconnecting")),
            Said::Reconnected => Some(format!("connected again{through}")),
            Said::Message { message } => Some((*message).to_owned()),
            Said::Waiting { reason, seconds } => {
                Some(format!("{node}: {reason}; trying again in {seconds:.0} s"))
            }
            Said::Ended { reason } if !reason.is_empty() => Some(format!("{node}: {reason}")),
            _ => None,
        };
        let told = told.map(|told| visible::line(&told).into_owned());
        let is_told = self.is_json && (self.wants_status || !matches!(said, Said::Status { .. }));
        let json = is_told.then(|| serde_json::to_string(&Line { said, node }).unwrap_or_default());
        (json.map(|json| visible::json(&json)), told)
    }
}

/// A reason in a word, and what was said of it.
fn because(reason: &str, message: &str) -> String {
    let reason = reason.replace('-', " ");
    if message.is_empty() { reason } else { format!("{reason}: {message}") }
}

/// The reason in a word.
pub(super) fn word(refused: &Refused) -> &'static str {
    match refused.reason {
        Reason::Denied => "denied",
        Reason::Forbidden => "forbidden",
        Reason::NotFound => "not-found",
        Reason::Unreachable => "unreachable",
        Reason::RefusedByPeer => "refused",
        Reason::TimedOut => "timed-out",
        Reason::InUse => "in-use",
        Reason::TooMany => "too-many",
        Reason::Failed => "failed",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn show(is_json: bool, wants_status: bool, names_nodes: bool) -> Show {
        Show { is_json, wants_status, names_nodes, lines: None }
    }

    const REFUSED: Said<'_> = Said::Refused {
        forward: "-L 127.0.0.1:8080:db:80",
        connection: 3,
        source: "127.0.0.1:4711",
        destination: "db:80",
        reason: "denied",
        message: "by\u{1b}[31m policy",
    };

    #[test]
    fn people_read_where_it_listens_and_why_not() {
        let listening =
            Said::Listening { forward: "-D 127.0.0.1:0", address: "127.0.0.1:1080", is_at_node: false };
        let (out, err) = show(false, false, false).texts("mi-1", &listening);
        assert_eq!((out.as_deref(), err), (Some("Listening on 127.0.0.1:1080 (-D 127.0.0.1:0)"), None));
        let (out, err) = show(false, false, true).texts("mi-1", &REFUSED);
        let told = r"127.0.0.1:4711 to db:80 through mi-1: denied: by\u{1b}[31m policy";
        assert_eq!((out, err.as_deref()), (None, Some(told)));
        let opened = Said::Status { connections: 1, sent: 2, received: 3 };
        assert_eq!(show(false, false, true).texts("mi-1", &opened), (None, None));
    }

    #[test]
    fn programs_read_an_object_a_line() {
        let (out, err) = show(true, false, false).texts("mi-1", &REFUSED);
        insta::assert_snapshot!(out.unwrap(), @r#"{"event":"refused","forward":"-L 127.0.0.1:8080:db:80","connection":3,"source":"127.0.0.1:4711","destination":"db:80","reason":"denied","message":"by\u001b[31m policy","node":"mi-1"}"#);
        assert!(err.is_some());
        let status = Said::Status { connections: 1, sent: 2, received: 3 };
        assert_eq!(show(true, false, false).texts("mi-1", &status).0, None);
        let told = show(true, true, false).texts("mi-1", &status).0;
        let expected = r#"{"event":"status","connections":1,"sent":2,"received":3,"node":"mi-1"}"#;
        assert_eq!(told.as_deref(), Some(expected));
    }
}
