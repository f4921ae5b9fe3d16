//! The store: order, pages, deletion, retention, blocks put together, and what another process left.

use std::path::Path;
use std::sync::Arc;

use postern_log_filter::FilterPattern;
use proptest::prelude::*;

use super::*;
use crate::{Direction, Event, MissingStream, StreamOrder, Streams};

const NOW_MS: i64 = 1_795_000_000_000;

async fn open(path: &Path) -> SqliteLogs {
    let options =
        SqliteLogsOptions { tended_every: Duration::from_secs(3600), ..SqliteLogsOptions::new(path) };
    SqliteLogs::open(options, || NOW_MS).await.unwrap()
}

fn name(text: &str) -> GroupName {
    text.parse().unwrap()
}

fn stream(text: &str) -> StreamName {
    text.parse().unwrap()
}

async fn create(logs: &SqliteLogs, group: &str) {
    let group = NewGroup {
        name: name(group),
        class: "STANDARD".to_owned(),
        kms_key: None,
        is_deletion_protected: false,
        tags: Vec::new(),
    };
    logs.create_group(group, NOW_MS).await.unwrap();
}

async fn put(
    logs: &SqliteLogs,
    group: &str,
    to: &str,
    events: &[(i64, &str)],
) -> Result<Written, AppendError> {
    let event = |(timestamp_ms, message): &(i64, &str)| Event {
        timestamp_ms: *timestamp_ms,
        message: (*message).to_owned(),
    };
    let append = Append {
        group: name(group),
        stream: stream(to),
        missing_stream: MissingStream::Create,
        events: events.iter().map(event).collect(),
        ingested_at_ms: NOW_MS,
    };
    logs.append(append).await
}

fn query(group: &str) -> EventQuery {
    EventQuery {
        group: name(group),
        streams: Streams::All,
        from_ms: 0,
        until_ms: i64::MAX,
        direction: Direction::Forward,
        start: None,
        pattern: None,
        events_max: 10_000,
        bytes_max: 1 << 20,
    }
}

async fn read(logs: &SqliteLogs, query: EventQuery) -> Vec<String> {
    let page = logs.events(query).await.unwrap();
    page.events.into_iter().map(|event| event.message).collect()
}

/// All pages of a query.
async fn pages(logs: &SqliteLogs, mut query: EventQuery) -> Vec<String> {
    let mut all = Vec::new();
    loop {
        let page = logs.events(query.clone()).await.unwrap();
        all.extend(page.events.into_iter().map(|event| event.message));
        let Some(next) = page.next else { return all };
        assert_ne!(query.start, Some(next), "every page goes on");
        query.start = Some(next);
    }
}

#[tokio::test]
async fn events_of_streams_come_interleaved_and_in_order() {
    let directory = tempfile::tempdir().unwrap();
    let logs = open(directory.path()).await;
    create(&logs, "g").await;
    put(&logs, "g", "a", &[(5, "a5"), (1, "a1")]).await.unwrap();
    put(&logs, "g", "b", &[(3, "b3"), (5, "b5")]).await.unwrap();
    put(&logs, "g", "a", &[(2, "a2")]).await.unwrap();
    assert_eq!(read(&logs, query("g")).await, ["a1", "a2", "b3", "a5", "b5"]);
    let backward = EventQuery { direction: Direction::Backward, events_max: 2, ..query("g") };
    assert_eq!(read(&logs, backward.clone()).await, ["b5", "a5"]);
    assert_eq!(pages(&logs, backward).await, ["b5", "a5", "b3", "a2", "a1"]);
    assert_eq!(
        pages(&logs, EventQuery { events_max: 2, ..query("g") }).await,
        ["a1", "a2", "b3", "a5", "b5"]
    );
    assert_eq!(pages(&logs, EventQuery { bytes_max: 30, ..query("g") }).await.len(), 5);
    let some = EventQuery { from_ms: 2, until_ms: 5, ..query("g") };
    assert_eq!(read(&logs, some).await, ["a2", "b3"]);
    let named = EventQuery { streams: Streams::Named(vec![stream("b")]), ..query("g") };
    assert_eq!(read(&logs, named).await, ["b3", "b5"]);
    let prefixed = EventQuery { streams: Streams::Prefix("a".to_owned()), ..query("g") };
    assert_eq!(read(&logs, prefixed).await, ["a1", "a2", "a5"]);
    let pattern = Some(Arc::new(FilterPattern::parse("%5$%").unwrap()));
    assert_eq!(read(&logs, EventQuery { pattern, ..query("g") }).await, ["a5", "b5"]);
    let missing = EventQuery { streams: Streams::Named(vec![stream("c")]), ..query("g") };
    assert!(matches!(logs.events(missing).await, Err(EventsError::StreamUnknown)));
    assert!(matches!(logs.events(query("h")).await, Err(EventsError::GroupUnknown)));
    logs.close().await;
}

