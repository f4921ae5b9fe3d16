//! Rules of [`SessionStore`](crate::SessionStore) about sessions.

use futures_util::future::join_all;
use jiff::Timestamp;

use super::samples::{at, data_token, end, node_id, owner, register, session, start};
use crate::{
    AccessType, ChannelSide, ConnectionChanges, CreateSessionError, EndStatus, HISTORY_KEPT, Page,
    ResourceKey, SessionEnd, SessionFilter, SessionQuery, SessionState, SessionStatus, Store, Tag,
};

pub(crate) async fn a_session_is_found_as_it_was_created(a: &dyn Store, b: &dyn Store) {
    let node = register(a, 1).await;
    let full = session("full", &node.id, Timestamp::from_microsecond(1_800_000_000_123_456).unwrap());
    let mut bare = session("bare", &node.id, at(20));
    (bare.reason, bare.client_ip, bare.max_session_duration_minutes) = (None, None, None);
    bare.parameters = serde_json::json!({});
    bare.authority = None;
    for session in [&full, &bare] {
        start(a, session).await;
        assert_eq!(b.session(&session.id).await.unwrap().as_ref(), Some(session));
    }
    assert_eq!(b.session(&"other".parse().unwrap()).await.unwrap(), None);
    assert_eq!(b.live_sessions().await.unwrap(), [full, bare]);
}

pub(crate) async fn a_session_needs_a_node(a: &dyn Store, b: &dyn Store) {
    let session = session("one", &node_id(1), at(20));
    let token = data_token([1; 32], &session.id, ChannelSide::Client, at(60));
    let refused = a.create_session(&session, &token).await;
    assert!(matches!(refused, Err(CreateSessionError::NodeUnknown { node }) if node == node_id(1)));
    assert_eq!(b.session(&session.id).await.unwrap(), None);
    assert_eq!(b.redeem_token(&token.hash, at(21)).await.unwrap(), None);
}

pub(crate) async fn a_session_goes_through_its_states(a: &dyn Store, b: &dyn Store) {
    let node = register(a, 1).await;
    let session = session("one", &node.id, at(20));
    start(a, &session).await;
    let id = &session.id;
    let state = async || {
        let session = b.session(id).await.unwrap().unwrap();
        (session.status, session.status_since)
    };
    assert!(!a.mark_disconnected(id, at(21)).await.unwrap());
    assert_eq!(state().await, (SessionStatus::Connecting, at(20)));
    assert!(a.mark_connected(id, at(22)).await.unwrap());
    assert!(!a.mark_connected(id, at(23)).await.unwrap());
    assert_eq!(state().await, (SessionStatus::Connected, at(22)));
    assert!(a.mark_disconnected(id, at(24)).await.unwrap());
    assert!(!a.mark_disconnected(id, at(25)).await.unwrap());
    assert_eq!(state().await, (SessionStatus::Disconnected, at(24)));
    assert!(a.mark_connected(id, at(26)).await.unwrap());
    assert!(a.begin_termination(id, at(27)).await.unwrap());
    assert!(!a.begin_termination(id, at(28)).await.unwrap());
    assert!(!a.mark_connected(id, at(29)).await.unwrap());
    assert!(!a.mark_disconnected(id, at(29)).await.unwrap());
    assert_eq!(state().await, (SessionStatus::Terminating, at(27)));
    assert!(a.finish_session(id, &end("user", at(30))).await.unwrap());
    assert!(!a.begin_termination(id, at(31)).await.unwrap());
    assert!(!a.mark_connected(id, at(31)).await.unwrap());
    assert_eq!(state().await, (SessionStatus::Terminated, at(30)));
    assert_eq!(b.live_sessions().await.unwrap(), []);

    let nobody = "nobody".parse().unwrap();
    assert!(!a.mark_connected(&nobody, at(1)).await.unwrap());
    assert!(!a.begin_termination(&nobody, at(1)).await.unwrap());
    assert!(!a.finish_session(&nobody, &end("user", at(1))).await.unwrap());
}

