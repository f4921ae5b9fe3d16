//! S3: the wire is the crate `s3`'s, who may is decided here as everywhere.

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::{Stream, stream};
use http::header::CONTENT_LENGTH;
use http::request::Parts;
use http::{Extensions, Method, Request, Response, StatusCode};
use http_body_util::BodyExt as _;
use percent_encoding::percent_decode_str;
use postern_api::{Answer, ApiError, CommonError, ErrorCode};
use postern_ids::{Arn, NodeId, SessionId};
use postern_s3::{Call, DECODED_LENGTH, DeclaredBody, ErrorAnswer, Guard, OnlyNew, Refused};
use postern_sigv4::{ChunkVerifier, Payload};
use postern_store::{SessionLogSink, StoreError};
use serde_json::{Map, Value};
use tokio::time::timeout;

use crate::app::App;
use crate::audit::{Entry, Failure};
use crate::auth::{Action, Authenticated, Caller, Check, Principal, RequestContext};
use crate::console;
use crate::inbound::{self, Inbound};
use crate::node_uploads::TooMuch;
use crate::serve::{self, Body, RequestBody};
use crate::session_logs::is_servers;

/// The signing name.
pub(crate) const SERVICE: &str = "s3";
/// What policies can allow or deny; other operations are there for nobody.
const ACTIONS: [&str; 22] = [
    "AbortMultipartUpload",
    "BypassGovernanceRetention",
    "CreateBucket",
    "DeleteBucket",
    "DeleteObject",
    "GetBucketLocation",
    "GetBucketObjectLockConfiguration",
    "GetBucketVersioning",
    "GetEncryptionConfiguration",
    "GetObject",
    "GetObjectRetention",
    "ListAllMyBuckets",
    "ListBucket",
    "ListBucketMultipartUploads",
    "ListBucketVersions",
    "ListMultipartUploadParts",
    "PutBucketObjectLockConfiguration",
    "PutBucketPolicy",
    "PutEncryptionConfiguration",
    "PutObject",
    "PutObjectAcl",
    "PutObjectRetention",
];
/// What the address of an upload may ask for beside the signature's parameters.
const UPLOAD_PARAMETERS: [&str; 3] = ["partNumber", "uploadId", "x-id"];
/// Where a request says what its body is.
const CONTENT_SHA256: &str = "x-amz-content-sha256";
const DECLARED_IN_QUERY: [&str; 2] = ["X-Amz-Content-Sha256=", "X-Amz-Signature="];
/// What agents ask of a bucket before they write to it.
const OF_AGENTS: [&str; 2] = ["HeadBucket", "GetBucketEncryption"];
/// How they write.
const WRITES_OF_AGENTS: [&str; 4] =
    ["PutObject", "CreateMultipartUpload", "UploadPart", "CompleteMultipartUpload"];
/// What the name of a session's log ends with, behind the session's id.
const LOG_SUFFIX: &str = ".log";
/// Source of these: "List of error codes", Amazon S3 API Reference.
const LENGTH_MISSING: ErrorCode =
    ErrorCode { name: "MissingContentLength", status: 411, message_member: "Message" };
const TOO_LARGE: ErrorCode = ErrorCode { name: "EntityTooLarge", status: 400, message_member: "Message" };
/// The code of a denial.
const ACCESS_DENIED: &str = "AccessDenied";
/// Errors are small; what is longer is not looked into.
const ERROR_BYTES_MAX: usize = 64 * 1024;

/// Whether a request brings what an object is to hold, and says enough of that for its signature to be verified before it
/// has come.
pub(crate) fn is_upload(parts: &Parts) -> bool {
    let names = parts.uri.query().unwrap_or_default().split('&').filter(|pair| !pair.is_empty());
    let is_of_object = names.map(|pair| pair.split('=').next().unwrap_or_default()).all(|name| {
        UPLOAD_PARAMETERS.contains(&name)
            || name.get(..6).is_some_and(|start| start.eq_ignore_ascii_case("x-amz-"))
    });
    parts.method == Method::PUT
        && is_of_object
        && parts.uri.path().len() > 1
        && !console::is_signed_in(parts)
        && declares_body(parts)
}

