//! A request that has arrived, and the answers to it.

use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use http::request::Parts;
use http::{HeaderName, HeaderValue, Response, StatusCode};
use jiff::Timestamp;
use postern_api::{Answer, ApiError};
use postern_sigv4::Payload;

use crate::app::App;
use crate::audit::Entry;
use crate::auth::{Action, Authenticated, Caller, Check, Permit, Received, RequestContext};
use crate::console;
use crate::serve::{self, Body};

/// The header that names a request in our log and in the client's.
pub(crate) const REQUEST_ID: HeaderName = HeaderName::from_static("x-amzn-requestid");

/// A request that has arrived, whole but for the body of an upload.
#[derive(Debug)]
pub(crate) struct Inbound {
    pub(crate) parts: Parts,
    pub(crate) body: Bytes,
    /// The body comes later, and is compared with what the request declares then.
    pub(crate) body_follows: bool,
    pub(crate) peer: SocketAddr,
    pub(crate) at: Timestamp,
    /// The state of the identities when it arrived, before anything was looked up.
    pub(crate) generation: u64,
    pub(crate) request_id: String,
    /// What the audit trail will say about it.
    pub(crate) entry: Arc<Entry>,
}

impl Inbound {
    /// As the authentication sees it.
    pub(crate) fn received(&self) -> Received<'_> {
        Received {
            parts: &self.parts,
            body: (!self.body_follows).then_some(&self.body),
            source_ip: self.peer.ip().to_canonical(),
            at: self.at,
        }
    }

    /// As policies see it.
    pub(crate) fn context(&self) -> RequestContext {
        let header = |name| self.header(name).map(str::to_owned);
        RequestContext {
            request_id: self.request_id.clone(),
            at: self.at,
            user_agent: header("user-agent"),
            referer: header("referer"),
        }
    }

    /// Who signed, or is signed in to the console, for `action`; noted for the audit trail.
    pub(crate) async fn authenticate(&self, app: &App, action: Action) -> Result<Caller, ApiError> {
        Ok(self.authenticate_upload(app, action).await?.caller)
    }

    /// The same, with what the signature says of a body that may still be to come.
    pub(crate) async fn authenticate_upload(
        &self,
        app: &App,
        action: Action,
    ) -> Result<Authenticated, ApiError> {
        let authenticated = if console::is_signed_in(&self.parts) && !action.takes_unsigned() {
            let caller = console::caller(app, self, action).await?;
            Authenticated { caller, payload: Payload::Undeclared, chunks: None }
        } else {
            let authenticated = app.authenticator.authenticate_upload(self.received(), action).await;
            authenticated.map_err(|error| ApiError::from(&error))?
        };
        self.entry.caller(&authenticated.caller);
        Ok(authenticated)
    }

    /// Leave for `caller` to do what all of a set of `checks` ask; noted for the audit trail. An operation that
    /// changes something lasting is on the trail when this returns.
    pub(crate) async fn permit(
        &self,
        app: &App,
        caller: &Caller,
        checks: impl IntoIterator<Item = Vec<Check>>,
    ) -> Result<Permit, ApiError> {
        let context = self.context();
        permit(app, &self.entry, caller, &context, checks).await
    }

    /// The value of a header, if it is text.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.parts.headers.get(name)?.to_str().ok()
    }
}

/// Asks the authorizer and notes question and answer; see [`Inbound::permit`].
pub(crate) async fn permit(
    app: &App,
    entry: &Entry,
    caller: &Caller,
    context: &RequestContext,
    checks: impl IntoIterator<Item = Vec<Check>>,
) -> Result<Permit, ApiError> {
    let sets: Vec<Vec<Check>> = checks.into_iter().collect();
    sets.iter().for_each(|checks| entry.checks(checks));
    let decided = app.authorizer.authorize_by_one_of(caller, context, sets).await;
    entry.decision(&decided);
    let permit = decided?;
    app.audit.begin(entry).await?;
    Ok(permit)
}

/// Puts an answer on the wire.
pub(crate) fn response(answer: Answer) -> Response<Body> {
    let mut response = Response::new(serve::full(answer.body.into()));
    *response.status_mut() = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    for (name, value) in answer.headers {
        // Values are ours: content types and codes.
        if let Ok(value) = HeaderValue::try_from(value) {
            response.headers_mut().insert(HeaderName::from_static(name), value);
        }
    }
    response
}
