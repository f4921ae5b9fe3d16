//! Which numbers were given away: they only grow.

use postern_protocol::tunnel::{End, StreamId};

/// Those of one session, as one end sees them.
#[derive(Debug)]
pub(super) struct Numbers {
    own_next: Option<StreamId>,
    peer_last: StreamId,
    end: End,
}

impl Numbers {
    pub(super) fn new(end: End) -> Self {
        Self { own_next: Some(end.first_id()), peer_last: StreamId(0), end }
    }

    /// The next of this end; `None` when there are no more.
    pub(super) fn give(&mut self) -> Option<StreamId> {
        let id = self.own_next?;
        self.own_next = id.0.checked_add(2).map(StreamId);
        Some(id)
    }

    /// Whether the peer may give this number, which it then has.
    pub(super) fn take(&mut self, id: StreamId) -> bool {
        let is_new = id > self.peer_last;
        self.peer_last = self.peer_last.max(id);
        is_new
    }

    /// Whether it is or was somebody's.
    pub(super) fn is_used(&self, id: StreamId) -> bool {
        if End::giver_of(id) == self.end {
            self.own_next.is_none_or(|next| id < next)
        } else {
            id <= self.peer_last
        }
    }
}
