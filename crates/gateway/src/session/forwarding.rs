//! The connections inside a session: each is allowed and on record before it begins, and remembered for the next process.

mod chronicle;
mod lines;
mod news;

use std::collections::VecDeque;
use std::time::Duration;

use jiff::Timestamp;
use postern_documents::TUNNEL_DOCUMENT_NAME;
use postern_protocol::notice::Notice;
use postern_protocol::payload::Stamps as _;
use postern_protocol::tunnel::Reason;
use postern_protocol::version::ClientVersion;
use postern_recording::Durability;
use postern_store::{SessionRecord, StoreError};
use tokio::time::Instant;

pub(super) use self::chronicle::Chronicle;

use self::chronicle::Page;
use self::news::News;
use super::recorder::Kept;
use super::{EndReason, SessionRecorder, SessionTask};
use crate::authorizer::OpenRoute;
use crate::forwarded::{
    Carriage, Connection, ConnectionEnd, Forwarded, Happened, NotFollowed, Passage, Remembered,
};
use crate::gateway::Shared;
use crate::relay::{Recordable, Relay, Side};
use crate::stamps::SystemStamps;

/// After it could not be told whether connections may go on, how long until it is asked again.
const REVIEWED_AGAIN_AFTER: Duration = Duration::from_secs(5);

/// What is known of the connections of a new session; `None`: it has none.
pub(crate) fn begun(shared: &Shared, session: &SessionRecord) -> Option<Forwarded> {
    has_connections(session).then(|| Forwarded::new(shared.authorizer.settled_route(session)))
}

/// What an earlier process knew of them.
pub(crate) async fn restored(
    shared: &Shared,
    session: &SessionRecord,
    recorder: &mut SessionRecorder,
) -> Result<Option<Forwarded>, StoreError> {
    if !has_connections(session) {
        return Ok(None);
    }
    let known = shared.store.session_connections(&session.id).await?;
    let remembered = known.as_ref().and_then(|known| read::<Remembered>(session, &known.carriage));
    let open = known.iter().flat_map(|known| &known.open);
    let open: Vec<Connection> = open.filter_map(|content| read(session, content)).collect();
    let at = shared.clock.now();
    let route = shared.authorizer.settled_route(session);
    let forwarded = Forwarded::restored(remembered, open, route, at);
    if forwarded.is_blind() {
        // A recording that cannot be written ends the session when the next line is due.
        let _ = recorder.note(vec![lines::BLIND.to_owned()], at).await;
    }
    Ok(Some(forwarded))
}

/// What stands between the two ends of a session that an earlier process carried.
pub(super) fn relay_of_restored(carriage: Option<Carriage>) -> Relay {
    let mut relay = Relay::followed_on(matches!(carriage, Some(Carriage::Multiplexed | Carriage::Single)));
    if carriage == Some(Carriage::Tunnel) {
        relay.begin_tunnel();
    }
    relay
}

fn has_connections(session: &SessionRecord) -> bool {
    Kept::of(session) == Kept::Traffic
}

fn read<T: serde::de::DeserializeOwned>(session: &SessionRecord, content: &[u8]) -> Option<T> {
    serde_json::from_slice(content)
        .inspect_err(|error| {
            tracing::error!(session.id = %session.id, %error, "cannot read what is known of a connection of session {}", session.id);
        })
        .ok()
}

impl SessionTask {
    /// Follows the connections through what came in, and puts what begins and ends on record. What may not be is replaced. The
    /// client's messages come before the node's answers to them.
    pub(super) async fn follow_connections(
        &mut self,
        input: &mut VecDeque<Recordable>,
        output: &mut VecDeque<Recordable>,
        lines: &mut Vec<String>,
    ) -> Result<(), EndReason> {
        let Some(mut forwarded) = self.forwarded.take() else { return Ok(()) };
        let at = self.shared.clock.now();
        let mut news = News::new(at);
        let mut outcome = self.follow_side(Side::Client, input, &mut forwarded, &mut news).await;
        if outcome.is_ok() {
            outcome = self.follow_side(Side::Agent, output, &mut forwarded, &mut news).await;
        }
        let told = self.tell_news(&forwarded, news, lines).await;
        self.forwarded = Some(forwarded);
        outcome.and(told)
    }

