//! Every way to be somebody, and to fail at it.

use std::net::Ipv4Addr;
use std::time::Duration;

use http::HeaderValue;
use postern_api::{ApiError, Operation, iam, sts};
use postern_ids::{ActivationId, PrincipalId, PrincipalKind};
use postern_sigv4::{PayloadHash, RefusalKind, Signing};
use postern_store::{
    AccessKey, AccessKeyStore, Activation, ActivationStore, AuthorizationStore, KeyStatus, MasterKey,
    NewName, NodeStore, PrincipalName, Registration, Role, RoleStore, SqliteOptions, SqliteStore, User,
    UserStore,
};

use super::super::Issued;
use super::super::node_signature::tests::NodeKeyPair;
use super::*;
use crate::random::SystemRandom;

const USER_KEY: &str = "AKIAAAAAAAAAAAAAAAAA";
const INACTIVE_KEY: &str = "AKIABBBBBBBBBBBBBBBB";
const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
const BODY: &[u8] = br#"{"Fingerprint":"acd158de-86ee-42da-9979-d768f9151e19"}"#;

/// A deployment with one user, one role, and one node.
struct Deployment {
    authenticator: Authenticator,
    store: Arc<SqliteStore>,
    tokens: Arc<SessionTokens>,
    node: NodeId,
    node_key: NodeKeyPair,
    _directory: tempfile::TempDir,
}

fn now() -> Timestamp {
    "2026-11-25T00:00:00Z".parse().unwrap()
}

fn account() -> AccountId {
    "111122223333".parse().unwrap()
}

fn hour() -> TokenFacts {
    TokenFacts::new(now(), seconds(3600))
}

fn seconds(seconds: i64) -> SignedDuration {
    SignedDuration::from_secs(seconds)
}

impl Deployment {
    async fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let options = SqliteOptions::new(directory.path().join("postern.db"));
        let store = Arc::new(SqliteStore::open(&options, MasterKey::new([1; 32])).await.unwrap());
        let id = |kind, byte| PrincipalId::from_random(kind, [byte; 17]);
        let user = User::new("admin".parse().unwrap(), id(PrincipalKind::User, 1), now());
        store.create_user(&user).await.unwrap();
        for (key, status) in [(USER_KEY, KeyStatus::Active), (INACTIVE_KEY, KeyStatus::Inactive)] {
            let key = AccessKey {
                id: key.parse().unwrap(),
                secret: SECRET.to_owned().into(),
                user: user.name.clone(),
                status,
                created_at: now(),
                last_used: None,
            };
            store.create_access_key(&key).await.unwrap();
        }
        let role = Role::new("PosternNode".parse().unwrap(), id(PrincipalKind::Role, 2), "{}", now());
        store.create_role(&role).await.unwrap();
        let activation_id = "0f9d9b5e-6f4b-4a36-9b1e-6f4b4a369b1e".parse::<ActivationId>().unwrap();
        let activation = Activation {
            id: activation_id,
            code_hash: [0; 32],
            description: None,
            default_instance_name: None,
            role: role.name.clone(),
            registration_limit: 9,
            registrations_count: 0,
            expires_at: now() + seconds(3600),
            created_at: now(),
            tags: Vec::new(),
        };
        store.create_activation(&activation).await.unwrap();
        let node_key = NodeKeyPair::generate();
        let node: NodeId = "mi-0123456789abcdef0".parse().unwrap();
        let registration = Registration {
            id: node.clone(),
            activation_id,
            fingerprint: "acd158de".to_owned(),
            public_key_der: node_key.public_key_der(),
            at: now(),
        };
        store.register_node(&registration).await.unwrap();
        let tokens = Arc::new(SessionTokens::new(&MasterKey::new([1; 32])));
        let region = "us-east-1".parse().unwrap();
        let authenticator = Authenticator::new(store.clone(), tokens.clone(), account(), region);
        Self { authenticator, store, tokens, node, node_key, _directory: directory }
    }

    fn issue(&self) -> Issued {
        let bearer = Bearer::Role {
            name: "PosternNode".parse().unwrap(),
            id: Some(PrincipalId::from_random(PrincipalKind::Role, [2; 17])),
            session_name: self.node.to_string(),
            node: Some(self.node.clone()),
        };
        self.tokens.issue(bearer, hour(), 0, &SystemRandom).unwrap()
    }

    /// Session credentials of the user, as `GetSessionToken` makes them with the user's key.
    fn issue_to_user(&self, mfa_at: Option<Timestamp>) -> Issued {
        let id = PrincipalId::from_random(PrincipalKind::User, [1; 17]);
        let bearer = Bearer::User { name: "admin".parse().unwrap(), id };
        let facts = TokenFacts { issued_by: Some(USER_KEY.parse().unwrap()), mfa_at, ..hour() };
        self.tokens.issue(bearer, facts, 0, &SystemRandom).unwrap()
    }

    async fn authenticate(&self, sent: &Sent, action: Action) -> Result<Caller, Unauthenticated> {
        self.authenticate_at(sent, action, now()).await
    }

    async fn authenticate_at(
        &self,
        sent: &Sent,
        action: Action,
        at: Timestamp,
    ) -> Result<Caller, Unauthenticated> {
        let source_ip = Ipv4Addr::LOCALHOST.into();
        let received = Received { parts: &sent.parts, body: Some(&sent.body), source_ip, at };
        self.authenticator.authenticate(received, action).await
    }
}

