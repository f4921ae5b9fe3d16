//! The connections that a port session carries, told from its two directions: which were asked for, which came about, how much
//! each carried and how it ended. It does no I/O and reads no clock, and its memory is bounded whatever is sent.
//!
//! How connections are carried is settled by the handshake. Whatever does not keep to that cannot be told, and is an error.

mod agreed;
mod connection;
mod dialect;
mod route;
mod single;
mod smux;

#[cfg(test)]
mod tests;

use bytes::Bytes;
use jiff::Timestamp;
use postern_protocol::PayloadType;
use postern_protocol::smux::SmuxError;
use postern_protocol::tunnel::{Content, Frame, Reason, Refused, StreamId, TunnelError};
use serde::{Deserialize, Serialize};

pub use self::connection::{Connection, ConnectionEnd};
pub use self::route::{Direction, Protocol, Route};

pub(crate) use self::agreed::{Carriage, Offer};
pub(crate) use self::dialect::Passage;

use self::agreed::Handshake;
use self::connection::Open;
use self::dialect::Dialect;
use self::single::Single;
use self::smux::Multiplexed;
use crate::relay::Side;

/// What happened to a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Happened {
    /// The agent said how they may be carried.
    Offered,
    /// How connections are carried was settled.
    Agreed(Carriage),
    /// Nobody can tell them apart any more.
    Blinded,
    /// The client asks for it; the message must not go on unless it is allowed ([`Forwarded::allow`], [`Forwarded::deny`]).
    Asked(Connection),
    /// The client asks once more for one that is open: the same must come of it.
    AskedAgain(Connection),
    /// The client asks once more for one that is over: it is to be denied.
    AskedTooLate(u32),
    /// It began: its first message must not go on before that is on record.
    Opened(Connection),
    /// More is known of it.
    Changed(Connection),
    /// It is over.
    Closed(Connection, ConnectionEnd),
    /// It was over before, and now both sides know.
    Forgotten(u32),
}

/// The stream cannot be followed: which connections it carries is not known from here on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NotFollowed {
    /// It is not smux.
    #[error(transparent)]
    Smux(#[from] SmuxError),
    /// It is not the dialect.
    #[error(transparent)]
    Tunnel(#[from] TunnelError),
    /// Nobody could say how the data is meant.
    #[error("the client sends data before it has answered the handshake")]
    TooEarly,
    /// Nor this.
    #[error("the agent begins its handshake after the data")]
    TooLate,
    /// The agent could take for an answer what nobody followed as one, and the ends agree on what is not followed.
    #[error("the client answers a handshake that has not begun")]
    Unasked,
    /// More than any session may have.
    #[error("too many connections at once")]
    TooMany,
    /// What comes again is not what came before.
    #[error("connection {0} is asked for twice, and differently")]
    Ambiguous(u32),
}

/// Since when a session is followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Origin {
    Beginning,
    Restart,
}

/// How connections are followed.
#[derive(Debug)]
enum Follower {
    Unsettled(Handshake, Origin),
    Tunnel(Dialect),
    Multiplexed(Multiplexed),
    Single(Single),
    /// An earlier process did that, and what it knew is lost: nobody can tell one from another any more.
    Blind(Carriage),
}

/// See the [module's documentation](self).
#[derive(Debug)]
pub(crate) struct Forwarded {
    follower: Follower,
    open: Open,
    /// Where all of them lead, unless each is asked for by itself.
    route: Option<Route>,
}

/// What the next process has to know, besides what is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Remembered {
    /// The agent asked, and the client has not answered.
    Offered(Offer),
    /// It is settled, and numbers up to these were used.
    Agreed { carriage: Carriage, last_of_client: u32, last_of_node: u32 },
}

impl Forwarded {
    /// Of a new session, whose connections lead to `route` unless each is asked for by itself.
    pub(crate) fn new(route: Option<Route>) -> Self {
        Self {
            follower: Follower::Unsettled(Handshake::default(), Origin::Beginning),
            open: Open::default(),
            route,
        }
    }

