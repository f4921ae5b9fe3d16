//! Requests as clients send them, and what they get back.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::{Extensions, HeaderMap, Request, StatusCode};
use http_body_util::BodyExt as _;
use postern_s3::{Call, DirectoryObjects, Endpoint, EndpointConfig, Guard, Refused};

/// Lets everybody do everything but what is below `secret/`, and notes what it was asked.
#[derive(Clone, Default)]
struct Notes(Arc<Mutex<Vec<String>>>);

#[async_trait::async_trait]
impl Guard for Notes {
    async fn permit(&self, call: &Call<'_>, extensions: &mut Extensions) -> Result<(), Refused> {
        assert_eq!(extensions.get::<&str>(), Some(&"the caller"));
        let text = format!("{} s3:{} {}", call.operation, call.action_name(), call.resource());
        self.0.lock().unwrap().push(text);
        match call.key {
            Some(key) if key.starts_with("secret/") => Err(Refused::Denied("You may not.".to_owned())),
            Some("failing") => Err(Refused::Failed),
            _ => Ok(()),
        }
    }
}

struct Lab {
    _directory: tempfile::TempDir,
    endpoint: Endpoint,
    notes: Notes,
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

fn lab(region: &str) -> Lab {
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
    let endpoint = Endpoint::new(config, Arc::new(store), notes.clone());
    Lab { _directory: directory, endpoint, notes }
}

impl Lab {
    async fn send(&self, method: &str, uri: &str, headers: &[(&str, &str)]) -> Answer {
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
        let request = request.extension("the caller").body(Bytes::new()).unwrap();
        let (parts, body) = self.endpoint.answer(request).await.unwrap().into_parts();
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
    let lab = lab("us-east-1");
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
    let lab = lab("us-east-1");
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
    let (here, there) = (lab("us-east-1"), lab("eu-central-1"));
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
    let lab = lab("us-east-1");
    let host = [("host", "audit.postern.example.net:8443")];
    assert_eq!(lab.send("GET", "/AWSLogs/1/b.gz", &host).await.text(), "b");
    let answer = lab.send("GET", "/audit/AWSLogs/1/b.gz", &[("host", "postern.example.net")]).await;
    assert_eq!(answer.text(), "b");
}

#[tokio::test]
async fn what_is_not_there_or_outside_is_not_found() {
    let lab = lab("us-east-1");
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
async fn the_guard_is_asked_first_and_everything_can_only_be_read() {
    let lab = lab("us-east-1");
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
        ("PUT", "/new-bucket"),
        ("DELETE", "/audit"),
        ("PUT", "/audit?policy"),
        ("POST", "/audit/new?uploads"),
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
    let lab = lab("us-east-1");
    let answer = lab.get("/audit?encryption").await;
    assert_eq!(
        (answer.status, elements(answer.text(), "Code")),
        (StatusCode::NOT_IMPLEMENTED, vec!["NotImplemented".to_owned()])
    );
}
