//! Each way in which a request can be refused, from one good request with one thing changed.

use std::time::Duration;

use postern_sigv4::{
    Expectation, Header, KeyKind, PayloadHash, Refusal, RefusalKind, Regions, Request, SignError,
    SignedRequest, Signing, SigningKey, SigningTime,
};

const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
const BODY: &[u8] = br#"{"Target":"mi-0123456789abcdef0"}"#;

/// A request that can be changed after signing.
#[derive(Clone)]
struct Message {
    path: String,
    query: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Message {
    fn new() -> Self {
        let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let headers = vec![
            header("Host", "cp.postern.test:8443"),
            header("Content-Type", "application/x-amz-json-1.1"),
            header("X-Amz-Target", "AmazonSSM.StartSession"),
            header("User-Agent", "test"),
        ];
        Self { path: "/".into(), query: String::new(), headers, body: BODY.into() }
    }

    fn signed() -> Self {
        let mut message = Self::new();
        let headers = message.borrowed();
        let payload = PayloadHash::of(BODY);
        let added =
            signing().prepare(&message.request(&headers), &payload).expect("it has a host").sign(SECRET);
        message.headers.extend(added.into_iter().map(|(name, value)| (name.to_owned(), value)));
        message
    }

    fn presigned(expires: Duration) -> Self {
        let mut message = Self::new();
        let headers = message.borrowed();
        let payload = PayloadHash::of(BODY);
        message.query =
            signing().presign(&message.request(&headers), expires, SECRET, &payload).expect("it has a host");
        message
    }

    fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    fn replace(mut self, name: &str, from: &str, to: &str) -> Self {
        for (_, value) in self.headers.iter_mut().filter(|(other, _)| other == name) {
            assert!(value.contains(from), "{value} has no {from}");
            *value = value.replace(from, to);
        }
        self
    }

    fn without(mut self, name: &str) -> Self {
        self.headers.retain(|(other, _)| other != name);
        self
    }

    fn borrowed(&self) -> Vec<Header<'_>> {
        self.headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect()
    }

    fn request<'a>(&'a self, headers: &'a [Header<'a>]) -> Request<'a> {
        Request { method: "POST", path: &self.path, query: &self.query, headers }
    }

    fn verify(&self) -> Result<(), Refusal> {
        self.verify_at(now())
    }

    fn verify_at(&self, now: SigningTime) -> Result<(), Refusal> {
        self.verify_with(&Expectation { now, ..expectation() })
    }

    fn verify_with(&self, expectation: &Expectation<'_>) -> Result<(), Refusal> {
        let headers = self.borrowed();
        let signed = SignedRequest::parse(self.request(&headers))?.expect("the message is signed");
        let checked = signed.check(expectation)?;
        let key = SigningKey::derive(SECRET, &checked.credential().scope);
        checked.verify(&key, &checked.payload(&self.body)?)
    }
}

fn now() -> SigningTime {
    SigningTime::parse_basic("20261125T000000Z").expect("a time")
}

fn signing() -> Signing<'static> {
    Signing {
        access_key_id: "ASIAPOSTERN000000001",
        session_token: Some("token"),
        region: "us-east-1",
        service: "ssm",
        time: now(),
    }
}

fn expectation() -> Expectation<'static> {
    Expectation { service: "ssm", regions: Regions::OneOf(&["us-east-1"]), key: KeyKind::Secret, now: now() }
}

#[test]
fn the_good_ones_are_good() {
    assert_eq!(Message::signed().verify(), Ok(()));
    assert_eq!(Message::presigned(Duration::from_secs(60)).verify(), Ok(()));
    let message = Message::new();
    let headers = message.borrowed();
    assert!(
        SignedRequest::parse(message.request(&headers)).unwrap().is_none(),
        "no signature is not a refusal"
    );
}

#[test]
fn what_clients_add_after_signing_is_no_reason() {
    let message = Message::signed()
        .with("amz-sdk-invocation-id", "1")
        .with("amz-sdk-request", "attempt=1")
        .with("accept-encoding", "gzip")
        .with("x-amzn-trace-id", "Root=1")
        .with("expect", "100-continue");
    assert_eq!(message.verify(), Ok(()));
}

#[test]
fn the_date_header_stands_in_for_x_amz_date() {
    let message = Message::signed().without("x-amz-date").with("date", "Wed, 25 Nov 2026 00:00:00 GMT");
    // The time was read: what fails is the signature, since x-amz-date is listed and gone.
    assert_eq!(message.verify(), Err(Refusal::SignatureMismatch));
}

