//! Tickets: each opens one websocket, once, and soon.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;

use super::{Right, TICKET_LIFETIME};
use crate::auth::Principal;

/// Tickets that may be out at a time; each is good for half a minute.
const TICKETS_MAX: usize = 10_000;
/// Those of one user or role among them: nobody takes the others' share.
const TICKETS_PER_CALLER_MAX: usize = 100;

/// Why there is no ticket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NoTicket {
    /// The caller has too many that are out.
    OfCaller,
    /// Too many are out.
    OfAll,
}

/// The tickets that are out. A restart forgets them, and whoever has one asks for another.
#[derive(Default)]
pub(crate) struct Tickets(Mutex<HashMap<String, (Timestamp, Right)>>);

impl Tickets {
    /// A ticket made of `random` bytes.
    pub(super) fn issue(&self, right: Right, random: [u8; 32], now: Timestamp) -> Result<String, NoTicket> {
        let expires_at = now.saturating_add(TICKET_LIFETIME).map_err(|_| NoTicket::OfAll)?;
        let ticket = URL_SAFE_NO_PAD.encode(random);
        let mut tickets = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        tickets.retain(|_, (expires_at, _)| *expires_at > now);
        if tickets.len() >= TICKETS_MAX {
            return Err(NoTicket::OfAll);
        }
        let of_caller = tickets.values().filter(|(_, other)| holder(other) == holder(&right)).count();
        if of_caller >= TICKETS_PER_CALLER_MAX {
            return Err(NoTicket::OfCaller);
        }
        tickets.insert(ticket.clone(), (expires_at, right));
        Ok(ticket)
    }

    /// What the ticket was given for, once.
    pub(super) fn redeem(&self, ticket: &str, now: Timestamp) -> Option<Right> {
        let mut tickets = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (expires_at, right) = tickets.remove(ticket)?;
        (expires_at > now).then_some(right)
    }
}

/// Whose tickets are counted together. A role's sessions are one: whoever may assume it gives them their names.
fn holder(right: &Right) -> &str {
    match &right.caller().principal {
        Principal::RoleSession { role_arn, .. } => role_arn.as_str(),
        other => other.name(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::{Caller, RequestContext};

    fn right() -> Right {
        right_of("alice")
    }

    fn right_of(name: &str) -> Right {
        let user = Principal::User {
            name: name.parse().unwrap(),
            id: "AIDAAAAAAAAAAAAAAAAAA".parse().unwrap(),
            arn: format!("arn:aws:iam::111122223333:user/{name}").parse().unwrap(),
        };
        let context = RequestContext {
            request_id: "r".to_owned(),
            at: Timestamp::UNIX_EPOCH,
            user_agent: None,
            referer: None,
        };
        let caller = Caller::unsigned(user, "192.0.2.7".parse().unwrap());
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
        let random = |number: usize| {
            let mut random = [0; 32];
            random[..8].copy_from_slice(&number.to_be_bytes());
            random
        };
        for number in 0..TICKETS_MAX {
            let user = format!("user-{}", number / TICKETS_PER_CALLER_MAX);
            assert!(tickets.issue(right_of(&user), random(number), at(0)).is_ok());
        }
        assert_eq!(tickets.issue(right(), [9; 32], at(29)), Err(NoTicket::OfAll));
        assert!(tickets.issue(right(), [9; 32], at(30)).is_ok());
    }

    #[test]
    fn nobody_takes_the_tickets_of_the_others() {
        let tickets = Tickets::default();
        let mut last = String::new();
        for number in 0..u8::try_from(TICKETS_PER_CALLER_MAX).unwrap() {
            last = tickets.issue(right(), [number; 32], at(0)).unwrap();
        }
        assert_eq!(tickets.issue(right(), [200; 32], at(1)), Err(NoTicket::OfCaller));
        assert!(tickets.issue(right_of("bob"), [201; 32], at(1)).is_ok());
        // One that is used is out no more.
        assert!(tickets.redeem(&last, at(1)).is_some());
        assert!(tickets.issue(right(), [200; 32], at(1)).is_ok());
    }
}