/// Whether the signature of a request can say what its body is before that has come: a header does, or the address.
fn declares_body(parts: &Parts) -> bool {
    let query = parts.uri.query().unwrap_or_default();
    parts.headers.contains_key(CONTENT_SHA256)
        || query.split('&').any(|pair| DECLARED_IN_QUERY.iter().any(|name| pair.starts_with(name)))
}

/// What a body is compared with while it is read.
fn declared_body(
    payload: Payload,
    chunks: Option<ChunkVerifier>,
    body_follows: bool,
) -> Option<DeclaredBody> {
    Some(match payload {
        Payload::SignedChunks { .. } => DeclaredBody::SignedChunks(chunks?),
        Payload::UnsignedChunks => DeclaredBody::UnsignedChunks,
        Payload::Declared(digest) if body_follows => DeclaredBody::Sha256(digest),
        // A body that has come whole was compared when the signature was.
        Payload::Declared(_) | Payload::Undeclared | Payload::Unsigned => DeclaredBody::Unsigned,
    })
}

/// Answers a request that is signed for S3 and has come whole, and says how it failed, if it did.
pub(crate) async fn answer(app: &Arc<App>, inbound: &Inbound) -> (Response<Body>, Option<Failure>) {
    let body = stream::iter([Ok(inbound.body.clone())]);
    respond(app, inbound, body).await
}

/// Answers a request whose body is still to come.
pub(crate) async fn receive(
    app: &Arc<App>,
    inbound: Inbound,
    body: RequestBody,
) -> (Response<Body>, Option<Failure>) {
    let body = Box::pin(parts_of(body, app.limits.request_time_max));
    respond(app, &inbound, body).await
}

/// The parts of a body, as long as they keep coming.
fn parts_of(body: RequestBody, pause_max: Duration) -> impl Stream<Item = io::Result<Bytes>> + Send + Sync {
    stream::try_unfold(body, move |mut body| async move {
        loop {
            let Ok(frame) = timeout(pause_max, body.frame()).await else {
                return Err(io::Error::new(io::ErrorKind::TimedOut, "the body of the request does not come"));
            };
            let Some(frame) = frame.transpose().map_err(io::Error::other)? else { return Ok(None) };
            if let Ok(data) = frame.into_data() {
                return Ok(Some((data, body)));
            }
        }
    })
}

async fn respond<S>(app: &Arc<App>, inbound: &Inbound, body: S) -> (Response<Body>, Option<Failure>)
where
    S: Stream<Item = io::Result<Bytes>> + Send + Sync + Unpin + 'static,
{
    inbound.entry.object_operation(presumed_operation(inbound), true);
    let action = Action::S3("ListAllMyBuckets");
    let Authenticated { caller, payload, chunks } = match inbound.authenticate_upload(app, action).await {
        Ok(authenticated) => authenticated,
        Err(error) => return refused(inbound, &error),
    };
    let failed = || ApiError::new(CommonError::Internal, "We encountered an internal error.");
    let Some(declared) = declared_body(payload, chunks, inbound.body_follows) else {
        return refused(inbound, &failed());
    };
    let mut request = Request::new(body);
    *request.method_mut() = inbound.parts.method.clone();
    *request.uri_mut() = inbound.parts.uri.clone();
    *request.version_mut() = inbound.parts.version;
    request.headers_mut().clone_from(&inbound.parts.headers);
    if let Some(node) = node_of(&caller) {
        if let Err(error) = admit_node(app, inbound, node, &declared) {
            return refused(inbound, &error);
        }
        request.extensions_mut().insert(OnlyNew);
    }
    request.extensions_mut().insert(Asked {
        app: Arc::clone(app),
        entry: Arc::clone(&inbound.entry),
        context: inbound.context(),
        query: inbound.parts.uri.query().unwrap_or_default().into(),
        caller,
    });
    match app.s3.answer(request, declared).await {
        Ok(response) => with_failure(response).await,
        Err(_) => refused(inbound, &failed()),
    }
}