#[tokio::test]
async fn what_comes_later_is_behind_the_place_where_a_page_ended() {
    let directory = tempfile::tempdir().unwrap();
    let logs = open(directory.path()).await;
    create(&logs, "g").await;
    put(&logs, "g", "a", &[(1, "first")]).await.unwrap();
    let page = logs.events(query("g")).await.unwrap();
    assert_eq!(page.next, None);
    let behind = page.events[0].cut().behind();
    put(&logs, "g", "a", &[(1, "of the same time"), (2, "later")]).await.unwrap();
    let on = EventQuery { start: Some(behind), ..query("g") };
    assert_eq!(read(&logs, on).await, ["of the same time", "later"]);
    let back = EventQuery { start: Some(behind), direction: Direction::Backward, ..query("g") };
    assert_eq!(read(&logs, back).await, ["first"]);
    logs.close().await;
}

#[tokio::test]
async fn another_process_finds_what_was_answered() {
    let directory = tempfile::tempdir().unwrap();
    let logs = open(directory.path()).await;
    create(&logs, "g").await;
    for number in 0..20 {
        put(&logs, "g", "a", &[(number, &format!("event {number}"))]).await.unwrap();
    }
    // As after a kill: nothing is closed.
    drop(logs);
    let logs = open(directory.path()).await;
    assert_eq!(read(&logs, query("g")).await.len(), 20);
    let written = put(&logs, "g", "a", &[(20, "more")]).await.unwrap();
    assert_eq!(written.last_event_id, 21, "numbers are not used again");
    logs.close().await;
    assert!(matches!(put(&logs, "g", "a", &[(1, "late")]).await, Err(AppendError::Storage(_))));
}

#[tokio::test]
async fn writers_at_a_time_are_all_answered() {
    let directory = tempfile::tempdir().unwrap();
    let logs = Arc::new(open(directory.path()).await);
    create(&logs, "g").await;
    let tasks = TaskTracker::new();
    let put_one = |number: i64| {
        let logs = Arc::clone(&logs);
        async move {
            let to = format!("s{}", number % 7);
            put(&logs, if number % 10 == 9 { "unknown" } else { "g" }, &to, &[(number, "m")]).await
        }
    };
    let all: Vec<_> = (0..200).map(|number| tasks.spawn(put_one(number))).collect();
    let mut unknown = 0;
    for one in all {
        match one.await.unwrap() {
            Ok(_) => {}
            Err(AppendError::GroupUnknown) => unknown += 1,
            Err(error) => panic!("{error}"),
        }
    }
    assert_eq!((unknown, read(&logs, query("g")).await.len()), (20, 180));
    logs.close().await;
}

#[tokio::test]
async fn what_is_deleted_is_gone_at_once_and_removed_later() {
    let directory = tempfile::tempdir().unwrap();
    let logs = open(directory.path()).await;
    create(&logs, "g").await;
    put(&logs, "g", "a", &[(1, "old a")]).await.unwrap();
    put(&logs, "g", "b", &[(1, "old b")]).await.unwrap();
    logs.delete_stream(&name("g"), &stream("a")).await.unwrap();
    assert_eq!(read(&logs, query("g")).await, ["old b"]);
    let gone = logs.delete_stream(&name("g"), &stream("a")).await;
    assert!(matches!(gone, Err(StreamChangeError::StreamUnknown)));
    put(&logs, "g", "a", &[(2, "new a")]).await.unwrap();
    assert_eq!(read(&logs, query("g")).await, ["old b", "new a"]);
    logs.delete_group(&name("g")).await.unwrap();
    assert_eq!(logs.group(&name("g")).await.unwrap(), None);
    assert!(matches!(put(&logs, "g", "a", &[(3, "x")]).await, Err(AppendError::GroupUnknown)));
    create(&logs, "g").await;
    assert_eq!(read(&logs, query("g")).await, [""; 0]);
    put(&logs, "g", "a", &[(3, "again")]).await.unwrap();
    tending::tend(&logs.writer, NOW_MS).await.unwrap();
    assert_eq!(read(&logs, query("g")).await, ["again"]);
    for (table, rows) in [("blocks", 1), ("streams", 1), ("groups", 1)] {
        let count: i64 = match table {
            "blocks" => sqlx::query_scalar("SELECT count(*) FROM blocks"),
            "streams" => sqlx::query_scalar("SELECT count(*) FROM streams"),
            _ => sqlx::query_scalar("SELECT count(*) FROM groups"),
        }
        .fetch_one(&logs.readers)
        .await
        .unwrap();
        assert_eq!(count, rows, "{table}");
    }
    logs.close().await;
}

