//! Room on the disk that is kept for sessions and the audit trail: uploads and log events, which others decide the size of,
//! are refused before a full disk ends everything else.

use std::path::Path;

/// How much stays free.
#[derive(Debug, Clone, Copy)]
pub(crate) struct DiskReserve {
    free_bytes_min: u64,
}

impl DiskReserve {
    pub(crate) fn new(free_bytes_min: usize) -> Self {
        Self { free_bytes_min: u64::try_from(free_bytes_min).unwrap_or(u64::MAX) }
    }

    /// Whether the file system of `directory` has more room than is reserved. One that does not tell is written to until it
    /// refuses.
    pub(crate) fn has_room(&self, directory: &Path) -> bool {
        self.has_room_for(0, directory)
    }

    /// Whether it has room for so many bytes more.
    pub(crate) fn has_room_for(&self, bytes: u64, directory: &Path) -> bool {
        let Ok(facts) = rustix::fs::statvfs(directory) else { return true };
        facts.f_bavail.saturating_mul(facts.f_frsize) > self.free_bytes_min.saturating_add(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_reserved_is_no_room() {
        let directory = tempfile::tempdir().unwrap();
        let has_room = |free_bytes_min| DiskReserve::new(free_bytes_min).has_room(directory.path());
        assert!(has_room(0));
        assert!(!has_room(usize::MAX));
        assert!(DiskReserve::new(0).has_room_for(1, directory.path()));
        assert!(!DiskReserve::new(0).has_room_for(u64::MAX, directory.path()));
        assert!(DiskReserve::new(usize::MAX).has_room(&directory.path().join("nowhere")), "it does not tell");
    }
}