/// Counts what a node uploads. What does not say how long it is could be of any length.
fn admit_node(app: &App, inbound: &Inbound, node: &NodeId, declared: &DeclaredBody) -> Result<(), ApiError> {
    // Chunks are held to what the request says of them, other bodies by HTTP.
    let name = if declared.is_chunked() { DECODED_LENGTH } else { CONTENT_LENGTH.as_str() };
    let bytes = if inbound.body_follows {
        let length = inbound.header(name).and_then(|length| length.parse().ok());
        length.ok_or_else(|| {
            ApiError::new(LENGTH_MISSING, "You must provide the Content-Length HTTP header.")
        })?
    } else {
        inbound.body.len() as u64
    };
    app.node_uploads.admit(node, bytes, Instant::now()).map_err(|too_much| match too_much {
        TooMuch::ForNow => ApiError::new(CommonError::Throttling, "Please reduce your request rate."),
        TooMuch::AtOnce => {
            ApiError::new(TOO_LARGE, "Your proposed upload exceeds what a node may upload in an hour.")
        }
    })
}

/// An error in the form of S3, for what goes wrong around the endpoint.
pub(crate) fn error_answer(inbound_path: &str, request_id: &str, error: &ApiError) -> Answer {
    let (code, status) = error.code.in_s3();
    let answer = ErrorAnswer { code, message: &error.message, resource: inbound_path, request_id };
    let headers = vec![("content-type", ErrorAnswer::CONTENT_TYPE.to_owned())];
    Answer { status, headers, body: answer.body().into_bytes() }
}

fn refused(inbound: &Inbound, error: &ApiError) -> (Response<Body>, Option<Failure>) {
    let answer = error_answer(inbound.parts.uri.path(), &inbound.request_id, error);
    let failure =
        Failure { code: error.code.in_s3().0.to_owned(), message: error.message.clone(), is_denial: false };
    (crate::inbound::response(answer), Some(failure))
}

/// Reads what an error says; it goes on as it came.
async fn with_failure(response: Response<postern_s3::Body>) -> (Response<Body>, Option<Failure>) {
    let status = response.status();
    if !status.is_client_error() && !status.is_server_error() {
        return (response.map(serve::boxed), None);
    }
    let (parts, body) = response.into_parts();
    let body = match body.collect().await {
        Ok(body) => body.to_bytes(),
        Err(_) => Bytes::new(),
    };
    let text = std::str::from_utf8(&body).ok().filter(|text| text.len() <= ERROR_BYTES_MAX);
    let element = |name: &str| text.and_then(|text| element(text, name)).map(str::to_owned);
    let failure = Failure {
        code: element("Code").unwrap_or_else(|| status.as_str().to_owned()),
        message: element("Message").unwrap_or_default(),
        is_denial: status == StatusCode::FORBIDDEN,
    };
    (Response::from_parts(parts, serve::full(body)), Some(failure))
}

fn element<'a>(xml: &'a str, name: &str) -> Option<&'a str> {
    let rest = xml.split_once(&format!("<{name}>"))?.1;
    Some(rest.split_once(&format!("</{name}>"))?.0)
}

/// What a request seems to ask for, should it not come to the endpoint.
fn presumed_operation(inbound: &Inbound) -> &'static str {
    let path = inbound.parts.uri.path().trim_matches('/');
    let (has_bucket, has_key) = (!path.is_empty(), path.contains('/'));
    match (&inbound.parts.method, has_bucket, has_key) {
        (&Method::GET, false, _) => "ListBuckets",
        (&Method::GET, true, false) => "ListObjects",
        (&Method::GET, true, true) => "GetObject",
        (&Method::HEAD, _, false) => "HeadBucket",
        (&Method::HEAD, _, true) => "HeadObject",
        (&Method::DELETE, _, _) => "DeleteObject",
        _ => "PutObject",
    }
}