    async fn follow_side(
        &mut self,
        side: Side,
        batch: &mut VecDeque<Recordable>,
        forwarded: &mut Forwarded,
        news: &mut News,
    ) -> Result<(), EndReason> {
        let mut happened = Vec::new();
        for message in batch {
            let passage = forwarded
                .handle(side, message.payload_type, &message.payload, news.at(), &mut happened)
                .map_err(not_followed)?;
            if let Passage::Replaced(payload) = passage {
                message.replace_payload(payload).map_err(not_followed)?;
            }
            for happened in happened.drain(..) {
                self.handle_happened(happened, message, forwarded, news).await?;
            }
        }
        Ok(())
    }

    async fn handle_happened(
        &mut self,
        happened: Happened,
        message: &mut Recordable,
        forwarded: &mut Forwarded,
        news: &mut News,
    ) -> Result<(), EndReason> {
        match happened {
            Happened::Offered => news.carriage(),
            Happened::Agreed(carriage) => {
                news.carriage();
                if carriage == Carriage::Tunnel {
                    self.relay.begin_tunnel();
                } else if self.record.document_name == TUNNEL_DOCUMENT_NAME {
                    return Err(EndReason::NoTunnel);
                }
            }
            Happened::Blinded if self.record.document_name == TUNNEL_DOCUMENT_NAME => {
                return Err(not_followed("the server was started anew, and does not know their beginning"));
            }
            Happened::Blinded => {
                news.carriage();
                news.line(lines::BLIND.to_owned());
                self.relay.pass_earlier();
            }
            Happened::Asked(connection) => self.authorize(connection, message, forwarded, news).await?,
            Happened::AskedAgain(connection) => {
                self.authorize_again(&connection, message, forwarded, news).await?;
            }
            Happened::AskedTooLate(id) => {
                let denial =
                    forwarded.deny(id, Reason::Failed, "it was over before the server was started anew");
                message.replace_payload(denial).map_err(not_followed)?;
            }
            Happened::Opened(connection) => news.opened(connection),
            Happened::Changed(connection) => news.changed(&connection),
            Happened::Closed(connection, end) => news.closed(connection, end),
            Happened::Forgotten(id) => news.forgotten(id),
        }
        Ok(())
    }

    /// Asks whether a connection may be. If it may not, its refusal goes on in the place of what asked for it.
    async fn authorize(
        &mut self,
        connection: Connection,
        message: &mut Recordable,
        forwarded: &mut Forwarded,
        news: &mut News,
    ) -> Result<(), EndReason> {
        let Some(route) = &connection.route else { return Ok(()) };
        match self.shared.authorizer.authorize(&self.record, route).await {
            Ok(route) => {
                if let Some(allowed) = forwarded.allow(connection.id, route) {
                    news.opened(allowed.clone());
                }
            }
            Err(denied) => {
                let denial = forwarded.deny(connection.id, Reason::Denied, &denied.message);
                message.replace_payload(denial).map_err(not_followed)?;
                let mut connection = connection;
                connection.route = Some(denied.route.clone());
                news.denied(connection, denied);
            }
        }
        Ok(())
    }

    /// The same of one that is open and on record, and is asked for once more after a restart.
    async fn authorize_again(
        &mut self,
        connection: &Connection,
        message: &mut Recordable,
        forwarded: &mut Forwarded,
        news: &mut News,
    ) -> Result<(), EndReason> {
        let (Some(route), Some(known)) = (&connection.route, forwarded.connection(connection.id).cloned())
        else {
            return Ok(());
        };
        match self.shared.authorizer.authorize(&self.record, route).await {
            Ok(route) if known.route.as_ref() == Some(&route) => {}
            Ok(_) => return Err(not_followed(NotFollowed::Ambiguous(connection.id))),
            Err(denied) => {
                let denial = forwarded.deny(connection.id, Reason::Denied, &denied.message);
                message.replace_payload(denial).map_err(not_followed)?;
                news.closed(known, ConnectionEnd::Revoked);
            }
        }
        Ok(())
    }