#[test]
fn refusals_of_a_header() {
    let not_signed = |header: &str| Refusal::HeaderNotSigned { header: header.to_owned() };
    let table: Vec<(&str, Message, Refusal)> = vec![
        (
            "both places",
            Message { query: Message::presigned(Duration::from_secs(9)).query, ..Message::signed() },
            Refusal::BothPlaces,
        ),
        (
            "two headers",
            Message::signed().with("authorization", "AWS4-HMAC-SHA256"),
            Refusal::HeaderSyntax { header: "authorization" },
        ),
        (
            "not text",
            Message::signed().replace("authorization", "Signature=", "Signature=é"),
            Refusal::HeaderSyntax { header: "authorization" },
        ),
        (
            "algorithm",
            Message::signed().replace("authorization", "AWS4-HMAC-SHA256", "AWS4-HMAC-SHA512"),
            Refusal::Algorithm { algorithm: "AWS4-HMAC-SHA512".into() },
        ),
        ("no time", Message::signed().without("x-amz-date"), Refusal::TimeMissing),
        (
            "bad time",
            Message::signed().replace("x-amz-date", "T", " "),
            Refusal::TimeSyntax { text: "20261125 000000Z".into() },
        ),
        (
            "two times",
            Message::signed().with("x-amz-date", "20261125T000000Z"),
            Refusal::HeaderSyntax { header: "x-amz-date" },
        ),
        (
            "two tokens",
            Message::signed().with("x-amz-security-token", "other"),
            Refusal::HeaderSyntax { header: "x-amz-security-token" },
        ),
        (
            "long token",
            Message::signed().replace("x-amz-security-token", "token", &"t".repeat(9000)),
            Refusal::TooLong { name: "x-amz-security-token", bytes: 9000, bytes_max: 8192 },
        ),
        (
            "terminator",
            Message::signed().replace("authorization", "aws4_request", "aws5_request"),
            Refusal::Terminator { terminator: "aws5_request".into() },
        ),
        (
            "region",
            Message::signed().replace("authorization", "us-east-1", "eu-west-1"),
            Refusal::Region { region: "eu-west-1".into() },
        ),
        (
            "service",
            Message::signed().replace("authorization", "/ssm/", "/sts/"),
            Refusal::Service { service: "ssm".into() },
        ),
        (
            "scope date",
            Message::signed().replace("authorization", "20261125", "20261124"),
            Refusal::ScopeDate { scope_date: "20261124".into(), time: now() },
        ),
        ("host unsigned", Message::signed().replace("authorization", "host;", ""), not_signed("host")),
        (
            "target unsigned",
            Message::signed().replace("authorization", ";x-amz-target", ""),
            not_signed("x-amz-target"),
        ),
        (
            "token unsigned",
            Message::signed().replace("authorization", ";x-amz-security-token", ""),
            not_signed("x-amz-security-token"),
        ),
        ("added x-amz", Message::signed().with("X-Amz-Extra", "1"), not_signed("x-amz-extra")),
        (
            "added hash",
            Message::signed().with("x-amz-content-sha256", &PayloadHash::of(BODY).to_string()),
            not_signed("x-amz-content-sha256"),
        ),
        ("bad hash", Message::signed().with("x-amz-content-sha256", "zz"), Refusal::PayloadHashSyntax),
        (
            "streaming",
            Message::signed().with("x-amz-content-sha256", "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD"),
            Refusal::StreamingPayload { word: "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD".into() },
        ),
        (
            "changed token",
            Message::signed().replace("x-amz-security-token", "token", "tokem"),
            Refusal::SignatureMismatch,
        ),
        (
            "changed target",
            Message::signed().replace("X-Amz-Target", "Start", "Resume"),
            Refusal::SignatureMismatch,
        ),
        ("changed host", Message::signed().replace("Host", "cp", "cq"), Refusal::SignatureMismatch),
        ("changed body", Message { body: b"{}".into(), ..Message::signed() }, Refusal::SignatureMismatch),
        ("changed path", Message { path: "/x".into(), ..Message::signed() }, Refusal::SignatureMismatch),
        ("added query", Message { query: "x=1".into(), ..Message::signed() }, Refusal::SignatureMismatch),
        (
            "other key",
            Message::signed().replace("authorization", "Signature=", "Signature=0"),
            Refusal::SignatureMismatch,
        ),
    ];
    for (name, message, refusal) in table {
        assert_eq!(message.verify(), Err(refusal), "{name}");
    }
}