    /// Of a session that an earlier process followed until some time before `at`; `remembered` is what that knew, if it knew anything.
    /// What smux says makes sense from the beginning only: of such a session it is merely known how much went each way.
    pub(crate) fn restored(
        remembered: Option<Remembered>,
        open: impl IntoIterator<Item = Connection>,
        route: Option<Route>,
        at: Timestamp,
    ) -> Self {
        let mut restored =
            Self { follower: Follower::Blind(Carriage::Multiplexed), open: Open::default(), route };
        open.into_iter().for_each(|connection| restored.open.restore(connection, at));
        let unsettled = |offer| Follower::Unsettled(Handshake::restored(offer), Origin::Restart);
        restored.follower = match remembered {
            None => unsettled(None),
            Some(Remembered::Offered(offer)) => unsettled(Some(offer)),
            Some(Remembered::Agreed { carriage: Carriage::Tunnel, last_of_client, last_of_node }) => {
                Follower::Tunnel(Dialect::restored(last_of_client, last_of_node, &restored.open))
            }
            Some(Remembered::Agreed { carriage: Carriage::Single, last_of_client, .. }) => {
                Follower::Single(Single::restored(last_of_client))
            }
            Some(Remembered::Agreed { carriage: Carriage::Multiplexed, .. }) => return restored,
        };
        restored
    }

    /// How connections are carried, once that is settled.
    pub(crate) fn carriage(&self) -> Option<Carriage> {
        match &self.follower {
            Follower::Unsettled(..) => None,
            Follower::Tunnel(_) => Some(Carriage::Tunnel),
            Follower::Multiplexed(_) => Some(Carriage::Multiplexed),
            Follower::Single(_) => Some(Carriage::Single),
            Follower::Blind(carriage) => Some(*carriage),
        }
    }

    /// Whether the client asks for each connection, or may come to.
    pub(crate) fn may_be_tunnel(&self) -> bool {
        matches!(self.follower, Follower::Unsettled(..) | Follower::Tunnel(_))
    }

    /// Whether connections cannot be told apart any more.
    pub(crate) fn is_blind(&self) -> bool {
        matches!(self.follower, Follower::Blind(_))
    }

    /// What the next process has to know.
    pub(crate) fn remembered(&self) -> Option<Remembered> {
        let (last_of_client, last_of_node) = match &self.follower {
            Follower::Unsettled(handshake, _) => return handshake.offer().map(Remembered::Offered),
            Follower::Tunnel(dialect) => dialect.last(),
            Follower::Single(single) => (single.last(), 0),
            Follower::Multiplexed(_) | Follower::Blind(_) => (0, 0),
        };
        Some(Remembered::Agreed { carriage: self.carriage()?, last_of_client, last_of_node })
    }

    /// Takes the next message of `side`, and adds what it does to `happened`.
    ///
    /// # Errors
    /// It cannot be understood, nor anything after it.
    pub(crate) fn handle(
        &mut self,
        side: Side,
        payload_type: PayloadType,
        payload: &Bytes,
        at: Timestamp,
        happened: &mut Vec<Happened>,
    ) -> Result<Passage, NotFollowed> {
        match payload_type {
            PayloadType::Output => return self.data(side, payload, at, happened),
            PayloadType::HandshakeRequest if side == Side::Agent => match &mut self.follower {
                Follower::Unsettled(handshake, _) => {
                    handshake.handle_request(payload);
                    happened.push(Happened::Offered);
                }
                Follower::Single(single) if !single.is_agreed() => return Err(NotFollowed::TooLate),
                _ => {}
            },
            PayloadType::HandshakeResponse if side == Side::Client => {
                if let Follower::Unsettled(handshake, _) = &self.follower {
                    if handshake.offer().is_none() {
                        return Err(NotFollowed::Unasked);
                    }
                    let carriage = handshake.handle_response(payload);
                    self.settle(carriage, true, at, happened)?;
                }
            }
            PayloadType::Flag => {
                if let Follower::Single(single) = &self.follower {
                    single.flag(side, payload, &mut self.open, happened);
                }
            }
            _ => {}
        }
        Ok(Passage::Unchanged)
    }

