//! Following a session while it runs: leave is asked for and answered with a ticket, which opens a websocket once.
//!
//! A browser cannot sign a websocket's request, and its cookie alone must not open one; so both it and `postern` come with a
//! ticket. The websocket shows the recording as text, asciicast v3, from its beginning; the last message is JSON and says how
//! the session ended. Nothing is said in the other direction.

mod right;
mod tickets;

use std::sync::Arc;
use std::time::Instant;

use http::header::ORIGIN;
use http::request::Parts;
use http::{Request, Response};
use jiff::{SignedDuration, Timestamp};
use postern_api::postern::{Operation, errors};
use postern_api::{ApiError, CommonError};
use postern_ids::{Arn, SessionId};
use serde_json::Map;

use crate::app::App;
use crate::audit::{Described, Entry};
use crate::auth::{Caller, RequestContext};
use crate::inbound::{self, Inbound};
use crate::recordings;
use crate::routes::failure;
use crate::serve::{self, Body, ClientStream, upgrade};

use self::right::{Right, Unknown};
use self::tickets::NoTicket;
pub(crate) use self::tickets::Tickets;

/// What comes before the ticket in the path of a websocket.
const PATH: &str = "/console/follow/";
/// How long a ticket is good.
const TICKET_LIFETIME: SignedDuration = SignedDuration::from_secs(30);

/// What a caller gets who may follow a session.
#[derive(Debug)]
pub(crate) struct Attached {
    /// Opens the websocket once.
    pub(crate) ticket: String,
    /// The websocket.
    pub(crate) url: String,
    /// When the ticket is good no more.
    pub(crate) expires_at: Timestamp,
}

/// Asks for leave to follow a session, and notes that for the audit trail.
///
/// # Errors
/// What the caller is told: it may not, or nobody can.
pub(crate) async fn attach(
    app: &App,
    entry: &Entry,
    caller: &Caller,
    context: &RequestContext,
    session: SessionId,
) -> Result<Attached, ApiError> {
    entry.data_event();
    let check = recordings::check(app, operation(), &session).await.map_err(failure::store)?;
    let _permit = inbound::permit(app, entry, caller, context, [vec![check]]).await?;
    let recording = app.recordings.summaries(vec![session.clone()]).await;
    if recording.map_err(|error| failure::internal(&error))?.is_empty() {
        let message = format!("There is no recording of session {session}.");
        return Err(ApiError::new(errors::RECORDING_NOT_FOUND_EXCEPTION, message));
    }
    if !app.gateway.carries(&session) {
        let message = format!("Session {session} is over; its recording can be read.");
        return Err(ApiError::new(errors::SESSION_ENDED_EXCEPTION, message));
    }
    let right = Right::of(caller, context, session).ok_or_else(|| {
        ApiError::new(CommonError::AccessDenied, "Sessions are followed by users and roles.")
    })?;
    let now = app.clock.now();
    let ticket = app.follow_tickets.issue(right, app.random.bytes(), now).map_err(|no| match no {
        NoTicket::OfCaller => ApiError::new(CommonError::Throttling, "Rate exceeded"),
        NoTicket::OfAll => {
            ApiError::new(CommonError::ServiceUnavailable, "Too many tickets are out; try again in a moment.")
        }
    })?;
    let url = format!("wss://{}{PATH}{ticket}", app.public_url.authority());
    Ok(Attached { ticket, url, expires_at: now.saturating_add(TICKET_LIFETIME).unwrap_or(now) })
}

/// Whether a request is one that [`open`] answers.
pub(crate) fn is_follow(parts: &Parts) -> bool {
    parts.uri.path().starts_with(PATH)
}

/// Answers the opening request of a websocket, which is taken over once the answer has left.
pub(crate) async fn open(app: &Arc<App>, inbound: Inbound) -> Result<Response<Body>, ApiError> {
    inbound.entry.operation(Described::FOLLOW_SESSION);
    inbound.entry.data_event();
    let refused = |message: &str| Err(ApiError::new(CommonError::AccessDenied, message));
    if !is_from_own_page(app, &inbound.parts) {
        return refused("The request does not come from a page of this server.");
    }
    let ticket = inbound.parts.uri.path().strip_prefix(PATH).unwrap_or_default();
    let Some(right) = app.follow_tickets.redeem(ticket, app.clock.now()) else {
        return refused("The ticket is not valid, or no more.");
    };
    let session = right.session();
    inbound.entry.caller(right.caller());
    inbound.entry.parameters(Map::from_iter([("sessionId".to_owned(), session.as_str().into())]));
    inbound.entry.resource(&Arn::session(&app.region, &app.account, session));
    ensure_holds(app, &right).await?;
    let following = Arc::clone(app);
    let take = move |stream| async move { serve(&following, &right, stream).await };
    upgrade(Request::from_parts(inbound.parts, ()), &app.tasks, take)
        .map(|response| response.map(serve::boxed))
        .map_err(|refused| ApiError::new(CommonError::Validation, refused.to_string()))
}

/// Nothing is shown before it is known that the right is still there.
async fn ensure_holds(app: &App, right: &Right) -> Result<(), ApiError> {
    match right.holds(app).await {
        Ok(true) => Ok(()),
        Ok(false) => Err(ApiError::new(CommonError::AccessDenied, "The permission was revoked.")),
        Err(Unknown) => Err(ApiError::new(
            CommonError::ServiceUnavailable,
            "It cannot be told whether the session may be followed; try again in a moment.",
        )),
    }
}

/// Browsers say which page opens a websocket; other programs say nothing.
fn is_from_own_page(app: &App, parts: &Parts) -> bool {
    !parts.headers.contains_key(ORIGIN) || app.console.origins.is_own(parts)
}

/// Shows the session until there is nothing more to show, and puts that on the audit trail.
async fn serve(app: &App, right: &Right, stream: ClientStream) {
    let since = Instant::now();
    let dismissed = async {
        tokio::select! {
            () = right.is_lost(app) => {}
            () = app.recordings.is_going(right.session()) => {}
        }
    };
    let followed = app.gateway.serve_follower(stream, right.session(), dismissed).await;
    app.audit.follow_ended(right.caller(), right.session(), followed, since.elapsed()).await;
}

fn operation() -> postern_api::Operation {
    postern_api::Operation::Postern(Operation::AttachSession)
}
