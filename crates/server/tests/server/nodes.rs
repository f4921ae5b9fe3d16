//! A machine becomes a node, speaks as itself alone, and ceases to be one.

use aws_lc_rs::encoding::{AsDer as _, PublicKeyX509Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{KeyPair as _, RSA_PSS_SHA256, RsaKeyPair};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::StatusCode;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::io::AsyncReadExt as _;
use tokio::task::JoinSet;

use crate::harness::{Answer, Keys, TestServer, signed, signed_by};

const FINGERPRINT: &str = "acd158de-86ee-42da-9979-d768f9151e19";

/// A machine with a key of its own.
struct Machine {
    key: RsaKeyPair,
    id: String,
}

impl Machine {
    async fn register(server: &TestServer) -> Self {
        let key = RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
        let activation = activation(server, json!({})).await;
        let answer = register(server, &activation, &public_key(&key)).await;
        assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
        let id = answer.json()["InstanceId"].as_str().unwrap().to_owned();
        Self { key, id }
    }

    async fn role_token(&self, server: &TestServer, fingerprint: &str) -> Answer {
        self.signed_call(
            server,
            "AmazonSSM.RequestManagedInstanceRoleToken",
            &json!({"Fingerprint": fingerprint}),
        )
        .await
    }

    async fn signed_call(&self, server: &TestServer, target: &str, input: &Value) -> Answer {
        let request = signed_by(server.json_request(target, input), &self.id, |text| sign(&self.key, text));
        server.send(request).await
    }

    async fn credentials(&self, server: &TestServer) -> Keys {
        let answer = self.role_token(server, FINGERPRINT).await.json();
        let text = |name: &str| answer[name].as_str().unwrap().to_owned();
        Keys { id: text("AccessKeyId"), secret: text("SecretAccessKey"), token: Some(text("SessionToken")) }
    }
}

fn sign(key: &RsaKeyPair, text: &str) -> String {
    let mut signature = vec![0; key.public_modulus_len()];
    key.sign(&RSA_PSS_SHA256, &SystemRandom::new(), text.as_bytes(), &mut signature).unwrap();
    STANDARD.encode(signature)
}

fn public_key(key: &RsaKeyPair) -> String {
    let der: PublicKeyX509Der<'_> = key.public_key().as_der().unwrap();
    STANDARD.encode(der.as_ref())
}

async fn activation(server: &TestServer, more: Value) -> Value {
    let mut input = json!({"IamRole": "PosternNode"});
    input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let answer = server.call(&server.admin(), "AmazonSSM.CreateActivation", &input).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    answer.json()
}

async fn register(server: &TestServer, activation: &Value, public_key: &str) -> Answer {
    let input = json!({
        "ActivationId": activation["ActivationId"], "ActivationCode": activation["ActivationCode"],
        "PublicKey": public_key, "PublicKeyType": "Rsa", "Fingerprint": FINGERPRINT,
    });
    server.send(server.json_request("AmazonSSM.RegisterManagedInstance", &input)).await
}

/// A control channel as an agent opens it. It stays open as long as both parts are held.
async fn open_control_channel(
    server: &TestServer,
    keys: &Keys,
    node: &str,
) -> Result<(hyper::upgrade::Upgraded, JoinSet<()>), Answer> {
    let path = format!("/v1/control-channel/{node}");
    let create = server
        .request("POST", &path)
        .header("content-type", "application/json")
        .body(Bytes::from(
            r#"{"MessageSchemaVersion":"1.0","RequestId":"975d47dc-7c53-412d-b1f0-1a7b0eef53d2"}"#,
        ))
        .unwrap();
    let created = server.send(signed(create, keys, "ssmmessages")).await;
    if created.status != StatusCode::CREATED {
        return Err(created);
    }
    let text = created.text();
    let token = text.split("<TokenValue>").nth(1).unwrap().split("</TokenValue>").next().unwrap();

    let open = server
        .request("GET", &format!("{path}?role=subscribe&stream=input"))
        .header("connection", "Upgrade")
        .header("upgrade", "websocket")
        .header("sec-websocket-version", "13")
        .header("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==")
        .body(Bytes::new())
        .unwrap();
    // The token is also sent by who does not wait for the answer: the server must not lose what comes early.
    let io = TokioIo::new(server.connect(b"http/1.1").await);
    let (mut sender, connection) = hyper::client::conn::http1::handshake(io).await.unwrap();
    let mut tasks = JoinSet::new();
    tasks.spawn(async move {
        let _ = connection.with_upgrades().await;
    });
    let request = signed(open, keys, "ssmmessages").map(http_body_util::Full::new);
    let response = sender.send_request(request).await.unwrap();
    assert_eq!(response.status(), StatusCode::SWITCHING_PROTOCOLS);
    let mut upgraded = hyper::upgrade::on(response).await.unwrap();
    let hello = json!({"MessageSchemaVersion": "1.0", "RequestId": "x", "TokenValue": token, "AgentVersion": "3.3.0.0", "PlatformType": "linux"});
    write_text(&mut upgraded, &hello.to_string()).await;
    Ok((upgraded, tasks))
}

/// One masked text frame (RFC 6455, section 5.2), with a mask of zeros.
async fn write_text(upgraded: &mut hyper::upgrade::Upgraded, text: &str) {
    use tokio::io::AsyncWriteExt as _;
    let length = u16::try_from(text.len()).unwrap();
    let mut frame = vec![0x81, 0x80 | 126];
    frame.extend(length.to_be_bytes());
    frame.extend([0; 4]);
    frame.extend(text.as_bytes());
    TokioIo::new(upgraded).write_all(&frame).await.unwrap();
}

async fn is_connected(server: &TestServer, node: &str) -> bool {
    let answer =
        server.call(&server.admin(), "AmazonSSM.GetConnectionStatus", &json!({"Target": node})).await;
    answer.json()["Status"] == "connected"
}

#[tokio::test]
async fn registering_takes_the_right_code_and_stops_at_the_limit() {
    let server = TestServer::start().await;
    let key = public_key(&RsaKeyPair::generate(KeySize::Rsa2048).unwrap());
    let activation = activation(&server, json!({})).await;
    let mut wrong = activation.clone();
    wrong["ActivationCode"] = json!("A".repeat(26));
    assert_eq!(register(&server, &wrong, &key).await.code(), "InvalidActivation");
    let mut unknown = activation.clone();
    unknown["ActivationId"] = json!("11111111-2222-3333-4444-555555555555");
    assert_eq!(register(&server, &unknown, &key).await.code(), "InvalidActivation");
    assert_eq!(register(&server, &activation, &"A".repeat(392)).await.code(), "InvalidPublicKey");

    assert_eq!(register(&server, &activation, &key).await.status, StatusCode::OK);
    let other = public_key(&RsaKeyPair::generate(KeySize::Rsa2048).unwrap());
    assert_eq!(register(&server, &activation, &other).await.code(), "RegistrationLimitExceeded");
    // Whoever does not know the code learns nothing of that.
    assert_eq!(register(&server, &wrong, &other).await.code(), "InvalidActivation");
}

#[tokio::test]
async fn a_role_token_has_all_five_fields_and_outlives_a_restart() {
    let server = TestServer::start().await;
    let machine = Machine::register(&server).await;
    let answer = machine.role_token(&server, FINGERPRINT).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    for name in ["AccessKeyId", "SecretAccessKey", "SessionToken", "TokenExpirationDate", "UpdateKeyPair"] {
        assert!(!answer.json()[name].is_null(), "{name}");
    }
    assert_eq!(machine.role_token(&server, "another disk").await.code(), "MachineFingerprintDoesNotMatch");

    let keys = machine.credentials(&server).await;
    let server = TestServer::start_in(server.stop().await, |_| {}).await.unwrap();
    let ping = json!({"InstanceId": machine.id, "AgentName": "amazon-ssm-agent", "AgentVersion": "3.3.0.0"});
    let answer = server.call(&keys, "AmazonSSM.UpdateInstanceInformation", &ping).await;
    assert_eq!((answer.status, answer.text()), (StatusCode::OK, "{}"));
}

#[tokio::test]
async fn a_node_changes_its_key() {
    let server = TestServer::start().await;
    let mut machine = Machine::register(&server).await;
    let new_key = RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
    let input = json!({"NewPublicKey": public_key(&new_key), "NewPublicKeyType": "Rsa"});
    let change = "AmazonSSM.UpdateManagedInstancePublicKey";
    let answer = machine.signed_call(&server, change, &input).await;
    assert_eq!((answer.status, answer.text()), (StatusCode::OK, "{}"));
    // The answer may have been lost: the old key may say the same again, and nothing else.
    assert_eq!(machine.signed_call(&server, change, &input).await.status, StatusCode::OK);
    let third = public_key(&RsaKeyPair::generate(KeySize::Rsa2048).unwrap());
    let other = json!({"NewPublicKey": third, "NewPublicKeyType": "Rsa"});
    assert_eq!(machine.signed_call(&server, change, &other).await.code(), "InvalidSignatureException");
    assert_eq!(machine.role_token(&server, FINGERPRINT).await.code(), "InvalidSignatureException");
    machine.key = new_key;
    assert_eq!(machine.role_token(&server, FINGERPRINT).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_node_speaks_only_as_itself() {
    let server = TestServer::start().await;
    let (one, other) = (Machine::register(&server).await, Machine::register(&server).await);
    let keys = one.credentials(&server).await;
    let denied = |answer: Answer| assert_eq!(answer.code(), "AccessDeniedException", "{answer:?}");
    denied(server.call(&keys, "AmazonSSM.UpdateInstanceInformation", &json!({"InstanceId": other.id})).await);
    denied(server.call(&keys, "AmazonSSM.ListInstanceAssociations", &json!({"InstanceId": other.id})).await);
    denied(server.call(&keys, "AmazonSSM.DescribeSessions", &json!({"State": "Active"})).await);
    denied(server.call(&keys, "AmazonSSM.StartSession", &json!({"Target": one.id})).await);
    let messages =
        json!({"Destination": other.id, "MessagesRequestId": "975d47dc-7c53-412d-b1f0-1a7b0eef53d2"});
    denied(server.call(&keys, "EC2WindowsMessageDeliveryService.GetMessages", &messages).await);
    let refused = open_control_channel(&server, &keys, &other.id).await.map(|_| ()).unwrap_err();
    assert!(refused.text().starts_with("<AccessDeniedException>"), "{}", refused.text());
    // Nor does anybody speak for it, whatever else they may do.
    let refused = open_control_channel(&server, &server.admin(), &one.id).await.map(|_| ()).unwrap_err();
    assert!(refused.text().starts_with("<AccessDeniedException>"), "{}", refused.text());
}

#[tokio::test]
async fn an_agent_asks_for_what_is_not_kept_here_and_gets_an_honest_answer() {
    let server = TestServer::start().await;
    let machine = Machine::register(&server).await;
    let keys = machine.credentials(&server).await;
    let id = &machine.id;
    let input = json!({"InstanceId": id, "MaxResults": 20});
    let associations = server.call(&keys, "AmazonSSM.ListInstanceAssociations", &input).await;
    assert_eq!(associations.json(), json!({"Associations": []}));
    let inventory = json!({"InstanceId": id, "Items": [{"TypeName": "AWS:Network", "SchemaVersion": "1.0", "CaptureTime": "2026-11-24T22:46:48Z"}]});
    assert_eq!(
        server.call(&keys, "AmazonSSM.PutInventory", &inventory).await.code(),
        "UnknownOperationException"
    );
    let status = json!({"InstanceId": id, "AssociationId": "11112222-3333-4444-5555-666677778888",
        "ExecutionResult": {"Status": "Success", "ExecutionDate": 1_795_560_408, "ExecutionSummary": "done"}});
    let answer = server.call(&keys, "AmazonSSM.UpdateInstanceAssociationStatus", &status).await;
    assert_eq!(answer.code(), "AssociationDoesNotExist");
}

#[tokio::test]
async fn a_control_channel_makes_a_node_connected_until_it_is_deregistered() {
    let server = TestServer::start().await;
    let machine = Machine::register(&server).await;
    let keys = machine.credentials(&server).await;
    assert!(!is_connected(&server, &machine.id).await);
    let (channel, _tasks) = open_control_channel(&server, &keys, &machine.id).await.unwrap();
    while !is_connected(&server, &machine.id).await {
        tokio::task::yield_now().await;
    }
    let input = json!({"InstanceId": machine.id});
    let gone = server.call(&server.admin(), "AmazonSSM.DeregisterManagedInstance", &input).await;
    assert_eq!(gone.status, StatusCode::OK, "{gone:?}");
    // The channel ends, and with it the credentials.
    let mut rest = Vec::new();
    let _ = TokioIo::new(channel).read_to_end(&mut rest).await;
    assert!(!is_connected(&server, &machine.id).await);
    let ping =
        server.call(&keys, "AmazonSSM.UpdateInstanceInformation", &json!({"InstanceId": machine.id})).await;
    assert_eq!(ping.code(), "UnrecognizedClientException");
    assert_eq!(machine.role_token(&server, FINGERPRINT).await.code(), "AccessDeniedException");
    let again = server.call(&server.admin(), "AmazonSSM.DeregisterManagedInstance", &input).await;
    assert_eq!(again.code(), "InvalidInstanceId");
}

#[tokio::test]
async fn a_long_poll_ends_with_the_server() {
    let server = TestServer::start().await;
    let machine = Machine::register(&server).await;
    let keys = machine.credentials(&server).await;
    let input =
        json!({"Destination": machine.id, "MessagesRequestId": "975d47dc-7c53-412d-b1f0-1a7b0eef53d2"});
    let poll = server.call(&keys, "EC2WindowsMessageDeliveryService.GetMessages", &input);
    let stop = async {
        // Any answer shows that the poll, sent before, is under way or still to come; both must end.
        is_connected(&server, &machine.id).await;
        server.begin_to_stop();
    };
    let (answer, ()) = tokio::join!(poll, stop);
    assert_eq!(answer.json()["Messages"], json!([]));
    server.stop().await;
}

#[tokio::test]
async fn retried_sessions_and_unknown_targets() {
    let server = TestServer::start().await;
    let admin = server.admin();
    for target in ["mi-00000000000000000", "i-0123456789abcdef0", "ecs:cluster_task_runtime"] {
        let answer = server.call(&admin, "AmazonSSM.StartSession", &json!({"Target": target})).await;
        assert_eq!(answer.code(), "TargetNotConnected");
        assert_eq!(answer.json()["Message"], format!("{target} is not connected."));
    }
    let resumed = server.call(&admin, "AmazonSSM.ResumeSession", &json!({"SessionId": "admin-x"})).await;
    assert_eq!(resumed.code(), "DoesNotExistException");
    let ended = server.call(&admin, "AmazonSSM.TerminateSession", &json!({"SessionId": "admin-x"})).await;
    assert_eq!(ended.json(), json!({"SessionId": "admin-x"}));
}

#[tokio::test]
async fn one_call_that_is_repeated_starts_one_session() {
    let server = TestServer::start().await;
    let machine = Machine::register(&server).await;
    let keys = machine.credentials(&server).await;
    let (_channel, _tasks) = open_control_channel(&server, &keys, &machine.id).await.unwrap();
    while !is_connected(&server, &machine.id).await {
        tokio::task::yield_now().await;
    }
    let start = async |invocation: &'static str| {
        let mut request = server.json_request("AmazonSSM.StartSession", &json!({"Target": machine.id}));
        request.headers_mut().insert("amz-sdk-invocation-id", invocation.parse().unwrap());
        let answer = server.send(signed(request, &server.admin(), "ssm")).await;
        assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
        answer.json()
    };
    let first = start("a").await;
    let url = format!(
        "wss://{}/v1/data-channel/{}?role=publish_subscribe",
        server.address,
        first["SessionId"].as_str().unwrap()
    );
    assert_eq!(first["StreamUrl"], url);
    assert_eq!(start("a").await, first);
    assert_ne!(start("b").await["SessionId"], first["SessionId"]);
    let listed =
        server.call(&server.admin(), "AmazonSSM.DescribeSessions", &json!({"State": "Active"})).await.json();
    assert_eq!(listed["Sessions"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn a_node_that_reports_too_often_is_throttled_and_others_are_not() {
    let directory = tempfile::tempdir().unwrap();
    let change = |config: &mut postern_server::config::Config| config.limits.node_updates_per_minute_max = 2;
    let server = TestServer::start_in(directory, change).await.unwrap();
    let report = async |keys: &Keys, node: &str| {
        server.call(keys, "AmazonSSM.UpdateInstanceInformation", &json!({"InstanceId": node})).await
    };
    let (one, other) = (Machine::register(&server).await, Machine::register(&server).await);
    let (one_keys, other_keys) = (one.credentials(&server).await, other.credentials(&server).await);
    // Nobody uses up what is another's.
    for _ in 0..3 {
        assert_eq!(report(&other_keys, &one.id).await.code(), "AccessDeniedException");
    }
    for _ in 0..2 {
        assert_eq!(report(&one_keys, &one.id).await.status, StatusCode::OK);
    }
    assert_eq!(report(&one_keys, &one.id).await.code(), "ThrottlingException");
    assert_eq!(report(&other_keys, &other.id).await.status, StatusCode::OK);
}
