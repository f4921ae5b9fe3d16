//! The right to follow a session, looked at again whenever rights have changed.

use std::time::Duration;

use postern_ids::SessionId;
use tokio::time::sleep;

use super::operation;
use crate::app::App;
use crate::auth::{Bearer, Caller, RequestContext};
use crate::recordings;

/// After a change, how long it is waited for more of them.
const SETTLES_WITHIN: Duration = Duration::from_millis(100);
/// After it could not be told whether somebody still may, how long until it is tried again.
const RETRIED_AFTER: Duration = Duration::from_secs(5);

/// Who may follow which session, and under which circumstances that was asked for.
#[derive(Debug, Clone)]
pub(crate) struct Right {
    session: SessionId,
    caller: Caller,
    bearer: Bearer,
    context: RequestContext,
}

/// It cannot be told. Why has been logged.
struct Unknown;

impl Right {
    /// `None`: the caller has no credentials of IAM.
    pub(super) fn of(caller: &Caller, context: &RequestContext, session: SessionId) -> Option<Self> {
        let bearer = caller.bearer()?;
        Some(Self { session, caller: caller.clone(), bearer, context: context.clone() })
    }

    pub(super) fn session(&self) -> &SessionId {
        &self.session
    }

    pub(super) fn caller(&self) -> &Caller {
        &self.caller
    }

    /// Comes about when a change of identities, policies, keys or tags has taken the right away. Time and address stay
    /// those of the request.
    pub(super) async fn is_lost(&self, app: &App) {
        let mut generation = app.store.identity_generation();
        // It may have changed since the ticket was given.
        loop {
            match self.holds(app).await {
                Ok(true) => {}
                Ok(false) => return,
                Err(Unknown) => {
                    sleep(RETRIED_AFTER).await;
                    continue;
                }
            }
            if generation.changed().await.is_err() {
                // The store is there as long as the server is.
                return std::future::pending().await;
            }
            sleep(SETTLES_WITHIN).await;
            generation.borrow_and_update();
        }
    }

    async fn holds(&self, app: &App) -> Result<bool, Unknown> {
        let (key, token) = (self.caller.access_key_id.as_deref(), self.caller.token.as_ref());
        let key = key.and_then(|key| key.parse().ok());
        let standing = app.authenticator.standing(&self.bearer, key.as_ref(), token).await;
        let Ok(principal) = standing.map_err(|error| self.unknown(&error))? else { return Ok(false) };
        let check = recordings::check(app, operation(), &self.session).await;
        let check = check.map_err(|error| self.unknown(&error))?;
        let caller = Caller { principal, ..self.caller.clone() };
        let reviewed = app.authorizer.review(&caller, &self.context, [vec![check]]).await;
        Ok(reviewed.map_err(|error| self.unknown(&error))?.is_ok())
    }

    fn unknown(&self, error: &(dyn std::error::Error + 'static)) -> Unknown {
        tracing::error!(error, session.id = %self.session, "it cannot be told whether session {} may still be followed", self.session);
        Unknown
    }
}
