//! Connections one after the other, each a plain stream: what the client sends opens one, its flag DisconnectToPort closes it.

use jiff::Timestamp;
use postern_protocol::payload::Flag;

use super::connection::{Connection, ConnectionEnd, Open};
use super::{Happened, NotFollowed, Route};
use crate::relay::Side;

/// See the [module's documentation](self).
#[derive(Debug, Default)]
pub(super) struct Single {
    /// The number of the last one.
    last: u32,
    /// By a handshake, rather than for want of one.
    is_agreed: bool,
}

impl Single {
    pub(super) fn new(is_agreed: bool) -> Self {
        Self { last: 0, is_agreed }
    }

    pub(super) fn restored(last: u32) -> Self {
        Self { last, is_agreed: true }
    }

    pub(super) fn is_agreed(&self) -> bool {
        self.is_agreed
    }

    pub(super) fn last(&self) -> u32 {
        self.last
    }

    /// There is a connection now, if there was none.
    pub(super) fn begin(
        &mut self,
        open: &mut Open,
        route: Option<&Route>,
        at: Timestamp,
        happened: &mut Vec<Happened>,
    ) -> Result<(), NotFollowed> {
        if open.get(self.last).is_some() {
            return Ok(());
        }
        self.last = self.last.saturating_add(1);
        let connection = Connection::new(self.last, route.cloned(), at);
        open.insert(connection.clone())?;
        happened.push(Happened::Opened(connection));
        Ok(())
    }

    pub(super) fn count(&self, side: Side, bytes: usize, open: &mut Open) {
        if let Some(connection) = open.get_mut(self.last) {
            connection.bytes.count(side, bytes);
        }
    }

    pub(super) fn flag(&self, side: Side, payload: &[u8], open: &mut Open, happened: &mut Vec<Happened>) {
        if side == Side::Client
            && Flag::from_payload(payload) == Ok(Flag::DisconnectToPort)
            && let Some(connection) = open.remove(self.last)
        {
            happened.push(Happened::Closed(connection, ConnectionEnd::Closed(side)));
        }
    }
}
