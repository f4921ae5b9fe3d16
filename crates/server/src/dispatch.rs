//! Which operation a request asks for, and in which form its answer is written.
//!
//! The order of the tests is that of what AWS's clients can be told by: path, `X-Amz-Target`, a signature for S3,
//! form, and last the scope of the signature.

use std::net::SocketAddr;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_util::FutureExt as _;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::request::Parts;
use http::{HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::BodyExt as _;
use hyper::body::Body as _;
use percent_encoding::percent_decode_str;
use postern_api::{
    Answer, ApiError, CommonError, ErrorCode, Operation, Protocol, Service, json, logs, query,
};
use postern_sigv4::Authorization;
use tokio::time::timeout;
use tracing::Instrument as _;

use crate::app::App;
use crate::audit::Failure;
use crate::body_budget::HeldBytes;
use crate::console;
use crate::follow;
use crate::inbound::{Inbound, REQUEST_ID, response};
use crate::logs::body_bytes_max;
use crate::routes;
use crate::serve::{Body, RequestBody, Respond};

/// Nothing of AWS's has this code in its model: it is the answer of the machinery before the service.
const BODY_TOO_LARGE: ErrorCode =
    ErrorCode { name: "RequestEntityTooLargeException", status: 413, message_member: "Message" };
/// Source: "List of error codes", Amazon S3 API Reference.
const MESSAGE_TOO_LONG: ErrorCode =
    ErrorCode { name: "MaxMessageLengthExceeded", status: 400, message_member: "Message" };
/// SDKs try again when they see it.
const TIMED_OUT: ErrorCode =
    ErrorCode { name: "RequestTimeoutException", status: 408, message_member: "Message" };

/// What an upload may take in all: 5 GiB, which is the most of one request, at a quarter of a megabyte a second. Between
/// two parts of it no more passes than a whole request may take otherwise.
const UPLOAD_TIME_MAX: Duration = Duration::from_secs(6 * 60 * 60);

/// The one operation whose answer is a stream.
const LIVE_TAIL: Operation = Operation::Logs(logs::Operation::StartLiveTail);

/// Answers every request.
pub(crate) struct Dispatch(pub(crate) Arc<App>);

impl Respond for Dispatch {
    async fn respond(&self, request: Request<RequestBody>, peer: SocketAddr) -> Response<Body> {
        let request_id = uuid::Builder::from_random_bytes(self.0.random.bytes()).into_uuid().to_string();
        let span = tracing::info_span!("request", request.id = %request_id, client.address = %peer);
        let header = HeaderValue::try_from(request_id.as_str()).expect("a UUID is visible ASCII");
        // On a task of its own: a client that goes away leaves no call half done and off the record.
        let answering = answer(Arc::clone(&self.0), request, peer, request_id).instrument(span);
        let answered = self.0.tasks.spawn(answering).await;
        let mut response = answered.unwrap_or_else(|_| response(internal().to_json()));
        response.headers_mut().insert(REQUEST_ID, header);
        response
    }
}

/// Does what a request asks for, puts it on the audit trail, and only then gives the answer.
async fn answer(
    app: Arc<App>,
    request: Request<RequestBody>,
    peer: SocketAddr,
    request_id: String,
) -> Response<Body> {
    let at = app.clock.now();
    let (parts, body) = request.into_parts();
    let entry = Arc::new(app.audit.entry(&parts, peer, &request_id, at));
    let (form, path) = (Form::of(&parts), parts.uri.path().to_owned());
    let body_follows = form == Form::S3 && routes::s3::is_upload(&parts);
    let generation = app.authorizer.generation();
    let entry_of_inbound = Arc::clone(&entry);
    let inbound = Inbound {
        parts,
        body: Bytes::new(),
        body_follows,
        peer,
        at,
        generation,
        request_id,
        entry: entry_of_inbound,
    };
    let request_id = inbound.request_id.clone();
    let time_max = if body_follows { UPLOAD_TIME_MAX } else { app.limits.request_time_max };
    let serving = AssertUnwindSafe(serve(&app, form, inbound, body)).catch_unwind();
    let served = match timeout(time_max, serving).await {
        Ok(Ok(served)) => served,
        Ok(Err(_)) => Served::failed(form, internal()),
        Err(_) => Served::failed(form, ApiError::new(TIMED_OUT, "The request took too long.")),
    };
    let failure = served.failure();
    match app.audit.close(&entry, peer.ip(), failure).await {
        Ok(()) => served.into_response(&path, &request_id),
        Err(unrecorded) => Served::failed(served.form, unrecorded.into()).into_response(&path, &request_id),
    }
}

/// In which form errors are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Json,
    Query(Service),
    Channel,
    S3,
    /// The console's own, which writes its errors itself.
    Console,
}

