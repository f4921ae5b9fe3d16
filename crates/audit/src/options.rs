//! What a trail can be told.

use std::path::PathBuf;
use std::time::Duration;

use postern_audit_format::segment::TrailName;
use postern_ids::{AccountId, Region};

use crate::appender::Durability;

/// Where a trail is, whose it is, and how often what is made.
#[derive(Debug, Clone)]
pub struct TrailOptions {
    /// Its directory; it is created, for its owner only.
    pub directory: PathBuf,
    /// The account, the region and the name. They are part of the chain and cannot change.
    pub trail: TrailName,
    /// The bucket that log and digest files are delivered to.
    pub bucket: String,
    /// What an answered call survives.
    pub durability: Durability,
    /// A segment file that has reached this length, or is a day old, is followed by another. The last one is read when
    /// the trail is opened.
    pub segment_bytes_max: u64,
    /// How often a head is signed, if the chain has grown.
    pub head_interval: Duration,
    /// How often log files are delivered, if there are records. Whole seconds.
    pub log_file_interval: Duration,
    /// How often a digest is delivered. Whole seconds, counted from 1970, so that an hour's digests end with the hour.
    pub digest_interval: Duration,
    /// How long a key signs.
    pub key_lifetime: Duration,
}

impl TrailOptions {
    /// The usual choices.
    #[must_use]
    pub fn new(directory: impl Into<PathBuf>, account_id: AccountId, region: Region) -> Self {
        Self {
            directory: directory.into(),
            trail: TrailName { account_id, region, name: "postern".to_owned() },
            bucket: "postern-audit".to_owned(),
            durability: Durability::default(),
            segment_bytes_max: 32 * 1024 * 1024,
            head_interval: Duration::from_secs(60),
            log_file_interval: Duration::from_secs(5 * 60),
            digest_interval: Duration::from_secs(60 * 60),
            key_lifetime: Duration::from_secs(365 * 24 * 60 * 60),
        }
    }

    /// The ARN of the trail, as `DescribeTrails` shows it.
    #[must_use]
    pub fn arn(&self) -> String {
        let TrailName { account_id, region, name } = &self.trail;
        format!("arn:aws:cloudtrail:{region}:{account_id}:trail/{name}")
    }
}
