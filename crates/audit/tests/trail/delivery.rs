//! Log files and digests are delivered as CloudTrail does, each record once.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::Path;

use flate2::read::GzDecoder;
use postern_audit::format::chain::Hash;
use postern_audit::format::delivery::{DigestFile, SIGNATURE_HEADER};
use postern_audit::format::key;
use postern_audit::{Class, Trail};
use serde_json::Value;
use tempfile::TempDir;

use crate::support::{Hand, open, record};

fn keys(trail: &Trail, part: &str) -> Vec<String> {
    let page = trail.objects().list("AWSLogs/", "", 1000).unwrap();
    page.objects.into_iter().map(|object| object.key).filter(|key| key.contains(part)).collect()
}

fn contents(trail: &Trail, key: &str) -> Vec<u8> {
    let mut contents = Vec::new();
    let file = trail.objects().open(key).unwrap().unwrap().file;
    GzDecoder::new(file).read_to_end(&mut contents).unwrap();
    contents
}

/// The operations in all log files, by the names of the files.
fn logged(trail: &Trail) -> BTreeMap<String, Vec<String>> {
    let logs = keys(trail, "/CloudTrail/").into_iter().map(|key| {
        let log: Value = serde_json::from_slice(&contents(trail, &key)).unwrap();
        let names = log["Records"].as_array().unwrap().iter();
        let names = names.map(|record| record["eventName"].as_str().unwrap().to_owned()).collect();
        (key, names)
    });
    logs.collect()
}

fn digests(trail: &Trail) -> Vec<(String, DigestFile, Vec<u8>)> {
    let digests = keys(trail, "/CloudTrail-Digest/").into_iter().map(|key| {
        let contents = contents(trail, &key);
        (key, serde_json::from_slice(&contents).unwrap(), contents)
    });
    digests.collect()
}

async fn call(trail: &Trail, hand: &Hand, name: &str) {
    trail.write(Class::Write, record(name, "alice", 1, hand.now())).await.unwrap();
}

#[tokio::test]
async fn names_are_cloudtrails() {
    let (temp, hand) = (TempDir::new().unwrap(), Hand::new());
    let trail = open(temp.path(), &hand).await;
    hand.advance(3600);
    trail.tend().await.unwrap();
    let logs = keys(&trail, "/CloudTrail/");
    let [log] = &logs[..] else { panic!("{logs:?}") };
    let (start, unique) = log.split_at(log.len() - "ABCDEFGHIJKLMNOP.json.gz".len());
    assert_eq!(
        start,
        "AWSLogs/111122223333/CloudTrail/us-east-1/2027/01/15/111122223333_CloudTrail_us-east-1_20270115T0900Z_"
    );
    assert!(unique[..16].bytes().all(|byte| byte.is_ascii_alphanumeric()), "{unique}");
    assert_eq!(
        keys(&trail, "/CloudTrail-Digest/"),
        [
            "AWSLogs/111122223333/CloudTrail-Digest/us-east-1/2027/01/15/111122223333_CloudTrail-Digest_us-east-1_postern_us-east-1_20270115T090000Z.json.gz"
        ]
    );
    trail.close().await;
}

#[tokio::test]
async fn digests_are_chained_and_signed_and_name_every_log_file() {
    let (temp, hand) = (TempDir::new().unwrap(), Hand::new());
    let mut trail = open(temp.path(), &hand).await;
    for hour in 0..5 {
        // Nothing happens in the third hour; after the fourth the server is away for two.
        if hour != 2 {
            call(&trail, &hand, "StartSession").await;
            hand.advance(600);
            trail.tend().await.unwrap();
        }
        hand.advance(if hour == 3 { 3000 + 2 * 3600 } else { 3600 - if hour == 2 { 0 } else { 600 } });
        if hour == 3 {
            trail.close().await;
            trail = open(temp.path(), &hand).await;
        }
        trail.tend().await.unwrap();
    }
    let public = trail.public_keys(None, None);
    let digests = digests(&trail);
    let mut before: Option<(DigestFile, Vec<u8>, String)> = None;
    let mut named = Vec::new();
    for (name, digest, contents) in digests {
        assert_eq!((digest.digest_s3_bucket.as_str(), &digest.digest_s3_object), ("postern-audit", &name));
        let metadata = trail.objects().open(&name).unwrap().unwrap().metadata;
        let signature = metadata[SIGNATURE_HEADER].clone();
        let key = public.iter().find(|key| key.fingerprint == digest.digest_public_key_fingerprint).unwrap();
        let text = digest.text_to_sign(&Hash::of(&contents));
        assert!(key::verifies(&key.der().unwrap(), &text, &signature), "{name}");
        match &before {
            None => assert_eq!(digest.previous_digest_s3_object, None),
            Some((previous, contents, signature)) => {
                assert_eq!(digest.digest_start_time, previous.digest_end_time);
                assert_eq!(digest.previous_digest_s3_object.as_ref(), Some(&previous.digest_s3_object));
                assert_eq!(digest.previous_digest_hash_value, Some(Hash::of(contents)));
                assert_eq!(digest.previous_digest_signature.as_ref(), Some(signature));
            }
        }
        for log in &digest.log_files {
            assert_eq!(log.hash_value, Hash::of(&self::contents(&trail, &log.s3_object)));
            named.push(log.s3_object.clone());
        }
        before = Some((digest, contents, signature));
    }
    call(&trail, &hand, "Last").await;
    hand.advance(3600);
    trail.tend().await.unwrap();
    let all: Vec<_> = logged(&trail).into_keys().collect();
    // The last log files were delivered after the last digest.
    let (mut named, mut expected) = (named, all.clone());
    named.sort();
    expected.retain(|key| named.contains(key));
    assert_eq!(named, expected);
    assert!(all.len() > named.len());
    trail.close().await;
}

