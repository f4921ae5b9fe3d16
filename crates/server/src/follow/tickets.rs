//! Tickets: each opens one websocket, once, and soon.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;

use super::{Right, TICKET_LIFETIME};

/// Tickets that may be out at a time; each is good for half a minute.
const TICKETS_MAX: usize = 10_000;

/// The tickets that are out. A restart forgets them, and whoever has one asks for another.
#[derive(Default)]
pub(crate) struct Tickets(Mutex<HashMap<String, (Timestamp, Right)>>);

impl Tickets {
    /// A ticket made of `random` bytes. `None`: too many are out.
    pub(super) fn issue(&self, right: Right, random: [u8; 32], now: Timestamp) -> Option<String> {
        let expires_at = now.saturating_add(TICKET_LIFETIME).ok()?;
        let ticket = URL_SAFE_NO_PAD.encode(random);
        let mut tickets = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        tickets.retain(|_, (expires_at, _)| *expires_at > now);
        if tickets.len() >= TICKETS_MAX {
            return None;
        }
        tickets.insert(ticket.clone(), (expires_at, right));
        Some(ticket)
    }

    /// What the ticket was given for, once.
    pub(super) fn redeem(&self, ticket: &str, now: Timestamp) -> Option<Right> {
        let mut tickets = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (expires_at, right) = tickets.remove(ticket)?;
        (expires_at > now).then_some(right)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::{Caller, Principal, RequestContext};

    fn right() -> Right {
        let alice = Principal::User {
            name: "alice".parse().unwrap(),
            id: "AIDAAAAAAAAAAAAAAAAAA".parse().unwrap(),
            arn: "arn:aws:iam::111122223333:user/alice".parse().unwrap(),
        };
        let context = RequestContext {
            request_id: "r".to_owned(),
            at: Timestamp::UNIX_EPOCH,
            user_agent: None,
            referer: None,
        };
        let caller = Caller::unsigned(alice, "192.0.2.7".parse().unwrap());
        Right::of(&caller, &context, "bob-1".parse().unwrap()).unwrap()
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + seconds).unwrap()
    }

    #[test]
    fn a_ticket_is_good_once_and_for_half_a_minute() {
        let tickets = Tickets::default();
        let first = tickets.issue(right(), [1; 32], at(0)).unwrap();
        let late = tickets.issue(right(), [2; 32], at(0)).unwrap();
        assert!(tickets.redeem("other", at(1)).is_none() && tickets.redeem("", at(1)).is_none());
        assert_eq!(tickets.redeem(&first, at(29)).unwrap().session().as_str(), "bob-1");
        assert!(tickets.redeem(&first, at(29)).is_none());
        assert!(tickets.redeem(&late, at(30)).is_none());
    }

    #[test]
    fn tickets_that_nobody_used_make_room() {
        let tickets = Tickets::default();
        for number in 0..TICKETS_MAX {
            let mut random = [0; 32];
            random[..8].copy_from_slice(&number.to_be_bytes());
            assert!(tickets.issue(right(), random, at(0)).is_some());
        }
        assert!(tickets.issue(right(), [9; 32], at(29)).is_none());
        assert!(tickets.issue(right(), [9; 32], at(30)).is_some());
    }
}
