//! The calls that a node makes, as AWS's agent makes them.
//!
//! Source: aws/amazon-ssm-agent, agent/ssm/ (the JSON calls), agent/ssm/rsaauth/ (signatures with the node's key) and
//! agent/session/service/service.go (the channels, which answer 201 with XML).

use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, Uri};
use postern_dial::{Credentials, DialError, Endpoint, Http, Signer, WebSocket};
use postern_ids::{NodeId, Region, SessionId};
use postern_protocol::payload::MESSAGE_SCHEMA_VERSION;
use postern_sigv4::{PayloadHash, Signing, SigningTime};
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;
use zeroize::Zeroizing;

use crate::machine::Machine;
use crate::state::{NodeKey, RoleCredentials};
use crate::version::PLATFORM_TYPE;
use crate::{AGENT_NAME, AGENT_VERSION, random};

/// Why a call did not do what it should.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// There was no answer.
    #[error("the control plane cannot be reached")]
    Dial(#[from] DialError),
    /// The answer is no.
    #[error("the control plane refused with {code} (HTTP {status}): {message}")]
    Refused {
        /// HTTP status.
        status: StatusCode,
        /// AWS's error code, or empty.
        code: String,
        /// The text.
        message: String,
    },
    /// The answer cannot be understood.
    #[error("the control plane's answer to {operation} lacks {missing}")]
    Answer {
        /// To which call.
        operation: &'static str,
        /// What was looked for.
        missing: &'static str,
    },
}

impl CallError {
    /// Whether the control plane says that this node may not do this; from the call for credentials that means that
    /// the node was de-registered.
    pub(crate) fn is_denied(&self) -> bool {
        let denied = |code: &str| {
            ["AccessDeniedException", "MachineFingerprintDoesNotMatch", "InvalidInstanceId"].contains(&code)
        };
        match self {
            Self::Refused { code, .. } => denied(code),
            _ => false,
        }
    }

    /// Whether the credentials of the request are at fault, rightly or because the server forgot them.
    pub(crate) fn is_about_credentials(&self) -> bool {
        match self {
            Self::Refused { status, .. } => matches!(status.as_u16(), 400 | 401 | 403),
            _ => false,
        }
    }

    /// Whether the control plane says that the session is over. The text is that of AWS's service.
    pub(crate) fn is_session_over(&self) -> bool {
        match self {
            Self::Refused { message, .. } => message.contains("Session is already terminated"),
            _ => false,
        }
    }
}

/// The control plane as one node sees it.
#[derive(Debug)]
pub(crate) struct ControlPlane {
    http: Http,
    endpoint: Endpoint,
    region: Region,
    node_id: NodeId,
}

/// What answers the first call of a machine.
#[derive(Debug)]
pub(crate) struct Activation<'a> {
    pub(crate) id: &'a str,
    pub(crate) code: &'a str,
}

/// Registers a machine: the one call that needs no signature, because the activation's code is the proof.
pub(crate) async fn register(
    http: &Http,
    endpoint: &Endpoint,
    activation: &Activation<'_>,
    fingerprint: Uuid,
    key: &NodeKey,
) -> Result<NodeId, CallError> {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Answer {
        instance_id: NodeId,
    }
    let body = json!({
        "ActivationId": activation.id,
        "ActivationCode": activation.code,
        "Fingerprint": fingerprint.to_string(),
        "PublicKey": key.public_key_base64(),
        "PublicKeyType": "Rsa",
    });
    let request = post(endpoint.url("/")?, json_headers("RegisterManagedInstance"), encode(&body));
    let answer: Answer = parse(http.send(request).await?, "RegisterManagedInstance", "InstanceId")?;
    Ok(answer.instance_id)
}

/// The role credentials, and whether the node should make itself a new key.
#[derive(Debug)]
pub(crate) struct RoleToken {
    pub(crate) credentials: RoleCredentials,
    pub(crate) update_key_pair: bool,
}

impl ControlPlane {
    pub(crate) fn new(http: Http, endpoint: Endpoint, region: Region, node_id: NodeId) -> Self {
        Self { http, endpoint, region, node_id }
    }

    pub(crate) fn node_id(&self) -> &NodeId {
        &self.node_id
    }