#[test]
fn an_unsigned_payload_is_for_s3_and_presigned_requests() {
    let message = Message::new();
    let mut headers = message.borrowed();
    headers.push(("x-amz-content-sha256", b"UNSIGNED-PAYLOAD"));
    let added = signing().prepare(&message.request(&headers), &PayloadHash::Unsigned).unwrap().sign(SECRET);
    let mut message = message.clone().with("x-amz-content-sha256", "UNSIGNED-PAYLOAD");
    message.headers.extend(added.into_iter().map(|(name, value)| (name.to_owned(), value)));
    assert_eq!(message.verify(), Err(Refusal::UnsignedPayload));
}

#[test]
fn a_node_may_leave_the_content_hash_unsigned() {
    let message = Message::signed().with("X-Amz-Content-Sha256", &PayloadHash::of(BODY).to_string());
    let node = Expectation { key: KeyKind::NodeRsa, ..expectation() };
    assert_eq!(message.verify_with(&node), Ok(()));
    let lying = Message::signed().with("X-Amz-Content-Sha256", &PayloadHash::of(b"{}").to_string());
    assert_eq!(lying.verify_with(&node), Err(Refusal::PayloadMismatch));
    let unsigned = Message::signed().with("X-Amz-Content-Sha256", "UNSIGNED-PAYLOAD");
    assert_eq!(unsigned.verify_with(&node), Err(Refusal::UnsignedPayload));
}

#[test]
fn times() {
    let seconds = Duration::from_secs;
    let message = Message::signed();
    assert_eq!(message.verify_at(now().plus(seconds(300))), Ok(()));
    assert_eq!(message.verify_at(now().minus(seconds(300))), Ok(()));
    let too_old = message.verify_at(now().plus(seconds(301))).unwrap_err();
    assert_eq!((too_old.kind(), matches!(too_old, Refusal::TooOld { .. })), (RefusalKind::Skew, true));
    let too_new = message.verify_at(now().minus(seconds(301))).unwrap_err();
    assert_eq!((too_new.kind(), matches!(too_new, Refusal::TooNew { .. })), (RefusalKind::Skew, true));

    let presigned = Message::presigned(seconds(60));
    assert_eq!(presigned.verify_at(now().plus(seconds(60))), Ok(()));
    let expired = presigned.verify_at(now().plus(seconds(61))).unwrap_err();
    assert_eq!(
        expired,
        Refusal::PresignedExpired { expired_at: now().plus(seconds(60)), now: now().plus(seconds(61)) }
    );
    assert!(matches!(presigned.verify_at(now().minus(seconds(301))), Err(Refusal::TooNew { .. })));
}

#[test]
fn global_services_take_any_region() {
    let any = Expectation { regions: Regions::Any, ..expectation() };
    let message = Message::signed().replace("authorization", "us-east-1", "eu-west-1");
    assert_eq!(message.verify_with(&any), Err(Refusal::SignatureMismatch), "the region was no reason");
}

#[test]
fn refusals_of_a_query() {
    let message = |from: &str, to: &str| {
        let message = Message::presigned(Duration::from_secs(60));
        assert!(message.query.contains(from), "{}", message.query);
        Message { query: message.query.replace(from, to), ..message }
    };
    for (name, message, refusal) in [
        ("longer life", message("Expires=60", "Expires=61"), Refusal::SignatureMismatch),
        ("other token", message("Token=token", "Token=tokem"), Refusal::SignatureMismatch),
        ("no token", message("&X-Amz-Security-Token=token", ""), Refusal::SignatureMismatch),
        ("added parameter", message("X-Amz-Algorithm", "x=1&X-Amz-Algorithm"), Refusal::SignatureMismatch),
        ("life over a week", message("Expires=60", "Expires=604801"), Refusal::ExpiresRange),
        (
            "two signatures",
            message("X-Amz-Signature", "X-Amz-Signature=0&X-Amz-Signature"),
            Refusal::ParameterSyntax { parameter: "X-Amz-Signature" },
        ),
        (
            "header added",
            message("x", "x").with("x-amz-extra", "1"),
            Refusal::HeaderNotSigned { header: "x-amz-extra".into() },
        ),
    ] {
        assert_eq!(message.verify(), Err(refusal), "{name}");
    }
}

#[test]
fn what_cannot_be_signed() {
    let message = Message::new().without("Host");
    let headers = message.borrowed();
    let request = message.request(&headers);
    let payload = PayloadHash::of(BODY);
    assert_eq!(signing().prepare(&request, &payload).err(), Some(SignError::HostMissing));
    for expires in [Duration::ZERO, Duration::from_secs(604_801)] {
        let refused = signing().presign(&request, expires, SECRET, &payload);
        assert_eq!(refused, Err(SignError::Expires(expires)));
    }
}
