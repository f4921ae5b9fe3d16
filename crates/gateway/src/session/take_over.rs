//! One client after another: who has the session, and what the next one has to know.
//!
//! Numbers of input run end to end and live as long as the session. Whoever goes on with it must know where they are: the
//! relay has seen them, unless an earlier process has and nothing came since. A client from which the session was taken
//! must not come back by itself, as its numbers are not those of the session any more.

use std::collections::VecDeque;

use postern_protocol::notice::InputPlace;
use postern_protocol::payload::ClientAttached;

use crate::relay::Relay;

/// What a client is told from which another one has the session; the console knows these words.
pub(super) const RESUMED_ELSEWHERE: &str = "The session was resumed by another client.";
/// Types of sessions that have a terminal, to which sizes may be sent. Source: AWS Systems Manager user guide, session document schema.
const OF_TERMINALS: [&str; 2] = ["Standard_Stream", "InteractiveCommands"];
/// What a client fills in, one message for each number. Far below what either end lets wait unacknowledged.
const MISSING_MAX: i64 = 512;
/// Clients that are remembered; each was there for some time.
const DISPLACED_MAX: usize = 64;

/// What a client says of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Claim {
    /// It numbers its messages from the beginning, or from where it was.
    GoesOn,
    /// It wants the session of another client.
    TakesOver,
}

/// Why a client does not get the session.
#[derive(Debug)]
pub(super) enum TurnedAway {
    /// Another one has taken it over from this one.
    Displaced,
    /// It cannot be taken over; why, for its user.
    NotTaken(String),
}

/// The clients from which others have taken the session over, the latest last.
#[derive(Debug, Default)]
pub(super) struct Displaced(VecDeque<String>);

impl Displaced {
    /// The client that had the session has it no more.
    pub(super) fn insert(&mut self, former: Option<ClientAttached>) {
        if let Some(id) = former.and_then(|former| former.client_id) {
            self.0.push_back(id);
            if self.0.len() > DISPLACED_MAX {
                self.0.pop_front();
            }
        }
    }

    pub(super) fn contains(&self, client: &ClientAttached) -> bool {
        client.client_id.as_ref().is_some_and(|id| self.0.contains(id))
    }
}

/// Whether sessions of a type show a terminal.
pub(super) fn has_terminal(session_type: &str) -> bool {
    OF_TERMINALS.contains(&session_type)
}

/// What a client has to know that takes over a session of that type, or why it cannot.
pub(super) fn place(session_type: &str, is_encrypted: bool, relay: &Relay) -> Result<InputPlace, String> {
    let refused = |why: &str| Err(format!("This session cannot be taken over: {why}"));
    if !has_terminal(session_type) {
        return refused("it has no terminal.");
    }
    if is_encrypted {
        return refused("it is encrypted, and only the client that began it has its key.");
    }
    match relay.input_place() {
        None => refused(
            "the server was started anew since, and nothing has been typed yet that would tell where it stands.",
        ),
        Some((first, next)) if next - first > MISSING_MAX => {
            refused("too much of what was typed is still on its way.")
        }
        Some((first, next)) => Ok(InputPlace::Taken { first, next }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_terminals_in_clear_are_taken_over() {
        let relay = Relay::new();
        let taken = Ok(InputPlace::Taken { first: 0, next: 0 });
        assert_eq!(place("Standard_Stream", false, &relay), taken);
        assert_eq!(place("InteractiveCommands", false, &relay), taken);
        for refused in [place("Port", false, &relay), place("NonInteractiveCommands", false, &relay)] {
            assert!(refused.unwrap_err().contains("no terminal"));
        }
        assert!(place("Standard_Stream", true, &relay).unwrap_err().contains("encrypted"));
        let restored = Relay::restored(3).with_unknown_input();
        assert!(place("Standard_Stream", false, &restored).unwrap_err().contains("started anew"));
    }

    #[test]
    fn whoever_was_displaced_is_known_for_a_while() {
        let client =
            |id: usize| ClientAttached { client_id: Some(id.to_string()), ..ClientAttached::default() };
        let mut displaced = Displaced::default();
        displaced.insert(None);
        displaced.insert(Some(ClientAttached::default()));
        assert!(!displaced.contains(&ClientAttached::default()), "who has no name is not known");
        (0..=DISPLACED_MAX).for_each(|id| displaced.insert(Some(client(id))));
        assert!(!displaced.contains(&client(0)) && displaced.contains(&client(1)));
        assert!(displaced.contains(&client(DISPLACED_MAX)));
    }
}
