//! What is delivered as CloudTrail delivers it: log files and digest files in a bucket.
//!
//! Source: the CloudTrail user guide, "CloudTrail log file name format" and "CloudTrail digest file structure"; the
//! text that is signed and the names are also in awscli, `customizations/cloudtrail/validation.py`.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::chain::{Class, Hash};
use crate::segment::TrailName;

/// The only algorithm of digests' signatures.
pub const SIGNATURE_ALGORITHM: &str = "SHA256withRSA";
/// The only algorithm of hashes in digests.
pub const HASH_ALGORITHM: &str = "SHA-256";
/// The metadata of a digest that holds its signature in hexadecimal digits.
pub const SIGNATURE_HEADER: &str = "x-amz-meta-signature";
/// The metadata of a digest that names the algorithm.
pub const ALGORITHM_HEADER: &str = "x-amz-meta-signature-algorithm";

/// How far deliveries have come: all that a writer must know to go on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DeliveryState {
    /// The number of the last line whose record has been delivered.
    pub through: u64,
    /// When the next digest begins.
    pub digest_start: Timestamp,
    /// The log files that no digest names yet.
    pub log_files: Vec<DigestLogFile>,
    /// The last digest.
    pub last_digest: Option<PreviousDigest>,
}

impl DeliveryState {
    /// Nothing is delivered yet.
    #[must_use]
    pub fn beginning(at: Timestamp) -> Self {
        let digest_start = whole_seconds(at);
        Self { through: 0, digest_start, log_files: Vec::new(), last_digest: None }
    }

    /// Log files were delivered.
    pub fn add(&mut self, delivery: &Delivery) {
        self.through = delivery.through;
        self.log_files.extend(delivery.log_files.iter().map(|file| file.digest.clone()));
    }

    /// A digest that names all of them was delivered.
    pub fn close(&mut self, end: Timestamp, digest: PreviousDigest) {
        self.digest_start = end;
        self.log_files.clear();
        self.last_digest = Some(digest);
    }
}

/// The digest before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PreviousDigest {
    /// Its bucket.
    pub bucket: String,
    /// Its name in the bucket.
    pub object: String,
    /// The hash of its contents.
    pub hash: Hash,
    /// Its signature in hexadecimal digits.
    pub signature: String,
}

/// The body of a line about log files.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Delivery {
    /// The number of the last line that was looked at.
    pub through: u64,
    /// The number of the line that a head was signed for last.
    pub head_sequence: Option<u64>,
    /// The files.
    pub log_files: Vec<LogFile>,
}

/// A log file that was delivered. It holds the records of one class, so that it can be removed when they may be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LogFile {
    /// What the digest says of it.
    #[serde(flatten)]
    pub digest: DigestLogFile,
    /// The class of the records.
    pub class: Class,
    /// How many there are.
    pub records: u64,
    /// The hash of the object as it is stored, compressed.
    pub object_hash: Hash,
}

/// What a digest says of a log file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DigestLogFile {
    /// The bucket.
    pub s3_bucket: String,
    /// The name in the bucket.
    pub s3_object: String,
    /// The hash of the contents, not compressed.
    pub hash_value: Hash,
    /// [`HASH_ALGORITHM`].
    pub hash_algorithm: String,
    /// The time of the newest record.
    pub newest_event_time: Timestamp,
    /// The time of the oldest.
    pub oldest_event_time: Timestamp,
}

/// The body of a line about a digest file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DigestDelivery {
    /// Its place, hash and signature.
    #[serde(flatten)]
    pub digest: PreviousDigest,
    /// The number of the line that a head was signed for last.
    pub head_sequence: Option<u64>,
    /// When it ends.
    pub end_time: Timestamp,
    /// The key that signed it.
    pub fingerprint: String,
    /// The hash of the object as it is stored, compressed.
    pub object_hash: Hash,
}

/// The contents of a digest file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "the names are CloudTrail's, which documents them")]
pub struct DigestFile {
    pub aws_account_id: String,
    pub digest_start_time: Timestamp,
    pub digest_end_time: Timestamp,
    pub digest_s3_bucket: String,
    pub digest_s3_object: String,
    pub digest_public_key_fingerprint: String,
    pub digest_signature_algorithm: String,
    pub newest_event_time: Option<Timestamp>,
    pub oldest_event_time: Option<Timestamp>,
    pub previous_digest_s3_bucket: Option<String>,
    pub previous_digest_s3_object: Option<String>,
    pub previous_digest_hash_value: Option<Hash>,
    pub previous_digest_hash_algorithm: Option<String>,
    pub previous_digest_signature: Option<String>,
    pub log_files: Vec<DigestLogFile>,
}

impl DigestFile {
    /// What is signed, `hash` being that of the contents.
    #[must_use]
    pub fn text_to_sign(&self, hash: &Hash) -> String {
        let Self { digest_end_time, digest_s3_bucket, digest_s3_object, .. } = self;
        let previous = self.previous_digest_signature.as_deref().unwrap_or("null");
        format!("{digest_end_time}\n{digest_s3_bucket}/{digest_s3_object}\n{hash}\n{previous}")
    }
}

/// The metadata of a digest with this signature.
#[must_use]
pub fn digest_metadata(signature: &str) -> BTreeMap<String, String> {
    [(SIGNATURE_HEADER, signature), (ALGORITHM_HEADER, SIGNATURE_ALGORITHM)]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into()
}

/// The name of a log file that is delivered at a time. `unique` makes it unique: the hash of the contents.
#[must_use]
pub fn log_file_key(trail: &TrailName, at: Timestamp, unique: &Hash) -> String {
    let TrailName { account_id, region, .. } = trail;
    let (day, minute) = (format(at, "%Y/%m/%d"), format(at, "%Y%m%dT%H%MZ"));
    let unique = letters(unique);
    format!(
        "AWSLogs/{account_id}/CloudTrail/{region}/{day}/{account_id}_CloudTrail_{region}_{minute}_{unique}.json.gz"
    )
}

/// The name of a digest file that ends at a time.
#[must_use]
pub fn digest_key(trail: &TrailName, end: Timestamp) -> String {
    let TrailName { account_id, region, name } = trail;
    let (day, second) = (format(end, "%Y/%m/%d"), format(end, "%Y%m%dT%H%M%SZ"));
    format!(
        "AWSLogs/{account_id}/CloudTrail-Digest/{region}/{day}/{account_id}_CloudTrail-Digest_{region}_{name}_{region}_{second}.json.gz"
    )
}

/// CloudTrail's times have no fractions.
#[must_use]
pub fn whole_seconds(at: Timestamp) -> Timestamp {
    Timestamp::from_second(at.as_second()).unwrap_or(at)
}

fn format(at: Timestamp, format: &str) -> String {
    at.strftime(format).to_string()
}

/// Sixteen letters and digits.
fn letters(hash: &Hash) -> String {
    const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    hash.as_bytes().iter().take(16).map(|byte| char::from(ALPHABET[usize::from(byte % 32)])).collect()
}