/// A request, signed or not, that can be changed afterwards.
struct Sent {
    parts: Parts,
    body: Vec<u8>,
}

impl Sent {
    fn unsigned(action: Action) -> Self {
        let target = format!("AmazonSSM.{}", action.name());
        let request = http::Request::post("/")
            .header("host", "cp.postern.test:8443")
            .header("content-type", "application/x-amz-json-1.1")
            .header("x-amz-target", target);
        Self { parts: request.body(()).unwrap().into_parts().0, body: BODY.into() }
    }

    fn signed(action: Action, access_key_id: &str, secret: &str, token: Option<&str>) -> Self {
        Self::signed_with(action, Self::signing(action, access_key_id, token), secret)
    }

    fn signing<'a>(action: Action, access_key_id: &'a str, session_token: Option<&'a str>) -> Signing<'a> {
        let time = SigningTime::from_unix_seconds(now().as_second());
        Signing { access_key_id, session_token, region: "us-east-1", service: action.service(), time }
    }

    fn signed_with(action: Action, signing: Signing<'_>, secret: &str) -> Self {
        let mut sent = Self::unsigned(action);
        let headers = headers(&sent.parts);
        let prepared =
            signing.prepare(&request(&sent.parts, &headers), &PayloadHash::of(&sent.body)).unwrap();
        for (name, value) in prepared.sign(secret) {
            sent.set(name, &value);
        }
        sent
    }

    /// As amazon-ssm-agent does it, the content hash added after signing.
    fn by_node(action: Action, node: &NodeId, key: &NodeKeyPair) -> Self {
        let mut sent = Self::unsigned(action);
        let headers = headers(&sent.parts);
        let payload = PayloadHash::of(&sent.body);
        let prepared = Self::signing(action, node.as_str(), None)
            .prepare(&request(&sent.parts, &headers), &payload)
            .unwrap();
        let signature = key.sign(prepared.string_to_sign());
        for (name, value) in prepared.with_signature(signature) {
            sent.set(name, &value);
        }
        sent.set("x-amz-content-sha256", &payload.to_string());
        sent
    }

    fn set(&mut self, name: &'static str, value: &str) {
        self.parts.headers.insert(name, HeaderValue::from_str(value).unwrap());
    }

    fn header(&self, name: &str) -> &str {
        self.parts.headers[name].to_str().unwrap()
    }
}

/// A request with temporary credentials.
fn signed_by(issued: &Issued, action: Action) -> Sent {
    let key = issued.credentials.access_key_id.as_str();
    let (secret, token) = (issued.credentials.secret.expose_secret(), issued.token.expose_secret());
    Sent::signed(action, key, secret, Some(token))
}