/// A request that was served, well or not.
struct Served {
    form: Form,
    outcome: Result<Response<Body>, ApiError>,
    /// How it failed, where the outcome is an answer that says so itself.
    failed: Option<Failure>,
}

impl Form {
    /// The form as far as the head of a request tells.
    fn of(parts: &Parts) -> Self {
        if routes::ssmmessages::is_channel(parts.uri.path()) {
            return Self::Channel;
        }
        if console::is_asked_for(parts) {
            return Self::Console;
        }
        if parts.headers.contains_key(json::TARGET_HEADER) {
            return Self::Json;
        }
        match signed_service(parts).or_else(|| named_service(parts)) {
            Some(service) if service == routes::s3::SERVICE => Self::S3,
            signed if is_form(parts) => Self::Query(query_service(signed.as_deref())),
            _ => Self::Json,
        }
    }
}

impl Served {
    fn new(form: Form, outcome: Result<Answer, ApiError>) -> Self {
        Self { form, outcome: outcome.map(response), failed: None }
    }

    fn failed(form: Form, error: ApiError) -> Self {
        Self { form, outcome: Err(error), failed: None }
    }

    /// What the audit trail says of a failure: the code that the client gets.
    fn failure(&self) -> Option<Failure> {
        let error = match &self.outcome {
            Ok(_) => return self.failed.clone(),
            Err(error) => error,
        };
        Some(match self.form {
            Form::Json | Form::Channel | Form::Console => Failure::new(error, Protocol::Json),
            Form::Query(_) => Failure::new(error, Protocol::Query),
            Form::S3 => {
                Failure { code: error.code.in_s3().0.to_owned(), ..Failure::new(error, Protocol::Query) }
            }
        })
    }

    fn into_response(self, path: &str, request_id: &str) -> Response<Body> {
        let form = self.form;
        self.outcome.unwrap_or_else(|error| {
            tracing::debug!(code = error.code.name(), "refused: {error}");
            response(match form {
                Form::Json | Form::Console => error.to_json(),
                Form::Query(service) => error.to_query(service, request_id),
                Form::Channel => error.to_ssmmessages(),
                Form::S3 => routes::s3::error_answer(path, request_id, &error),
            })
        })
    }
}

/// Finds out what a request asks for, and has it done.
async fn serve(app: &Arc<App>, form: Form, mut inbound: Inbound, body: RequestBody) -> Served {
    // A websocket has no body.
    if inbound.parts.method == Method::GET && follow::is_follow(&inbound.parts) {
        return Served { form, outcome: follow::open(app, inbound).await, failed: None };
    }
    if form == Form::Channel && inbound.parts.method == Method::GET {
        let outcome = routes::ssmmessages::open_channel(app, inbound).await;
        return Served { form, outcome, failed: None };
    }
    if inbound.body_follows {
        let (response, failed) = routes::s3::receive(app, inbound, body).await;
        return Served { form, outcome: Ok(response), failed };
    }
    // Counted until the request is answered.
    let mut held = app.bodies.of(inbound.peer.ip());
    let bytes_max = match form {
        Form::S3 => app.limits.body_bytes_max.max(postern_s3::XML_BYTES_MAX),
        _ => body_bytes_max(inbound.header(json::TARGET_HEADER), &app.limits),
    };
    let too_large = if form == Form::S3 { MESSAGE_TOO_LONG } else { BODY_TOO_LARGE };
    match read(body, bytes_max, too_large, &mut held).await {
        Ok(body) => inbound.body = body,
        Err(error) => return Served::failed(form, error),
    }
    match form {
        Form::Channel => Served::new(form, routes::ssmmessages::create_channel(app, &inbound).await),
        Form::S3 => {
            let (response, failed) = routes::s3::answer(app, &inbound).await;
            Served { form, outcome: Ok(response), failed }
        }
        Form::Console => {
            let (response, failed) = console::answer(app, &inbound).await;
            Served { form, outcome: Ok(response), failed }
        }
        Form::Json | Form::Query(_) => operation(app, &inbound).await,
    }
}

