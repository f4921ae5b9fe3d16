//! The canonical form of a request, and the string to sign.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use crate::key::sha256;
use crate::{ALGORITHM, PayloadHash, Request, Scope, SigningTime};

/// All but the unreserved characters `A-Za-z0-9-._~`.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
const RESERVED_IN_PATH: &AsciiSet = &RESERVED.remove(b'/');

/// How a service's signatures treat the path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PathRule {
    /// Dot segments and repeated slashes are removed, and the path as sent is percent-encoded once more.
    Normalized,
    /// S3: object names are opaque, so the path stays as it is and is percent-encoded once in all.
    Verbatim,
}

impl PathRule {
    /// The rule of a service by its signing name.
    #[must_use]
    pub fn of_service(service: &str) -> Self {
        if service == "s3" { Self::Verbatim } else { Self::Normalized }
    }
}

/// The canonical request. `signed_headers` are lower-case and sorted, as they are in the signature.
///
/// A query parameter `X-Amz-Signature` is left out, so a presigned request can be given as it came.
///
/// Source: "Create a signed AWS API request", step "Create a canonical request", IAM User Guide.
#[must_use]
pub fn canonical_request(
    request: &Request<'_>,
    signed_headers: &[String],
    path_rule: PathRule,
    payload: &PayloadHash,
) -> Vec<u8> {
    let mut text = format!(
        "{}\n{}\n{}\n",
        request.method,
        canonical_path(request.path, path_rule),
        canonical_query(request.query)
    )
    .into_bytes();
    for name in signed_headers {
        text.extend_from_slice(name.as_bytes());
        text.push(b':');
        for (index, value) in request.values(name).enumerate() {
            if index > 0 {
                text.push(b',');
            }
            push_trimmed(&mut text, value);
        }
        text.push(b'\n');
    }
    text.extend_from_slice(format!("\n{}\n{payload}", signed_headers.join(";")).as_bytes());
    text
}

/// The text under the signature. Source: as above, step "Create a string to sign".
#[must_use]
pub fn string_to_sign(time: SigningTime, scope: &Scope, canonical_request: &[u8]) -> String {
    format!("{ALGORITHM}\n{time}\n{scope}\n{}", hex::encode(sha256(canonical_request)))
}

fn canonical_path(path: &str, rule: PathRule) -> String {
    match rule {
        PathRule::Normalized => utf8_percent_encode(&normalized(path), RESERVED_IN_PATH).to_string(),
        PathRule::Verbatim if path.is_empty() => "/".to_owned(),
        PathRule::Verbatim => percent_encoding::percent_encode(&decoded(path), RESERVED_IN_PATH).to_string(),
    }
}

/// Removes `.` and `..` segments (RFC 3986, 5.2.4) and repeated slashes.
fn normalized(path: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    for segment in path.split('/') {
        match segment {
            "" | "." => {}
            ".." => {
                kept.pop();
            }
            _ => kept.push(segment),
        }
    }
    let last = if path.ends_with('/') && !kept.is_empty() { "/" } else { "" };
    format!("/{}{last}", kept.join("/"))
}

fn canonical_query(query: &str) -> String {
    let mut pairs: Vec<(String, String)> = pairs(query)
        .filter(|(name, _)| *name != "X-Amz-Signature")
        .map(|(name, value)| (reencoded(name), reencoded(value)))
        .collect();
    pairs.sort_unstable();
    let pairs: Vec<String> = pairs.into_iter().map(|(name, value)| format!("{name}={value}")).collect();
    pairs.join("&")
}

/// The parameters of a query as sent, still percent-encoded; one without `=` has an empty value.
pub(crate) fn pairs(query: &str) -> impl Iterator<Item = (&str, &str)> {
    query.split('&').filter(|pair| !pair.is_empty()).map(|pair| pair.split_once('=').unwrap_or((pair, "")))
}

/// Percent-encodes `text` as parameters of a query are.
pub(crate) fn encoded(text: &str) -> String {
    utf8_percent_encode(text, RESERVED).to_string()
}

fn reencoded(text: &str) -> String {
    percent_encoding::percent_encode(&decoded(text), RESERVED).to_string()
}

fn decoded(text: &str) -> Vec<u8> {
    percent_decode_str(text).collect()
}

/// Appends `value` without spaces around it and with inner runs of spaces made one.
fn push_trimmed(text: &mut Vec<u8>, value: &[u8]) {
    let mut last = b' ';
    for &byte in value.trim_ascii() {
        if byte != b' ' || last != b' ' {
            text.push(byte);
        }
        last = byte;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths() {
        for (path, normalized, verbatim) in [
            ("", "/", "/"),
            ("/", "/", "/"),
            ("//", "/", "//"),
            ("/a/./b/../c", "/a/c", "/a/./b/../c"),
            ("/../..", "/", "/../.."),
            ("/a/", "/a/", "/a/"),
            ("/a b", "/a%20b", "/a%20b"),
            ("/a%20b", "/a%2520b", "/a%20b"),
            ("/v1/data-channel/x@y", "/v1/data-channel/x%40y", "/v1/data-channel/x%40y"),
            ("/~user", "/~user", "/~user"),
            ("/%", "/%25", "/%25"),
        ] {
            assert_eq!(canonical_path(path, PathRule::Normalized), normalized, "{path:?}");
            assert_eq!(canonical_path(path, PathRule::Verbatim), verbatim, "{path:?}");
        }
    }

    #[test]
    fn queries() {
        for (query, canonical) in [
            ("", ""),
            ("lifecycle", "lifecycle="),
            ("b=2&a=1", "a=1&b=2"),
            ("a=2&a=1", "a=1&a=2"),
            ("a=&a-=1", "a=&a-=1"),
            ("a=b=c", "a=b%3Dc"),
            ("a=%7e+", "a=~%2B"),
            ("role=subscribe&stream=input", "role=subscribe&stream=input"),
            ("x=1&X-Amz-Signature=ff", "x=1"),
            ("&&a", "a="),
        ] {
            assert_eq!(canonical_query(query), canonical, "{query:?}");
        }
    }

    #[test]
    fn a_parameter_is_sorted_by_its_name_before_its_value() {
        // "a-=" sorts after "a=" by name, though "-" comes before "=".
        assert_eq!(canonical_query("a-=x&a=y"), "a=y&a-=x");
    }

    #[test]
    fn header_values_are_trimmed_and_joined() {
        let headers: [(&str, &[u8]); 4] =
            [("Host", b"h"), ("X-A", b"  one   two "), ("x-a", b"\"a  b\""), ("x-b", b"\xff")];
        let request = Request { method: "GET", path: "/", query: "", headers: &headers };
        let signed = ["host".to_owned(), "x-a".to_owned(), "x-b".to_owned()];
        let text = canonical_request(&request, &signed, PathRule::Normalized, &PayloadHash::Unsigned);
        assert_eq!(
            text,
            b"GET\n/\n\nhost:h\nx-a:one two,\"a b\"\nx-b:\xff\n\nhost;x-a;x-b\nUNSIGNED-PAYLOAD"
        );
    }
}
