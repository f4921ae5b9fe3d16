//! Rules of [`BucketStore`](crate::BucketStore), [`ObjectStore`](crate::ObjectStore) and
//! [`UploadStore`](crate::UploadStore).

use std::collections::BTreeMap;

use super::samples::at;
use crate::{
    Bucket, BucketLock, Bypass, ObjectAttributes, ObjectError, Precondition, Retention, RetentionMode,
    Segment, Store, StoredObject, Upload, UploadPart,
};

const NOW: Bypass = Bypass { at: jiff::Timestamp::UNIX_EPOCH, governance: false };

fn bypass(seconds: i64) -> Bypass {
    Bypass { at: at(seconds), ..NOW }
}

async fn make_bucket(store: &dyn Store, name: &str) -> Bucket {
    let bucket = Bucket { name: name.to_owned(), created_at: at(1), lock: None };
    assert!(store.create_bucket(&bucket).await.unwrap());
    bucket
}

fn object(key: &str) -> StoredObject {
    let attributes = ObjectAttributes {
        headers: BTreeMap::from([("content-type".to_owned(), "text/plain".to_owned())]),
        metadata: BTreeMap::from([("who".to_owned(), "me".to_owned())]),
        checksums: BTreeMap::from([("CRC32".to_owned(), "AAAAAA==".to_owned())]),
    };
    StoredObject {
        bucket: "logs".to_owned(),
        key: key.to_owned(),
        size_bytes: 5,
        entity_tag: "0123".to_owned(),
        modified_at: at(10),
        attributes,
        retention: None,
    }
}

fn segment(file: &str) -> Segment {
    Segment { file: file.to_owned(), size_bytes: 5 }
}

fn part(number: u32, file: &str) -> UploadPart {
    UploadPart {
        number,
        segment: segment(file),
        entity_tag: format!("tag of {file}"),
        modified_at: at(5),
        checksums: BTreeMap::new(),
    }
}

async fn put(store: &dyn Store, key: &str, file: &str) -> Result<Vec<String>, ObjectError> {
    store.put_object(&object(key), &[segment(file)], &Precondition::None, NOW).await
}

pub(crate) async fn a_bucket_is_made_once_and_removed_empty(a: &dyn Store, b: &dyn Store) {
    let bucket = make_bucket(a, "logs").await;
    assert!(!b.create_bucket(&bucket).await.unwrap());
    let locked = Bucket { lock: Some(BucketLock::default()), name: "a-first".to_owned(), ..bucket.clone() };
    assert!(b.create_bucket(&locked).await.unwrap());
    assert_eq!(a.buckets().await.unwrap(), [locked, bucket.clone()]);
    assert_eq!(a.bucket("logs").await.unwrap(), Some(bucket));
    put(a, "k", "f").await.unwrap();
    assert!(matches!(b.delete_bucket("logs").await, Err(ObjectError::BucketNotEmpty)));
    b.delete_object("logs", "k", &Precondition::None, NOW).await.unwrap();
    b.delete_bucket("logs").await.unwrap();
    assert_eq!(a.bucket("logs").await.unwrap(), None);
    assert!(matches!(b.delete_bucket("logs").await, Err(ObjectError::NoSuchBucket)));
    assert!(matches!(put(a, "k", "f").await, Err(ObjectError::NoSuchBucket)));
}

pub(crate) async fn an_object_takes_the_place_of_another(a: &dyn Store, b: &dyn Store) {
    make_bucket(a, "logs").await;
    assert_eq!(put(a, "k", "one").await.unwrap(), Vec::<String>::new());
    let contents = vec![segment("one")];
    assert_eq!(b.object_contents("logs", "k").await.unwrap(), Some((object("k"), contents)));
    assert_eq!(b.files_needed("on").await.unwrap(), ["one"]);
    assert_eq!(put(b, "k", "two").await.unwrap(), ["one"]);
    assert_eq!(a.files_needed("on").await.unwrap(), Vec::<String>::new());
    assert_eq!(a.files_needed("").await.unwrap(), ["two"]);
    assert_eq!(a.object("logs", "k").await.unwrap(), Some(object("k")));
    assert_eq!(a.object("logs", "other").await.unwrap(), None);
    assert_eq!(a.delete_object("logs", "k", &Precondition::None, NOW).await.unwrap(), ["two"]);
    assert_eq!(a.delete_object("logs", "k", &Precondition::None, NOW).await.unwrap(), Vec::<String>::new());
}

pub(crate) async fn objects_are_listed_in_the_order_of_bytes(a: &dyn Store, b: &dyn Store) {
    make_bucket(a, "logs").await;
    for (n, key) in ["a/b", "a", "a/ü", "b", "a/\u{10ffff}", "a0"].into_iter().enumerate() {
        put(a, key, &format!("f{n}")).await.unwrap();
    }
    let keys = async |prefix, after, count| -> Vec<String> {
        let found = b.objects("logs", prefix, after, count).await.unwrap();
        found.into_iter().map(|object| object.key).collect()
    };
    assert_eq!(keys("", None, 10).await, ["a", "a/b", "a/ü", "a/\u{10ffff}", "a0", "b"]);
    assert_eq!(keys("a/", None, 10).await, ["a/b", "a/ü", "a/\u{10ffff}"]);
    assert_eq!(keys("a/", Some("a/b"), 1).await, ["a/ü"]);
    assert_eq!(keys("c", None, 10).await, Vec::<String>::new());
}