fn describe() -> Action {
    ssm::Operation::DescribeSessions.into()
}

fn role_token() -> Action {
    ssm::Operation::RequestManagedInstanceRoleToken.into()
}

fn update_key() -> Action {
    ssm::Operation::UpdateManagedInstancePublicKey.into()
}

fn code(result: Result<Caller, Unauthenticated>) -> &'static str {
    ApiError::from(&result.unwrap_err()).code.name()
}

#[tokio::test]
async fn a_user_signs_with_an_access_key() {
    let deployment = Deployment::new().await;
    let sent = Sent::signed(describe(), USER_KEY, SECRET, None);
    let caller = deployment.authenticate(&sent, describe()).await.unwrap();
    assert_eq!(caller.principal.name(), "arn:aws:iam::111122223333:user/admin");
    assert_eq!(caller.principal.user_id().as_deref(), Some("AIDABBBBBBBBBBBBBBBBB"));
    assert_eq!(caller.access_key_id.as_deref(), Some(USER_KEY));
    assert_eq!((caller.principal.node(), caller.token), (None, None));
    assert!(is_signed(&sent.parts) && !is_signed(&Sent::unsigned(describe()).parts));
}

#[tokio::test]
async fn http2_has_the_host_in_its_authority() {
    let deployment = Deployment::new().await;
    let mut sent = Sent::signed(describe(), USER_KEY, SECRET, None);
    sent.parts.headers.remove(HOST);
    sent.parts.uri = "https://cp.postern.test:8443/".parse().unwrap();
    assert!(deployment.authenticate(&sent, describe()).await.is_ok());
    sent.parts.uri = "https://other.test/".parse().unwrap();
    assert_eq!(code(deployment.authenticate(&sent, describe()).await), "InvalidSignatureException");
}

#[tokio::test]
async fn a_node_acts_with_the_credentials_of_its_token() {
    let deployment = Deployment::new().await;
    let Issued { credentials, token } = deployment.issue();
    let key = credentials.access_key_id.as_str();
    let sent = Sent::signed(describe(), key, credentials.secret.expose_secret(), Some(token.expose_secret()));
    let caller = deployment.authenticate(&sent, describe()).await.unwrap();
    assert_eq!(
        caller.principal.name(),
        "arn:aws:sts::111122223333:assumed-role/PosternNode/mi-0123456789abcdef0"
    );
    assert_eq!(caller.principal.node(), Some(&deployment.node));
    assert_eq!(caller.principal.user_id().unwrap(), "AROACCCCCCCCCCCCCCCCC:mi-0123456789abcdef0");
    assert_eq!(caller.token.unwrap().issued_at, now());
}

#[tokio::test]
async fn bad_signatures() {
    let deployment = Deployment::new().await;
    let good = || Sent::signed(describe(), USER_KEY, SECRET, None);
    let with = |change: fn(&mut Sent)| {
        let mut sent = good();
        change(&mut sent);
        sent
    };
    let signing = Sent::signing(describe(), USER_KEY, None);
    for (name, sent, expected) in [
        ("none", Sent::unsigned(describe()), "MissingAuthenticationTokenException"),
        ("wrong secret", Sent::signed(describe(), USER_KEY, "wrong", None), "InvalidSignatureException"),
        (
            "unknown key",
            Sent::signed(describe(), "AKIAZZZZZZZZZZZZZZZZ", SECRET, None),
            "UnrecognizedClientException",
        ),
        ("no key", Sent::signed(describe(), "x", SECRET, None), "UnrecognizedClientException"),
        ("inactive key", Sent::signed(describe(), INACTIVE_KEY, SECRET, None), "UnrecognizedClientException"),
        ("changed body", with(|sent| sent.body.push(b' ')), "InvalidSignatureException"),
        (
            "changed target",
            with(|sent| sent.set("x-amz-target", "AmazonSSM.StartSession")),
            "InvalidSignatureException",
        ),
        ("changed path", with(|sent| sent.parts.uri = "/x".parse().unwrap()), "InvalidSignatureException"),
        (
            "malformed",
            with(|sent| sent.set("authorization", "AWS4-HMAC-SHA256 x")),
            "IncompleteSignatureException",
        ),
        ("basic", with(|sent| sent.set("authorization", "Basic YTpi")), "IncompleteSignatureException"),
        (
            "other region",
            Sent::signed_with(describe(), Signing { region: "eu-west-1", ..signing }, SECRET),
            "InvalidSignatureException",
        ),
        (
            "other service",
            Sent::signed_with(describe(), Signing { service: "sts", ..signing }, SECRET),
            "InvalidSignatureException",
        ),
        (
            "a token with a user's key",
            Sent::signed(describe(), USER_KEY, SECRET, Some("token")),
            "UnrecognizedClientException",
        ),
    ] {
        assert_eq!(code(deployment.authenticate(&sent, describe()).await), expected, "{name}");
    }
}