    pub(crate) fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// Asks for role credentials, signed with the node's key.
    pub(crate) async fn request_role_token(
        &self,
        key: &NodeKey,
        fingerprint: Uuid,
    ) -> Result<RoleToken, CallError> {
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase")]
        struct Answer {
            access_key_id: String,
            secret_access_key: String,
            session_token: String,
            token_expiration_date: f64,
            #[serde(default)]
            update_key_pair: bool,
        }
        const OPERATION: &str = "RequestManagedInstanceRoleToken";
        let body = json!({ "Fingerprint": fingerprint.to_string() });
        let answer = self.send_with_key(OPERATION, key, &body).await?;
        let answer: Answer = parse(answer, OPERATION, "credentials")?;
        Ok(RoleToken {
            credentials: RoleCredentials {
                access_key_id: answer.access_key_id,
                secret_access_key: answer.secret_access_key,
                session_token: answer.session_token,
                retrieved_at: unix_seconds(SystemTime::now()),
                expires_at: answer.token_expiration_date as i64,
            },
            update_key_pair: answer.update_key_pair,
        })
    }

    /// Replaces the node's key, signed with the old one.
    pub(crate) async fn update_public_key(&self, key: &NodeKey, new: &NodeKey) -> Result<(), CallError> {
        const OPERATION: &str = "UpdateManagedInstancePublicKey";
        let body = json!({ "NewPublicKey": new.public_key_base64(), "NewPublicKeyType": "Rsa" });
        let answer = self.send_with_key(OPERATION, key, &body).await?;
        check(&answer)
    }

    /// Tells the control plane that this node is alive and what it is.
    pub(crate) async fn update_instance_information(
        &self,
        credentials: &Credentials,
    ) -> Result<(), CallError> {
        let machine = Machine::describe();
        let body = json!({
            "AgentName": AGENT_NAME,
            "AgentStatus": "Active",
            "AgentVersion": AGENT_VERSION,
            "ComputerName": machine.computer_name,
            "IPAddress": machine.ip_address,
            "InstanceId": self.node_id,
            "PlatformName": machine.platform_name,
            "PlatformType": PLATFORM_TYPE,
            "PlatformVersion": machine.platform_version,
            "SSMConnectionChannel": "ssmmessages",
        });
        let signer = self.signer(credentials, "ssm");
        let headers = json_headers("UpdateInstanceInformation");
        check(&self.http.signed_post(&signer, self.endpoint.url("/")?, headers, encode(&body)).await?)
    }

    /// The token that opens the control channel.
    pub(crate) async fn create_control_channel(
        &self,
        credentials: &Credentials,
    ) -> Result<String, CallError> {
        let body = json!({
            "MessageSchemaVersion": MESSAGE_SCHEMA_VERSION,
            "RequestId": random::uuid().to_string(),
        });
        self.create_channel(credentials, &format!("/v1/control-channel/{}", self.node_id), &body).await
    }

    pub(crate) async fn open_control_websocket(
        &self,
        credentials: &Credentials,
    ) -> Result<WebSocket, CallError> {
        let path = format!("/v1/control-channel/{}?role=subscribe&stream=input", self.node_id);
        self.open_websocket(credentials, &path).await
    }

    /// The token that opens the agent's side of a session.
    pub(crate) async fn create_data_channel(
        &self,
        credentials: &Credentials,
        session: &SessionId,
    ) -> Result<String, CallError> {
        let body = json!({
            "MessageSchemaVersion": MESSAGE_SCHEMA_VERSION,
            "RequestId": random::uuid().to_string(),
            "ClientId": "",
        });
        self.create_channel(credentials, &format!("/v1/data-channel/{session}"), &body).await
    }

    pub(crate) async fn open_data_websocket(
        &self,
        credentials: &Credentials,
        session: &SessionId,
    ) -> Result<WebSocket, CallError> {
        self.open_websocket(credentials, &format!("/v1/data-channel/{session}?role=publish_subscribe")).await
    }