#[tokio::test]
async fn each_record_is_delivered_once_across_restarts() {
    let (temp, hand) = (TempDir::new().unwrap(), Hand::new());
    let mut expected = Vec::new();
    for round in 0..4 {
        let trail = open(temp.path(), &hand).await;
        for call_number in 0..3 {
            let name = format!("Call{round}{call_number}");
            call(&trail, &hand, &name).await;
            expected.push(name);
            hand.advance(120);
            trail.tend().await.unwrap();
        }
        // Dropped as in a crash, or closed.
        if round % 2 == 0 { trail.close().await } else { drop(trail) }
    }
    let trail = open(temp.path(), &hand).await;
    hand.advance(600);
    trail.tend().await.unwrap();
    let mut names: Vec<_> = logged(&trail).into_values().flatten().collect();
    names.retain(|name| name.starts_with("Call"));
    names.sort();
    assert_eq!(names, expected);
    trail.close().await;
}

#[tokio::test]
async fn what_counts_is_shown_after_a_crash_and_nothing_else() {
    let (temp, hand) = (TempDir::new().unwrap(), Hand::new());
    let trail = open(temp.path(), &hand).await;
    call(&trail, &hand, "StartSession").await;
    hand.advance(600);
    trail.tend().await.unwrap();
    let before = logged(&trail);
    trail.close().await;
    // As if the server had stopped between the line on the chain and the renaming.
    let (key, _) = before.iter().next().unwrap();
    let object = temp.path().join("audit/objects/postern-audit").join(key);
    let staging = temp.path().join("audit/staging");
    std::fs::create_dir_all(&staging).unwrap();
    let hash = Hash::of(&self_contents(&object));
    std::fs::rename(&object, staging.join(format!("{hash}.object.new"))).unwrap();
    std::fs::write(staging.join("0000.object.new"), "never counted").unwrap();
    let trail = open(temp.path(), &hand).await;
    assert!(before.keys().all(|key| logged(&trail).contains_key(key)));
    assert!(!staging.exists());
    trail.close().await;
}

fn self_contents(path: &Path) -> Vec<u8> {
    let mut contents = Vec::new();
    GzDecoder::new(std::fs::File::open(path).unwrap()).read_to_end(&mut contents).unwrap();
    contents
}

#[tokio::test]
async fn a_key_that_has_signed_long_enough_is_followed_by_another() {
    let (temp, hand) = (TempDir::new().unwrap(), Hand::new());
    let trail = open(temp.path(), &hand).await;
    let first = trail.public_keys(None, None);
    hand.advance(366 * 24 * 3600);
    trail.tend().await.unwrap();
    let both = trail.public_keys(None, None);
    assert_eq!((first.len(), both.len()), (1, 2));
    let now = hand.now();
    assert_eq!(trail.public_keys(Some(now), Some(now)).last(), both.last());
    assert_eq!(trail.public_keys(None, Some(first[0].validity_start_time)), first);
    let digests = digests(&trail);
    assert_eq!(digests.last().unwrap().1.digest_public_key_fingerprint, both[1].fingerprint);
    trail.close().await;
    // Both are still there, and the newer one signs.
    let trail = open(temp.path(), &hand).await;
    assert_eq!(trail.public_keys(None, None), both);
    trail.close().await;
}
