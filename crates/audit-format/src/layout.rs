//! Where the files of a trail are.

use std::path::{Path, PathBuf};

/// Where the files of a trail are, below its directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    directory: PathBuf,
}

impl Layout {
    /// The files below `directory`.
    #[must_use]
    pub fn new(directory: impl Into<PathBuf>) -> Self {
        Self { directory: directory.into() }
    }

    /// The directory.
    #[must_use]
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// The segment files of the chain.
    #[must_use]
    pub fn chain(&self) -> PathBuf {
        self.directory.join("chain")
    }

    /// The signed heads.
    #[must_use]
    pub fn heads(&self) -> PathBuf {
        self.directory.join("heads.jsonl")
    }

    /// The keys.
    #[must_use]
    pub fn keys(&self) -> PathBuf {
        self.directory.join("keys")
    }

    /// The buckets with what was delivered.
    #[must_use]
    pub fn objects(&self) -> PathBuf {
        self.directory.join("objects")
    }

    /// The metadata of the objects: the same names with `.json` behind.
    #[must_use]
    pub fn metadata(&self) -> PathBuf {
        self.directory.join("objects-metadata")
    }

    /// The index for lookups, which can be made anew from the chain.
    #[must_use]
    pub fn index(&self) -> PathBuf {
        self.directory.join("index.db")
    }
}
