//! Which operation a request asks for, and in which form its answer is written.
//!
//! The order of the tests is that of what AWS's clients can be told by: path, `X-Amz-Target`, form, and last the
//! scope of the signature.

use std::net::SocketAddr;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Body as _, Incoming};
use postern_api::query::Form;
use postern_api::{Answer, ApiError, CommonError, ErrorCode, Operation, Protocol, Service, json};
use postern_sigv4::Authorization;
use tracing::Instrument as _;
use uuid::Uuid;

use crate::app::App;
use crate::body_budget::HeldBytes;
use crate::inbound::{Inbound, REQUEST_ID, response};
use crate::routes;
use crate::serve::Respond;

/// Nothing of AWS's has this code in its model: it is the answer of the machinery before the service.
const BODY_TOO_LARGE: ErrorCode =
    ErrorCode { name: "RequestEntityTooLargeException", status: 413, message_member: "Message" };
/// SDKs try again when they see it.
const TIMED_OUT: ErrorCode =
    ErrorCode { name: "RequestTimeoutException", status: 408, message_member: "Message" };

/// Answers every request.
pub(crate) struct Dispatch(pub(crate) Arc<App>);

impl Respond for Dispatch {
    async fn respond(&self, request: Request<Incoming>, peer: SocketAddr) -> Response<Full<Bytes>> {
        let request_id = uuid::Builder::from_random_bytes(self.0.random.bytes()).into_uuid();
        let span = tracing::info_span!("request", request.id = %request_id, client.address = %peer);
        let answering =
            tokio::time::timeout(self.0.limits.request_time_max, self.answer(request, peer, request_id));
        let mut response = match answering.instrument(span).await {
            Ok(response) => response,
            Err(_) => response(ApiError::new(TIMED_OUT, "The request took too long.").to_json()),
        };
        let request_id = HeaderValue::try_from(request_id.to_string()).expect("a UUID is visible ASCII");
        response.headers_mut().insert(REQUEST_ID, request_id);
        response
    }
}

impl Dispatch {
    async fn answer(
        &self,
        request: Request<Incoming>,
        peer: SocketAddr,
        request_id: Uuid,
    ) -> Response<Full<Bytes>> {
        let at = self.0.clock.now();
        let request_id = request_id.to_string();
        // A websocket needs the request itself, and has no body.
        if request.method() == Method::GET && routes::ssmmessages::is_channel(request.uri().path()) {
            return routes::ssmmessages::open_channel(&self.0, request, peer, at, request_id).await;
        }
        let (parts, body) = request.into_parts();
        let is_channel = routes::ssmmessages::is_channel(parts.uri.path());
        // Counted until the request is answered.
        let mut held = self.0.bodies.of(peer.ip());
        let body = match read(body, self.0.limits.body_bytes_max, &mut held).await {
            Ok(body) => body,
            Err(error) => return response(if is_channel { error.to_ssmmessages() } else { error.to_json() }),
        };
        let inbound = Inbound { parts, body, peer, at, request_id };
        if is_channel {
            return response(routes::ssmmessages::create_channel(&self.0, &inbound).await);
        }
        response(self.operation(&inbound).await)
    }

    async fn operation(&self, inbound: &Inbound) -> Answer {
        if let Some(target) = inbound.parts.headers.get(json::TARGET_HEADER) {
            let operation = target.to_str().ok().and_then(Operation::from_target);
            return match operation.filter(|_| inbound.parts.method == Method::POST) {
                Some(operation) => self.json(operation, inbound).await,
                None => unknown_operation().to_json(),
            };
        }
        match form(inbound) {
            Ok(Some(form)) => return self.query(&form, inbound).await,
            Ok(None) => {}
            Err(error) => return error.to_query(Service::Sts, &inbound.request_id),
        }
        match signed_service(inbound) {
            Some(service) if service == Service::Sts.signing_name() => {
                ApiError::new(CommonError::UnknownOperation, "The action is missing.")
                    .to_query(Service::Sts, &inbound.request_id)
            }
            Some(_) => unknown_operation().to_json(),
            None => not_found(),
        }
    }

    async fn json(&self, operation: Operation, inbound: &Inbound) -> Answer {
        if operation.service().protocol() != Protocol::Json {
            return unknown_operation().to_json();
        }
        let outcome = routes::json(&self.0, operation, inbound).await;
        match outcome {
            Ok(body) => {
                Answer { status: 200, headers: vec![("content-type", json::CONTENT_TYPE.to_owned())], body }
            }
            Err(error) => {
                log(operation.name(), &error);
                error.to_json()
            }
        }
    }

    async fn query(&self, form: &Form, inbound: &Inbound) -> Answer {
        // White space around a name is not part of it; whether it was signed, the signature tells.
        let value = |name| form.get(name).unwrap_or_default().trim();
        let (version, action) = (value("Version"), value("Action"));
        let outcome = match Operation::from_action(version, action) {
            Some(operation) => routes::query(&self.0, operation, form, inbound).await,
            None => Err(ApiError::new(
                CommonError::UnknownOperation,
                format!("Could not find operation {action:.64} for version {version:.16}"),
            )),
        };
        outcome.unwrap_or_else(|error| {
            log(action, &error);
            let service = Service::from_api_version(version).unwrap_or(Service::Sts);
            error.to_query(service, &inbound.request_id)
        })
    }
}

fn log(operation: &str, error: &ApiError) {
    tracing::debug!(code = error.code.name(), "{operation:.64} refused: {error}");
}

/// The form of a Query request: the body of a POST, or the query of a GET. `None`: there is none.
fn form(inbound: &Inbound) -> Result<Option<Form>, ApiError> {
    let text = match inbound.parts.method {
        Method::GET => inbound.parts.uri.query().unwrap_or_default(),
        Method::POST if is_form(inbound) => std::str::from_utf8(&inbound.body)
            .map_err(|_| ApiError::new(CommonError::Serialization, "the form is not UTF-8"))?,
        _ => return Ok(None),
    };
    let form = Form::parse(text)?;
    Ok(form.get("Action").is_some().then_some(form))
}

fn is_form(inbound: &Inbound) -> bool {
    inbound
        .header(CONTENT_TYPE.as_str())
        .is_some_and(|value| value.trim_start().starts_with("application/x-www-form-urlencoded"))
}

/// The service that the request was signed for.
fn signed_service(inbound: &Inbound) -> Option<String> {
    let authorization = Authorization::parse(inbound.header("authorization")?).ok()?;
    Some(authorization.credential.scope.service)
}

fn unknown_operation() -> ApiError {
    ApiError::new(CommonError::UnknownOperation, "The requested operation is not known to this server.")
}

/// The whole body, counted in `held`. One that says it is too large is not even begun.
async fn read(mut body: Incoming, bytes_max: usize, held: &mut HeldBytes) -> Result<Bytes, ApiError> {
    let too_large =
        || ApiError::new(BODY_TOO_LARGE, format!("The request body is larger than {bytes_max} bytes."));
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