    fn data(
        &mut self,
        side: Side,
        payload: &Bytes,
        at: Timestamp,
        happened: &mut Vec<Happened>,
    ) -> Result<Passage, NotFollowed> {
        match &self.follower {
            Follower::Unsettled(handshake, _) if handshake.offer().is_some() => {
                return Err(NotFollowed::TooEarly);
            }
            // Neither shakes hands.
            Follower::Unsettled(_, Origin::Beginning) => {
                self.settle(Carriage::Single, false, at, happened)?
            }
            // They did, when nobody followed.
            Follower::Unsettled(_, Origin::Restart) => {
                self.follower = Follower::Blind(Carriage::Multiplexed);
                happened.push(Happened::Blinded);
            }
            _ => {}
        }
        let Self { follower, open, route } = self;
        match follower {
            Follower::Tunnel(dialect) => return dialect.handle(side, payload, open, at, happened),
            Follower::Multiplexed(smux) => smux.handle(side, payload, open, route.as_ref(), at, happened)?,
            Follower::Single(single) => {
                if side == Side::Client {
                    single.begin(open, route.as_ref(), at, happened)?;
                }
                single.count(side, payload.len(), open);
            }
            Follower::Unsettled(..) | Follower::Blind(_) => {}
        }
        Ok(Passage::Unchanged)
    }

    fn settle(
        &mut self,
        carriage: Carriage,
        is_agreed: bool,
        at: Timestamp,
        happened: &mut Vec<Happened>,
    ) -> Result<(), NotFollowed> {
        happened.push(Happened::Agreed(carriage));
        self.follower = match carriage {
            Carriage::Tunnel => Follower::Tunnel(Dialect::default()),
            Carriage::Multiplexed => Follower::Multiplexed(Multiplexed::default()),
            Carriage::Single => {
                let mut single = Single::new(is_agreed);
                single.begin(&mut self.open, self.route.as_ref(), at, happened)?;
                Follower::Single(single)
            }
        };
        Ok(())
    }

    /// What was asked for may be: it leads where policies were asked about.
    pub(crate) fn allow(&mut self, id: u32, route: Route) -> Option<&Connection> {
        let connection = self.open.get_mut(id)?;
        connection.route = Some(route);
        Some(connection)
    }

    /// What was asked for may not be: the payload that goes on in the place of the one that asked.
    pub(crate) fn deny(&mut self, id: u32, reason: Reason, message: &str) -> Bytes {
        self.open.remove(id);
        Frame::new(StreamId(id), Content::Denied(Refused::new(reason, message))).to_bytes()
    }

    /// One that is open.
    pub(crate) fn connection(&self, id: u32) -> Option<&Connection> {
        self.open.get(id)
    }

    /// All that are open and may be.
    pub(crate) fn connections(&self) -> impl Iterator<Item = &Connection> {
        self.open.iter().filter(|connection| !connection.is_revoked())
    }

    /// Policies do not allow it any more: nothing of it passes from now on, which is its end. `None`: it ended before, or only the
    /// end of the session ends it.
    pub(crate) fn revoke(&mut self, id: u32) -> Option<&Connection> {
        match &mut self.follower {
            Follower::Tunnel(dialect) => dialect.revoke(id, &mut self.open),
            _ => None,
        }
    }

    /// The session is over, and all that was open with it.
    pub(crate) fn finish(&mut self) -> impl Iterator<Item = Connection> + use<> {
        self.open.take().filter(|connection| !connection.is_revoked())
    }
}
