//! Connections in smux, version 1: SYN opens one, and FIN of both sides closes it.

use bytes::Bytes;
use jiff::Timestamp;
use postern_protocol::smux::{Decoder, Frame};

use super::connection::{Connection, ConnectionEnd, Open};
use super::{Happened, NotFollowed, Route};
use crate::relay::Side;

/// See the [module's documentation](self).
#[derive(Debug, Default)]
pub(super) struct Multiplexed {
    from_client: Decoder,
    from_node: Decoder,
}

impl Multiplexed {
    /// Takes the next payload of `side`.
    pub(super) fn handle(
        &mut self,
        side: Side,
        payload: &Bytes,
        open: &mut Open,
        route: Option<&Route>,
        at: Timestamp,
        happened: &mut Vec<Happened>,
    ) -> Result<(), NotFollowed> {
        let mut rest = payload.clone();
        let decoder = match side {
            Side::Client => &mut self.from_client,
            Side::Agent => &mut self.from_node,
        };
        while let Some(frame) = decoder.next(&mut rest)? {
            match frame {
                // The node opens none.
                Frame::Syn(_) if side == Side::Agent => {}
                Frame::Syn(id) => Self::syn(id.0, open, route, at, happened)?,
                Frame::Data(id, data) => {
                    // What comes for one that is no more was on its way.
                    if let Some(connection) = open.get_mut(id.0) {
                        connection.bytes.count(side, data.len());
                    }
                }
                Frame::Fin(id) => Self::fin(side, id.0, open, happened),
            }
        }
        Ok(())
    }

    fn syn(
        id: u32,
        open: &mut Open,
        route: Option<&Route>,
        at: Timestamp,
        happened: &mut Vec<Happened>,
    ) -> Result<(), NotFollowed> {
        match open.get(id) {
            // A second one says nothing new.
            Some(connection) if !connection.has_ended(Side::Client) => return Ok(()),
            // The number is used again before the node has closed the former.
            Some(_) => happened.extend(
                open.remove(id).map(|former| Happened::Closed(former, ConnectionEnd::Closed(Side::Client))),
            ),
            None => {}
        }
        let connection = Connection::new(id, route.cloned(), at);
        open.insert(connection.clone())?;
        happened.push(Happened::Opened(connection));
        Ok(())
    }

    fn fin(side: Side, id: u32, open: &mut Open, happened: &mut Vec<Happened>) {
        let is_over = open.get_mut(id).is_some_and(|connection| connection.end(side));
        if is_over && let Some(connection) = open.remove(id) {
            // The other side's came first.
            happened.push(Happened::Closed(connection, ConnectionEnd::Closed(side.other())));
        }
    }
}
