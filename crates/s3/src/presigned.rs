//! What the address of a presigned request says beside bucket and key.

use http::Uri;
use http::header::{HeaderMap, HeaderName, HeaderValue};
use http::uri::PathAndQuery;
use percent_encoding::percent_decode_str;

/// What belongs to Amazon's own parameters, and headers, begins so.
const PREFIX: &str = "x-amz-";
/// Parameters of the signature itself. Source: "Authenticating Requests: Using Query Parameters", Amazon S3 API Reference.
const OF_SIGNATURE: [&str; 8] = [
    "x-amz-algorithm",
    "x-amz-content-sha256",
    "x-amz-credential",
    "x-amz-date",
    "x-amz-expires",
    "x-amz-security-token",
    "x-amz-signature",
    "x-amz-signedheaders",
];
/// Checksums in an address say nothing, here as on AWS: SDKs put that of the empty body there, because they do not know
/// the one that will be sent.
const OF_CHECKSUMS: [&str; 3] = ["x-amz-checksum-", "x-amz-sdk-checksum-algorithm", "x-amz-trailer"];

/// Takes Amazon's parameters out of an address. Those that SDKs put there in the place of headers, such as
/// `x-amz-object-lock-mode`, become headers: they are signed, and what they ask for is not to be lost.
pub(crate) fn unsigned(uri: &Uri, headers: &mut HeaderMap) -> Uri {
    let mut kept = Vec::new();
    for pair in uri.query().unwrap_or_default().split('&') {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let name = name.to_ascii_lowercase();
        if !name.starts_with(PREFIX) {
            kept.push(pair);
        } else if is_header(&name) {
            let value = HeaderValue::from_bytes(&percent_decode_str(value).collect::<Vec<u8>>());
            if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), value) {
                headers.entry(name).or_insert(value);
            }
        }
    }
    let query = kept.join("&");
    let text = if query.is_empty() { uri.path().to_owned() } else { format!("{}?{query}", uri.path()) };
    text.parse::<PathAndQuery>().map_or_else(|_| uri.clone(), Uri::from)
}

fn is_header(name: &str) -> bool {
    !OF_SIGNATURE.contains(&name) && !OF_CHECKSUMS.iter().any(|prefix| name.starts_with(prefix))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_in_the_query_is_removed_and_nothing_else() {
        for (from, to) in [
            ("/b/k?X-Amz-Signature=1&X-Amz-Date=2", "/b/k"),
            ("/b?list-type=2&X-Amz-Algorithm=x&prefix=x-amz-", "/b?list-type=2&prefix=x-amz-"),
            ("/b/a%20b?location", "/b/a%20b?location"),
            ("//b/k?X-Amz-Date=2", "//b/k"),
            ("https://host/b/k?prefix=a", "/b/k?prefix=a"),
        ] {
            let mut headers = HeaderMap::new();
            assert_eq!(unsigned(&from.parse().unwrap(), &mut headers).to_string(), to);
            assert!(headers.is_empty(), "{headers:?}");
        }
    }

    #[test]
    fn what_stands_in_the_query_for_a_header_is_one() {
        let mut headers = HeaderMap::new();
        headers.insert("x-amz-meta-b", HeaderValue::from_static("sent"));
        let uri = "/b/k?x-amz-meta-a=one%20two&X-Amz-Meta-B=other&X-Amz-Object-Lock-Mode=GOVERNANCE\
            &x-amz-checksum-crc32=AAAAAA%3D%3D&x-amz-sdk-checksum-algorithm=CRC32&x-amz-meta-c=a%0Ab";
        assert_eq!(unsigned(&uri.parse().unwrap(), &mut headers).to_string(), "/b/k");
        let found: Vec<_> =
            headers.iter().map(|(name, value)| (name.as_str(), value.to_str().unwrap())).collect();
        assert_eq!(
            found,
            [("x-amz-meta-b", "sent"), ("x-amz-meta-a", "one two"), ("x-amz-object-lock-mode", "GOVERNANCE")]
        );
    }
}
