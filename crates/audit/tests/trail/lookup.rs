//! Records are found again, by each of their attributes, page by page.

use jiff::SignedDuration;
use postern_audit::{Class, LookupAttribute, LookupQuery, Resource, Trail};
use tempfile::TempDir;
use uuid::Uuid;

use crate::support::{Hand, open, record};

/// The operations that were found, the newest first, without what the trail says about itself.
async fn names(trail: &Trail, query: LookupQuery) -> Vec<String> {
    let page = trail.lookup(&query).await.unwrap();
    let names = page.events.into_iter().map(|event| event.record.event_name);
    names.filter(|name| !name.starts_with("AuditTrail")).collect()
}

fn all() -> LookupQuery {
    LookupQuery { limit: 50, ..LookupQuery::default() }
}

fn by(attribute: LookupAttribute) -> LookupQuery {
    LookupQuery { attribute: Some(attribute), ..all() }
}

/// StartSession by alice, then DescribeSessions by bob, then ListTagsForResource by bob, a minute apart.
async fn three(directory: &std::path::Path, hand: &Hand) -> Trail {
    let trail = open(directory, hand).await;
    hand.advance(60);
    let mut start = record("StartSession", "alice", 1, hand.now());
    start.resources.push(Resource {
        arn: "arn:aws:ssm:us-east-1:111122223333:managed-instance/mi-1".to_owned(),
        account_id: None,
        kind: "AWS::SSM::ManagedInstance".to_owned(),
    });
    trail.write(Class::Write, start).await.unwrap();
    hand.advance(60);
    trail.write(Class::Read, record("DescribeSessions", "bob", 2, hand.now())).await.unwrap();
    hand.advance(60);
    let mut list = record("ListTagsForResource", "bob", 3, hand.now());
    list.event_source = "iam.amazonaws.com".to_owned();
    trail.write(Class::Read, list).await.unwrap();
    trail
}

#[tokio::test]
async fn each_attribute_finds_its_records() {
    let (temp, hand) = (TempDir::new().unwrap(), Hand::new());
    let trail = three(temp.path(), &hand).await;
    let (start, describe, list) = ("StartSession", "DescribeSessions", "ListTagsForResource");
    let cases: [(LookupAttribute, &[&str]); 13] = [
        (LookupAttribute::EventId(Uuid::from_u128(2).to_string()), &[describe]),
        (LookupAttribute::EventName(start.into()), &[start]),
        (LookupAttribute::EventName("startsession".into()), &[]),
        (LookupAttribute::ReadOnly(true), &[list, describe]),
        (LookupAttribute::ReadOnly(false), &[start]),
        (LookupAttribute::Username("bob".into()), &[list, describe]),
        (LookupAttribute::ResourceType("AWS::SSM::ManagedInstance".into()), &[start]),
        (LookupAttribute::ResourceName("mi-1".into()), &[start]),
        (
            LookupAttribute::ResourceName("arn:aws:ssm:us-east-1:111122223333:managed-instance/mi-1".into()),
            &[start],
        ),
        (LookupAttribute::EventSource("iam.amazonaws.com".into()), &[list]),
        (LookupAttribute::AccessKeyId("AKIAbob".into()), &[list, describe]),
        (LookupAttribute::AccessKeyId("AKIA' OR 1=1 --".into()), &[]),
        (LookupAttribute::Username("nobody".into()), &[]),
    ];
    for (attribute, expected) in cases {
        let case = format!("{attribute:?}");
        assert_eq!(names(&trail, by(attribute)).await, expected, "{case}");
    }
    assert_eq!(names(&trail, all()).await, [list, describe, start]);
    trail.close().await;
}

#[tokio::test]
async fn both_ends_of_a_time_range_belong_to_it() {
    let (temp, hand) = (TempDir::new().unwrap(), Hand::new());
    let trail = three(temp.path(), &hand).await;
    let minute = SignedDuration::from_mins(1);
    let (last, before) = (hand.now(), hand.now() - minute);
    let since = LookupQuery { start: Some(before), ..all() };
    assert_eq!(names(&trail, since).await, ["ListTagsForResource", "DescribeSessions"]);
    let until = LookupQuery { end: Some(before), ..all() };
    assert_eq!(names(&trail, until).await, ["DescribeSessions", "StartSession"]);
    let nothing = LookupQuery { start: Some(last + minute), ..all() };
    assert!(names(&trail, nothing).await.is_empty());
    trail.close().await;
}

#[tokio::test]
async fn pages_join_without_gap_or_repetition() {
    let (temp, hand) = (TempDir::new().unwrap(), Hand::new());
    let trail = open(temp.path(), &hand).await;
    for number in 0..25 {
        // Many in one second, as they come.
        hand.advance(i64::from(number % 7 == 0));
        trail.write(Class::Read, record("Call", "alice", number, hand.now())).await.unwrap();
    }
    let mut query = LookupQuery { limit: 4, ..by(LookupAttribute::EventName("Call".into())) };
    let mut found = Vec::new();
    loop {
        let page = trail.lookup(&query).await.unwrap();
        assert!(page.events.len() <= 4);
        found.extend(page.events.iter().map(|event| event.record.event_id.as_u128()));
        // What comes meanwhile is newer, and shifts nothing.
        trail.write(Class::Read, record("Call", "bob", 1000, hand.now())).await.unwrap();
        let Some(next) = page.next else { break };
        query.after = Some(next.to_string().parse().unwrap());
    }
    assert_eq!(found, (0..25).rev().collect::<Vec<_>>());
    trail.close().await;
}

#[tokio::test]
async fn an_index_that_is_lost_or_damaged_is_made_anew() {
    let (temp, hand) = (TempDir::new().unwrap(), Hand::new());
    let trail = three(temp.path(), &hand).await;
    let expected = names(&trail, all()).await;
    trail.close().await;
    let index = temp.path().join("audit/index.db");
    for damage in [None, Some(b"not a database".to_vec()), Some(vec![0; 8192])] {
        std::fs::remove_file(&index).unwrap();
        if let Some(damage) = damage {
            std::fs::write(&index, damage).unwrap();
        }
        let trail = open(temp.path(), &hand).await;
        assert_eq!(names(&trail, all()).await, expected);
        trail.close().await;
    }
}
