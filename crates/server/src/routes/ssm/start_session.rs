//! `StartSession`: a session on a node, under a document.

use postern_api::ssm::{StartSessionInput, StartSessionOutput, errors};
use postern_api::{ApiError, CommonError};
use postern_documents::{
    Arguments, DEFAULT_SESSION_DOCUMENT_NAME, Recording, ResolvedSession, SessionDocument, SessionType,
    TUNNEL_DOCUMENT_NAME,
};
use postern_gateway::{NewSession, NodeDescription, StartSessionError};
use postern_ids::{Arn, NodeId, SessionId};
use postern_store::{AccessType, KmsKeyState, Node, SessionRecord, SessionStatus};

use super::document::Document;
use super::session_logging::{self, Logging};
use super::{destination, own_agent, session, target};
use crate::auth::{
    Destination, DocumentChoice, Permit, Principal, SessionRight, for_each_destination, start_session_checks,
};
use crate::routes::call::Call;
use crate::routes::{failure, kms};
use crate::session_logs;

/// The tag of a user, role or role session that names the user on the node.
/// Source: "Turn on Run As support for Linux and macOS managed nodes", AWS Systems Manager User Guide.
const RUN_AS_TAG: &str = "SSMSessionRunAs";

/// What a caller may do with its permit: the document and its arguments are checked.
pub(super) struct Plan {
    pub(super) document: Document,
    choice: DocumentChoice,
    pub(super) session: SessionDocument,
    arguments: Arguments,
    pub(super) resolved: ResolvedSession,
    destinations: Vec<Destination>,
}

pub(super) async fn start_session(call: Call<StartSessionInput>) -> Result<StartSessionOutput, ApiError> {
    let app = &call.app;
    let choice = match call.input.document_name {
        Some(_) => DocumentChoice::Named,
        None => DocumentChoice::Default,
    };
    let name = call.input.document_name.as_deref().unwrap_or(DEFAULT_SESSION_DOCUMENT_NAME);
    let document = Document::find(app, name).await?;
    // Whoever may not is told so before being told anything about the node.
    let permit = authorize(&call, &document, choice).await?;
    let Ok(node) = call.input.target.parse::<NodeId>() else {
        return Err(not_connected(&call.input.target));
    };
    let plan = plan(&call, document, choice)?;
    if plan.resolved.session_type == SessionType::Port {
        // Ports and hosts; what is given to a command may be anything.
        call.entry.show_parameters(&call.input);
    }
    let started = match call.invocation.clone() {
        None => start(&call, permit, node, plan).await?,
        Some(invocation) => {
            let answer = app.started_sessions.answer(invocation, call.at);
            answer.get_or_try_init(|| start(&call, permit, node, plan)).await?.clone()
        }
    };
    if let Some(id) = started.session_id.as_ref().and_then(|id| id.parse().ok()) {
        call.entry.resource(&Arn::session(&app.region, &app.account, &id));
    }
    Ok(started)
}

/// Leave to start a session on the target, with the document.
async fn authorize(
    call: &Call<StartSessionInput>,
    document: &Document,
    choice: DocumentChoice,
) -> Result<Permit, ApiError> {
    let app = &call.app;
    let destinations = destination::asked(call, document);
    let on_document =
        call.check().on(document.arn(&app.region, &app.account)).with_resource_tags(document.tags());
    // A target that has no resource name cannot be one of anybody's policies; it is never connected.
    let Some(on_target) = target::check(call, &call.input.target).await? else {
        let checks =
            for_each_destination(&destinations, |described| vec![vec![described(on_document.clone())]]);
        return call.authorize_by_one_of(checks).await;
    };
    let setting = app.sessions.document_check;
    let checks = for_each_destination(&destinations, |described| {
        start_session_checks(&described(on_target.clone()), &described(on_document.clone()), choice, setting)
    });
    call.authorize_by_one_of(checks).await
}

