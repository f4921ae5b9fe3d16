//! S3 over the audit store: the wire is the crate `s3`'s, who may is decided here as everywhere.

use std::sync::Arc;

use bytes::Bytes;
use http::{Extensions, Method, Request, Response, StatusCode};
use http_body_util::BodyExt as _;
use percent_encoding::percent_decode_str;
use postern_api::{Answer, ApiError, CommonError};
use postern_ids::Arn;
use postern_s3::{Call, ErrorAnswer, Guard, Refused};
use serde_json::{Map, Value};

use crate::app::App;
use crate::audit::{Entry, Failure};
use crate::auth::{Action, Caller, Check, NotAuthorized, RequestContext};
use crate::inbound::Inbound;
use crate::serve::{self, Body};

/// The signing name.
pub(crate) const SERVICE: &str = "s3";
/// What policies can allow or deny; other operations are there for nobody.
const ACTIONS: [&str; 12] = [
    "CreateBucket",
    "DeleteBucket",
    "DeleteObject",
    "GetBucketLocation",
    "GetEncryptionConfiguration",
    "GetObject",
    "ListAllMyBuckets",
    "ListBucket",
    "ListBucketVersions",
    "PutBucketPolicy",
    "PutEncryptionConfiguration",
    "PutObject",
];
/// Errors are small; what is longer is not looked into.
const ERROR_BYTES_MAX: usize = 64 * 1024;

/// Answers a request that is signed for S3, and says how it failed, if it did.
pub(crate) async fn answer(app: &Arc<App>, inbound: &Inbound) -> (Response<Body>, Option<Failure>) {
    inbound.entry.object_operation(presumed_operation(inbound), true);
    let action = Action::S3("ListAllMyBuckets");
    let caller = match inbound.authenticate(app, action).await {
        Ok(caller) => caller,
        Err(error) => return refused(inbound, &error),
    };
    let mut request = Request::new(inbound.body.clone());
    *request.method_mut() = inbound.parts.method.clone();
    *request.uri_mut() = inbound.parts.uri.clone();
    *request.version_mut() = inbound.parts.version;
    request.headers_mut().clone_from(&inbound.parts.headers);
    request.extensions_mut().insert(Asked {
        app: Arc::clone(app),
        entry: Arc::clone(&inbound.entry),
        context: inbound.context(),
        query: inbound.parts.uri.query().unwrap_or_default().into(),
        caller,
    });
    match app.s3.answer(request).await {
        Ok(response) => with_failure(response).await,
        Err(_) => {
            refused(inbound, &ApiError::new(CommonError::Internal, "We encountered an internal error."))
        }
    }
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
    async fn permit(&self, call: &Call<'_>, extensions: &mut Extensions) -> Result<(), Refused> {
        let Some(Asked { app, entry, context, query, caller }) = extensions.get::<Asked>() else {
            return Err(Refused::Failed);
        };
        entry.object_operation(call.operation, call.is_read_only());
        if call.is_data_event() {
            entry.data_event();
        }
        let named = [("bucketName", call.bucket), ("key", call.key)];
        let named = named.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?.into())));
        let mut parameters: Map<String, Value> = named.collect();
        if let Ok(Some(prefix)) = query_value(query, "prefix") {
            parameters.insert("prefix".to_owned(), prefix.into());
        }
        entry.parameters(parameters);
        if let (Some(bucket), Some(_)) = (call.bucket, call.key) {
            entry.named_resource(&format!("arn:aws:s3:::{bucket}"));
        }
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
            if let Some(value) = query_value(query, key).map_err(Ambiguous::refused)? {
                check = check.with(format!("s3:{key}"), value);
            }
        }
        entry.checks(std::slice::from_ref(&check));
        let decided = app.authorizer.authorize(caller, context, [check]).await;
        entry.decision(&decided);
        match decided {
            Ok(_permit) => Ok(()),
            Err(NotAuthorized::Denied(denied)) => Err(Refused::Denied(denied.to_string())),
            Err(NotAuthorized::Undecided(error)) => {
                let error: &dyn std::error::Error = &error;
                tracing::error!(error, "a request could not be decided");
                Err(Refused::Failed)
            }
        }
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
    fn what_an_error_says() {
        let xml = "<?xml version=\"1.0\"?><Error><Code>NoSuchKey</Code><Message>No.</Message></Error>";
        assert_eq!((element(xml, "Code"), element(xml, "Message")), (Some("NoSuchKey"), Some("No.")));
        assert_eq!(element(xml, "Resource"), None);
    }
}
