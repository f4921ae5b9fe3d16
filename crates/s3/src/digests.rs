//! The digests of what is uploaded: those that clients send along, and the entity tag.
//!
//! Source: "Checking object integrity", Amazon S3 User Guide.

use std::collections::BTreeMap;

use crc_fast::{CrcAlgorithm, checksum_combine};
use http::HeaderMap;
use s3s::checksum::ChecksumHasher;
use s3s::crypto::{Checksum as _, Crc32, Crc32c, Crc64Nvme, Md5, Sha1, Sha256};
use s3s::dto::{Checksum, ChecksumType};
use s3s::{S3Error, S3ErrorCode, S3Result};

use crate::body::Trailers;

/// An answer with the fields that checksums have in each.
macro_rules! with_checksums {
    ($checksum:expr, $answer:ident { $($fields:tt)* }) => {{
        let checksum: s3s::dto::Checksum = $checksum;
        $answer {
            checksum_crc32: checksum.checksum_crc32,
            checksum_crc32c: checksum.checksum_crc32c,
            checksum_crc64nvme: checksum.checksum_crc64nvme,
            checksum_sha1: checksum.checksum_sha1,
            checksum_sha256: checksum.checksum_sha256,
            $($fields)*
        }
    }};
}

pub(crate) use with_checksums;

/// What a checksum's header begins with; its algorithm follows.
const HEADER_PREFIX: &str = "x-amz-checksum-";
/// Names the header that comes as a trailer.
const TRAILER: &str = "x-amz-trailer";
/// The algorithms, as headers and as stored attributes name them.
const ALGORITHMS: [&str; 5] = ["crc32", "crc32c", "crc64nvme", "sha1", "sha256"];

/// Computes the digests that an upload asks for.
pub(crate) struct Digests {
    md5: Md5,
    hasher: ChecksumHasher,
    /// The algorithm that the client chose, and its value unless that comes as a trailer.
    chosen: Option<(&'static str, Option<String>)>,
    expected_md5: Option<Vec<u8>>,
}

/// The digests of an upload that holds what was said of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Verified {
    pub(crate) md5: [u8; 16],
    pub(crate) checksums: BTreeMap<String, String>,
}

impl Digests {
    /// As the request's headers ask for. `asked` is an algorithm without a value: it is computed and kept.
    pub(crate) fn of(headers: &HeaderMap, content_md5: Option<&str>, asked: Option<&str>) -> S3Result<Self> {
        let expected_md5 = match content_md5 {
            None => None,
            Some(text) => Some(decode(text).filter(|bytes| bytes.len() == 16).ok_or_else(|| {
                S3Error::with_message(
                    S3ErrorCode::InvalidDigest,
                    "The Content-MD5 you specified was invalid.",
                )
            })?),
        };
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let mut sent = ALGORITHMS.into_iter().filter_map(|algorithm| {
            text(&format!("{HEADER_PREFIX}{algorithm}")).map(|value| (algorithm, Some(value.to_owned())))
        });
        let (first, second) = (sent.next(), sent.next());
        if second.is_some() {
            let message =
                "Expecting a single x-amz-checksum- header. Multiple checksum types are not allowed.";
            return Err(S3Error::with_message(S3ErrorCode::InvalidRequest, message));
        }
        let trailer = text(TRAILER).and_then(|name| name.trim().strip_prefix(HEADER_PREFIX));
        let named = |name: &str| ALGORITHMS.into_iter().find(|known| known.eq_ignore_ascii_case(name));
        let chosen = first
            .or_else(|| trailer.and_then(named).map(|algorithm| (algorithm, None)))
            .or_else(|| asked.and_then(named).map(|algorithm| (algorithm, None)));
        let hasher = hasher_of(chosen.as_ref().map(|(algorithm, _)| *algorithm));
        Ok(Self { md5: Md5::new(), hasher, chosen, expected_md5 })
    }

    pub(crate) fn update(&mut self, bytes: &[u8]) {
        self.md5.update(bytes);
        self.hasher.update(bytes);
    }

    /// Compares what came with what was said of it.
    pub(crate) fn verify(self, trailers: &Trailers) -> S3Result<Verified> {
        let md5: [u8; 16] = self.md5.finalize();
        if self.expected_md5.is_some_and(|expected| expected != md5) {
            let message = "The Content-MD5 you specified did not match what we received.";
            return Err(S3Error::with_message(S3ErrorCode::BadDigest, message));
        }
        let computed = self.hasher.finalize();
        let mut checksums = BTreeMap::new();
        if let Some((algorithm, sent)) = self.chosen {
            let value = value_of(&computed, algorithm).unwrap_or_default().to_owned();
            let header = format!("{HEADER_PREFIX}{algorithm}");
            let expected = sent.as_deref().or_else(|| trailers.get(&header));
            if expected.is_some_and(|expected| expected != value) {
                let name = algorithm.to_uppercase();
                let message = format!("The {name} you specified did not match the calculated checksum.");
                return Err(S3Error::with_message(S3ErrorCode::BadDigest, message));
            }
            checksums.insert(algorithm.to_uppercase(), value);
        }
        Ok(Verified { md5, checksums })
    }
}

