//! Any request is read, checked and made canonical without a panic, and none verifies with a key it was not signed with.

use arbitrary::Arbitrary;
use postern_sigv4::{Expectation, Header, KeyKind, Regions, Request, SignedRequest, SigningKey, SigningTime};

#[derive(Debug, Arbitrary)]
struct Input {
    path: String,
    query: String,
    /// Words of a header, so that the fuzzer need not guess them.
    scope: Option<(String, String)>,
    headers: Vec<(String, Vec<u8>)>,
    body: Vec<u8>,
    node: bool,
}

const TIME: &str = "20150830T123600Z";

pub(crate) fn run(input: &[u8]) {
    let Some(input) = crate::value::<Input>(input) else { return };
    let authorization = input.scope.map(|(credential, rest)| {
        format!(
            "AWS4-HMAC-SHA256 Credential=AKID{credential}/20150830/us-east-1/ssm/aws4_request, \
             SignedHeaders=host;x-amz-date, Signature={rest}"
        )
    });
    let mut headers: Vec<Header<'_>> =
        input.headers.iter().map(|(name, value)| (name.as_str(), value.as_slice())).collect();
    if let Some(authorization) = &authorization {
        headers.extend([("Authorization", authorization.as_bytes()), ("X-Amz-Date", TIME.as_bytes())]);
    }
    let request = Request { method: "POST", path: &input.path, query: &input.query, headers: &headers };
    let Ok(Some(signed)) = SignedRequest::parse(request) else { return };
    let Ok(checked) = signed.check(&Expectation {
        service: "ssm",
        regions: Regions::Any,
        key: if input.node { KeyKind::NodeRsa } else { KeyKind::Secret },
        now: SigningTime::parse_basic(TIME).expect("a time"),
    }) else {
        return;
    };
    let Ok(payload) = checked.payload(&input.body) else { return };
    let key = SigningKey::derive("a secret the fuzzer does not know", &checked.credential().scope);
    assert!(checked.verify(&key, &payload).is_err());
}
