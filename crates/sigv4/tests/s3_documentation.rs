//! The worked examples of the Amazon S3 API Reference.

use std::time::Duration;

use postern_sigv4::{
    Expectation, Header, KeyKind, PayloadHash, Refusal, Regions, Request, SignedRequest, Signing, SigningKey,
    SigningTime,
};

#[derive(serde::Deserialize)]
struct Examples {
    credentials: Credentials,
    region: String,
    service: String,
    time: String,
    header: Vec<InHeader>,
    presigned: Vec<InQuery>,
}

#[derive(serde::Deserialize)]
struct Credentials {
    access_key_id: String,
    secret_access_key: String,
}

#[derive(serde::Deserialize)]
struct InHeader {
    name: String,
    method: String,
    path: String,
    query: String,
    headers: Vec<(String, String)>,
    body: String,
    signature: String,
}

#[derive(serde::Deserialize)]
struct InQuery {
    name: String,
    method: String,
    path: String,
    expires_s: u64,
    signature: String,
}

const HOST: Header<'static> = ("host", b"examplebucket.s3.amazonaws.com");

impl Examples {
    fn load() -> Self {
        serde_json::from_str(include_str!("../../../vectors/sigv4/s3-documentation.json"))
            .expect("the vectors are as this file describes them")
    }

    fn signing(&self) -> Signing<'_> {
        Signing {
            access_key_id: &self.credentials.access_key_id,
            session_token: None,
            region: &self.region,
            service: &self.service,
            time: SigningTime::parse_basic(&self.time).expect("a time"),
        }
    }

    fn verify(&self, request: Request<'_>, body: &[u8], later: Duration) -> Result<(), Refusal> {
        let signed = SignedRequest::parse(request)?.expect("it is signed");
        let checked = signed.check(&Expectation {
            service: "s3",
            regions: Regions::OneOf(&["us-east-1"]),
            key: KeyKind::Secret,
            now: self.signing().time.plus(later),
        })?;
        let key = SigningKey::derive(&self.credentials.secret_access_key, &checked.credential().scope);
        checked.verify(&key, &checked.payload(body)?)
    }
}

#[test]
fn in_the_header() {
    let examples = Examples::load();
    for example in &examples.header {
        let mut headers: Vec<Header<'_>> = vec![HOST];
        headers.extend(example.headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes())));
        let request = Request {
            method: &example.method,
            path: &example.path,
            query: &example.query,
            headers: &headers,
        };
        let payload = PayloadHash::of(example.body.as_bytes());
        let added = examples
            .signing()
            .prepare(&request, &payload)
            .unwrap()
            .sign(&examples.credentials.secret_access_key);
        let (_, authorization) = added.last().unwrap();
        assert!(authorization.ends_with(&format!("Signature={}", example.signature)), "{}", example.name);

        let mut headers = headers.clone();
        headers.extend(added.iter().map(|(name, value)| (*name, value.as_bytes())));
        let request = Request { headers: &headers, ..request };
        let minutes = |minutes: u64| Duration::from_secs(minutes * 60);
        assert_eq!(
            examples.verify(request, example.body.as_bytes(), minutes(15)),
            Ok(()),
            "{}",
            example.name
        );
        assert!(matches!(
            examples.verify(request, example.body.as_bytes(), minutes(16)),
            Err(Refusal::TooOld { .. })
        ));
    }
}

#[test]
fn in_the_query() {
    let examples = Examples::load();
    for example in &examples.presigned {
        let headers = [HOST];
        let request = Request { method: &example.method, path: &example.path, query: "", headers: &headers };
        let expires = Duration::from_secs(example.expires_s);
        let secret = &examples.credentials.secret_access_key;
        let query = examples.signing().presign(&request, expires, secret, &PayloadHash::Unsigned).unwrap();
        assert!(query.ends_with(&format!("&X-Amz-Signature={}", example.signature)), "{}", example.name);

        let request = Request { query: &query, ..request };
        assert_eq!(examples.verify(request, b"not under the signature", expires), Ok(()));
        assert!(matches!(
            examples.verify(request, b"", expires + Duration::from_secs(1)),
            Err(Refusal::PresignedExpired { .. })
        ));
    }
}
