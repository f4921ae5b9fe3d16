//! The rules of the repository that no compiler checks.

use std::path::Path;

use anyhow::Result;

/// Checks all of them and reports every breach.
pub(crate) fn check(root: &Path) -> Result<()> {
    crate::api::check(root)
}