#[tokio::test]
async fn old_and_future_signatures() {
    let deployment = Deployment::new().await;
    let sent = Sent::signed(describe(), USER_KEY, SECRET, None);
    for offset in [-300, 300] {
        assert!(deployment.authenticate_at(&sent, describe(), now() + seconds(offset)).await.is_ok());
    }
    for (offset, word) in [(-301, "not yet current"), (301, "expired")] {
        let refused =
            deployment.authenticate_at(&sent, describe(), now() + seconds(offset)).await.unwrap_err();
        assert!(refused.to_string().contains(word), "{refused}");
        assert!(
            matches!(&refused, Unauthenticated::Signature(refusal) if refusal.kind() == RefusalKind::Skew)
        );
        assert_eq!(ApiError::from(&refused).code.name(), "InvalidSignatureException");
    }
}

#[tokio::test]
async fn sts_takes_any_region_and_presigned_requests() {
    let deployment = Deployment::new().await;
    let action = Action::Operation(Operation::Sts(sts::Operation::GetCallerIdentity));
    let signing = Signing { region: "eu-west-1", ..Sent::signing(action, USER_KEY, None) };
    assert!(deployment.authenticate(&Sent::signed_with(action, signing, SECRET), action).await.is_ok());

    let request = Request {
        method: "GET",
        path: "/",
        query: "Action=GetCallerIdentity&Version=2011-06-15",
        headers: &[("host", b"cp.postern.test:8443")],
    };
    let query = signing.presign(&request, Duration::from_secs(900), SECRET, &PayloadHash::of(b"")).unwrap();
    let parts =
        http::Request::get(format!("/?{query}")).header("host", "cp.postern.test:8443").body(()).unwrap();
    let sent = Sent { parts: parts.into_parts().0, body: Vec::new() };
    assert!(deployment.authenticate_at(&sent, action, now() + seconds(900)).await.is_ok());
    let late = deployment.authenticate_at(&sent, action, now() + seconds(901)).await;
    assert_eq!(code(late), "InvalidSignatureException");
}

#[tokio::test]
async fn bad_session_tokens() {
    let deployment = Deployment::new().await;
    let Issued { credentials, token } = deployment.issue();
    let (key, secret) = (credentials.access_key_id.as_str(), credentials.secret.expose_secret());
    let token = token.expose_secret();
    let sign = |key: &str, secret: &str, token: Option<&str>| Sent::signed(describe(), key, secret, token);

    let other = deployment.issue();
    let other_token = other.token.expose_secret().as_str();
    let foreign = SessionTokens::new(&MasterKey::new([9; 32]));
    let foreign = foreign.issue(credentials.bearer.clone(), hour(), 0, &SystemRandom).unwrap();
    let mut altered = token.to_owned().into_bytes();
    altered[40] = if altered[40] == b'A' { b'B' } else { b'A' };
    let altered = String::from_utf8(altered).unwrap();
    let mut exchanged = sign(key, secret, Some(token));
    exchanged.set("x-amz-security-token", other_token);

    for (name, sent, expected) in [
        ("no token", sign(key, secret, None), "UnrecognizedClientException"),
        ("altered", sign(key, secret, Some(&altered)), "UnrecognizedClientException"),
        ("of other credentials", sign(key, secret, Some(other_token)), "UnrecognizedClientException"),
        ("exchanged after signing", exchanged, "UnrecognizedClientException"),
        (
            "other secret",
            sign(key, other.credentials.secret.expose_secret(), Some(token)),
            "InvalidSignatureException",
        ),
        (
            "of another server",
            sign(
                foreign.credentials.access_key_id.as_str(),
                foreign.credentials.secret.expose_secret(),
                Some(foreign.token.expose_secret()),
            ),
            "UnrecognizedClientException",
        ),
    ] {
        assert_eq!(code(deployment.authenticate(&sent, describe()).await), expected, "{name}");
    }
}