#[tokio::test]
async fn what_is_expired_is_removed() {
    let directory = tempfile::tempdir().unwrap();
    let logs = open(directory.path()).await;
    create(&logs, "g").await;
    create(&logs, "kept").await;
    let old = NOW_MS - 3 * crate::DAY_MS;
    for group in ["g", "kept"] {
        put(&logs, group, "a", &[(old, "old")]).await.unwrap();
        put(&logs, group, "a", &[(NOW_MS - 5, "new")]).await.unwrap();
    }
    logs.set_retention(&name("g"), Some(1)).await.unwrap();
    let before = logs.group(&name("g")).await.unwrap().unwrap().stored_bytes;
    tending::tend(&logs.writer, NOW_MS).await.unwrap();
    assert_eq!(read(&logs, query("g")).await, ["new"]);
    assert_eq!(read(&logs, query("kept")).await, ["old", "new"]);
    let after = logs.group(&name("g")).await.unwrap().unwrap();
    assert!(after.stored_bytes < before && after.stored_bytes > 0);
    let [one] =
        logs.streams(&name("g"), &StreamFilter::default(), None, 9).await.unwrap().try_into().unwrap();
    assert_eq!((one.first_event_ms, one.last_event_ms), (Some(NOW_MS - 5), Some(NOW_MS - 5)));
    assert!(matches!(logs.set_retention(&name("h"), None).await, Err(GroupChangeError::Unknown)));
    logs.close().await;
}

#[tokio::test]
async fn groups_streams_and_tags_are_listed_in_order() {
    let directory = tempfile::tempdir().unwrap();
    let logs = open(directory.path()).await;
    for group in ["/b/2", "/a/1", "/b/1"] {
        create(&logs, group).await;
    }
    let names = async |filter: GroupFilter, after: Option<&str>| -> Vec<String> {
        let after = after.map(name);
        let found = logs.groups(&filter, after.as_ref(), 2).await.unwrap();
        found.iter().map(|group| group.name.to_string()).collect()
    };
    assert_eq!(names(GroupFilter::default(), None).await, ["/a/1", "/b/1"]);
    assert_eq!(names(GroupFilter::default(), Some("/b/1")).await, ["/b/2"]);
    let of_b = GroupFilter { prefix: Some("/b".to_owned()), ..GroupFilter::default() };
    assert_eq!(names(of_b, None).await, ["/b/1", "/b/2"]);
    let ones = GroupFilter { substring: Some("/1".to_owned()), ..GroupFilter::default() };
    assert_eq!(names(ones, None).await, ["/a/1", "/b/1"]);

    let group = name("/a/1");
    put(&logs, "/a/1", "x", &[(30, "m")]).await.unwrap();
    put(&logs, "/a/1", "y", &[(10, "m")]).await.unwrap();
    logs.create_stream(&group, &stream("z"), NOW_MS).await.unwrap();
    let exists = logs.create_stream(&group, &stream("z"), NOW_MS).await;
    assert!(matches!(exists, Err(CreateStreamError::Exists)));
    let streams = async |order, is_descending| -> Vec<String> {
        let filter = StreamFilter { prefix: None, order, is_descending };
        let mut all = Vec::new();
        let mut after = None;
        loop {
            let page = logs.streams(&group, &filter, after.as_ref(), 1).await.unwrap();
            let Some(last) = page.last() else { return all };
            after = Some(StreamPosition::of(last));
            all.extend(page.iter().map(|stream| stream.name.to_string()));
        }
    };
    assert_eq!(streams(StreamOrder::Name, false).await, ["x", "y", "z"]);
    assert_eq!(streams(StreamOrder::Name, true).await, ["z", "y", "x"]);
    assert_eq!(streams(StreamOrder::LastEvent, false).await, ["z", "y", "x"]);
    assert_eq!(streams(StreamOrder::LastEvent, true).await, ["x", "y", "z"]);

    let tag = |key: &str, value: &str| Tag { key: key.to_owned(), value: value.to_owned() };
    logs.add_tags(&group, &[tag("b", "1"), tag("a", "1")], 2).await.unwrap();
    logs.add_tags(&group, &[tag("a", "2")], 2).await.unwrap();
    assert!(matches!(logs.add_tags(&group, &[tag("c", "")], 2).await, Err(TagError::TooMany { limit: 2 })));
    logs.remove_tags(&group, &["b".to_owned(), "none".to_owned()]).await.unwrap();
    assert_eq!(logs.tags(&group).await.unwrap(), [tag("a", "2")]);
    logs.close().await;
}

#[tokio::test]
async fn followers_see_what_is_written() {
    let directory = tempfile::tempdir().unwrap();
    let logs = open(directory.path()).await;
    create(&logs, "g").await;
    let mut following = logs.follow();
    put(&logs, "g", "a", &[(2, "second"), (1, "first")]).await.unwrap();
    let arrived = following.recv().await.unwrap();
    assert_eq!((arrived.group.as_str(), arrived.stream.as_str()), ("g", "a"));
    assert_eq!(arrived.events[0].message, "first");
    logs.close().await;
}