fn plan(
    call: &Call<StartSessionInput>,
    document: Document,
    choice: DocumentChoice,
) -> Result<Plan, ApiError> {
    let session = document.session(call.app.sessions.time_limits)?;
    let given = call.input.parameters.clone().unwrap_or_default();
    let arguments = session
        .arguments(&given)
        .map_err(|error| ApiError::new(errors::INVALID_PARAMETERS, error.to_string()))?;
    let resolved = session
        .resolve(arguments.as_map())
        .map_err(|error| ApiError::new(errors::INVALID_PARAMETERS, error.to_string()))?;
    let destinations = destination::checked(&resolved.properties)?;
    Ok(Plan { document, choice, session, arguments, resolved, destinations })
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
    own_agent::check(plan.document.name(), &plan.resolved.properties, &found)?;
    let logging = session_logging::settle(call, &plan, &found).await?;
    let run_as = app.authorizer.principal_tag(&call.caller, RUN_AS_TAG).await?;
    require_recordable(call, &plan).await?;
    let record = record(call, node, &plan)?;
    let id = record.id.clone();
    let collectors = &app.session_logs.collectors;
    let collected = session_logging::collected(collectors, &plan, &id, &found, run_as.as_deref(), call.at);
    let (document, mut logs) = match logging {
        Logging::Server => {
            let logs = session_logging::logs(&plan, &id, &found, run_as.as_deref(), call.at);
            (session_logging::without_logs(plan.session.to_content()), logs)
        }
        Logging::Nobody | Logging::Agent => (plan.session.to_content(), Vec::new()),
    };
    logs.extend(collected);
    session_logging::remember(app, &logs).await?;
    let new = NewSession {
        recorded_node: described(found),
        document,
        parameters: plan.arguments.as_map().clone(),
        run_as_user: run_as.unwrap_or_default(),
        encrypted_recording: encrypted_recording(&plan, logging),
        record,
    };
    let token = match app.gateway.start_session(new).await {
        Ok(token) => token,
        Err(error) => {
            session_logging::forget(app, &id, &logs).await;
            return Err(not_started(&error));
        }
    };
    if !logs.is_empty() {
        // Should it fail, they are taken up a little later.
        session_logs::follow(app, &id).await.map_err(|error| failure::internal(&error)).ok();
    }
    // What changed since the request came was told before the session was there to be looked at, and the caller, the
    // node's tags and the policies may have been read before it.
    if call.generation != app.authorizer.generation() {
        app.sessions_changed.notify_one();
    }
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
        Principal::Node { .. } | Principal::WebIdentity { .. } | Principal::Anonymous => {
            return Err(nobody());
        }
    };
    let owner_user_id = call.caller.principal.user_id().ok_or_else(nobody)?;
    let document = plan.document.arn(&call.app.region, &call.app.account);
    let right = SessionRight::of(&call.caller, &call.context, document, plan.document.tags(), plan.choice)
        .ok_or_else(nobody)?;
    let right = match plan.document.name() {
        TUNNEL_DOCUMENT_NAME => right.declaring(plan.destinations.clone()),
        _ => right.leading_to(plan.destinations.first().cloned()),
    };
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
        idle_timeout_minutes: preferences.idle_timeout_minutes.unwrap_or(0),
        client_ip: Some(call.caller.source_ip.to_string()),
        authority: Some(serde_json::to_value(right).map_err(|error| failure::internal(&error))?),
    })
}

fn not_started(error: &StartSessionError) -> ApiError {
    match error {
        StartSessionError::TargetNotConnected { node } => not_connected(node.as_str()),
        StartSessionError::TooManySessions { .. } => {
            ApiError::new(CommonError::ServiceQuotaExceeded, error.to_string())
        }
        StartSessionError::Recording(_) | StartSessionError::Store(_) => failure::internal(error),
    }
}

/// Refuses a session that would be ended as soon as it is encrypted: it has to be recorded, and its key is another KMS's.
async fn require_recordable(call: &Call<StartSessionInput>, plan: &Plan) -> Result<(), ApiError> {
    let key = plan.resolved.preferences.kms_key_id.as_deref();
    let (Some(key), Some(Recording::Required)) = (key, encrypted_recording(plan, Logging::Nobody)) else {
        return Ok(());
    };
    let found = kms::own_key(call, key).await?;
    if found.is_some_and(|key| key.state == KmsKeyState::Enabled) {
        return Ok(());
    }
    let message = format!(
        "The session has to be recorded and could not be: {key:.256} is no enabled key of this server's KMS. Set kmsKeyId \
         of document {} to one, or its inputs.recording to \"allowed\" or \"off\".",
        plan.document.name()
    );
    Err(ApiError::new(errors::INVALID_DOCUMENT, message))
}

/// What the recording does if client and node are to encrypt the session. Connections they never do, as on AWS.
fn encrypted_recording(plan: &Plan, logging: Logging) -> Option<Recording> {
    let is_to_be = plan.resolved.preferences.kms_key_id.is_some();
    // What is not recorded cannot be logged.
    let recording = if logging == Logging::Server { Recording::Required } else { plan.session.recording };
    (is_to_be && plan.resolved.session_type != SessionType::Port).then_some(recording)
}

fn described(node: Node) -> NodeDescription {
    NodeDescription { name: node.name, computer_name: node.info.computer_name }
}

fn not_connected(target: &str) -> ApiError {
    ApiError::new(errors::TARGET_NOT_CONNECTED, format!("{target:.64} is not connected."))
}

fn nobody() -> ApiError {
    ApiError::new(CommonError::AccessDenied, "Sessions are started by users and roles.")
}