#[tokio::test]
async fn an_expired_token_is_told_only_to_its_bearer() {
    let deployment = Deployment::new().await;
    let Issued { credentials, token } = deployment.issue();
    let end = credentials.facts.expires_at;
    let at = |time: Timestamp, secret: &str| {
        let time = SigningTime::from_unix_seconds(time.as_second());
        let key = credentials.access_key_id.as_str();
        let signing = Signing { time, ..Sent::signing(describe(), key, Some(token.expose_secret())) };
        Sent::signed_with(describe(), signing, secret)
    };
    let secret = credentials.secret.expose_secret();
    let before = end - seconds(1);
    assert!(deployment.authenticate_at(&at(before, secret), describe(), before).await.is_ok());
    let expired = deployment.authenticate_at(&at(end, secret), describe(), end).await;
    assert_eq!(code(expired), "ExpiredTokenException");
    let guessed = deployment.authenticate_at(&at(end, "guess"), describe(), end).await;
    assert_eq!(code(guessed), "InvalidSignatureException");
}

#[tokio::test]
async fn a_token_speaks_for_its_node() {
    let deployment = Deployment::new().await;
    let Issued { credentials, token } = deployment.issue();
    let update = Action::from(ssm::Operation::UpdateInstanceInformation);
    let key = credentials.access_key_id.as_str();
    let sent = Sent::signed(update, key, credentials.secret.expose_secret(), Some(token.expose_secret()));
    let caller = deployment.authenticate(&sent, update).await.unwrap();
    // What it may do as this node, and that it may do nothing as another, is the authorizer's to say.
    assert_eq!(caller.principal.node(), Some(&deployment.node));
}

#[tokio::test]
async fn a_removed_nodes_credentials_are_worthless_at_once() {
    let deployment = Deployment::new().await;
    let Issued { credentials, token } = deployment.issue();
    let key = credentials.access_key_id.as_str();
    let sent = Sent::signed(describe(), key, credentials.secret.expose_secret(), Some(token.expose_secret()));
    assert!(deployment.authenticate(&sent, describe()).await.is_ok());
    let by_node = Sent::by_node(role_token(), &deployment.node, &deployment.node_key);
    deployment.store.deregister_node(&deployment.node).await.unwrap();
    assert_eq!(code(deployment.authenticate(&sent, describe()).await), "UnrecognizedClientException");
    // What amazon-ssm-agent takes for "removed": it then asks again only every half hour.
    assert_eq!(code(deployment.authenticate(&by_node, role_token()).await), "AccessDeniedException");
}

#[tokio::test]
async fn a_node_signs_two_operations_with_its_key() {
    let deployment = Deployment::new().await;
    for action in [role_token(), update_key()] {
        let sent = Sent::by_node(action, &deployment.node, &deployment.node_key);
        let caller = deployment.authenticate(&sent, action).await.unwrap();
        let Principal::Node { node, arn, key } = caller.principal else { panic!("not a node") };
        assert_eq!((node, key), (deployment.node.clone(), NodeKey::Current));
        assert_eq!(arn.as_str(), "arn:aws:ssm:us-east-1:111122223333:managed-instance/mi-0123456789abcdef0");
    }
    let update = ssm::Operation::UpdateInstanceInformation.into();
    let sent = Sent::by_node(update, &deployment.node, &deployment.node_key);
    assert_eq!(code(deployment.authenticate(&sent, update).await), "UnrecognizedClientException");
}

