//! Who may connect to what inside a port session: each connection is asked for as the session was, with its own destination.

use std::collections::HashMap;
use std::sync::Arc;

use async_trait::async_trait;
use postern_documents::TUNNEL_DOCUMENT_NAME;
use postern_gateway::{ConnectionAuthorizer, ConnectionDenied, ConnectionsUndecided, OpenRoute, Route};
use postern_ids::{AccountId, Arn, Region, SessionId};
use postern_store::{ResourceKey, SessionRecord, Store, StoreError, Tag};

use crate::audit;
use crate::auth::{
    Authenticator, Authorizer, Caller, Circumstances, Destination, NotAuthorized, Remembered, RequestContext,
    SessionRight, Undecided,
};
use crate::clock::Clock;
use crate::config::DocumentCheck;

/// See the [module's documentation](self).
pub(crate) struct ConnectionRights {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) authenticator: Arc<Authenticator>,
    pub(crate) authorizer: Arc<Authorizer>,
    pub(crate) account: AccountId,
    pub(crate) region: Region,
    pub(crate) document_check: DocumentCheck,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) standings: Standings,
}

/// Where the owners of sessions stand, as long as nothing changes that could alter it: a page in a browser is many connections.
pub(crate) type Standings = Remembered<HashMap<SessionId, Arc<Standing>>>;

/// How many sessions are remembered, a few KiB each. Beyond that all are forgotten and asked for again.
const STANDINGS_MAX: usize = 4096;

/// What is known today of who started a session, and of what it runs on.
pub(crate) struct Standing {
    caller: Caller,
    node_tags: Vec<Tag>,
    document_tags: Vec<Tag>,
}

impl ConnectionRights {
    /// `Err`: whoever started the session has no right to it any more, and why.
    async fn standing(
        &self,
        session: &SessionRecord,
        right: &SessionRight,
    ) -> Result<Result<Arc<Standing>, String>, Undecided> {
        if let Some(known) = self.standings.recall(|known| known.get(&session.id).cloned()) {
            return Ok(Ok(known));
        }
        let generation = self.standings.generation();
        let standing = self.read_standing(session, right).await?.map(Arc::new);
        if let Ok(standing) = &standing {
            self.standings.remember(generation, |known| {
                if known.len() >= STANDINGS_MAX {
                    known.clear();
                }
                known.insert(session.id.clone(), Arc::clone(standing));
            });
        }
        Ok(standing)
    }

    async fn read_standing(
        &self,
        session: &SessionRecord,
        right: &SessionRight,
    ) -> Result<Result<Standing, String>, Undecided> {
        let token = right.token();
        let standing =
            self.authenticator.standing(&right.bearer, right.access_key_id.as_ref(), token.as_ref()).await?;
        let principal = match standing {
            Ok(principal) => principal,
            Err(lost) => return Ok(Err(lost.to_string())),
        };
        if self.store.node(&session.node).await?.is_none() {
            return Ok(Err(format!("{} was de-registered", session.node)));
        }
        let node_tags = self.store.tags(&ResourceKey::node(&session.node)).await?;
        let document_tags = document_tags(&*self.store, &self.region, &self.account, right).await?;
        Ok(Ok(Standing { caller: right.caller(principal, token), node_tags, document_tags }))
    }

    fn circumstances<'a>(&'a self, session: &'a SessionRecord, standing: &'a Standing) -> Circumstances<'a> {
        Circumstances {
            node: &session.node,
            node_tags: &standing.node_tags,
            document_tags: &standing.document_tags,
            region: &self.region,
            account: &self.account,
            setting: self.document_check,
        }
    }

    /// Asks policies about one place.
    async fn ask(
        &self,
        session: &SessionRecord,
        right: &SessionRight,
        destination: &Destination,
    ) -> Result<Result<(), NotAuthorized>, Refusal> {
        let standing = self.standing(session, right).await?.map_err(Refusal::Lost)?;
        let checks = right.checks_of(Some(destination), &self.circumstances(session, &standing));
        // The circumstances are those of the start, but for the time.
        let now = RequestContext { at: self.clock.now(), ..right.request.clone() };
        let permit = self.authorizer.authorize_by_one_of(&standing.caller, &now, checks).await;
        Ok(permit.map(drop))
    }

    async fn denied_today(
        &self,
        session: &SessionRecord,
        right: &SessionRight,
        open: &[OpenRoute],
    ) -> Result<Vec<u32>, Undecided> {
        let Ok(standing) = self.standing(session, right).await? else {
            return Ok(open.iter().map(|open| open.id).collect());
        };
        let circumstances = self.circumstances(session, &standing);
        let mut denied = Vec::new();
        for OpenRoute { id, route, opened_at } in open {
            let checks = right.checks_of(Some(&Destination::from(route)), &circumstances);
            let then = RequestContext { at: *opened_at, ..right.request.clone() };
            if self.authorizer.review(&standing.caller, &then, checks).await?.is_err() {
                denied.push(*id);
            }
        }
        Ok(denied)
    }
}

