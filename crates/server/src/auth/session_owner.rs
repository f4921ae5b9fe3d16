//! Whose a session is, where policies only match how its name begins.
//!
//! `session/${aws:username}-*` and `session/${aws:userid}-*` are how published policies say "one's own sessions". Both also
//! match the sessions of whoever has a longer name after a hyphen, and those that somebody started who had the name
//! before. So for a caller who did not start the session, a name that begins with the caller's own grants nothing; what
//! it denies is denied, and the session's other name counts in full. Whoever did start it has, after a change of name, its
//! new name as well.

use postern_ids::{AccountId, Arn, NodeId, Region, SessionId};
use postern_store::{SessionClaim, SessionRecord};

use super::Principal;

/// What policies can ask about a session.
#[derive(Debug, Clone, Copy)]
pub struct SessionFacts<'a> {
    /// `aws:userid` of the one who started it.
    pub owner_user_id: &'a str,
    /// Where it runs.
    pub node: &'a NodeId,
}

impl<'a> From<&'a SessionRecord> for SessionFacts<'a> {
    fn from(session: &'a SessionRecord) -> Self {
        Self { owner_user_id: &session.owner_user_id, node: &session.node }
    }
}

impl<'a> From<&'a SessionClaim> for SessionFacts<'a> {
    fn from(session: &'a SessionClaim) -> Self {
        Self { owner_user_id: &session.owner_user_id, node: &session.node }
    }
}

/// Who started a session, and how its names are made.
#[derive(Debug, Clone)]
pub(super) struct SessionOwner {
    /// `aws:userid` of the one who started it.
    user_id: String,
    /// What comes before the owner in the session's names.
    prefix: String,
    /// What comes after.
    suffix: String,
}

/// How a name of a resource counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Weight {
    /// Statements about it allow and deny.
    Full,
    /// They deny.
    DenyOnly,
}

impl SessionOwner {
    pub(super) fn new(region: &Region, account: &AccountId, id: &SessionId, facts: SessionFacts<'_>) -> Self {
        Self {
            user_id: facts.owner_user_id.to_owned(),
            prefix: format!("arn:aws:ssm:{region}:{account}:session/"),
            // There is no hyphen in it.
            suffix: id.as_str().rsplit('-').next().unwrap_or_default().to_owned(),
        }
    }

    /// The session's name if this were what stands for its owner.
    pub(super) fn name_with(&self, owner: &str) -> Option<Arn> {
        format!("{}{owner}-{}", self.prefix, self.suffix).parse().ok()
    }

    /// How the session's name `name` counts for `caller`.
    pub(super) fn weight(&self, name: &Arn, caller: &Principal) -> Weight {
        if self.is(caller) {
            return Weight::Full;
        }
        let rest = name.as_str().strip_prefix(&self.prefix).unwrap_or_default();
        let begins_with = |own: &str| rest.strip_prefix(own).is_some_and(|rest| rest.starts_with('-'));
        let is_confused = username(caller).is_some_and(begins_with)
            || caller.user_id().is_some_and(|user_id| begins_with(&user_id));
        if is_confused { Weight::DenyOnly } else { Weight::Full }
    }

    /// The session's name by what its owner, who calls, is called now.
    pub(super) fn present_name(&self, caller: &Principal) -> Option<Arn> {
        username(caller).filter(|_| self.is(caller)).and_then(|name| self.name_with(name))
    }

    fn is(&self, caller: &Principal) -> bool {
        caller.user_id().as_ref() == Some(&self.user_id)
    }
}

/// `aws:username`.
fn username(caller: &Principal) -> Option<&str> {
    match caller {
        Principal::User { name, .. } => Some(name.as_str()),
        _ => None,
    }
}
