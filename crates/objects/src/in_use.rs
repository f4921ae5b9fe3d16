//! Files that are being read: what takes their place must not cut off whoever reads them.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use postern_store::Segment;

/// Who reads which files of a directory.
#[derive(Debug, Clone, Default)]
pub(crate) struct InUse(Arc<Mutex<Files>>);

#[derive(Debug, Default)]
struct Files {
    /// How many read a file.
    readers: HashMap<String, usize>,
    /// What is to be removed when nobody reads it any more.
    doomed: HashMap<String, PathBuf>,
}

/// Files that stay as long as this does.
pub(crate) struct Held {
    in_use: InUse,
    names: HashSet<String>,
}

impl InUse {
    /// Keeps the files of `segments` where they are.
    pub(crate) fn hold(&self, segments: &[Segment]) -> Held {
        let names: HashSet<String> = segments.iter().map(|segment| segment.file.clone()).collect();
        let mut files = self.lock();
        for name in &names {
            *files.readers.entry(name.clone()).or_default() += 1;
        }
        drop(files);
        Held { in_use: self.clone(), names }
    }

    /// Whether a file has readers. If so, it is removed when they are gone; if the server is before, at its next start.
    pub(crate) fn defer_removal(&self, name: &str, path: PathBuf) -> bool {
        let mut files = self.lock();
        let is_read = files.readers.contains_key(name);
        if is_read {
            files.doomed.insert(name.to_owned(), path);
        }
        is_read
    }

    fn lock(&self) -> MutexGuard<'_, Files> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let mut files = self.in_use.lock();
        for name in &self.names {
            let Some(readers) = files.readers.get_mut(name) else { continue };
            *readers -= 1;
            if *readers == 0 {
                files.readers.remove(name);
                if let Some(path) = files.doomed.remove(name) {
                    // What stays is removed at the next start.
                    let _ = std::fs::remove_file(path);
                }
            }
        }
    }
}

impl fmt::Debug for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Held").field(&self.names.len()).finish()
    }
}
