//! Requests as clients send them, and what they get back.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use futures_util::stream;
use http::{Extensions, HeaderMap, Request, StatusCode};
use http_body_util::BodyExt as _;
use jiff::Timestamp;
use postern_objects::{Vault, VaultOptions};
use postern_s3::{Call, DeclaredBody, DirectoryObjects, Endpoint, EndpointConfig, Guard, Refused};
use postern_store::{MasterKey, Secret, SqliteOptions, SqliteStore};

const NOW: Timestamp = Timestamp::constant(1_800_000_000, 0);

/// Lets everybody do everything but what is below `secret/`, and notes what it was asked.
#[derive(Clone, Default)]
struct Notes(Arc<Mutex<Vec<String>>>);

#[async_trait::async_trait]
impl Guard for Notes {
    async fn permit(&self, calls: &[Call<'_>], extensions: &mut Extensions) -> Result<(), Refused> {
        assert_eq!(extensions.get::<&str>(), Some(&"the caller"));
        calls.iter().try_for_each(|call| {
            let text = format!("{} s3:{} {}", call.operation, call.action_name(), call.resource());
            self.0.lock().unwrap().push(text);
            match call.key {
                Some(key) if key.starts_with("secret/") => Err(Refused::Denied("You may not.".to_owned())),
                Some("failing") => Err(Refused::Failed),
                _ => Ok(()),
            }
        })
    }
}

struct Lab {
    _directory: tempfile::TempDir,
    endpoint: Endpoint,
    notes: Notes,
    has_room: Arc<AtomicBool>,
}

struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
}

impl Answer {
    fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }
}