/// Why policies were not even asked.
#[derive(Debug, thiserror::Error)]
enum Refusal {
    #[error("The right to the session is gone: {0}.")]
    Lost(String),
    #[error("It cannot be told whether this is allowed.")]
    Undecided(#[from] Undecided),
}

#[async_trait]
impl ConnectionAuthorizer for ConnectionRights {
    fn settled_route(&self, session: &SessionRecord) -> Option<Route> {
        right_of(session)?.destination.as_ref().map(Destination::route)
    }

    async fn authorize(&self, session: &SessionRecord, route: &Route) -> Result<Route, ConnectionDenied> {
        let destination = Destination::from(route);
        let plain = destination.route();
        let denied = |message: String| ConnectionDenied { route: plain.clone(), message, decision: None };
        if destination.is_in_disguise() {
            let host = &destination.host;
            return Err(denied(format!("{host:.256} is neither a name nor an address in its usual form.")));
        }
        let Some(right) = right_of(session) else {
            return Err(denied("Nothing tells any more what the session rested on.".to_owned()));
        };
        if session.document_name != TUNNEL_DOCUMENT_NAME {
            return match &right.destination {
                Some(settled) if *settled == destination => Ok(plain),
                Some(settled) => Err(denied(format!("The session leads to {} only.", settled.route()))),
                None => Err(denied("The session leads nowhere.".to_owned())),
            };
        }
        match self.ask(session, &right, &destination).await {
            Ok(Ok(())) => Ok(plain),
            Ok(Err(NotAuthorized::Denied(why))) => {
                let decision = Some(audit::described_decision(&why.decision));
                Err(ConnectionDenied { decision, ..denied(why.to_string()) })
            }
            Ok(Err(NotAuthorized::Undecided(undecided))) => {
                log(session, &undecided);
                Err(denied("It cannot be told whether this is allowed.".to_owned()))
            }
            Err(refusal) => {
                if let Refusal::Undecided(undecided) = &refusal {
                    log(session, undecided);
                }
                Err(denied(refusal.to_string()))
            }
        }
    }

    async fn review(
        &self,
        session: &SessionRecord,
        open: &[OpenRoute],
    ) -> Result<Vec<u32>, ConnectionsUndecided> {
        let Some(right) = right_of(session) else { return Ok(open.iter().map(|open| open.id).collect()) };
        self.denied_today(session, &right, open).await.map_err(|undecided| {
            log(session, &undecided);
            ConnectionsUndecided
        })
    }
}

fn right_of(session: &SessionRecord) -> Option<SessionRight> {
    serde_json::from_value(session.authority.clone()?).ok()
}

/// The tags of a session's document; those of the start once it is gone, for a session outlives its document.
pub(crate) async fn document_tags(
    store: &dyn Store,
    region: &Region,
    account: &AccountId,
    right: &SessionRight,
) -> Result<Vec<Tag>, StoreError> {
    let name = right.document.resource().strip_prefix("document/").unwrap_or_default();
    let is_own = Arn::document(region, account, name) == right.document;
    if !is_own || store.document(name).await?.is_none() {
        return Ok(right.document_tags.clone());
    }
    store.tags(&ResourceKey::document(name)).await
}

fn log(session: &SessionRecord, undecided: &Undecided) {
    let error: &dyn std::error::Error = undecided;
    tracing::error!(error, session.id = %session.id, "it cannot be told whether connections of session {} are allowed", session.id);
}