/// The checksum of an object of parts: of their checksums, one after the other, with their number.
pub(crate) fn composite(algorithm: &str, parts: &[&str]) -> Option<String> {
    let mut hasher = hasher_of(ALGORITHMS.into_iter().find(|known| known.eq_ignore_ascii_case(algorithm)));
    for part in parts {
        hasher.update(&decode(part)?);
    }
    let value = value_of(&hasher.finalize(), &algorithm.to_lowercase())?.to_owned();
    Some(format!("{value}-{}", parts.len()))
}

/// The checksum of an object of parts as if it had come whole: of CRCs it follows from those of the parts, with their
/// lengths. `None` of other algorithms.
pub(crate) fn full(algorithm: &str, parts: &[(&str, u64)]) -> Option<String> {
    let algorithm = match algorithm {
        "CRC32" => CrcAlgorithm::Crc32IsoHdlc,
        "CRC32C" => CrcAlgorithm::Crc32Iscsi,
        "CRC64NVME" => CrcAlgorithm::Crc64Nvme,
        _ => return None,
    };
    let mut whole = None;
    for (checksum, size) in parts {
        let bytes = decode(checksum)?;
        let value = bytes.iter().fold(0, |value, byte| value << 8 | u64::from(*byte));
        let (before, _) = whole.unwrap_or((0, 0));
        let combined =
            if whole.is_none() { value } else { checksum_combine(algorithm, before, value, *size) };
        whole = Some((combined, bytes.len()));
    }
    let (value, length) = whole?;
    Some(encode(value.to_be_bytes().get(8_usize.checked_sub(length)?..)?))
}

/// Whether a stored checksum is one of an object's parts, not of the object. Source: "Checking object integrity", Amazon
/// S3 User Guide: those end in the number of parts.
pub(crate) fn kind_of_stored(checksums: &BTreeMap<String, String>) -> Option<ChecksumType> {
    let value = checksums.values().next()?;
    let kind = if value.contains('-') { ChecksumType::COMPOSITE } else { ChecksumType::FULL_OBJECT };
    Some(ChecksumType::from_static(kind))
}

/// The entity tag of an object of parts, made as AWS makes it: the MD5 of the parts' MD5s, with their number.
pub(crate) fn entity_tag_of_parts(tags: &[&str]) -> Option<String> {
    let mut md5 = Md5::new();
    for tag in tags {
        md5.update(&hex::decode(tag).ok()?);
    }
    Some(format!("{}-{}", hex::encode(md5.finalize()), tags.len()))
}

/// Whether an entity tag is one of those.
pub(crate) fn is_of_parts(entity_tag: &str) -> bool {
    entity_tag.contains('-')
}

/// Stored checksums in the form of an answer.
pub(crate) fn of_stored(checksums: &BTreeMap<String, String>) -> Checksum {
    let of = |name: &str| checksums.get(name).cloned();
    Checksum {
        checksum_crc32: of("CRC32"),
        checksum_crc32c: of("CRC32C"),
        checksum_crc64nvme: of("CRC64NVME"),
        checksum_sha1: of("SHA1"),
        checksum_sha256: of("SHA256"),
        ..Checksum::default()
    }
}

fn hasher_of(algorithm: Option<&str>) -> ChecksumHasher {
    let is = |name: &str| algorithm == Some(name);
    ChecksumHasher {
        crc32: is("crc32").then(Crc32::new),
        crc32c: is("crc32c").then(Crc32c::new),
        crc64nvme: is("crc64nvme").then(Crc64Nvme::new),
        sha1: is("sha1").then(Sha1::new),
        sha256: is("sha256").then(Sha256::new),
    }
}

fn value_of<'a>(computed: &'a Checksum, algorithm: &str) -> Option<&'a str> {
    match algorithm {
        "crc32" => computed.checksum_crc32.as_deref(),
        "crc32c" => computed.checksum_crc32c.as_deref(),
        "crc64nvme" => computed.checksum_crc64nvme.as_deref(),
        "sha1" => computed.checksum_sha1.as_deref(),
        _ => computed.checksum_sha256.as_deref(),
    }
}

