//! Log groups.

use crate::GroupName;

/// A group as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogGroup {
    /// The name.
    pub name: GroupName,
    /// When it was created.
    pub created_at_ms: i64,
    /// `STANDARD` or one of the other classes, which differ in price only.
    pub class: String,
    /// How long events are kept. `None`: for ever.
    pub retention_days: Option<u32>,
    /// The key that is associated with it.
    pub kms_key: Option<String>,
    /// Whether it cannot be deleted.
    pub is_deletion_protected: bool,
    /// What its events take up, compressed.
    pub stored_bytes: u64,
}

impl LogGroup {
    /// The time before which events are expired at `now_ms`.
    #[must_use]
    pub fn expired_before_ms(&self, now_ms: i64) -> Option<i64> {
        self.retention_days.map(|days| now_ms - i64::from(days) * crate::DAY_MS)
    }
}

/// A group to be created.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewGroup {
    /// The name.
    pub name: GroupName,
    /// The class.
    pub class: String,
    /// The key to be associated with it.
    pub kms_key: Option<String>,
    /// Whether it cannot be deleted.
    pub is_deletion_protected: bool,
    /// Its tags.
    pub tags: Vec<Tag>,
}

/// A tag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tag {
    /// The key.
    pub key: String,
    /// The value.
    pub value: String,
}

/// Which groups to list.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct GroupFilter {
    /// How the name begins.
    pub prefix: Option<String>,
    /// What the name holds.
    pub substring: Option<String>,
    /// The class.
    pub class: Option<String>,
}
