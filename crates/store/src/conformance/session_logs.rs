//! Rules of [`SessionLogStore`](crate::SessionLogStore).

use postern_ids::SessionId;
use serde_json::json;

use super::samples::at;
use crate::{SessionLog, SessionLogFailure, SessionLogSink, SessionLogState, Store};

fn log(session: &str, sink: SessionLogSink, due: i64) -> SessionLog {
    SessionLog {
        session: session.parse().unwrap(),
        sink,
        destination: json!({"bucket": "logs"}),
        state: SessionLogState::Waiting,
        cursor: None,
        attempts: 0,
        failing_since: None,
        next_attempt_at: at(due),
        last_error: None,
        created_at: at(1),
    }
}

fn named(logs: &[SessionLog]) -> Vec<&str> {
    let mut names: Vec<&str> = logs.iter().map(|log| log.session.as_str()).collect();
    names.sort_unstable();
    names
}

pub(crate) async fn a_log_is_found_and_forgotten(a: &dyn Store, b: &dyn Store) {
    let session: SessionId = "one".parse().unwrap();
    let both = [log("one", SessionLogSink::CloudWatch, 1), log("one", SessionLogSink::S3, 1)];
    a.add_session_logs(&both).await.unwrap();
    assert_eq!(b.session_logs(&session).await.unwrap(), both);
    // All or none.
    let more = [log("other", SessionLogSink::S3, 1), both[0].clone()];
    assert!(b.add_session_logs(&more).await.is_err());
    assert_eq!(a.session_logs(&"other".parse().unwrap()).await.unwrap(), []);
    b.forget_session_logs(&session).await.unwrap();
    assert_eq!(a.session_logs(&session).await.unwrap(), []);
}

pub(crate) async fn a_log_is_claimed_once_when_it_is_due(a: &dyn Store, b: &dyn Store) {
    let s3 = SessionLogSink::S3;
    let logs =
        [log("a", s3, 10), log("b", s3, 20), log("c", s3, 30), log("a", SessionLogSink::CloudWatch, 1)];
    a.add_session_logs(&logs).await.unwrap();
    assert_eq!(named(&a.claim_due_session_logs(s3, at(20), 1).await.unwrap()), ["a"]);
    assert_eq!(named(&b.claim_due_session_logs(s3, at(20), 9).await.unwrap()), ["b"]);
    assert_eq!(b.claim_due_session_logs(s3, at(20), 9).await.unwrap(), []);
    let of_a = a.claim_session_logs(&"a".parse().unwrap()).await.unwrap();
    assert_eq!(of_a.iter().map(|log| log.sink).collect::<Vec<_>>(), [SessionLogSink::CloudWatch]);
    // Another process begins.
    b.release_session_logs().await.unwrap();
    assert_eq!(named(&a.claim_due_session_logs(s3, at(99), 9).await.unwrap()), ["a", "b", "c"]);
}

pub(crate) async fn a_log_goes_on_fails_and_ends(a: &dyn Store, b: &dyn Store) {
    let (session, s3): (SessionId, _) = ("one".parse().unwrap(), SessionLogSink::S3);
    a.add_session_logs(&[log("one", s3, 1)]).await.unwrap();
    let error = "there is no room".to_owned();
    let failure = SessionLogFailure { attempts: 3, failing_since: at(4), next_attempt_at: at(50), error };
    a.postpone_session_log(&session, s3, &failure).await.unwrap();
    assert_eq!(b.claim_due_session_logs(s3, at(49), 9).await.unwrap(), []);
    let [claimed] = &b.claim_due_session_logs(s3, at(50), 9).await.unwrap()[..] else { panic!("none") };
    assert_eq!((claimed.attempts, claimed.failing_since), (3, Some(at(4))));
    assert_eq!(claimed.last_error.as_deref(), Some("there is no room"));

    a.advance_session_log(&session, s3, &json!({"bytes": 7})).await.unwrap();
    let [found] = &b.session_logs(&session).await.unwrap()[..] else { panic!("none") };
    assert_eq!((found.attempts, found.failing_since, &found.last_error), (0, None, &None));
    assert_eq!(found.cursor, Some(json!({"bytes": 7})));

    a.end_session_log(&session, s3, SessionLogState::Abandoned, Some("too late")).await.unwrap();
    a.release_session_logs().await.unwrap();
    assert_eq!(b.claim_due_session_logs(s3, at(99), 9).await.unwrap(), []);
    let [ended] = &b.session_logs(&session).await.unwrap()[..] else { panic!("none") };
    assert_eq!((ended.state, ended.last_error.as_deref()), (SessionLogState::Abandoned, Some("too late")));
}