async fn operation(app: &Arc<App>, inbound: &Inbound) -> Served {
    if let Some(target) = inbound.header(json::TARGET_HEADER) {
        let operation = Operation::from_target(target).filter(|_| inbound.parts.method == Method::POST);
        if let Some(operation @ LIVE_TAIL) = operation {
            inbound.entry.operation(operation);
            let outcome = routes::start_live_tail(app, inbound).await;
            return Served { form: Form::Json, outcome, failed: None };
        }
        let outcome = match operation.filter(|operation| operation.service().protocol() == Protocol::Json) {
            Some(operation) => run_json(app, operation, inbound).await,
            None => {
                let (prefix, name) = target.rsplit_once('.').unwrap_or(("", target));
                let service = Service::from_target_prefix(prefix).map_or("unknown", Service::signing_name);
                inbound.entry.unknown_operation(service, name);
                Err(unknown_operation())
            }
        };
        return Served::new(Form::Json, outcome);
    }
    if inbound.parts.headers.contains_key(json::TARGET_HEADER) {
        return Served::failed(Form::Json, unknown_operation());
    }
    match query_form(inbound) {
        Ok(Some(form)) => return query(app, &form, inbound).await,
        Ok(None) => {}
        Err(error) => return Served::failed(Form::Query(Service::Sts), error),
    }
    match signed_service(&inbound.parts) {
        Some(service) if service == Service::Sts.signing_name() => {
            inbound.entry.unknown_operation(&service, "");
            let error = ApiError::new(CommonError::UnknownOperation, "The action is missing.");
            Served::failed(Form::Query(Service::Sts), error)
        }
        Some(service) => {
            inbound.entry.unknown_operation(&service, "");
            Served::failed(Form::Json, unknown_operation())
        }
        None => Served::new(Form::Json, Ok(not_found())),
    }
}

async fn run_json(app: &Arc<App>, operation: Operation, inbound: &Inbound) -> Result<Answer, ApiError> {
    inbound.entry.operation(operation);
    let body = routes::json(app, operation, inbound).await?;
    Ok(Answer { status: 200, headers: vec![("content-type", json::CONTENT_TYPE.to_owned())], body })
}

async fn query(app: &Arc<App>, form: &query::Form, inbound: &Inbound) -> Served {
    // White space around a name is not part of it; whether it was signed, the signature tells.
    let value = |name| form.get(name).unwrap_or_default().trim();
    let (version, action) = (value("Version"), value("Action"));
    let service = Service::from_api_version(version);
    let outcome = match Operation::from_action(version, action) {
        Some(operation) => {
            inbound.entry.operation(operation);
            routes::query(app, operation, form, inbound).await
        }
        None => {
            inbound.entry.unknown_operation(service.map_or("unknown", Service::signing_name), action);
            let message = format!("Could not find operation {action:.64} for version {version:.16}");
            Err(ApiError::new(CommonError::UnknownOperation, message))
        }
    };
    Served::new(Form::Query(service.unwrap_or(Service::Sts)), outcome)
}

/// The form of a Query request: the body of a POST, or the query of a GET. `None`: there is none.
fn query_form(inbound: &Inbound) -> Result<Option<query::Form>, ApiError> {
    let text = match inbound.parts.method {
        Method::GET => inbound.parts.uri.query().unwrap_or_default(),
        Method::POST if is_form(&inbound.parts) => std::str::from_utf8(&inbound.body)
            .map_err(|_| ApiError::new(CommonError::Serialization, "the form is not UTF-8"))?,
        _ => return Ok(None),
    };
    let form = query::Form::parse(text)?;
    Ok(form.get("Action").is_some().then_some(form))
}

