//! AWS's published test suite for Signature Version 4, in both directions. Source and licence stand in the file.

use std::time::Duration;

use postern_sigv4::{
    Authorization, Expectation, Header, KeyKind, PathRule, PayloadHash, Refusal, Regions, Request, Scope,
    SignedRequest, Signing, SigningKey, SigningTime, canonical_request, string_to_sign,
};

#[derive(serde::Deserialize)]
struct Suite {
    credentials: Credentials,
    region: String,
    service: String,
    time: String,
    expires_s: u64,
    cases: Vec<Case>,
}

#[derive(serde::Deserialize)]
struct Credentials {
    access_key_id: String,
    secret_access_key: String,
}

#[derive(serde::Deserialize)]
struct Case {
    name: String,
    /// `false`: the path is taken as it is, which is what we do for S3 alone.
    normalize: bool,
    /// The request carries `x-amz-content-sha256`.
    sign_body: bool,
    token: Option<String>,
    /// The token is added after signing.
    #[serde(default)]
    omit_session_token: bool,
    request: String,
    header: Expected,
    query: Expected,
}

#[derive(serde::Deserialize)]
struct Expected {
    canonical_request: String,
    string_to_sign: String,
    signature: String,
    signed_request: String,
}

impl Suite {
    fn load() -> Self {
        serde_json::from_str(include_str!("../../../vectors/sigv4/aws-signing-test-suite-v4.json"))
            .expect("the vectors are as this file describes them")
    }

    fn time(&self) -> SigningTime {
        SigningTime::parse_basic(&self.time).expect("a time")
    }

    fn signing<'a>(&'a self, case: &'a Case) -> Signing<'a> {
        let session_token = case.token.as_deref().filter(|_| !case.omit_session_token);
        Signing {
            access_key_id: &self.credentials.access_key_id,
            session_token,
            region: &self.region,
            service: &self.service,
            time: self.time(),
        }
    }

    fn scope(&self) -> Scope {
        Scope::new(self.time(), &self.region, &self.service)
    }

    fn key(&self) -> SigningKey {
        SigningKey::derive(&self.credentials.secret_access_key, &self.scope())
    }

    fn verify(&self, message: &Message) -> Result<(), Refusal> {
        let headers = message.headers();
        let Some(signed) = SignedRequest::parse(message.request(&headers))? else {
            panic!("no signature found")
        };
        let checked = signed.check(&Expectation {
            service: &self.service,
            regions: Regions::OneOf(&[&self.region]),
            key: KeyKind::Secret,
            now: self.time().plus(Duration::from_secs(60)),
        })?;
        assert_eq!(checked.credential().access_key_id, self.credentials.access_key_id);
        checked.verify(&self.key(), &checked.payload(&message.body)?)
    }
}

/// A request as the suite writes it.
struct Message {
    method: String,
    path: String,
    query: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Message {
    fn parse(text: &str) -> Self {
        let (head, body) = text.split_once("\n\n").unwrap_or((text.trim_end(), ""));
        let mut lines = head.lines();
        // The target may hold spaces.
        let (method, rest) = lines.next().and_then(|line| line.split_once(' ')).expect("a method");
        let target = rest.rsplit_once(' ').expect("a version").0;
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let mut headers: Vec<(String, String)> = Vec::new();
        for line in lines {
            match line.split_once(':') {
                // A line that starts with a space continues the one before (RFC 7230, 3.2.4: the fold is a space).
                _ if line.starts_with(' ') => headers.last_mut().expect("a header").1.push_str(line),
                Some((name, value)) => headers.push((name.to_owned(), value.to_owned())),
                None => panic!("not a header: {line:?}"),
            }
        }
        let text = str::to_owned;
        Self {
            method: text(method),
            path: text(path),
            query: text(query),
            headers,
            body: body.trim_end().into(),
        }
    }

    fn headers(&self) -> Vec<Header<'_>> {
        self.headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect()
    }

    fn request<'a>(&'a self, headers: &'a [Header<'a>]) -> Request<'a> {
        Request { method: &self.method, path: &self.path, query: &self.query, headers }
    }
}

#[test]
fn canonical_requests_and_strings_to_sign() {
    let suite = Suite::load();
    assert_eq!(suite.cases.len(), 38);
    for case in &suite.cases {
        let message = Message::parse(&case.header.signed_request);
        let headers = message.headers();
        let value = message.headers.iter().find(|(name, _)| name == "Authorization").map(|(_, value)| value);
        let authorization = Authorization::parse(value.unwrap()).unwrap();
        let rule = if case.normalize { PathRule::Normalized } else { PathRule::Verbatim };
        let payload = PayloadHash::of(&message.body);
        let canonical =
            canonical_request(&message.request(&headers), &authorization.signed_headers, rule, &payload);
        assert_eq!(String::from_utf8_lossy(&canonical), case.header.canonical_request, "{}", case.name);
        let text = string_to_sign(suite.time(), &suite.scope(), &canonical);
        assert_eq!(text, case.header.string_to_sign, "{}", case.name);
        assert_eq!(suite.key().sign(&text), case.header.signature, "{}", case.name);
        assert_eq!(authorization.signature, case.header.signature, "{}", case.name);
    }
}