/// What a decision needs, on its way through the endpoint.
#[derive(Clone)]
struct Asked {
    app: Arc<App>,
    entry: Arc<Entry>,
    context: RequestContext,
    query: Arc<str>,
    caller: Caller,
}

/// Asks the one authorizer.
pub(crate) struct Gate;

#[async_trait::async_trait]
impl Guard for Gate {
    async fn permit(&self, calls: &[Call<'_>], extensions: &mut Extensions) -> Result<(), Refused> {
        let (Some(asked), Some(first)) = (extensions.get::<Asked>(), calls.first()) else {
            return Err(Refused::Failed);
        };
        asked.describe(first);
        let mut checks = Vec::with_capacity(calls.len());
        for call in calls {
            checks.push(asked.check(call).await?);
        }
        let decided =
            inbound::permit(&asked.app, &asked.entry, &asked.caller, &asked.context, [checks]).await;
        match decided {
            Ok(_permit) => Ok(()),
            Err(error) if error.code.in_s3().0 == ACCESS_DENIED => Err(Refused::Denied(error.message)),
            // Logged where it was noticed.
            Err(_) => Err(Refused::Failed),
        }
    }
}

impl Asked {
    /// Says on the trail what is asked for.
    fn describe(&self, call: &Call<'_>) {
        self.entry.object_operation(call.operation, call.is_read_only());
        if call.is_data_event() {
            self.entry.data_event();
        }
        let named = [("bucketName", call.bucket), ("key", call.key)];
        let named = named.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?.into())));
        let mut parameters: Map<String, Value> = named.collect();
        if let Ok(Some(prefix)) = query_value(&self.query, "prefix") {
            parameters.insert("prefix".to_owned(), prefix.into());
        }
        self.entry.parameters(parameters);
        if let (Some(bucket), Some(_)) = (call.bucket, call.key) {
            self.entry.named_resource(&format!("arn:aws:s3:::{bucket}"));
        }
    }

    /// What is asked of the authorizer.
    async fn check(&self, call: &Call<'_>) -> Result<Check, Refused> {
        let Some(action) = ACTIONS.iter().find(|action| **action == call.action_name()) else {
            let text = format!("Nobody may perform s3:{} here.", call.action_name());
            return Err(Refused::Denied(text));
        };
        let mut check = Check::new(Action::S3(action));
        if call.bucket.is_some() {
            // Keys of any length that S3 allows fit an ARN.
            let resource: Arn = call.resource().parse().map_err(|_| Refused::Failed)?;
            check = check.on(resource);
        }
        for key in ["prefix", "delimiter", "max-keys"] {
            if let Some(value) = query_value(&self.query, key).map_err(Ambiguous::refused)? {
                check = check.with(format!("s3:{key}"), value);
            }
        }
        if node_of(&self.caller).is_some() {
            check = check.about_node(self.node_of_log(call).await?.as_ref());
        }
        Ok(check)
    }

    /// The node of the session whose log a node's agent writes with this call, if it is one and not the server's to write.
    async fn node_of_log(&self, call: &Call<'_>) -> Result<Option<NodeId>, Refused> {
        if OF_AGENTS.contains(&call.operation) {
            return Ok(None);
        }
        if !WRITES_OF_AGENTS.contains(&call.operation) {
            return Err(Refused::Denied(format!("A node may not perform s3:{}.", call.action_name())));
        }
        let name =
            call.key.and_then(|key| key.rsplit('/').next()).and_then(|name| name.strip_suffix(LOG_SUFFIX));
        let Some(session) = name.and_then(|name| name.parse::<SessionId>().ok()) else { return Ok(None) };
        let failed = |error: StoreError| {
            tracing::error!(error = &error as &dyn std::error::Error, "a session could not be looked up");
            Refused::Failed
        };
        if is_servers(&self.app, &session, SessionLogSink::S3).await.map_err(failed)? {
            return Ok(None);
        }
        Ok(self.app.store.session(&session).await.map_err(failed)?.map(|session| session.node))
    }
}