pub(crate) async fn the_first_end_wins(a: &dyn Store, b: &dyn Store) {
    let node = register(a, 1).await;
    let session = session("one", &node.id, at(20));
    start(a, &session).await;
    let ends: Vec<_> = (0..10)
        .map(|number| SessionEnd {
            status: EndStatus::Failed,
            reason: format!("failed:{number}"),
            details: None,
            exit_code: Some(-number),
            at: at(30 + i64::from(number)),
        })
        .collect();
    let attempts = ends.iter().enumerate().map(async |(number, end)| {
        let store = if number % 2 == 0 { a } else { b };
        store.finish_session(&session.id, end).await.unwrap()
    });
    let won = join_all(attempts).await;
    let winners: Vec<_> = (0..10).filter(|number| won[*number]).collect();
    let [winner] = winners[..] else { panic!("{winners:?} won") };
    let ended = a.session(&session.id).await.unwrap().unwrap();
    assert_eq!(ended.status, SessionStatus::Failed);
    assert_eq!(ended.end_reason.as_ref(), Some(&ends[winner].reason));
    assert_eq!((ended.ended_at, ended.exit_code), (Some(ends[winner].at), ends[winner].exit_code));
}

fn query(state: SessionState, filters: Vec<SessionFilter>) -> SessionQuery {
    SessionQuery { state, filters, page: Page::first(200) }
}

async fn names(store: &dyn Store, query: SessionQuery) -> Vec<String> {
    let listed = store.sessions(&query).await.unwrap();
    listed.items.into_iter().map(|session| session.id.to_string()).collect()
}

pub(crate) async fn past_sessions_are_shown_for_thirty_days(a: &dyn Store, b: &dyn Store) {
    let node = register(a, 1).await;
    for (name, seconds) in [("one", 20), ("two", 21), ("live", 22)] {
        start(a, &session(name, &node.id, at(seconds))).await;
    }
    a.finish_session(&"one".parse().unwrap(), &end("user", at(100))).await.unwrap();
    a.finish_session(&"two".parse().unwrap(), &end("user", at(50))).await.unwrap();
    assert_eq!(names(b, query(SessionState::Active, vec![])).await, ["live"]);
    let cases: [(i64, &[&str]); 4] =
        [(100, &["two", "one"]), (50, &["two", "one"]), (51, &["one"]), (101, &[])];
    for (seconds, expected) in cases {
        let now = if seconds == 100 { at(100) } else { at(seconds) + HISTORY_KEPT };
        assert_eq!(names(b, query(SessionState::History { now }, vec![])).await, expected, "{seconds}");
    }
    assert_eq!(names(b, query(SessionState::Any, vec![])).await, ["live", "two", "one"]);
}

pub(crate) async fn sessions_are_listed_newest_first_page_by_page(a: &dyn Store, b: &dyn Store) {
    let node = register(a, 1).await;
    for (name, seconds) in [("a", 20), ("c", 30), ("b", 30), ("d", 30), ("e", 40), ("f", 10)] {
        start(a, &session(name, &node.id, at(seconds))).await;
    }
    for limit in 1..=7 {
        let mut found = Vec::new();
        let mut query = SessionQuery { page: Page::first(limit), ..query(SessionState::Active, vec![]) };
        loop {
            let page = b.sessions(&query).await.unwrap();
            assert!(page.items.len() <= usize::try_from(limit).unwrap());
            found.extend(page.items.into_iter().map(|session| session.id.to_string()));
            let Some(next) = page.next else { break };
            query.page.after = Some(next);
        }
        assert_eq!(found, ["e", "b", "c", "d", "a", "f"], "pages of {limit}");
    }
}

pub(crate) async fn sessions_are_filtered(a: &dyn Store, b: &dyn Store) {
    let (first, second) = (register(a, 1).await, register(a, 2).await);
    start(a, &session("one", &first.id, at(20))).await;
    let mut two = session("two", &second.id, at(30));
    two.owner_arn = owner("bob");
    start(a, &two).await;
    let mut three = session("three", &first.id, at(40));
    three.access_type = AccessType::JustInTime;
    start(a, &three).await;
    a.mark_connected(&three.id, at(41)).await.unwrap();

    let cases: [(Vec<SessionFilter>, &[&str]); 11] = [
        (vec![SessionFilter::InvokedAfter(at(30))], &["three", "two"]),
        (vec![SessionFilter::InvokedBefore(at(30))], &["one"]),
        (vec![SessionFilter::InvokedAfter(at(21)), SessionFilter::InvokedBefore(at(40))], &["two"]),
        (vec![SessionFilter::Target(first.id.clone())], &["three", "one"]),
        (vec![SessionFilter::Owner(owner("bob"))], &["two"]),
        (vec![SessionFilter::Owner(owner("b+"))], &[]),
        (vec![SessionFilter::Status(SessionStatus::Connected)], &["three"]),
        (vec![SessionFilter::Status(SessionStatus::Terminated)], &[]),
        (vec![SessionFilter::SessionId(two.id.clone())], &["two"]),
        (vec![SessionFilter::AccessType(AccessType::Standard)], &["two", "one"]),
        (vec![SessionFilter::Target(first.id.clone()), SessionFilter::Owner(owner("bob"))], &[]),
    ];
    for (filters, expected) in cases {
        assert_eq!(names(b, query(SessionState::Active, filters.clone())).await, expected, "{filters:?}");
    }
}

