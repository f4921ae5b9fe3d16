//! `StartSession`: a session on a node, under a document.

use postern_api::ssm::{StartSessionInput, StartSessionOutput, errors};
use postern_api::{ApiError, CommonError};
use postern_documents::{
    Arguments, DEFAULT_SESSION_DOCUMENT_NAME, DocumentType, ResolvedSession, SessionDocument, SessionType,
};
use postern_gateway::{NewSession, NodeDescription, StartSessionError};
use postern_ids::{NodeId, SessionId};
use postern_store::{AccessType, Node, SessionRecord, SessionStatus};

use super::document::Document;
use super::session;
use crate::auth::{Permit, Principal};
use crate::routes::call::Call;
use crate::routes::failure;

/// What a caller may do with its permit: the document and its arguments are checked.
struct Plan {
    document: Document,
    session: SessionDocument,
    arguments: Arguments,
    resolved: ResolvedSession,
}

pub(super) async fn start_session(call: Call<StartSessionInput>) -> Result<StartSessionOutput, ApiError> {
    let app = &call.app;
    let name = call.input.document_name.as_deref().unwrap_or(DEFAULT_SESSION_DOCUMENT_NAME);
    let document = Document::find(name, &app.region, &app.account)?;
    // A target of another kind than nodes has no resource name here, and is never connected.
    let Ok(node) = call.input.target.parse::<NodeId>() else {
        let _permit = call.authorize([call.check().on(document.arn(&app.region, &app.account))]).await?;
        return Err(not_connected(&call.input.target));
    };
    // Whoever may not is told so before being told anything about the node.
    let on_document = call.check().on(document.arn(&app.region, &app.account));
    let permit = call.authorize([call.check_tagged_node(&node).await?, on_document]).await?;
    let plan = plan(&call, document)?;
    let Some(invocation) = call.invocation.clone() else {
        return start(&call, permit, node, plan).await;
    };
    let answer = app.started_sessions.answer(invocation, call.at);
    answer.get_or_try_init(|| start(&call, permit, node, plan)).await.cloned()
}

fn plan(call: &Call<StartSessionInput>, document: Document) -> Result<Plan, ApiError> {
    let session = document.session().ok_or_else(|| not_a_session(document.document_type()))?;
    let given = call.input.parameters.clone().unwrap_or_default();
    let arguments = session
        .arguments(&given)
        .map_err(|error| ApiError::new(errors::INVALID_PARAMETERS, error.to_string()))?;
    let resolved = session
        .resolve(arguments.as_map())
        .map_err(|error| ApiError::new(errors::INVALID_PARAMETERS, error.to_string()))?;
    Ok(Plan { document, session, arguments, resolved })
}

async fn start(
    call: &Call<StartSessionInput>,
    _permit: Permit,
    node: NodeId,
    plan: Plan,
) -> Result<StartSessionOutput, ApiError> {
    let app = &call.app;
    let found = app.store.node(&node).await.map_err(failure::store)?;
    let found = found.ok_or_else(|| not_connected(node.as_str()))?;
    let record = record(call, node, &plan)?;
    let id = record.id.clone();
    let new = NewSession {
        recorded_node: recorded(plan.resolved.session_type).then(|| described(found)),
        document: plan.session.to_content(),
        parameters: plan.arguments.as_map().clone(),
        // Principals have no tags yet, so no `SSMSessionRunAs` among them.
        run_as_user: String::new(),
        record,
    };
    let token = app.gateway.start_session(new).await.map_err(|error| match &error {
        StartSessionError::TargetNotConnected { node } => not_connected(node.as_str()),
        StartSessionError::TooManySessions { .. } => {
            ApiError::new(CommonError::ServiceQuotaExceeded, error.to_string())
        }
        StartSessionError::Recording(_) | StartSessionError::Store(_) => failure::internal(&error),
    })?;
    tracing::info!(session.id = %id, node.id = %call.input.target, "session {id} started on {}", call.input.target);
    Ok(StartSessionOutput {
        stream_url: Some(session::stream_url(&app.public_url, &id)),
        session_id: Some(id.to_string()),
        token_value: Some(token.expose_secret().into()),
    })
}

fn record(call: &Call<StartSessionInput>, node: NodeId, plan: &Plan) -> Result<SessionRecord, ApiError> {
    let (owner, arn) = match &call.caller.principal {
        Principal::User { name, arn, .. } => (name.as_str(), arn),
        Principal::RoleSession { session_name, arn, .. } => (session_name.as_str(), arn),
        Principal::Node { .. } | Principal::Anonymous => return Err(nobody()),
    };
    let owner_user_id = call.caller.principal.user_id().ok_or_else(nobody)?;
    let preferences = &plan.resolved.preferences;
    Ok(SessionRecord {
        id: SessionId::from_random(owner, call.app.random.bytes()),
        node,
        owner_arn: arn.clone(),
        owner_user_id,
        document_name: plan.document.name().to_owned(),
        session_type: plan.resolved.session_type.as_str().to_owned(),
        reason: call.input.reason.clone(),
        access_type: AccessType::Standard,
        status: SessionStatus::Connecting,
        status_since: call.at,
        started_at: call.at,
        ended_at: None,
        end_reason: None,
        details: None,
        exit_code: None,
        parameters: serde_json::json!(call.input.parameters.clone().unwrap_or_default()),
        max_session_duration_minutes: preferences.max_session_duration_minutes,
        idle_timeout_minutes: preferences.idle_timeout_minutes,
        client_ip: Some(call.caller.source_ip.to_string()),
        authority: None,
    })
}

/// Connections that are forwarded are none of the recording's business, as on AWS.
fn recorded(session_type: SessionType) -> bool {
    session_type != SessionType::Port
}

fn described(node: Node) -> NodeDescription {
    NodeDescription { name: node.name, computer_name: node.info.computer_name }
}

fn not_connected(target: &str) -> ApiError {
    ApiError::new(errors::TARGET_NOT_CONNECTED, format!("{target:.64} is not connected."))
}

fn not_a_session(document_type: DocumentType) -> ApiError {
    let message = format!(
        "Document type: '{}' is not supported. Only type: 'Session' is supported for Session Manager.",
        document_type.as_str()
    );
    ApiError::new(errors::INVALID_DOCUMENT, message)
}

fn nobody() -> ApiError {
    ApiError::new(CommonError::AccessDenied, "Sessions are started by users and roles.")
}