/// Batches of times, and which are put together when.
async fn every_event_once(batches: Vec<Vec<(u8, i64)>>, is_joined: bool) {
    let directory = tempfile::tempdir().unwrap();
    let logs = open(directory.path()).await;
    create(&logs, "g").await;
    let mut expected = Vec::new();
    for (id, batch) in batches.iter().enumerate() {
        let to = format!("s{}", batch.first().map_or(0, |(to, _)| to % 3));
        let mut events: Vec<(i64, String)> =
            batch.iter().enumerate().map(|(n, (_, time))| (*time, format!("{id}-{n}"))).collect();
        let borrowed: Vec<(i64, &str)> = events.iter().map(|(time, message)| (*time, &**message)).collect();
        put(&logs, "g", &to, &borrowed).await.unwrap();
        events.sort_by_key(|(time, _)| *time);
        expected.extend(events.into_iter().enumerate().map(|(n, (time, message))| (time, id, n, message)));
    }
    if is_joined {
        tending::tend(&logs.writer, NOW_MS).await.unwrap();
    }
    expected.sort();
    let expected: Vec<String> = expected.into_iter().map(|(.., message)| message).collect();
    assert_eq!(read(&logs, query("g")).await, expected);
    assert_eq!(pages(&logs, EventQuery { events_max: 3, ..query("g") }).await, expected);
    let backward = EventQuery { direction: Direction::Backward, events_max: 3, ..query("g") };
    let mut reversed = pages(&logs, backward).await;
    reversed.reverse();
    assert_eq!(reversed, expected);
    if let Some(middle) = expected.len().checked_div(2).filter(|middle| *middle > 0) {
        let page = logs.events(EventQuery { events_max: middle, ..query("g") }).await.unwrap();
        let on = EventQuery { start: page.next, ..query("g") };
        assert_eq!(read(&logs, on).await, expected[middle..]);
    }
    logs.close().await;
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn events_are_read_once_and_in_order_whatever_was_put_together(
        batches in proptest::collection::vec(proptest::collection::vec((any::<u8>(), 0_i64..50), 1..4), 1..60),
        is_joined: bool,
    ) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        runtime.block_on(every_event_once(batches, is_joined));
    }
}

#[tokio::test]
async fn small_blocks_become_few() {
    let directory = tempfile::tempdir().unwrap();
    let logs = open(directory.path()).await;
    create(&logs, "g").await;
    for number in 0..300 {
        put(&logs, "g", "a", &[(number, &format!("line {number} of a log, like all others"))]).await.unwrap();
    }
    let before = logs.group(&name("g")).await.unwrap().unwrap().stored_bytes;
    tending::tend(&logs.writer, NOW_MS).await.unwrap();
    let count: i64 =
        sqlx::query_scalar("SELECT count(*) FROM blocks").fetch_one(&logs.readers).await.unwrap();
    let after = logs.group(&name("g")).await.unwrap().unwrap().stored_bytes;
    assert!(count <= 45, "{count} blocks");
    assert!(after * 3 < before, "{after} of {before} bytes");
    assert_eq!(read(&logs, query("g")).await.len(), 300);
    logs.close().await;
}

#[tokio::test]
async fn without_room_nothing_is_written_and_with_room_again_everything_goes_on() {
    let directory = tempfile::tempdir().unwrap();
    let logs = open(directory.path()).await;
    create(&logs, "g").await;
    let set = async |statement: &'static str| sqlx::query(statement).execute(&logs.writer).await.unwrap();
    set("PRAGMA max_page_count = 60").await;
    let noise = |number: i64| -> String {
        // Hardly to be compressed.
        (0..400_i64)
            .map(|n| format!("{:x}", (number * 7919 + n).wrapping_mul(0x9e37_79b9_7f4a_7c15_u64 as i64)))
            .collect()
    };
    let mut answered = Vec::new();
    let mut refusals = 0;
    for number in 0..200 {
        let message = noise(number);
        match put(&logs, "g", "a", &[(number, &message)]).await {
            Ok(_) => answered.push(message),
            Err(AppendError::Storage(StorageError::Full(_))) => refusals += 1,
            Err(error) => panic!("{error:?}"),
        }
    }
    assert!(refusals > 100 && !answered.is_empty(), "{refusals} refusals");
    assert_eq!(pages(&logs, query("g")).await, answered);
    set("PRAGMA max_page_count = 1000000").await;
    put(&logs, "g", "a", &[(1000, "again")]).await.unwrap();
    answered.push("again".to_owned());
    assert_eq!(pages(&logs, query("g")).await, answered);
    logs.close().await;
}