#[tokio::test]
async fn bad_signatures_of_nodes() {
    let deployment = Deployment::new().await;
    let node = &deployment.node;
    let good = || Sent::by_node(role_token(), node, &deployment.node_key);
    let with = |change: fn(&mut Sent)| {
        let mut sent = good();
        change(&mut sent);
        sent
    };
    let unknown = "mi-00000000000000000".parse().unwrap();
    for (name, sent, expected) in [
        (
            "another key",
            Sent::by_node(role_token(), node, &NodeKeyPair::generate()),
            "InvalidSignatureException",
        ),
        (
            "another node",
            Sent::by_node(role_token(), &unknown, &deployment.node_key),
            "AccessDeniedException",
        ),
        ("an HMAC", Sent::signed(role_token(), node.as_str(), SECRET, None), "InvalidSignatureException"),
        ("changed body", with(|sent| sent.body.push(b' ')), "InvalidSignatureException"),
        (
            "changed body and hash",
            with(|sent| {
                sent.body.push(b' ');
                sent.set("x-amz-content-sha256", &PayloadHash::of(&sent.body).to_string());
            }),
            "InvalidSignatureException",
        ),
        (
            "unsigned body",
            with(|sent| sent.set("x-amz-content-sha256", "UNSIGNED-PAYLOAD")),
            "IncompleteSignatureException",
        ),
        ("changed target", with(|sent| sent.set("x-amz-target", "AmazonSSM.X")), "InvalidSignatureException"),
        (
            "id changed to another's",
            with(|sent| {
                let changed =
                    sent.header("authorization").replace("mi-0123456789abcdef0", "mi-0123456789abcdef1");
                sent.set("authorization", &changed);
            }),
            "AccessDeniedException",
        ),
    ] {
        assert_eq!(code(deployment.authenticate(&sent, role_token()).await), expected, "{name}");
    }
    let replayed = deployment.authenticate_at(&good(), role_token(), now() + seconds(301)).await;
    assert_eq!(code(replayed), "InvalidSignatureException");
}

#[tokio::test]
async fn the_previous_key_may_only_repeat_the_change_and_not_for_long() {
    let deployment = Deployment::new().await;
    let new_key = NodeKeyPair::generate();
    deployment.store.replace_public_key(&deployment.node, &new_key.public_key_der(), now()).await.unwrap();
    let key = |result: Result<Caller, Unauthenticated>| match result.unwrap().principal {
        Principal::Node { key, .. } => key,
        other => panic!("{other:?}"),
    };
    let with_new = Sent::by_node(role_token(), &deployment.node, &new_key);
    assert_eq!(key(deployment.authenticate(&with_new, role_token()).await), NodeKey::Current);
    let with_old = Sent::by_node(update_key(), &deployment.node, &deployment.node_key);
    assert_eq!(key(deployment.authenticate(&with_old, update_key()).await), NodeKey::Previous);

    let for_credentials = Sent::by_node(role_token(), &deployment.node, &deployment.node_key);
    assert_eq!(
        code(deployment.authenticate(&for_credentials, role_token()).await),
        "InvalidSignatureException"
    );

    let late = now() + seconds(601);
    let time = SigningTime::from_unix_seconds(late.as_second());
    let mut sent = Sent::unsigned(update_key());
    let headers_then = headers(&sent.parts);
    let signing = Signing { time, ..Sent::signing(update_key(), deployment.node.as_str(), None) };
    let prepared = signing.prepare(&request(&sent.parts, &headers_then), &PayloadHash::of(BODY)).unwrap();
    let signature = deployment.node_key.sign(prepared.string_to_sign());
    for (name, value) in prepared.with_signature(signature) {
        sent.set(name, &value);
    }
    assert_eq!(
        code(deployment.authenticate_at(&sent, update_key(), late).await),
        "InvalidSignatureException"
    );
}

