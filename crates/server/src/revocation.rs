//! Ends live sessions whose owner may start them no longer.
//!
//! Whenever identities, policies, keys or tags have changed, every live session is looked at again: could its owner
//! start it now, on this node and with this document, under the circumstances of back then? Time and address are
//! those of the start, so that only changes of what was granted end a session. Where clients must have leave for their
//! data channel as well, that is asked again, too.

use std::sync::Arc;
use std::time::Duration;

use postern_gateway::EndReason;
use postern_ids::SessionId;
use postern_store::{SessionClaim, StoreError};
use tokio::time;

use crate::app::App;
use crate::auth::{Action, Check, Circumstances, SessionRight, Undecided};
use crate::config::Revocation;
use crate::connection_rights::document_tags;

/// How often it is looked for changes that this process was not told of.
const REFRESHED_EVERY: Duration = Duration::from_millis(500);
/// After a change, how long it is waited for more of them: whoever sets up rights changes many things at once.
const SETTLES_WITHIN: Duration = Duration::from_millis(100);
/// After it could not be told what becomes of a session, how long until it is tried again.
const RETRIED_AFTER: Duration = Duration::from_secs(5);
/// Sessions that are read at a time.
const CLAIMS: u32 = 256;

/// What becomes of a session.
#[derive(Debug)]
enum Verdict {
    GoesOn,
    Ends(EndReason),
}

/// Why it cannot be told what becomes of the sessions.
#[derive(Debug, thiserror::Error)]
enum ReviewError {
    #[error("the live sessions cannot be read")]
    Store(#[from] StoreError),
    #[error("it cannot be told whether session {session} may go on")]
    Undecided { session: SessionId, source: Undecided },
}

/// Watches for changes until the server stops.
pub(crate) async fn run(app: Arc<App>) {
    let mut generation = app.store.identity_generation();
    // What changed while no process ran counts, too.
    let mut is_due = true;
    loop {
        if is_due && app.sessions.revocation == Revocation::Immediate {
            is_due = !is_reviewed(&app).await;
            if is_due {
                tokio::select! {
                    () = app.shutdown.cancelled() => return,
                    () = time::sleep(RETRIED_AFTER) => continue,
                }
            }
        }
        tokio::select! {
            () = app.shutdown.cancelled() => return,
            () = app.sessions_changed.notified() => is_due = true,
            changed = generation.changed() => {
                // The store is there as long as the server is.
                if changed.is_err() {
                    return;
                }
                time::sleep(SETTLES_WITHIN).await;
                generation.borrow_and_update();
                is_due = true;
            }
            () = time::sleep(REFRESHED_EVERY) => refresh(&app).await,
        }
    }
}

/// Looks for changes that other processes made.
async fn refresh(app: &App) {
    if let Err(error) = app.store.refresh_identity_generation().await {
        let error: &dyn std::error::Error = &error;
        tracing::warn!(error, "cannot look for changes of identities");
    }
}

async fn is_reviewed(app: &Arc<App>) -> bool {
    let reviewed = review(app).await;
    if let Err(error) = &reviewed {
        let error: &dyn std::error::Error = error;
        tracing::error!(error, "live sessions go on unreviewed for now; it is tried again");
    }
    reviewed.is_ok()
}

/// Looks at every live session and ends those that may not go on.
async fn review(app: &Arc<App>) -> Result<(), ReviewError> {
    let mut after = None;
    loop {
        let claims = app.store.session_claims(after.as_ref(), CLAIMS).await?;
        for claim in &claims {
            match verdict(app, claim).await? {
                Verdict::Ends(reason) => end(app, claim, reason),
                Verdict::GoesOn => review_connections(app, claim),
            }
        }
        match claims.into_iter().last() {
            Some(last) => after = Some(last.id),
            None => return Ok(()),
        }
        // Calls come first.
        tokio::task::yield_now().await;
    }
}

async fn verdict(app: &App, claim: &SessionClaim) -> Result<Verdict, ReviewError> {
    let Some(node_tags) = &claim.node_tags else { return Ok(Verdict::Ends(EndReason::NodeDeregistered)) };
    let right = claim.authority.clone().and_then(|right| serde_json::from_value::<SessionRight>(right).ok());
    let Some(right) = right else { return Ok(revoked("nothing tells any more what it rested on")) };
    let token = right.token();
    let standing =
        app.authenticator.standing(&right.bearer, right.access_key_id.as_ref(), token.as_ref()).await?;
    let principal = match standing {
        Ok(principal) => principal,
        Err(lost) => return Ok(revoked(&lost.to_string())),
    };
    let caller = right.caller(principal, token);
    let document_tags = document_tags(&*app.store, &app.region, &app.account, &right).await?;
    let circumstances = Circumstances {
        node: &claim.node,
        node_tags,
        document_tags: &document_tags,
        region: &app.region,
        account: &app.account,
        setting: app.sessions.document_check,
    };
    let may = async |action: &str, checks| {
        let reviewed = app.authorizer.review(&caller, &right.request, checks).await;
        let undecided = |source| ReviewError::Undecided { session: claim.id.clone(), source };
        reviewed.map_err(undecided).map(|reviewed| match reviewed {
            Ok(()) => Verdict::GoesOn,
            Err(denied) => revoked(&denied.decision.reason(action).unwrap_or_default()),
        })
    };
    let mut verdict = Verdict::GoesOn;
    for checks in right.checks(&circumstances) {
        verdict = may("ssm:StartSession", checks).await?;
        if matches!(verdict, Verdict::GoesOn) {
            break;
        }
    }
    match verdict {
        Verdict::GoesOn if asks_for_data_channels(app) => {
            may("ssmmessages:OpenDataChannel", vec![vec![data_channel_check(app, claim)]]).await
        }
        verdict => Ok(verdict),
    }
}

/// Whether nobody has a data channel without the right to it. As long as clients may come unsigned, whoever loses that
/// right can come back without it, so it takes no session away.
fn asks_for_data_channels(app: &App) -> bool {
    !app.sessions.allow_unsigned_data_channels
}

fn data_channel_check(app: &App, claim: &SessionClaim) -> Check {
    Check::new(Action::OpenDataChannel).on_session(&app.region, &app.account, &claim.id, Some(claim))
}

fn revoked(why: &str) -> Verdict {
    Verdict::Ends(EndReason::PermissionRevoked(why.to_owned()))
}

/// A session whose connections lead to places of their own goes on without those that may not be any more.
fn review_connections(app: &Arc<App>, claim: &SessionClaim) {
    let (app, session) = (Arc::clone(app), claim.id.clone());
    let tasks = app.tasks.clone();
    tasks.spawn(async move { app.gateway.review_connections(&session).await });
}

/// A session that takes no commands must not hold up the others.
fn end(app: &Arc<App>, claim: &SessionClaim, reason: EndReason) {
    let (app, session) = (Arc::clone(app), claim.id.clone());
    let (tasks, why) = (app.tasks.clone(), reason.notice());
    tracing::info!(session.id = %session, node.id = %claim.node, why, "session {session} is ended: {why}");
    tasks.spawn(async move {
        if let Err(error) = app.gateway.end_session(&session, reason).await {
            let error: &dyn std::error::Error = &error;
            tracing::error!(error, session.id = %session, "session {session} cannot be ended");
        }
    });
}
