//! The rules of the repository that no compiler checks, each with its reason.

mod edges;
mod purity;
mod repository;
mod sources;
mod words;

use std::path::Path;

use anyhow::{Result, bail};

use repository::Repository;

/// Checks all of them and reports every breach.
pub(crate) fn check(root: &Path) -> Result<()> {
    let repository = Repository::read(root)?;
    let mut breaches = Vec::new();
    breaches.extend(edges::breaches(&repository));
    breaches.extend(purity::breaches(&repository));
    breaches.extend(sources::breaches(&repository));
    breaches.extend(words::breaches(&repository));
    if let Err(error) = crate::api::check(root) {
        breaches.push(format!("{error:#}"));
    }
    if !breaches.is_empty() {
        bail!("{} untidy places:\n  {}", breaches.len(), breaches.join("\n  "));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_repository_is_tidy() {
        if let Err(error) = super::check(&crate::root()) {
            panic!("{error:?}");
        }
    }
}
