//! `OpenControlChannel` and `OpenDataChannel`: the websockets of nodes and clients, handed to the gateway.

use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use jiff::Timestamp;
use postern_api::{ApiError, CommonError};
use postern_ids::{Arn, NodeId, SessionId};

use super::Channel;
use super::create_channel::not_itself;
use crate::app::App;
use crate::auth::{Action, Caller, Check, is_signed};
use crate::inbound::{Inbound, response};
use crate::routes::failure;
use crate::serve::{UpgradeRefused, upgrade};

/// Answers a GET of a channel's path.
pub(crate) async fn open_channel<B>(
    app: &Arc<App>,
    request: Request<B>,
    peer: SocketAddr,
    at: Timestamp,
    request_id: String,
) -> Response<Full<Bytes>> {
    let (parts, body) = request.into_parts();
    let inbound = Inbound { parts, body: Bytes::new(), peer, at, request_id };
    let admitted = match Channel::parse(inbound.parts.uri.path()) {
        Ok(channel) => admit(app, &inbound, channel).await,
        Err(error) => Err(error),
    };
    let request = Request::from_parts(inbound.parts, body);
    let opened = admitted.and_then(|admitted| {
        let gateway = app.gateway.clone();
        let take = move |stream| async move {
            match admitted {
                Admitted::Node(node) => gateway.serve_control_channel(stream, node).await,
                Admitted::Session(session, node) => gateway.serve_data_channel(stream, session, node).await,
            }
        };
        upgrade(request, &app.tasks, take).map_err(refused)
    });
    opened.unwrap_or_else(|error| {
        tracing::debug!(code = error.code.name(), "a channel was refused: {error}");
        response(error.to_ssmmessages())
    })
}

/// Whose channel it is.
enum Admitted {
    Node(NodeId),
    /// The node's side if a node signed, otherwise what the first frame says.
    Session(SessionId, Option<NodeId>),
}

async fn admit(app: &App, inbound: &Inbound, channel: Channel) -> Result<Admitted, ApiError> {
    match channel {
        Channel::Control(node) => control_channel(app, inbound, node).await,
        Channel::Data(session) => data_channel(app, inbound, session).await,
    }
}

async fn control_channel(app: &App, inbound: &Inbound, node: NodeId) -> Result<Admitted, ApiError> {
    let action = Action::OpenControlChannel;
    let caller = authenticate(app, inbound, action).await?;
    let check = Check::new(action).about_node(Some(&node));
    let _permit = app.authorizer.authorize(&caller, &inbound.context(), [check]).await?;
    if caller.principal.node() == Some(&node) { Ok(Admitted::Node(node)) } else { Err(not_itself(&node)) }
}

/// A client may come unsigned while the operator allows it: plugins before 1.2.764.0 and browsers do. Then the
/// token in the first frame is the only proof. A signature that is there has to be good.
async fn data_channel(app: &App, inbound: &Inbound, session: SessionId) -> Result<Admitted, ApiError> {
    if !is_signed(&inbound.parts) && app.sessions.allow_unsigned_data_channels {
        return Ok(Admitted::Session(session, None));
    }
    let action = Action::OpenDataChannel;
    let caller = authenticate(app, inbound, action).await?;
    let found = app.store.session(&session).await.map_err(failure::store)?;
    let session_node = found.as_ref().map(|session| &session.node);
    let check = Check::new(action)
        .on(Arn::session(&app.region, &app.account, &session))
        .about_node(session_node);
    let _permit = app.authorizer.authorize(&caller, &inbound.context(), [check]).await?;
    Ok(Admitted::Session(session, caller.principal.node().cloned()))
}

async fn authenticate(app: &App, inbound: &Inbound, action: Action) -> Result<Caller, ApiError> {
    let caller = app.authenticator.authenticate(inbound.received(), action).await;
    caller.map_err(|error| ApiError::from(&error))
}

fn refused(refused: UpgradeRefused) -> ApiError {
    ApiError::new(CommonError::Validation, refused.to_string())
}