    /// What a KMS key has encrypted for this node.
    pub(crate) async fn decrypt(
        &self,
        credentials: &Credentials,
        input: &Value,
    ) -> Result<Zeroizing<Vec<u8>>, CallError> {
        const OPERATION: &str = "Decrypt";
        const MISSING: &str = "Plaintext";
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase")]
        struct Answer {
            plaintext: String,
        }
        let headers = headers_for("TrentService", OPERATION);
        let signer = self.signer(credentials, "kms");
        let answer = self.http.signed_post(&signer, self.endpoint.url("/")?, headers, encode(input)).await?;
        let answer: Answer = parse(answer, OPERATION, MISSING)?;
        let plain = STANDARD.decode(&*Zeroizing::new(answer.plaintext));
        let missing = |_| CallError::Answer { operation: OPERATION, missing: MISSING };
        plain.map(Zeroizing::new).map_err(missing)
    }

    fn signer<'a>(&'a self, credentials: &'a Credentials, service: &'a str) -> Signer<'a> {
        Signer { credentials, region: self.region.as_str(), service }
    }

    async fn create_channel(
        &self,
        credentials: &Credentials,
        path: &str,
        body: &Value,
    ) -> Result<String, CallError> {
        let mut headers = HeaderMap::new();
        headers.insert(http::header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        let signer = self.signer(credentials, "ssmmessages");
        let answer = self.http.signed_post(&signer, self.endpoint.url(path)?, headers, encode(body)).await?;
        if answer.status() != StatusCode::CREATED {
            return Err(refusal(&answer));
        }
        let text = String::from_utf8_lossy(answer.body());
        token_value(&text)
            .ok_or(CallError::Answer { operation: "the request for a channel", missing: "TokenValue" })
    }

    async fn open_websocket(&self, credentials: &Credentials, path: &str) -> Result<WebSocket, CallError> {
        let url = self.endpoint.url(path)?;
        let signer = self.signer(credentials, "ssmmessages");
        let headers = signer.sign(&Method::GET, &url, &HeaderMap::new(), b"", SystemTime::now())?;
        Ok(self.http.websocket(&url, &headers).await?)
    }

    /// Signature Version 4 with RSA in place of the HMAC of its last step; the node's ID is the access key.
    async fn send_with_key(
        &self,
        operation: &str,
        key: &NodeKey,
        body: &Value,
    ) -> Result<Response<Bytes>, CallError> {
        let url = self.endpoint.url("/")?;
        let body = encode(body);
        let mut headers = json_headers(operation);
        let mut covered: Vec<_> =
            headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect();
        covered.push(("host", self.endpoint.authority().as_bytes()));
        let signing = Signing {
            access_key_id: self.node_id.as_str(),
            session_token: None,
            region: self.region.as_str(),
            service: "ssm",
            time: SigningTime::from_unix_seconds(unix_seconds(SystemTime::now())),
        };
        let request =
            postern_sigv4::Request { method: "POST", path: url.path(), query: "", headers: &covered };
        let hash = PayloadHash::of(&body);
        let prepared = signing.prepare(&request, &hash).expect("the host is among the headers");
        let signature = key.sign_base64(prepared.string_to_sign());
        for (name, value) in prepared.with_signature(signature) {
            headers.insert(HeaderName::from_static(name), text_value(&value));
        }
        // Present but not signed, as AWS's agent has it.
        headers.insert("x-amz-content-sha256", text_value(&hash.to_string()));
        Ok(self.http.send(post(url, headers, body)).await?)
    }
}

fn text_value(text: &str) -> HeaderValue {
    HeaderValue::from_str(text).expect("dates, identifiers, base64 and hexadecimal digits are visible ASCII")
}

pub(crate) fn unix_seconds(time: SystemTime) -> i64 {
    let seconds = time.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    i64::try_from(seconds).unwrap_or(i64::MAX)
}

fn post(url: Uri, headers: HeaderMap, body: Bytes) -> Request<Bytes> {
    let mut request = Request::new(body);
    *request.method_mut() = Method::POST;
    *request.uri_mut() = url;
    *request.headers_mut() = headers;
    request
}

fn json_headers(operation: &str) -> HeaderMap {
    headers_for("AmazonSSM", operation)
}

fn headers_for(service: &str, operation: &str) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(http::header::CONTENT_TYPE, HeaderValue::from_static("application/x-amz-json-1.1"));
    headers.insert("x-amz-target", text_value(&format!("{service}.{operation}")));
    headers
}

fn encode(body: &Value) -> Bytes {
    Bytes::from(body.to_string())
}