#[tokio::test]
async fn only_registration_comes_unsigned() {
    let deployment = Deployment::new().await;
    let register = ssm::Operation::RegisterManagedInstance.into();
    let caller = deployment.authenticate(&Sent::unsigned(register), register).await.unwrap();
    assert_eq!((caller.principal, caller.access_key_id), (Principal::Anonymous, None));
    // A signature that is there must be good.
    let sent = Sent::signed(register, USER_KEY, "wrong", None);
    assert_eq!(code(deployment.authenticate(&sent, register).await), "InvalidSignatureException");
    for action in [describe(), role_token(), Action::OpenControlChannel, Action::OpenDataChannel] {
        let refused = deployment.authenticate(&Sent::unsigned(action), action).await;
        assert_eq!(code(refused), "MissingAuthenticationTokenException", "{action}");
    }
}

#[tokio::test]
async fn a_user_acts_with_session_credentials() {
    let deployment = Deployment::new().await;
    let issued = deployment.issue_to_user(Some(now()));
    let caller = deployment.authenticate(&signed_by(&issued, describe()), describe()).await.unwrap();
    assert_eq!(caller.principal.name(), "arn:aws:iam::111122223333:user/admin");
    assert_eq!(caller.principal.user_id().unwrap(), "AIDABBBBBBBBBBBBBBBBB");
    assert_eq!(caller.token.unwrap().mfa_at, Some(now()));
    assert_eq!(caller.region.as_deref(), Some("us-east-1"));
}

#[tokio::test]
async fn session_credentials_of_users_have_limits_that_no_policy_lifts() {
    let deployment = Deployment::new().await;
    let (without_mfa, with_mfa) = (deployment.issue_to_user(None), deployment.issue_to_user(Some(now())));
    let list_users = Action::Operation(Operation::Iam(iam::Operation::ListUsers));
    let sts = |operation| Action::Operation(Operation::Sts(operation));
    for (action, issued, expected) in [
        (describe(), &without_mfa, true),
        (list_users, &without_mfa, false),
        (list_users, &with_mfa, true),
        (sts(sts::Operation::AssumeRole), &without_mfa, true),
        (sts(sts::Operation::GetCallerIdentity), &without_mfa, true),
        (sts(sts::Operation::GetSessionToken), &with_mfa, false),
    ] {
        let outcome = deployment.authenticate(&signed_by(issued, action), action).await;
        assert_eq!(outcome.is_ok(), expected, "{action}");
        if !expected {
            assert_eq!(code(outcome), "AccessDeniedException", "{action}");
        }
    }
    // Of a role there is no such limit.
    let role = deployment.issue();
    assert!(deployment.authenticate(&signed_by(&role, list_users), list_users).await.is_ok());
}

#[tokio::test]
async fn session_credentials_end_with_their_user_and_their_key() {
    let key = USER_KEY.parse().unwrap();
    let user: postern_ids::UserName = "admin".parse().unwrap();
    for ending in ["nothing", "renamed", "key switched off", "key deleted", "revoked", "recreated"] {
        let deployment = Deployment::new().await;
        let store = &deployment.store;
        let sent = signed_by(&deployment.issue_to_user(None), describe());
        assert!(deployment.authenticate(&sent, describe()).await.is_ok(), "{ending}");
        match ending {
            "renamed" => {
                let new = NewName { name: Some("root".parse().unwrap()), path: None };
                store.update_user(&user, &new).await.unwrap();
            }
            "key switched off" => {
                store.set_access_key_status(&user, &key, KeyStatus::Inactive).await.unwrap();
            }
            "key deleted" => store.delete_access_key(&user, &key).await.unwrap(),
            "revoked" => {
                let principal = PrincipalName::User(user.clone());
                store.revoke_sessions(&principal, now() + seconds(1)).await.unwrap();
            }
            "recreated" => {
                for key in [USER_KEY, INACTIVE_KEY] {
                    store.delete_access_key(&user, &key.parse().unwrap()).await.unwrap();
                }
                store.delete_user(&user).await.unwrap();
                let id = PrincipalId::from_random(PrincipalKind::User, [9; 17]);
                store.create_user(&User::new(user.clone(), id, now())).await.unwrap();
                let secret = SECRET.to_owned().into();
                let again = AccessKey::new(USER_KEY.parse().unwrap(), secret, user.clone(), now());
                store.create_access_key(&again).await.unwrap();
            }
            _ => {}
        }
        let outcome = deployment.authenticate(&sent, describe()).await;
        match ending {
            "nothing" => assert!(outcome.is_ok()),
            "renamed" => {
                assert_eq!(outcome.unwrap().principal.name(), "arn:aws:iam::111122223333:user/root");
            }
            _ => assert_eq!(code(outcome), "UnrecognizedClientException", "{ending}"),
        }
    }
}

