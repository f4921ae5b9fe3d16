//! The right to follow a session, looked at again whenever rights have changed.

use std::time::Duration;

use postern_ids::SessionId;
use tokio::time::{Instant, sleep};

use super::operation;
use crate::app::App;
use crate::auth::{Bearer, Caller, RequestContext};
use crate::recordings;

/// After a change, how long it is waited for more of them.
const SETTLES_WITHIN: Duration = Duration::from_millis(100);
/// After it could not be told whether somebody still may, how long until it is tried again.
const RETRIED_AFTER: Duration = Duration::from_secs(5);

/// After so long in which it could not be told, nothing more is shown.
const UNKNOWN_MAX: Duration = Duration::from_secs(60);

/// Who may follow which session, and under which circumstances that was asked for.
#[derive(Debug, Clone)]
pub(crate) struct Right {
    session: SessionId,
    caller: Caller,
    bearer: Bearer,
    context: RequestContext,
}

/// It cannot be told. Why has been logged.
#[derive(Debug)]
pub(super) struct Unknown;

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

    /// Comes about when a change of identities, policies, keys or tags has taken the right away, or when for a minute it
    /// could not be told whether one has. Time and address stay those of the request.
    pub(super) async fn is_lost(&self, app: &App) {
        let mut generation = app.store.identity_generation();
        let mut unknown_since = None;
        // It may have changed since the websocket was opened.
        loop {
            match self.holds(app).await {
                Ok(true) => unknown_since = None,
                Ok(false) => return,
                Err(Unknown) => {
                    if unknown_since.get_or_insert_with(Instant::now).elapsed() >= UNKNOWN_MAX {
                        return;
                    }
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

    /// Whether the right is there now.
    pub(super) async fn holds(&self, app: &App) -> Result<bool, Unknown> {
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

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use tokio_util::sync::CancellationToken;

    use super::*;
    use crate::auth::Principal;
    use crate::config::Config;
    use crate::follow::ensure_holds;
    use crate::server::Server;

    /// Of a user who is not there any more.
    fn right() -> Right {
        let alice = Principal::User {
            name: "alice".parse().unwrap(),
            id: "AIDAAAAAAAAAAAAAAAAAA".parse().unwrap(),
            arn: "arn:aws:iam::000000000000:user/alice".parse().unwrap(),
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

    #[tokio::test]
    async fn nothing_is_shown_without_a_right_nor_for_ever_without_an_answer() {
        let directory = tempfile::tempdir().unwrap();
        let config = Config::for_tests(directory.path().to_owned());
        let server = Server::start(config, CancellationToken::new()).await.unwrap();
        let (app, right) = (server.app(), right());
        let refused = ensure_holds(app, &right).await.unwrap_err();
        assert!(format!("{refused:?}").contains("AccessDenied"), "{refused:?}");
        right.is_lost(app).await;

        server.close_store().await;
        let unknown = ensure_holds(app, &right).await.unwrap_err();
        assert!(format!("{unknown:?}").contains("ServiceUnavailable"), "{unknown:?}");
        tokio::time::pause();
        let since = Instant::now();
        right.is_lost(app).await;
        assert!((60..70).contains(&since.elapsed().as_secs()), "{:?}", since.elapsed());
    }
}