#[test]
fn canonical_requests_of_presigned_queries() {
    let suite = Suite::load();
    for case in &suite.cases {
        let message = Message::parse(&case.query.signed_request);
        let headers = message.headers();
        let rule = if case.normalize { PathRule::Normalized } else { PathRule::Verbatim };
        let listed = case.query.canonical_request.lines().rev().nth(1).unwrap();
        let signed_headers: Vec<String> = listed.split(';').map(str::to_owned).collect();
        let mut request = message.request(&headers);
        // The token is not under the signature in this case, though it is in the query.
        let token_at = request.query.find("&X-Amz-Security-Token").filter(|_| case.omit_session_token);
        let without_token = token_at.map(|at| &request.query[..at]);
        request.query = without_token.unwrap_or(request.query);
        let canonical = canonical_request(&request, &signed_headers, rule, &PayloadHash::of(&message.body));
        assert_eq!(String::from_utf8_lossy(&canonical), case.query.canonical_request, "{}", case.name);
        let text = string_to_sign(suite.time(), &suite.scope(), &canonical);
        assert_eq!(text, case.query.string_to_sign, "{}", case.name);
        assert_eq!(suite.key().sign(&text), case.query.signature, "{}", case.name);
    }
}

#[test]
fn signing() {
    let suite = Suite::load();
    for case in suite.cases.iter().filter(|case| case.normalize) {
        let message = Message::parse(&case.request);
        let payload = PayloadHash::of(&message.body);
        let digest = payload.to_string();
        let mut headers = message.headers();
        if case.sign_body {
            headers.push(("x-amz-content-sha256", digest.as_bytes()));
        }
        let prepared = suite.signing(case).prepare(&message.request(&headers), &payload).unwrap();
        assert_eq!(prepared.string_to_sign(), case.header.string_to_sign, "{}", case.name);
        let added = prepared.sign(&suite.credentials.secret_access_key);
        let (_, authorization) = added.iter().find(|(name, _)| *name == "authorization").unwrap();
        assert!(
            case.header.signed_request.contains(&format!("Authorization:{authorization}\n")),
            "{}: {authorization}",
            case.name
        );
    }
}

#[test]
fn presigning() {
    let suite = Suite::load();
    for case in suite.cases.iter().filter(|case| case.normalize) {
        let message = Message::parse(&case.request);
        let headers = message.headers();
        let query = suite
            .signing(case)
            .presign(
                &message.request(&headers),
                Duration::from_secs(suite.expires_s),
                &suite.credentials.secret_access_key,
                &PayloadHash::of(&message.body),
            )
            .unwrap();
        let (_, signature) = query.rsplit_once("&X-Amz-Signature=").unwrap();
        assert_eq!(signature, case.query.signature, "{}", case.name);
    }
}

#[test]
fn signed_requests_verify() {
    let suite = Suite::load();
    for case in suite.cases.iter().filter(|case| case.normalize) {
        let in_header = suite.verify(&Message::parse(&case.header.signed_request));
        let in_query = suite.verify(&Message::parse(&case.query.signed_request));
        if case.omit_session_token {
            // We insist on a signed token, as all services but IoT do: else it could be exchanged on the way.
            assert_eq!(in_header, Err(Refusal::HeaderNotSigned { header: "x-amz-security-token".into() }));
            assert_eq!(in_query, Err(Refusal::SignatureMismatch));
        } else {
            assert_eq!(in_header, Ok(()), "{}", case.name);
            assert_eq!(in_query, Ok(()), "{}", case.name);
        }
    }
}

#[test]
fn one_changed_character_anywhere_is_noticed() {
    let suite = Suite::load();
    let case = suite.cases.iter().find(|case| case.name == "post-x-www-form-urlencoded").unwrap();
    let untouched = Message::parse(&case.header.signed_request);
    assert_eq!(suite.verify(&untouched), Ok(()));
    type Change = fn(&mut Message);
    let changes: [(&str, Change); 5] = [
        ("method", |message| message.method = "PUT".into()),
        ("path", |message| message.path = "/x".into()),
        ("query", |message| message.query = "x".into()),
        ("host", |message| message.headers.iter_mut().find(|(name, _)| name == "Host").unwrap().1.push('x')),
        ("type", |message| message.headers[0].1.push('x')),
    ];
    for (name, change) in changes {
        let mut message = Message::parse(&case.header.signed_request);
        change(&mut message);
        assert_eq!(suite.verify(&message), Err(Refusal::SignatureMismatch), "{name}");
    }
    let mut message = untouched;
    message.body.push(b'x');
    assert_eq!(suite.verify(&message), Err(Refusal::PayloadMismatch));
}