/// The node that a caller is.
fn node_of(caller: &Caller) -> Option<&NodeId> {
    match &caller.principal {
        Principal::RoleSession { node, .. } => node.as_ref(),
        Principal::Node { node, .. } => Some(node),
        _ => None,
    }
}

/// A parameter is given more than once: what is decided about could be another one than what is answered.
#[derive(Debug, PartialEq, Eq)]
struct Ambiguous;

impl Ambiguous {
    fn refused(self) -> Refused {
        Refused::Denied("A parameter of the listing is given more than once.".to_owned())
    }
}

/// The decoded value of a parameter.
fn query_value(query: &str, name: &str) -> Result<Option<String>, Ambiguous> {
    let decoded = |text: &str| percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned();
    let mut values = query.split('&').filter_map(|pair| {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        (decoded(key) == name).then(|| decoded(value))
    });
    let value = values.next();
    if values.next().is_some() { Err(Ambiguous) } else { Ok(value) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_a_query() {
        let of = |query| query_value(query, "prefix");
        assert_eq!(of("a=1&prefix=AWSLogs%2F1+x&b"), Ok(Some("AWSLogs/1 x".to_owned())));
        assert_eq!(of("a=1&pre%66ix=AWSLogs"), Ok(Some("AWSLogs".to_owned())));
        assert_eq!(of("prefixed=1&b"), Ok(None));
        for twice in ["prefix=mine&prefix=", "prefix=mine&%70refix=all", "prefix=mine&prefix"] {
            assert_eq!(of(twice), Err(Ambiguous), "{twice}");
        }
    }

    #[test]
    fn what_is_declared_of_a_body_that_follows_is_compared() {
        let declared = |payload, body_follows| declared_body(payload, None, body_follows);
        let hash = Payload::Declared([7; 32]);
        assert!(matches!(declared(hash, true), Some(DeclaredBody::Sha256(digest)) if digest == [7; 32]));
        assert!(matches!(declared(hash, false), Some(DeclaredBody::Unsigned)));
        assert!(matches!(declared(Payload::UnsignedChunks, false), Some(DeclaredBody::UnsignedChunks)));
        let signed = Payload::SignedChunks { has_trailer: false };
        assert!(declared(signed, true).is_none(), "without what verifies them there is no body");
    }

    #[test]
    fn a_body_follows_where_its_signature_says_enough() {
        let follows = |method: &str, uri: &str, header: Option<&str>| {
            let mut request = Request::builder().method(method).uri(uri);
            if let Some(value) = header {
                request = request.header(CONTENT_SHA256, value);
            }
            is_upload(&request.body(()).unwrap().into_parts().0)
        };
        assert!(follows("PUT", "/b/k", Some("UNSIGNED-PAYLOAD")));
        assert!(follows("PUT", "/b/k?X-Amz-Signature=0&partNumber=1&uploadId=2", None));
        assert!(!follows("PUT", "/b/k", None));
        assert!(!follows("PUT", "/b/k?retention", Some("UNSIGNED-PAYLOAD")));
        assert!(!follows("POST", "/b/k", Some("UNSIGNED-PAYLOAD")));
    }

    #[test]
    fn what_an_error_says() {
        let xml = "<?xml version=\"1.0\"?><Error><Code>NoSuchKey</Code><Message>No.</Message></Error>";
        assert_eq!((element(xml, "Code"), element(xml, "Message")), (Some("NoSuchKey"), Some("No.")));
        assert_eq!(element(xml, "Resource"), None);
    }
}
