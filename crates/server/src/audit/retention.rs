//! Removing what has been kept as long as the settings say. The chain says so first.

use std::time::Duration;

use postern_audit::{Retention, Trail};
use tokio_util::sync::CancellationToken;

/// How often it is looked whether something is old enough.
pub(crate) const REMOVED_EVERY: Duration = Duration::from_secs(60 * 60);
/// What the chain gives as the reason.
const REASON: &str = "kept as long as the settings audit.keep_*_days say";

/// Removes old records at once and then every so often, by order of `by`, until `stop` is cancelled.
pub(crate) async fn remove_old(
    trail: &Trail,
    retention: Retention,
    by: &str,
    every: Duration,
    stop: &CancellationToken,
) {
    loop {
        match trail.apply_retention(retention, by, REASON).await {
            Ok(removed) if removed.records + removed.segments + removed.objects > 0 => tracing::info!(
                "removed {} records, {} segments and {} files from the audit trail: {REASON}",
                removed.records,
                removed.segments,
                removed.objects
            ),
            Ok(_) => {}
            Err(error) => {
                let error: &dyn std::error::Error = &error;
                tracing::error!(error, "old records cannot be removed from the audit trail");
            }
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(every) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicI64, Ordering};

    use jiff::Timestamp;
    use postern_audit::format::tombstone::EVENT_NAME;
    use postern_audit::format::verify::{TrustedKey, verify};
    use postern_audit::{
        Class, Clock, IdentityType, LookupAttribute, LookupQuery, Record, TrailOptions, UserIdentity,
    };

    use super::*;

    const DAY_S: i64 = 24 * 60 * 60;
    const BY: &str = "arn:aws:iam::111122223333:root";

    fn read(at: Timestamp) -> Record {
        let (region, who) = ("us-east-1".parse().unwrap(), UserIdentity::new(IdentityType::IamUser));
        let id = uuid::Uuid::from_u128(u128::try_from(at.as_second()).unwrap());
        Record::api_call(id, at, "ssm.amazonaws.com", "DescribeSessions", region, who)
    }

    async fn found(trail: &Trail, name: &str) -> Vec<String> {
        let attribute = Some(LookupAttribute::EventName(name.to_owned()));
        let query = LookupQuery { attribute, limit: 50, ..LookupQuery::default() };
        trail.lookup(&query).await.unwrap().events.into_iter().map(|event| event.json).collect()
    }

    #[tokio::test]
    async fn what_becomes_old_enough_while_the_server_runs_is_removed() {
        let directory = tempfile::tempdir().unwrap();
        let seconds = Arc::new(AtomicI64::new(1_800_000_000));
        let hand = Arc::clone(&seconds);
        let now = move || Timestamp::from_second(hand.load(Ordering::SeqCst)).unwrap();
        let (account, region) = ("111122223333".parse().unwrap(), "us-east-1".parse().unwrap());
        let options = TrailOptions::new(directory.path().join("audit"), account, region);
        let trail = Trail::open(options, [7; 32], Clock::new(now.clone())).await.unwrap();
        trail.write(Class::Read, read(now())).await.unwrap();
        let retention =
            Retention { read: Some(Duration::from_secs(2 * 24 * 60 * 60)), ..Retention::default() };
        let stop = CancellationToken::new();
        let job = remove_old(&trail, retention, BY, Duration::from_millis(20), &stop);
        let days = async {
            for _ in 0..2 {
                seconds.fetch_add(DAY_S, Ordering::SeqCst);
                trail.tend().await.unwrap();
                assert_eq!(found(&trail, EVENT_NAME).await, Vec::<String>::new());
                assert_eq!(found(&trail, "DescribeSessions").await.len(), 1);
            }
            seconds.fetch_add(DAY_S, Ordering::SeqCst);
            while found(&trail, EVENT_NAME).await.is_empty() {
                trail.tend().await.unwrap();
                tokio::task::yield_now().await;
            }
            stop.cancel();
        };
        tokio::time::timeout(Duration::from_secs(30), async { tokio::join!(job, days) }).await.unwrap();
        assert_eq!(found(&trail, "DescribeSessions").await, Vec::<String>::new());
        // One tells of the record, one of the log file.
        for tombstone in found(&trail, EVENT_NAME).await {
            assert!(tombstone.contains(BY) && tombstone.contains(REASON), "{tombstone}");
        }
        let key = TrustedKey::parse(trail.public_keys(None, None)[0].value.as_bytes()).unwrap();
        let report = verify(&trail.options().directory, &[key], None).unwrap();
        assert!(report.is_sound(), "{:#?}", report.findings);
        trail.close().await;
    }
}