pub(crate) async fn the_claims_to_live_sessions_come_with_their_nodes_tags(a: &dyn Store, b: &dyn Store) {
    let (kept, gone) = (register(a, 1).await, register(a, 2).await);
    let tags = [("env", "prod"), ("team", "web")]
        .map(|(key, value)| Tag { key: key.to_owned(), value: value.to_owned() });
    a.add_tags(&ResourceKey::node(&kept.id), &tags, 50).await.unwrap();
    for (name, node) in [("c", &kept), ("a", &kept), ("b", &gone), ("over", &kept)] {
        start(a, &session(name, &node.id, at(20))).await;
    }
    a.finish_session(&"over".parse().unwrap(), &end("user", at(30))).await.unwrap();
    a.deregister_node(&gone.id).await.unwrap().unwrap();

    let first = b.session_claims(None, 2).await.unwrap();
    let rest = b.session_claims(first.last().map(|claim| &claim.id), 2).await.unwrap();
    let claims: Vec<_> = first.iter().chain(&rest).collect();
    let found: Vec<_> = claims.iter().map(|claim| (claim.id.as_str(), claim.node_tags.is_some())).collect();
    assert_eq!(found, [("a", true), ("b", false), ("c", true)]);
    let tags_of_a = claims[0].node_tags.clone().unwrap_or_default();
    assert!(tags.iter().all(|tag| tags_of_a.contains(tag)), "{tags_of_a:?}");
    assert!(tags_of_a.is_sorted());
    let expected = session("a", &kept.id, at(20));
    assert_eq!(claims[0].authority, expected.authority);
    assert_eq!((&claims[0].node, &claims[0].owner_user_id), (&expected.node, &expected.owner_user_id));
}

pub(crate) async fn an_encrypted_session_is_remembered_until_it_is_forgotten(a: &dyn Store, b: &dyn Store) {
    let node = register(a, 1).await;
    let session = session("alice-1", &node.id, at(20));
    assert_eq!(b.session_encryption(&session.id).await.unwrap(), None);
    start(a, &session).await;
    for content in [&b"one"[..], b"two"] {
        a.put_session_encryption(&session.id, content).await.unwrap();
        assert_eq!(b.session_encryption(&session.id).await.unwrap().as_deref(), Some(content));
    }
    b.delete_session_encryption(&session.id).await.unwrap();
    assert_eq!(a.session_encryption(&session.id).await.unwrap(), None);
}

pub(crate) async fn connections_of_a_session_are_remembered_until_they_are_forgotten(
    a: &dyn Store,
    b: &dyn Store,
) {
    let node = register(a, 1).await;
    let session = session("alice-1", &node.id, at(20));
    assert_eq!(b.session_connections(&session.id).await.unwrap(), None);
    start(a, &session).await;
    let bytes = |text: &str| text.as_bytes().to_vec();
    let changes = |carriage: &str, open: &[(u32, &str)], closed: &[u32]| ConnectionChanges {
        carriage: bytes(carriage),
        open: open.iter().map(|(number, content)| (*number, bytes(content))).collect(),
        closed: closed.to_vec(),
    };
    for (changes, carriage, open) in [
        (changes("tunnel", &[], &[]), "tunnel", vec![]),
        (changes("tunnel 3", &[(3, "three"), (1, "one")], &[]), "tunnel 3", vec!["one", "three"]),
        (changes("tunnel 5", &[(3, "changed"), (5, "five")], &[1, 7]), "tunnel 5", vec!["changed", "five"]),
    ] {
        a.change_session_connections(&session.id, &changes).await.unwrap();
        let known = b.session_connections(&session.id).await.unwrap().unwrap();
        assert_eq!(known.carriage, bytes(carriage));
        assert_eq!(known.open, open.into_iter().map(bytes).collect::<Vec<_>>());
    }
    b.delete_session_connections(&session.id).await.unwrap();
    assert_eq!(a.session_connections(&session.id).await.unwrap(), None);
    a.change_session_connections(&session.id, &changes("again", &[], &[])).await.unwrap();
    assert_eq!(b.session_connections(&session.id).await.unwrap().unwrap().open, Vec::<Vec<u8>>::new());
}
