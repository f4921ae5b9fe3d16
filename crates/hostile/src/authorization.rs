//! Any text is an `Authorization` header or a refusal, and a header is read the same after it was written.

use postern_sigv4::Authorization;

pub(crate) fn run(value: &[u8]) {
    let Ok(value) = std::str::from_utf8(value) else { return };
    if let Ok(authorization) = Authorization::parse(value) {
        assert_eq!(Authorization::parse(&authorization.to_string()), Ok(authorization));
    }
}

pub(crate) fn seeds() -> Vec<Vec<u8>> {
    crate::seeds_of(&["AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/ssm/aws4_request, \
         SignedHeaders=host;x-amz-date, Signature=5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7"])
}
