//! `CreateControlChannel` and `CreateDataChannel`: a node asks for the token that opens a channel.
//!
//! JSON in, and XML with status 201 out: amazon-ssm-agent takes any other status for an error
//! (agent/session/service/service.go).

use std::sync::Arc;

use postern_api::{Answer, ApiError, CommonError};
use postern_ids::{NodeId, SessionId};

use super::Channel;
use crate::app::App;
use crate::auth::{Action, Check};
use crate::inbound::Inbound;
use crate::routes::failure;

/// The only version of the first frames.
const MESSAGE_SCHEMA_VERSION: &str = "1.0";
/// The agent stops trying when it reads this (agent/session/datachannel/datachannel.go).
const SESSION_OVER: &str = "Session is already terminated";

/// Answers a POST to a channel's path.
pub(crate) async fn create_channel(app: &Arc<App>, inbound: &Inbound) -> Result<Answer, ApiError> {
    if inbound.parts.method != http::Method::POST {
        let message = "A channel is created with POST and opened with GET.";
        return Err(ApiError::new(CommonError::Validation, message));
    }
    let channel = Channel::parse(inbound.parts.uri.path())?;
    channel.note(app, inbound, ["CreateControlChannel", "CreateDataChannel"]);
    match channel {
        Channel::Control(node) => control_channel(app, inbound, &node).await,
        Channel::Data(session) => data_channel(app, inbound, &session).await,
    }
}

async fn control_channel(app: &App, inbound: &Inbound, node: &NodeId) -> Result<Answer, ApiError> {
    let action = Action::CreateControlChannel;
    let caller = inbound.authenticate(app, action).await?;
    let check = Check::new(action).about_node(Some(node));
    let _permit = inbound.permit(app, &caller, [vec![check]]).await?;
    if caller.principal.node() != Some(node) {
        return Err(not_itself(node));
    }
    Ok(answer("CreateControlChannelResponse", &app.gateway.control_channel_token(node)))
}

async fn data_channel(app: &App, inbound: &Inbound, session: &SessionId) -> Result<Answer, ApiError> {
    let action = Action::CreateDataChannel;
    let caller = inbound.authenticate(app, action).await?;
    let found = app.store.session(session).await.map_err(failure::store)?;
    let check = Check::new(action).about_node(found.as_ref().map(|session| &session.node));
    let _permit = inbound.permit(app, &caller, [vec![check]]).await?;
    let node = caller.principal.node().ok_or_else(only_nodes)?;
    match app.gateway.data_channel_token(node, session) {
        Some(token) => Ok(answer("CreateDataChannelResponse", &token)),
        None => Err(ApiError::new(CommonError::Validation, SESSION_OVER)),
    }
}

/// A channel speaks for its node: even those who may do everything cannot speak for it.
pub(super) fn not_itself(node: &NodeId) -> ApiError {
    ApiError::new(CommonError::AccessDenied, format!("Only {node} itself may do this."))
}

fn only_nodes() -> ApiError {
    ApiError::new(CommonError::AccessDenied, "Only the managed instance of the session may do this.")
}

/// Tokens are base64, which needs no escaping. Root and namespace do not matter to the agent.
fn answer(root: &str, token: &str) -> Answer {
    let body = format!(
        "<{root} xmlns=\"http://ssmmessages.amazonaws.com/doc/2015-06-19/\">\
         <MessageSchemaVersion>{MESSAGE_SCHEMA_VERSION}</MessageSchemaVersion>\
         <TokenValue>{token}</TokenValue></{root}>"
    );
    Answer {
        status: 201,
        headers: vec![("content-type", "application/xml".to_owned())],
        body: body.into_bytes(),
    }
}
