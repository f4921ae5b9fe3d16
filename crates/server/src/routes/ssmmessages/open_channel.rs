//! `OpenControlChannel` and `OpenDataChannel`: the websockets of nodes and clients, handed to the gateway.

use std::sync::Arc;

use http::{Request, Response};
use postern_api::{ApiError, CommonError};
use postern_ids::{NodeId, SessionId};

use super::Channel;
use super::create_channel::not_itself;
use crate::app::App;
use crate::auth::{Action, Check, is_signed};
use crate::console;
use crate::inbound::Inbound;
use crate::routes::failure;
use crate::serve::{self, Body, UpgradeRefused, upgrade};

/// Answers a GET of a channel's path. The channel is taken over once the answer has left.
pub(crate) async fn open_channel(app: &Arc<App>, inbound: Inbound) -> Result<Response<Body>, ApiError> {
    let channel = Channel::parse(inbound.parts.uri.path())?;
    channel.note(app, &inbound, ["OpenControlChannel", "OpenDataChannel"]);
    if console::is_foreign_page(app, &inbound.parts) {
        let message = "The request does not come from a page of this server.";
        return Err(ApiError::new(CommonError::AccessDenied, message));
    }
    let admitted = admit(app, &inbound, channel).await?;
    let gateway = app.gateway.clone();
    let take = move |stream| async move {
        match admitted {
            Admitted::Node(node) => gateway.serve_control_channel(stream, node).await,
            Admitted::Session(session, node) => gateway.serve_data_channel(stream, session, node).await,
        }
    };
    let request = Request::from_parts(inbound.parts, ());
    upgrade(request, &app.tasks, take).map(|response| response.map(serve::boxed)).map_err(refused)
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
    let caller = inbound.authenticate(app, action).await?;
    let check = Check::new(action).about_node(Some(&node));
    let _permit = inbound.permit(app, &caller, [vec![check]]).await?;
    if caller.principal.node() == Some(&node) { Ok(Admitted::Node(node)) } else { Err(not_itself(&node)) }
}

/// A client may come unsigned while the operator allows it: plugins before 1.2.764.0 and browsers do. Then the
/// token in the first frame is the only proof. A signature that is there has to be good.
async fn data_channel(app: &App, inbound: &Inbound, session: SessionId) -> Result<Admitted, ApiError> {
    if !is_signed(&inbound.parts) && app.sessions.allow_unsigned_data_channels {
        return Ok(Admitted::Session(session, None));
    }
    let action = Action::OpenDataChannel;
    let caller = inbound.authenticate(app, action).await?;
    let found = app.store.session(&session).await.map_err(failure::store)?;
    // Policies of nodes allow it on `*`, those of people on sessions.
    let check = if caller.principal.node().is_some() {
        Check::new(action).about_node(found.as_ref().map(|session| &session.node))
    } else {
        Check::new(action).on_session(&app.region, &app.account, &session, found.as_ref())
    };
    let _permit = inbound.permit(app, &caller, [vec![check]]).await?;
    Ok(Admitted::Session(session, caller.principal.node().cloned()))
}

fn refused(refused: UpgradeRefused) -> ApiError {
    ApiError::new(CommonError::Validation, refused.to_string())
}