#[tokio::test]
async fn a_role_made_anew_under_its_old_name_does_not_revive_tokens() {
    let deployment = Deployment::new().await;
    let issued = deployment.issue();
    let sent = signed_by(&issued, describe());
    assert!(deployment.authenticate(&sent, describe()).await.is_ok());
    let name = "PosternNode".parse().unwrap();
    deployment.store.delete_role(&name).await.unwrap();
    assert_eq!(code(deployment.authenticate(&sent, describe()).await), "UnrecognizedClientException");
    let id = PrincipalId::from_random(PrincipalKind::Role, [9; 17]);
    deployment.store.create_role(&Role::new(name, id, "{}", now())).await.unwrap();
    assert_eq!(code(deployment.authenticate(&sent, describe()).await), "UnrecognizedClientException");
}

#[tokio::test]
async fn sessions_of_a_role_can_be_revoked_and_new_ones_made() {
    let deployment = Deployment::new().await;
    let old = signed_by(&deployment.issue(), describe());
    let principal = PrincipalName::Role("PosternNode".parse().unwrap());
    deployment.store.revoke_sessions(&principal, now()).await.unwrap();
    assert_eq!(code(deployment.authenticate(&old, describe()).await), "UnrecognizedClientException");
    let bearer = deployment.issue().credentials.bearer;
    let later = TokenFacts::new(now() + seconds(1), seconds(3600));
    let new = deployment.tokens.issue(bearer, later, 0, &SystemRandom).unwrap();
    assert!(deployment.authenticate(&signed_by(&new, describe()), describe()).await.is_ok());
}

#[tokio::test]
async fn a_key_that_is_switched_off_and_on_again_is_followed_at_once() {
    let deployment = Deployment::new().await;
    let sent = Sent::signed(describe(), USER_KEY, SECRET, None);
    let (user, key) = ("admin".parse().unwrap(), USER_KEY.parse().unwrap());
    for status in [KeyStatus::Active, KeyStatus::Inactive, KeyStatus::Active] {
        deployment.store.set_access_key_status(&user, &key, status).await.unwrap();
        let outcome = deployment.authenticate(&sent, describe()).await;
        assert_eq!(outcome.is_ok(), status == KeyStatus::Active, "{status}");
    }
}

#[tokio::test]
async fn uses_of_keys_and_roles_are_written_down() {
    let deployment = Deployment::new().await;
    let store = &deployment.store;
    let issued = deployment.issue();
    deployment.authenticate(&Sent::signed(describe(), USER_KEY, SECRET, None), describe()).await.unwrap();
    deployment.authenticate(&signed_by(&issued, describe()), describe()).await.unwrap();
    let inactive = Sent::signed(describe(), INACTIVE_KEY, SECRET, None);
    assert!(deployment.authenticate(&inactive, describe()).await.is_err());
    let generation = *store.identity_generation().borrow();
    deployment.authenticator.write_last_uses().await.unwrap();
    let used = store.access_key(&USER_KEY.parse().unwrap()).await.unwrap().unwrap().last_used.unwrap();
    assert_eq!((used.at, used.service.as_str(), used.region.as_str()), (now(), "ssm", "us-east-1"));
    assert_eq!(store.access_key(&INACTIVE_KEY.parse().unwrap()).await.unwrap().unwrap().last_used, None);
    let role = store.role(&"PosternNode".parse().unwrap()).await.unwrap().unwrap();
    assert_eq!(role.last_used.unwrap().at, now());
    // It is no change that decisions depend on.
    assert_eq!(*store.identity_generation().borrow(), generation);
}