pub(crate) async fn a_precondition_is_about_what_is_there(a: &dyn Store, b: &dyn Store) {
    make_bucket(a, "logs").await;
    let write = async |precondition: Precondition, file: &str| {
        b.put_object(&object("k"), &[segment(file)], &precondition, NOW).await
    };
    let tag = |tag: &str| Precondition::HasTag(tag.to_owned());
    assert!(matches!(write(tag("0123"), "x").await, Err(ObjectError::PreconditionFailed)));
    write(Precondition::IsAbsent, "one").await.unwrap();
    assert!(matches!(write(Precondition::IsAbsent, "x").await, Err(ObjectError::PreconditionFailed)));
    assert!(matches!(write(tag("9"), "x").await, Err(ObjectError::PreconditionFailed)));
    assert_eq!(write(tag("0123"), "two").await.unwrap(), ["one"]);
}

pub(crate) async fn what_is_retained_stays(a: &dyn Store, b: &dyn Store) {
    make_bucket(a, "logs").await;
    let lock = BucketLock { default: Some((RetentionMode::Governance, 1)) };
    a.set_bucket_lock("logs", lock).await.unwrap();
    assert_eq!(b.bucket("logs").await.unwrap().unwrap().lock, Some(lock));
    put(a, "k", "one").await.unwrap();
    let until = at(10 + 86_400);
    let kept = b.object("logs", "k").await.unwrap().unwrap().retention;
    assert_eq!(kept, Some(Retention { mode: RetentionMode::Governance, until }));

    let remove = async |bypass| b.delete_object("logs", "k", &Precondition::None, bypass).await;
    assert!(matches!(remove(bypass(20)).await, Err(ObjectError::Retained { .. })));
    assert!(matches!(put(b, "k", "two").await, Err(ObjectError::Retained { .. })));
    let shorter = Some(Retention { mode: RetentionMode::Governance, until: at(30) });
    let set = async |retention, bypass| a.set_retention("logs", "k", retention, bypass).await;
    assert!(matches!(set(shorter, bypass(20)).await, Err(ObjectError::Retained { .. })));
    assert!(matches!(set(None, bypass(20)).await, Err(ObjectError::Retained { .. })));
    set(shorter, Bypass { governance: true, ..bypass(20) }).await.unwrap();
    let strict = Some(Retention { mode: RetentionMode::Compliance, until: at(40) });
    set(strict, bypass(20)).await.unwrap();
    let all = Bypass { governance: true, ..bypass(20) };
    assert!(matches!(remove(all).await, Err(ObjectError::Retained { .. })));
    let milder = Some(Retention { mode: RetentionMode::Governance, until: at(50) });
    assert!(matches!(set(milder, all).await, Err(ObjectError::Retained { .. })));
    assert_eq!(remove(bypass(40)).await.unwrap(), ["one"]);
    assert!(matches!(set(None, all).await, Err(ObjectError::NoSuchObject)));
}

pub(crate) async fn an_upload_becomes_an_object_or_nothing(a: &dyn Store, b: &dyn Store) {
    make_bucket(a, "logs").await;
    let upload = |id: &str| Upload {
        id: id.to_owned(),
        bucket: "logs".to_owned(),
        key: "k".to_owned(),
        started_at: at(2),
        attributes: ObjectAttributes::default(),
        retention: None,
    };
    a.begin_upload(&upload("u")).await.unwrap();
    a.begin_upload(&upload("v")).await.unwrap();
    assert_eq!(b.upload("u").await.unwrap(), Some(upload("u")));
    assert_eq!(b.uploads("logs", "k", Some(("k", "u")), 10).await.unwrap(), [upload("v")]);
    assert_eq!(b.uploads_before(at(2), 10).await.unwrap(), []);
    assert_eq!(b.uploads_before(at(3), 1).await.unwrap().len(), 1);
    assert!(matches!(b.delete_bucket("logs").await, Err(ObjectError::BucketNotEmpty)));

    b.put_part("u", &part(2, "two")).await.unwrap();
    b.put_part("u", &part(1, "old")).await.unwrap();
    assert_eq!(b.put_part("u", &part(1, "one")).await.unwrap(), ["old"]);
    b.put_part("u", &part(3, "three")).await.unwrap();
    assert_eq!(a.parts("u", 1, 1).await.unwrap(), [part(2, "two")]);

    let complete = async |id: &str, parts: &[UploadPart], precondition| {
        a.complete_upload(id, &object("k"), parts, &precondition, NOW).await
    };
    let stale = [part(1, "old"), part(2, "two")];
    let refused = complete("u", &stale, Precondition::None).await;
    assert!(matches!(refused, Err(ObjectError::InvalidPart { number: 1 })));
    let good = [part(1, "one"), part(2, "two")];
    let refused = complete("u", &good, Precondition::HasTag("x".to_owned())).await;
    assert!(matches!(refused, Err(ObjectError::PreconditionFailed)));
    assert_eq!(complete("u", &good, Precondition::None).await.unwrap(), ["three"]);
    let (_, contents) = b.object_contents("logs", "k").await.unwrap().unwrap();
    assert_eq!(contents, [segment("one"), segment("two")]);
    assert!(matches!(complete("u", &good, Precondition::None).await, Err(ObjectError::NoSuchUpload)));

    b.put_part("v", &part(1, "gone")).await.unwrap();
    assert_eq!(a.files_needed("g").await.unwrap(), ["gone"]);
    assert_eq!(a.abort_upload("v").await.unwrap(), ["gone"]);
    assert!(matches!(a.abort_upload("v").await, Err(ObjectError::NoSuchUpload)));
    assert!(matches!(a.put_part("v", &part(1, "x")).await, Err(ObjectError::NoSuchUpload)));
    assert_eq!(a.files_needed("g").await.unwrap(), Vec::<String>::new());
}