fn is_form(parts: &Parts) -> bool {
    let content_type = parts.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    content_type.is_some_and(|value| value.trim_start().starts_with("application/x-www-form-urlencoded"))
}

/// The service of a form that has not been read: the one that it was signed for.
fn query_service(signed: Option<&str>) -> Service {
    let is_meant =
        |service: &Service| service.protocol() == Protocol::Query && signed == Some(service.signing_name());
    Service::ALL.iter().copied().find(is_meant).unwrap_or(Service::Sts)
}

/// The service that the request was signed for: the fourth part of the credential's scope.
fn signed_service(parts: &Parts) -> Option<String> {
    if let Some(header) = parts.headers.get(AUTHORIZATION) {
        let authorization = Authorization::parse(header.to_str().ok()?).ok()?;
        return Some(authorization.credential.scope.service);
    }
    let query = parts.uri.query()?;
    let credential = query.split('&').find_map(|pair| pair.strip_prefix("X-Amz-Credential="))?;
    let credential = percent_decode_str(credential).decode_utf8().ok()?;
    credential.split('/').nth(3).map(str::to_owned)
}

/// The service that a page of the console names, in the place of a signature's scope.
fn named_service(parts: &Parts) -> Option<String> {
    Some(parts.headers.get("x-postern-service")?.to_str().ok()?.to_owned())
}

fn internal() -> ApiError {
    ApiError::new(CommonError::Internal, "An error occurred on the server side.")
}

fn unknown_operation() -> ApiError {
    ApiError::new(CommonError::UnknownOperation, "The requested operation is not known to this server.")
}

/// The whole body, counted in `held`. One that says it is too large is not even begun.
async fn read(
    mut body: RequestBody,
    bytes_max: usize,
    too_large: ErrorCode,
    held: &mut HeldBytes,
) -> Result<Bytes, ApiError> {
    let too_large =
        || ApiError::new(too_large, format!("The request body is larger than {bytes_max} bytes."));
    if body.size_hint().lower() > u64::try_from(bytes_max).unwrap_or(u64::MAX) {
        return Err(too_large());
    }
    // Copied: a small frame may keep a large buffer of the connection alive.
    let mut whole = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let ended_early = |_| ApiError::new(CommonError::Serialization, "The request body ended early.");
        let Ok(data) = frame.map_err(ended_early)?.into_data() else { continue };
        if whole.len() + data.len() > bytes_max {
            return Err(too_large());
        }
        if !held.grow(data.len()) {
            let message = "Too many requests are being received; reduce your request rate and try again.";
            return Err(ApiError::new(CommonError::ServiceUnavailable, message));
        }
        whole.extend_from_slice(&data);
    }
    Ok(whole.freeze())
}

/// The answer to what is nobody's: a browser, a health check, a scanner.
fn not_found() -> Answer {
    Answer {
        status: StatusCode::NOT_FOUND.as_u16(),
        headers: vec![("content-type", "text/plain; charset=utf-8".to_owned())],
        body: b"postern-server: nothing is here. Use the AWS CLI, an AWS SDK, or postern.\n".to_vec(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(service: &str, headers: &[(&str, &str)]) -> Form {
        let credential = format!("AKIAIOSFODNN7EXAMPLE/20260615/us-east-1/{service}/aws4_request");
        let authorization = format!(
            "AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders=host;x-amz-date, Signature={}",
            "0".repeat(64)
        );
        let mut request = Request::post("/").header(AUTHORIZATION, authorization);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        Form::of(&request.body(()).unwrap().into_parts().0)
    }

    #[test]
    fn what_is_refused_before_it_is_read_is_refused_in_the_clients_form() {
        let query = [("content-type", "application/x-www-form-urlencoded; charset=utf-8")];
        let target = [("x-amz-target", "AmazonSSM.StartSession")];
        assert_eq!(form("iam", &query), Form::Query(Service::Iam));
        assert_eq!(form("sts", &query), Form::Query(Service::Sts));
        assert_eq!(form("nonsense", &query), Form::Query(Service::Sts));
        assert_eq!(form("ssm", &target), Form::Json);
        assert_eq!(form("s3", &[]), Form::S3);
    }
}