fn check(answer: &Response<Bytes>) -> Result<(), CallError> {
    if answer.status().is_success() { Ok(()) } else { Err(refusal(answer)) }
}

fn parse<T: for<'de> Deserialize<'de>>(
    answer: Response<Bytes>,
    operation: &'static str,
    missing: &'static str,
) -> Result<T, CallError> {
    check(&answer)?;
    serde_json::from_slice(answer.body()).map_err(|_| CallError::Answer { operation, missing })
}

/// Reads an error in any of the forms that the control plane's protocols have: JSON, or XML with the code as the name
/// of an element.
fn refusal(answer: &Response<Bytes>) -> CallError {
    const MESSAGE_CHARS_MAX: usize = 500;
    let text = String::from_utf8_lossy(answer.body());
    let printable =
        |text: &str| -> String { text.chars().filter(|c| !c.is_control()).take(MESSAGE_CHARS_MAX).collect() };
    let json: Value = serde_json::from_slice(answer.body()).unwrap_or_default();
    let field = |names: [&str; 2]| names.iter().find_map(|name| json.get(name)?.as_str());
    let code = field(["__type", "code"]).map(|code| code.rsplit('#').next().unwrap_or_default());
    let message = field(["message", "Message"]);
    let in_xml = |names: [&str; 2]| names.iter().find_map(|name| element(&text, name));
    CallError::Refused {
        status: answer.status(),
        code: printable(code.or_else(|| exception(&text)).unwrap_or_default()),
        message: printable(message.or_else(|| in_xml(["Message", "message"])).unwrap_or(&text)),
    }
}

/// The name of the first element that is an error code.
fn exception(xml: &str) -> Option<&str> {
    let names = xml.split('<').filter_map(|tag| tag.split(['>', ' ', '/']).next());
    names.into_iter().find(|name| name.ends_with("Exception"))
}

/// The content of the first element `name`, if it has no attributes.
fn element<'a>(xml: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = xml.split_once(&format!("<{name}>"))?;
    Some(rest.split_once(&format!("</{name}>"))?.0)
}

/// The content of the element `TokenValue`; the names around it do not matter.
fn token_value(xml: &str) -> Option<String> {
    let token = element(xml, "TokenValue")?.trim();
    let plain =
        [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&apos;", "'"), ("&#43;", "+"), ("&amp;", "&")];
    let token = plain.iter().fold(token.to_owned(), |text, (entity, plain)| text.replace(entity, plain));
    (!token.is_empty()).then_some(token)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_token_is_found_whatever_is_around_it() {
        let xml = "<CreateControlChannelResponse xmlns=\"http://ssmmessages.amazonaws.com/doc/2015-06-19/\">\
                   <MessageSchemaVersion>1.0</MessageSchemaVersion><TokenValue>AAEAA+/==&amp;</TokenValue>\
                   </CreateControlChannelResponse>";
        assert_eq!(token_value(xml).as_deref(), Some("AAEAA+/==&"));
        for wrong in ["", "<TokenValue>", "<TokenValue></TokenValue>", "</TokenValue><TokenValue>"] {
            assert_eq!(token_value(wrong), None, "{wrong:?}");
        }
    }

    fn refused(status: u16, body: &str) -> CallError {
        refusal(&Response::builder().status(status).body(Bytes::copy_from_slice(body.as_bytes())).unwrap())
    }

    #[test]
    fn errors_are_read_in_json_and_xml() {
        let json = refused(400, r#"{"__type":"com.amazonaws#AccessDeniedException","message":"gone"}"#);
        assert!(json.is_denied());
        assert_eq!(
            json.to_string(),
            "the control plane refused with AccessDeniedException (HTTP 400 Bad Request): gone"
        );
        assert!(
            refused(400, "<AccessDeniedException><message>x</message></AccessDeniedException>").is_denied()
        );
        assert!(refused(400, r#"{"message":"Session is already terminated"}"#).is_session_over());
        let unavailable = refused(503, "busy");
        assert!(
            !unavailable.is_denied() && !unavailable.is_about_credentials() && !unavailable.is_session_over()
        );
    }

    #[test]
    fn an_error_cannot_play_with_the_terminal() {
        assert!(!refused(500, "\x1b[2J").to_string().contains('\x1b'));
    }
}