async fn lab(region: &str) -> Lab {
    let directory = tempfile::tempdir().unwrap();
    let write = |path: &str, text: &str| {
        let path = directory.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    write("objects/audit/AWSLogs/1/a b.gz", "0123456789");
    write("objects/audit/AWSLogs/1/b.gz", "b");
    write("objects/audit/other", "o");
    write("objects/audit/secret/key", "s");
    write("objects-metadata/audit/AWSLogs/1/b.gz.json", r#"{"signature": "00ff"}"#);
    write("outside", "not to be read");
    let store =
        DirectoryObjects::new(directory.path().join("objects"), directory.path().join("objects-metadata"));
    let notes = Notes::default();
    let config = EndpointConfig {
        region: region.to_owned(),
        host: "postern.example.net".to_owned(),
        virtual_buckets: vec!["audit".to_owned()],
    };
    let options = SqliteOptions::new(directory.path().join("postern.db"));
    let database = SqliteStore::open(&options, MasterKey::new([1; 32])).await.unwrap();
    let has_room = Arc::new(AtomicBool::new(true));
    let options = VaultOptions {
        directory: directory.path().join("vault"),
        key: Secret::new([2; 32]),
        has_room: Arc::new({
            let has_room = Arc::clone(&has_room);
            move |_| has_room.load(Ordering::Relaxed)
        }),
    };
    let vault = Vault::open(options, Arc::new(database)).await.unwrap();
    let endpoint = Endpoint::new(config, Arc::new(store), vault, || NOW, notes.clone());
    Lab { _directory: directory, endpoint, notes, has_room }
}

impl Lab {
    async fn send(&self, method: &str, uri: &str, headers: &[(&str, &str)]) -> Answer {
        self.upload(method, uri, headers, b"", DeclaredBody::Unsigned).await
    }

    async fn put(&self, uri: &str, body: &[u8]) -> Answer {
        self.upload("PUT", uri, &[], body, DeclaredBody::Unsigned).await
    }

    async fn upload(
        &self,
        method: &str,
        uri: &str,
        headers: &[(&str, &str)],
        body: &[u8],
        declared: DeclaredBody,
    ) -> Answer {
        let mut request = Request::builder().method(method).uri(uri);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if !headers.iter().any(|(name, _)| *name == "host") {
            request = request.header("host", "127.0.0.1:8443");
        }
        // Verified already; must play no part any more.
        request = request
            .header("authorization", "AWS4-HMAC-SHA256 Credential=AKID/20260615/us-east-1/s3/aws4_request");
        if !headers.iter().any(|(name, _)| *name == "content-length") {
            request = request.header("content-length", body.len());
        }
        let body =
            stream::iter(body.chunks(7).map(|part| Ok(Bytes::copy_from_slice(part))).collect::<Vec<_>>());
        let request = request.extension("the caller").body(body).unwrap();
        let (parts, body) = self.endpoint.answer(request, declared).await.unwrap().into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        Answer { status: parts.status, headers: parts.headers, body }
    }

    async fn get(&self, uri: &str) -> Answer {
        self.send("GET", uri, &[]).await
    }
}

/// The texts of all elements of a name.
fn elements(xml: &str, name: &str) -> Vec<String> {
    let (open, close) = (format!("<{name}>"), format!("</{name}>"));
    xml.split(&open).skip(1).map(|rest| rest.split(&close).next().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn an_object_comes_with_its_metadata() {
    let lab = lab("us-east-1").await;
    let answer = lab.get("/audit/AWSLogs/1/b.gz").await;
    assert_eq!((answer.status, answer.text()), (StatusCode::OK, "b"));
    assert_eq!(answer.headers["x-amz-meta-signature"], "00ff");
    assert_eq!(answer.headers["content-length"], "1");
    assert!(answer.headers.contains_key("etag") && answer.headers.contains_key("last-modified"));
    let head = lab.send("HEAD", "/audit/AWSLogs/1/b.gz", &[]).await;
    assert_eq!(head.headers["x-amz-meta-signature"], "00ff");
    assert_eq!(head.headers["etag"], answer.headers["etag"]);
    let spaced = lab.get("/audit/AWSLogs/1/a%20b.gz").await;
    assert_eq!(spaced.text(), "0123456789");
    let part = lab.send("GET", "/audit/AWSLogs/1/a%20b.gz", &[("range", "bytes=2-4")]).await;
    assert_eq!((part.status, part.text()), (StatusCode::PARTIAL_CONTENT, "234"));
    assert_eq!(part.headers["content-range"], "bytes 2-4/10");
    let past = lab.send("GET", "/audit/AWSLogs/1/a%20b.gz", &[("range", "bytes=10-")]).await;
    assert_eq!(past.status, StatusCode::RANGE_NOT_SATISFIABLE);
}

#[tokio::test]
async fn listings_of_both_versions_page() {
    let lab = lab("us-east-1").await;
    let all = lab.get("/audit?prefix=AWSLogs%2F1&encoding-type=url").await;
    assert_eq!(elements(all.text(), "Key"), ["AWSLogs/1/a%20b.gz", "AWSLogs/1/b.gz"], "{}", all.text());
    assert_eq!(elements(all.text(), "IsTruncated"), ["false"]);
    let behind = lab.get("/audit?prefix=AWSLogs/1&marker=AWSLogs/1/a%20b.gz").await;
    assert_eq!(elements(behind.text(), "Key"), ["AWSLogs/1/b.gz"]);
    let grouped = lab.get("/audit?delimiter=/").await;
    assert_eq!(elements(grouped.text(), "Key"), ["other"]);
    assert_eq!(grouped.text().matches("<CommonPrefixes>").count(), 2, "{}", grouped.text());

    let first = lab.get("/audit?list-type=2&max-keys=1").await;
    assert_eq!(elements(first.text(), "Key"), ["AWSLogs/1/a b.gz"], "{}", first.text());
    let token = &elements(first.text(), "NextContinuationToken")[0];
    let second = lab.get(&format!("/audit?list-type=2&max-keys=2&continuation-token={token}")).await;
    assert_eq!(elements(second.text(), "Key"), ["AWSLogs/1/b.gz", "other"]);
    assert_eq!(elements(second.text(), "KeyCount"), ["2"]);
    let wrong = lab.get("/audit?list-type=2&continuation-token=xyz").await;
    assert_eq!(wrong.status, StatusCode::BAD_REQUEST);
    assert_eq!(elements(wrong.text(), "Code"), ["InvalidArgument"]);
}

#[tokio::test]
async fn buckets_and_where_they_are() {
    let (here, there) = (lab("us-east-1").await, lab("eu-central-1").await);
    assert_eq!(elements(here.get("/").await.text(), "Name"), ["audit"]);
    assert!(!here.get("/audit?location").await.text().contains("us-east-1"));
    assert!(there.get("/audit?location").await.text().contains(">eu-central-1</LocationConstraint>"));
    let head = there.send("HEAD", "/audit", &[]).await;
    assert_eq!(
        (head.status, &head.headers["x-amz-bucket-region"]),
        (StatusCode::OK, &"eu-central-1".parse().unwrap())
    );
    let none = here.get("/nowhere?location").await;
    assert_eq!(
        (none.status, elements(none.text(), "Code")),
        (StatusCode::NOT_FOUND, vec!["NoSuchBucket".to_owned()])
    );
}

#[tokio::test]
async fn a_bucket_may_stand_before_the_host() {
    let lab = lab("us-east-1").await;
    let host = [("host", "audit.postern.example.net:8443")];
    assert_eq!(lab.send("GET", "/AWSLogs/1/b.gz", &host).await.text(), "b");
    let answer = lab.send("GET", "/audit/AWSLogs/1/b.gz", &[("host", "postern.example.net")]).await;
    assert_eq!(answer.text(), "b");
}

#[tokio::test]
async fn what_is_not_there_or_outside_is_not_found() {
    let lab = lab("us-east-1").await;
    for path in [
        "/audit/none",
        "/audit/..%2f..%2foutside",
        "/audit/%2e%2e/%2e%2e/outside",
        "/audit//other",
        "/audit/AWSLogs",
    ] {
        let answer = lab.get(path).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path}");
        assert_eq!(elements(answer.text(), "Code"), ["NoSuchKey"], "{path}");
    }
    for path in ["/..%2f", "/%2e%2e/x"] {
        assert_eq!(lab.get(path).await.status, StatusCode::BAD_REQUEST, "{path}");
    }
}

#[tokio::test]
async fn the_guard_is_asked_first_and_what_is_the_servers_can_only_be_read() {
    let lab = lab("us-east-1").await;
    let denied = lab.get("/audit/secret/key").await;
    assert_eq!(
        (denied.status, elements(denied.text(), "Code")),
        (StatusCode::FORBIDDEN, vec!["AccessDenied".to_owned()])
    );
    assert_eq!(elements(denied.text(), "Message"), ["You may not."]);
    // Whether a key is there is told to nobody who may not read it.
    assert_eq!(lab.get("/audit/secret/none").await.status, StatusCode::FORBIDDEN);
    assert_eq!(lab.get("/audit/failing").await.status, StatusCode::INTERNAL_SERVER_ERROR);
    for (method, path) in [
        ("PUT", "/audit/new"),
        ("DELETE", "/audit/other"),
        ("DELETE", "/audit"),
        ("POST", "/audit/new?uploads"),
        ("DELETE", "/audit/new?uploadId=1"),
    ] {
        let answer = lab.send(method, path, &[("content-length", "0")]).await;
        assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED, "{method} {path}: {}", answer.text());
    }
    let notes = lab.notes.0.lock().unwrap().clone();
    assert_eq!(notes[0], "GetObject s3:GetObject arn:aws:s3:::audit/secret/key");
    assert!(notes.contains(&"PutObject s3:PutObject arn:aws:s3:::audit/new".to_owned()), "{notes:?}");
    assert_eq!(lab.get("/audit/other").await.text(), "o");
}

#[tokio::test]
async fn operations_that_are_not_there_say_so() {
    let lab = lab("us-east-1").await;
    for (method, path) in [("GET", "/audit?acl"), ("GET", "/audit?policy"), ("GET", "/audit?website")] {
        let answer = lab.send(method, path, &[]).await;
        assert_eq!(answer.status, StatusCode::NOT_IMPLEMENTED, "{path}: {}", answer.text());
        assert_eq!(elements(answer.text(), "Code"), ["NotImplemented"]);
    }
}

/// Its key stands in the form, where the guard would not see it.
#[tokio::test]
async fn forms_upload_nothing() {
    let lab = lab("us-east-1").await;
    lab.put("/mine", b"").await;
    let form = "--b\r\nContent-Disposition: form-data; name=\"key\"\r\n\r\nsecret/k\r\n\
        --b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"f\"\r\n\r\nforged\r\n--b--\r\n";
    let headers = [("content-type", "multipart/form-data; boundary=b")];
    let refused = lab.upload("POST", "/mine", &headers, form.as_bytes(), DeclaredBody::Unsigned).await;
    assert_eq!(elements(refused.text(), "Code"), ["NotImplemented"], "{}", refused.text());
    assert_eq!(elements(lab.get("/mine").await.text(), "Key"), [""; 0]);
}

#[tokio::test]
async fn what_a_presigned_address_asks_for_in_the_place_of_headers_is_asked_about() {
    let lab = lab("us-east-1").await;
    lab.send("PUT", "/kept", &[("x-amz-bucket-object-lock-enabled", "true")]).await;
    let until =
        "x-amz-object-lock-mode=GOVERNANCE&x-amz-object-lock-retain-until-date=2100-01-01T00%3A00%3A00Z";
    let put = lab.put(&format!("/kept/k?X-Amz-Signature=0&x-amz-meta-who=me&{until}"), b"x").await;
    assert_eq!(put.status, StatusCode::OK, "{}", put.text());
    assert_eq!(lab.get("/kept/k").await.headers["x-amz-meta-who"], "me");
    assert_eq!(lab.send("DELETE", "/kept/k", &[]).await.status, StatusCode::FORBIDDEN);
    let copied = lab.put("/kept/copy?X-Amz-Signature=0&x-amz-copy-source=audit%2Fsecret%2Fkey", b"").await;
    assert_eq!(copied.status, StatusCode::FORBIDDEN, "{}", copied.text());
    let notes = lab.notes.0.lock().unwrap().join("\n");
    assert!(notes.contains("s3:PutObjectRetention arn:aws:s3:::kept/k"), "{notes}");
}

#[tokio::test]
async fn an_object_comes_back_as_it_was_written() {
    let lab = lab("us-east-1").await;
    assert_eq!(lab.put("/mine", b"").await.status, StatusCode::OK);
    assert_eq!(elements(lab.put("/mine", b"").await.text(), "Code"), ["BucketAlreadyOwnedByYou"]);
    assert_eq!(elements(lab.put("/audit", b"").await.text(), "Code"), ["BucketAlreadyExists"]);
    assert_eq!(elements(lab.get("/").await.text(), "Name"), ["audit", "mine"]);

    let said = [
        ("content-type", "text/html"),
        ("x-amz-meta-who", "me"),
        ("x-amz-checksum-crc32", "NhCmhg=="),
        ("content-md5", "XUFAKrxLKna5cZ2REBfFkg=="),
        ("content-encoding", "aws-chunked, gzip"),
    ];
    let put = lab.upload("PUT", "/mine/a/b", &said, b"hello", DeclaredBody::Unsigned).await;
    assert_eq!(put.status, StatusCode::OK, "{}", put.text());
    assert_eq!(put.headers["etag"], "\"5d41402abc4b2a76b9719d911017c592\"");
    assert_eq!(put.headers["x-amz-server-side-encryption"], "AES256");
    let got = lab.send("GET", "/mine/a/b", &[("x-amz-checksum-mode", "ENABLED")]).await;
    assert_eq!(got.text(), "hello");
    for (name, value) in [
        ("content-type", "text/html"),
        ("content-encoding", "gzip"),
        ("x-amz-meta-who", "me"),
        ("x-amz-checksum-crc32", "NhCmhg=="),
        ("content-security-policy", "sandbox; default-src 'none'"),
        ("x-content-type-options", "nosniff"),
    ] {
        assert_eq!(got.headers[name], value);
    }
    let tag = [("if-none-match", "\"5d41402abc4b2a76b9719d911017c592\"")];
    assert_eq!(lab.send("GET", "/mine/a/b", &tag).await.status, StatusCode::NOT_MODIFIED);
    let other = [("if-match", "\"0\"")];
    assert_eq!(lab.send("GET", "/mine/a/b", &other).await.status, StatusCode::PRECONDITION_FAILED);
    let again = lab.upload("PUT", "/mine/a/b", &[("if-none-match", "*")], b"x", DeclaredBody::Unsigned).await;
    assert_eq!(again.status, StatusCode::PRECONDITION_FAILED);

    assert_eq!(lab.send("DELETE", "/mine/a/b", &[]).await.status, StatusCode::NO_CONTENT);
    assert_eq!(lab.get("/mine/a/b").await.status, StatusCode::NOT_FOUND);
    assert_eq!(lab.send("DELETE", "/mine", &[]).await.status, StatusCode::NO_CONTENT);
    assert_eq!(lab.send("HEAD", "/mine", &[]).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_body_that_is_not_what_was_said_of_it_changes_nothing() {
    let lab = lab("us-east-1").await;
    lab.put("/mine", b"").await;
    lab.put("/mine/k", b"before").await;
    let md5 = [("content-md5", "XUFAKrxLKna5cZ2REBfFkg==")];
    let wrong = lab.upload("PUT", "/mine/k", &md5, b"other", DeclaredBody::Unsigned).await;
    assert_eq!(elements(wrong.text(), "Code"), ["BadDigest"]);
    let wrong = lab.upload("PUT", "/mine/k", &[], b"other", DeclaredBody::Sha256([0; 32])).await;
    assert_eq!(elements(wrong.text(), "Code"), ["XAmzContentSHA256Mismatch"], "{}", wrong.text());
    let cut = lab.upload("PUT", "/mine/k", &[], b"5\r\nhel", DeclaredBody::UnsignedChunks).await;
    assert_eq!(elements(cut.text(), "Code"), ["IncompleteBody"], "{}", cut.text());
    let trailer = [("x-amz-trailer", "x-amz-checksum-crc32"), ("x-amz-decoded-content-length", "5")];
    let body = b"5\r\nhello\r\n0\r\nx-amz-checksum-crc32:AAAAAA==\r\n\r\n";
    let wrong = lab.upload("PUT", "/mine/k", &trailer, body, DeclaredBody::UnsignedChunks).await;
    assert_eq!(elements(wrong.text(), "Code"), ["BadDigest"], "{}", wrong.text());
    assert_eq!(lab.get("/mine/k").await.text(), "before");
    let body = b"5\r\nhello\r\n0\r\nx-amz-checksum-crc32:NhCmhg==\r\n\r\n";
    let right = lab.upload("PUT", "/mine/k", &trailer, body, DeclaredBody::UnsignedChunks).await;
    assert_eq!(right.status, StatusCode::OK, "{}", right.text());
    assert_eq!(lab.get("/mine/k").await.text(), "hello");
}

#[tokio::test]
async fn uploads_leave_room_on_the_disk() {
    let lab = lab("us-east-1").await;
    lab.put("/mine", b"").await;
    lab.put("/mine/k", b"before").await;
    lab.has_room.store(false, Ordering::Relaxed);
    for path in ["/mine/k", "/mine/new"] {
        let refused = lab.put(path, b"more").await;
        assert_eq!(refused.status, StatusCode::SERVICE_UNAVAILABLE, "{}", refused.text());
        assert_eq!(elements(refused.text(), "Code"), ["ServiceUnavailable"]);
    }
    assert_eq!(lab.get("/mine/k").await.text(), "before");
    assert_eq!(lab.send("DELETE", "/mine/k", &[]).await.status, StatusCode::NO_CONTENT);
    lab.has_room.store(true, Ordering::Relaxed);
    assert_eq!(lab.put("/mine/new", b"more").await.status, StatusCode::OK);
}

#[tokio::test]
async fn who_copies_may_read_and_who_removes_several_may_remove_each() {
    let lab = lab("us-east-1").await;
    lab.put("/mine", b"").await;
    let from = |source| [("x-amz-copy-source", source)];
    let copied = lab.send("PUT", "/mine/copy", &from("/audit/other")).await;
    assert_eq!(copied.status, StatusCode::OK, "{}", copied.text());
    assert_eq!(lab.get("/mine/copy").await.text(), "o");
    let denied = lab.send("PUT", "/mine/copy", &from("audit/secret/key")).await;
    assert_eq!(denied.status, StatusCode::FORBIDDEN, "{}", denied.text());
    let escaped = lab.send("PUT", "/mine/copy", &from("audit/secret%2Fkey")).await;
    assert_eq!(escaped.status, StatusCode::FORBIDDEN, "{}", escaped.text());

    let delete = |keys: &[&str]| {
        let objects: String = keys.iter().map(|key| format!("<Object><Key>{key}</Key></Object>")).collect();
        format!("<Delete>{objects}</Delete>")
    };
    let send = async |body: String| {
        lab.upload("POST", "/mine?delete", &[], body.as_bytes(), DeclaredBody::Unsigned).await
    };
    let denied = send(delete(&["copy", "secret/x"])).await;
    assert_eq!(denied.status, StatusCode::FORBIDDEN, "{}", denied.text());
    assert_eq!(lab.get("/mine/copy").await.text(), "o");
    let removed = send(delete(&["copy", "none"])).await;
    assert_eq!(elements(removed.text(), "Key"), ["copy", "none"], "{}", removed.text());
    assert_eq!(lab.get("/mine/copy").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn retention_is_a_right_of_its_own() {
    let lab = lab("us-east-1").await;
    lab.send("PUT", "/kept", &[("x-amz-bucket-object-lock-enabled", "true")]).await;
    let until = [
        ("x-amz-object-lock-mode", "GOVERNANCE"),
        ("x-amz-object-lock-retain-until-date", "2100-01-01T00:00:00Z"),
    ];
    let put = lab.upload("PUT", "/kept/k", &until, b"x", DeclaredBody::Unsigned).await;
    assert_eq!(put.status, StatusCode::OK, "{}", put.text());
    assert_eq!(lab.send("DELETE", "/kept/k", &[]).await.status, StatusCode::FORBIDDEN);
    assert_eq!(lab.put("/kept/k", b"y").await.status, StatusCode::FORBIDDEN);
    assert_eq!(lab.get("/kept/k").await.text(), "x");
    let retention = lab.get("/kept/k?retention").await;
    assert_eq!(elements(retention.text(), "Mode"), ["GOVERNANCE"], "{}", retention.text());
    let bypass = [("x-amz-bypass-governance-retention", "true")];
    assert_eq!(lab.send("DELETE", "/kept/k", &bypass).await.status, StatusCode::NO_CONTENT);
    let notes = lab.notes.0.lock().unwrap().join("\n");
    for action in ["PutObjectRetention", "BypassGovernanceRetention"] {
        assert!(notes.contains(&format!("s3:{action} arn:aws:s3:::kept/k")), "{notes}");
    }
}

#[tokio::test]
async fn an_upload_in_parts_becomes_one_object() {
    let lab = lab("us-east-1").await;
    lab.put("/mine", b"").await;
    let begun = lab.send("POST", "/mine/big?uploads", &[]).await;
    let id = elements(begun.text(), "UploadId").remove(0);
    let part = vec![7; 5 * 1024 * 1024];
    let mut tags = Vec::new();
    for (number, body) in [(1, &part[..]), (2, b"tail")] {
        let put = lab.put(&format!("/mine/big?partNumber={number}&uploadId={id}"), body).await;
        assert_eq!(put.status, StatusCode::OK, "{}", put.text());
        tags.push(put.headers["etag"].to_str().unwrap().to_owned());
    }
    let listed = lab.get(&format!("/mine/big?uploadId={id}")).await;
    assert_eq!(elements(listed.text(), "PartNumber"), ["1", "2"], "{}", listed.text());
    assert_eq!(elements(lab.get("/mine?uploads").await.text(), "Key"), ["big"]);
    let complete = async |parts: &[(u32, &str)]| {
        let parts: String = parts
            .iter()
            .map(|(number, tag)| format!("<Part><PartNumber>{number}</PartNumber><ETag>{tag}</ETag></Part>"))
            .collect();
        let body = format!("<CompleteMultipartUpload>{parts}</CompleteMultipartUpload>");
        let uri = format!("/mine/big?uploadId={id}");
        lab.upload("POST", &uri, &[], body.as_bytes(), DeclaredBody::Unsigned).await
    };
    for (parts, code) in [
        (vec![(2, tags[1].as_str()), (1, &tags[0])], "InvalidPartOrder"),
        (vec![(1, "\"0\"")], "InvalidPart"),
        (vec![(2, tags[1].as_str()), (3, &tags[1])], "InvalidPart"),
        (vec![], "MalformedXML"),
    ] {
        let refused = complete(&parts).await;
        assert_eq!(elements(refused.text(), "Code"), [code], "{}", refused.text());
    }
    let done = complete(&[(1, &tags[0]), (2, &tags[1])]).await;
    assert_eq!(done.status, StatusCode::OK, "{}", done.text());
    assert!(elements(done.text(), "ETag")[0].contains("-2"), "{}", done.text());
    let again = complete(&[(1, &tags[0]), (2, &tags[1])]).await;
    assert_eq!(
        (again.status, elements(again.text(), "ETag")),
        (StatusCode::OK, elements(done.text(), "ETag"))
    );
    for other in [vec![(1, tags[0].as_str())], vec![], vec![(1, "\"0\"")]] {
        let refused = complete(&other).await;
        assert_eq!(elements(refused.text(), "Code"), ["NoSuchUpload"], "{}", refused.text());
    }
    let end = [("range", "bytes=5242878-")];
    let got = lab.send("GET", "/mine/big", &end).await;
    assert_eq!(got.body, b"\x07\x07tail"[..]);
    assert_eq!(got.headers["content-range"], "bytes 5242878-5242883/5242884");
    let tail = lab.get("/mine/big?partNumber=2").await;
    assert_eq!((tail.status, tail.text()), (StatusCode::PARTIAL_CONTENT, "tail"));
    assert_eq!(tail.headers["content-range"], "bytes 5242880-5242883/5242884");
    assert_eq!(tail.headers["x-amz-mp-parts-count"], "2");
    let head = lab.send("HEAD", "/mine/big?partNumber=1", &[]).await;
    assert_eq!(head.status, StatusCode::PARTIAL_CONTENT);
    assert_eq!(head.headers["content-length"], "5242880");
    assert_eq!(head.headers["content-range"], "bytes 0-5242879/5242884");
    let head = lab.send("HEAD", "/mine/big", &end).await;
    assert_eq!(head.status, StatusCode::PARTIAL_CONTENT);
    assert_eq!(head.headers["content-range"], "bytes 5242878-5242883/5242884");
    assert_eq!(lab.send("HEAD", "/mine/big", &[]).await.status, StatusCode::OK);
    let beyond = lab.send("HEAD", "/mine/big", &[("range", "bytes=5242884-")]).await;
    assert_eq!(beyond.status, StatusCode::RANGE_NOT_SATISFIABLE);
    for number in ["0", "3", "-1"] {
        let refused = lab.get(&format!("/mine/big?partNumber={number}")).await;
        assert_eq!(elements(refused.text(), "Code"), ["InvalidPartNumber"], "{number}");
    }
    assert_eq!(elements(lab.get(&format!("/mine/big?uploadId={id}")).await.text(), "Code"), ["NoSuchUpload"]);
}

#[tokio::test]
async fn an_object_of_parts_has_the_checksum_of_the_whole_if_that_was_asked_for() {
    let lab = lab("us-east-1").await;
    lab.put("/mine", b"").await;
    let asked = |algorithm, kind| [("x-amz-checksum-algorithm", algorithm), ("x-amz-checksum-type", kind)];
    for (algorithm, kind) in [("SHA256", "FULL_OBJECT"), ("CRC64NVME", "COMPOSITE")] {
        let refused = lab.send("POST", "/mine/k?uploads", &asked(algorithm, kind)).await;
        assert_eq!(elements(refused.text(), "Code"), ["InvalidRequest"], "{}", refused.text());
    }
    let begun = lab.send("POST", "/mine/k?uploads", &asked("CRC32", "FULL_OBJECT")).await;
    assert_eq!(begun.headers["x-amz-checksum-type"], "FULL_OBJECT", "{:?}", begun.headers);
    let id = elements(begun.text(), "UploadId").remove(0);
    let put = lab.put(&format!("/mine/k?partNumber=1&uploadId={id}"), b"hello").await;
    let tag = put.headers["etag"].to_str().unwrap();
    let body = format!(
        "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>{tag}</ETag></Part></CompleteMultipartUpload>"
    );
    let complete = async |checksum| {
        let headers = [("x-amz-checksum-crc32", checksum), ("x-amz-checksum-type", "FULL_OBJECT")];
        let uri = format!("/mine/k?uploadId={id}");
        lab.upload("POST", &uri, &headers, body.as_bytes(), DeclaredBody::Unsigned).await
    };
    assert_eq!(elements(complete("AAAAAA==").await.text(), "Code"), ["BadDigest"]);
    let done = complete("NhCmhg==").await;
    assert_eq!(elements(done.text(), "ChecksumCRC32"), ["NhCmhg=="], "{}", done.text());
    let head = lab.send("HEAD", "/mine/k", &[("x-amz-checksum-mode", "ENABLED")]).await;
    assert_eq!(head.headers["x-amz-checksum-crc32"], "NhCmhg==");
    assert_eq!(head.headers["x-amz-checksum-type"], "FULL_OBJECT");
}

#[tokio::test]
async fn what_a_copy_is_conditional_on_must_hold() {
    let lab = lab("us-east-1").await;
    lab.put("/mine", b"").await;
    let tag = lab.put("/mine/k", b"hello").await.headers["etag"].to_str().unwrap().to_owned();
    let copy = async |name, value: &str| {
        lab.send("PUT", "/mine/copy", &[("x-amz-copy-source", "mine/k"), (name, value)]).await.status
    };
    let year = |year| format!("Fri, 15 Jan {year} 00:00:00 GMT");
    for (name, value) in [
        ("x-amz-copy-source-if-match", "\"0\"".to_owned()),
        ("x-amz-copy-source-if-none-match", tag.clone()),
        ("x-amz-copy-source-if-modified-since", year(2038)),
        ("x-amz-copy-source-if-unmodified-since", year(2010)),
    ] {
        assert_eq!(copy(name, &value).await, StatusCode::PRECONDITION_FAILED, "{name}");
        assert_eq!(lab.get("/mine/copy").await.status, StatusCode::NOT_FOUND, "{name}");
    }
    assert_eq!(copy("x-amz-copy-source-if-match", &tag).await, StatusCode::OK);
}

#[tokio::test]
async fn only_so_many_are_removed_at_once_and_asked_about() {
    let lab = lab("us-east-1").await;
    lab.put("/mine", b"").await;
    let body = format!("<Delete>{}</Delete>", "<Object><Key>k</Key></Object>".repeat(1001));
    let refused = lab.upload("POST", "/mine?delete", &[], body.as_bytes(), DeclaredBody::Unsigned).await;
    assert_eq!(elements(refused.text(), "Code"), ["MalformedXML"], "{}", refused.text());
    assert_eq!(lab.notes.0.lock().unwrap().len(), 1, "the bucket was made");
}

#[tokio::test]
async fn what_describes_a_request_is_not_read_without_end() {
    let lab = lab("us-east-1").await;
    let refused = lab.put("/mine", &vec![b' '; postern_s3::XML_BYTES_MAX + 1]).await;
    assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{}", refused.text());
    assert_eq!(elements(refused.text(), "Code"), ["MaxMessageLengthExceeded"]);
    assert_eq!(elements(lab.get("/").await.text(), "Name"), ["audit"]);
    let other = DeclaredBody::Sha256([0; 32]);
    let wrong = lab.upload("PUT", "/mine", &[], b"<CreateBucketConfiguration/>", other).await;
    assert_eq!(elements(wrong.text(), "Code"), ["XAmzContentSHA256Mismatch"], "{}", wrong.text());
    let read = lab.put("/mine", &vec![b' '; 1000]).await;
    assert_ne!(elements(read.text(), "Code"), ["InternalError"], "{}", read.text());
}