fn encode(bytes: &[u8]) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(bytes)
}

fn decode(text: &str) -> Option<Vec<u8>> {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.decode(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verify(headers: &[(&'static str, &str)], md5: Option<&str>, body: &[u8]) -> S3Result<Verified> {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.insert(*name, value.parse().unwrap());
        }
        let mut digests = Digests::of(&map, md5, None)?;
        digests.update(body);
        digests.verify(&Trailers::default())
    }

    #[test]
    fn what_a_client_says_must_be_so() {
        let good =
            verify(&[("x-amz-checksum-crc32", "NhCmhg==")], Some("XUFAKrxLKna5cZ2REBfFkg=="), b"hello");
        let good = good.unwrap();
        assert_eq!(hex::encode(good.md5), "5d41402abc4b2a76b9719d911017c592");
        assert_eq!(good.checksums["CRC32"], "NhCmhg==");
        let code = |result: S3Result<Verified>| result.unwrap_err().code().clone();
        assert_eq!(code(verify(&[], Some("XUFAKrxLKna5cZ2REBfFkg=="), b"other")), S3ErrorCode::BadDigest);
        assert_eq!(code(verify(&[], Some("short"), b"hello")), S3ErrorCode::InvalidDigest);
        assert_eq!(
            code(verify(&[("x-amz-checksum-crc32", "AAAAAA==")], None, b"hello")),
            S3ErrorCode::BadDigest
        );
        let two = [("x-amz-checksum-crc32", "NhCmhg=="), ("x-amz-checksum-sha1", "x")];
        assert_eq!(code(verify(&two, None, b"hello")), S3ErrorCode::InvalidRequest);
        assert_eq!(verify(&[], None, b"hello").unwrap().checksums, BTreeMap::new());
    }

    #[test]
    fn every_algorithm_has_its_check_value() {
        for (name, value) in [
            ("x-amz-checksum-crc32", "y/Q5Jg=="),
            ("x-amz-checksum-crc32c", "4waSgw=="),
            ("x-amz-checksum-crc64nvme", "rosUhgp5mIg="),
            ("x-amz-checksum-sha1", "98O8HYCOBHMq32eZZczDTKeuNEE="),
            ("x-amz-checksum-sha256", "FeKw08M4keuw8e9gnsQZQgwg4yDOlMZfvIwzEkSOsiU="),
        ] {
            let sum = verify(&[(name, value)], None, b"123456789").map(|verified| verified.checksums);
            assert_eq!(sum.unwrap().into_values().collect::<Vec<_>>(), [value], "{name}");
        }
    }

    #[test]
    fn parts_have_a_digest_of_digests() {
        let tag =
            entity_tag_of_parts(&["5d41402abc4b2a76b9719d911017c592", "5d41402abc4b2a76b9719d911017c592"]);
        assert!(tag.as_deref().is_some_and(|tag| tag.len() == 34 && tag.ends_with("-2")), "{tag:?}");
        let crc = composite("CRC32", &["NhCmhg=="]).unwrap();
        assert!(crc.ends_with("==-1") && crc != "NhCmhg==-1", "{crc}");
        assert_eq!(composite("CRC32", &["no base64!"]), None);
    }

    #[test]
    fn checksums_of_parts_make_that_of_the_whole() {
        let of = |algorithm: &str, body: &[u8]| {
            let mut digests = Digests::of(&HeaderMap::new(), None, Some(algorithm)).unwrap();
            digests.update(body);
            digests.verify(&Trailers::default()).unwrap().checksums.remove(algorithm).unwrap()
        };
        let body: Vec<u8> = (0..1000_u32).map(|n| (n % 251) as u8).collect();
        for algorithm in ["CRC32", "CRC32C", "CRC64NVME"] {
            for cuts in [vec![], vec![1], vec![0, 400, 999], vec![1000]] {
                let ends: Vec<usize> = cuts.into_iter().chain([body.len()]).collect();
                let starts = std::iter::once(0).chain(ends.iter().copied());
                let parts: Vec<(String, u64)> = starts
                    .zip(&ends)
                    .map(|(start, end)| (of(algorithm, &body[start..*end]), (end - start) as u64))
                    .collect();
                let parts: Vec<(&str, u64)> = parts.iter().map(|(sum, size)| (sum.as_str(), *size)).collect();
                assert_eq!(full(algorithm, &parts), Some(of(algorithm, &body)), "{algorithm} {ends:?}");
            }
        }
        assert_eq!(full("SHA256", &[("AAAA", 3)]), None);
        assert_eq!(full("CRC32", &[]), None);
    }
}