    /// Has the witness and the store take note. Nothing waits for them but what the next process could not do without.
    async fn tell_news(
        &mut self,
        forwarded: &Forwarded,
        news: News,
        lines: &mut Vec<String>,
    ) -> Result<(), EndReason> {
        let is_strict = self.shared.recordings.durability() == Durability::PowerFailure;
        let waits = is_strict || news.is_needed_by_next_process();
        let (events, changes) = news.into_parts(forwarded, lines);
        if events.is_empty() && changes.is_none() {
            return Ok(());
        }
        let page = Page { events, changes, needs_store: forwarded.may_be_tunnel() };
        match &mut self.chronicle {
            Some(chronicle) => chronicle.write(page, waits).await,
            None => Err(EndReason::NotWitnessed),
        }
    }

    /// Asks again whether the connections may be, and ends those that may not: nothing of them passes from now on, and both sides
    /// learn it with the next message that they are sent.
    pub(super) async fn review_connections(&mut self, now: Instant) {
        self.review_due = None;
        let Some(mut forwarded) = self.forwarded.take() else { return };
        let open: Vec<OpenRoute> = if forwarded.carriage() == Some(Carriage::Tunnel) {
            forwarded.connections().filter_map(open_route).collect()
        } else {
            // All lead where the session was allowed to, which is asked for as a whole.
            Vec::new()
        };
        let reviewed = if open.is_empty() {
            Ok(Vec::new())
        } else {
            self.shared.authorizer.review(&self.record, &open).await
        };
        let mut news = News::new(self.shared.clock.now());
        match reviewed {
            Ok(denied) => {
                for id in denied {
                    if let Some(revoked) = forwarded.revoke(id).cloned() {
                        self.tell_client_revoked(&revoked);
                        news.revoked(revoked);
                    }
                }
            }
            Err(_) => self.review_due = Some(now + REVIEWED_AGAIN_AFTER),
        }
        let mut lines = Vec::new();
        let told = self.tell_news(&forwarded, news, &mut lines).await;
        self.forwarded = Some(forwarded);
        if let Err(reason) = told {
            self.end(reason, now).await;
        }
        if let Err(error) = self.recorder.note(lines, self.shared.clock.now()).await {
            self.end(EndReason::RecordingFailed(error.to_string()), now).await;
        }
    }

    /// In words, for the node may say nothing for long.
    fn tell_client_revoked(&mut self, connection: &Connection) {
        let version = self.hello.as_ref().and_then(|hello| hello.client_version.as_deref());
        if version.is_some_and(|version| ClientVersion(version).is_postern()) {
            let text = lines::revoked(connection);
            let stamp = SystemStamps::new(&*self.shared.clock).stamp();
            self.relay.send_control(Side::Client, Notice { text }.to_message(stamp).encode());
        }
    }

    /// The session is over: the ends of what was open, and the lines about them.
    pub(super) async fn close_connections(&mut self, at: Timestamp) -> Vec<String> {
        let mut lines = Vec::new();
        let Some(mut forwarded) = self.forwarded.take() else { return lines };
        let mut news = News::new(at);
        for connection in forwarded.finish() {
            news.closed(connection, ConnectionEnd::SessionEnded);
        }
        let (events, _) = news.into_parts(&forwarded, &mut lines);
        if let Some(mut chronicle) = self.chronicle.take() {
            // Logged by the witness; the session is over in any case.
            let _ = chronicle.write(Page { events, ..Page::default() }, false).await;
            let _ = chronicle.close().await;
        }
        self.forwarded = Some(forwarded);
        lines
    }
}

fn open_route(connection: &Connection) -> Option<OpenRoute> {
    Some(OpenRoute { id: connection.id, route: connection.route.clone()?, opened_at: connection.opened_at })
}

fn not_followed(cause: impl ToString) -> EndReason {
    EndReason::NotFollowed(cause.to_string())
}
