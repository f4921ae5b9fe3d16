//! The bucket that log and digest files are delivered to: files in directories, as their names say.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use postern_audit_format::Layout;

use crate::disk;

/// The bucket, to read from.
#[derive(Debug, Clone)]
pub struct Objects {
    bucket: String,
    directory: PathBuf,
    metadata: PathBuf,
    staging: PathBuf,
}

/// An object, without its contents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectInfo {
    /// Its name in the bucket.
    pub key: String,
    /// Its length in bytes.
    pub size: u64,
    /// When it was delivered.
    pub modified: Timestamp,
}

/// An object.
#[derive(Debug)]
pub struct Object {
    /// What it is called.
    pub info: ObjectInfo,
    /// Its contents.
    pub file: File,
    /// Its metadata: names of headers such as `x-amz-meta-signature`, and their values.
    pub metadata: BTreeMap<String, String>,
}

/// A part of a listing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectPage {
    /// The objects by name, in the order of bytes.
    pub objects: Vec<ObjectInfo>,
    /// Whether there are more.
    pub is_truncated: bool,
}

impl Objects {
    pub(crate) fn new(layout: &Layout, bucket: &str) -> Self {
        Self {
            bucket: bucket.to_owned(),
            directory: layout.objects().join(bucket),
            metadata: layout.metadata().join(bucket),
            staging: layout.directory().join("staging"),
        }
    }

    /// The bucket's name.
    #[must_use]
    pub fn bucket(&self) -> &str {
        &self.bucket
    }

    /// Opens an object; `None` if there is none with this name.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn open(&self, key: &str) -> io::Result<Option<Object>> {
        if !is_key(key) {
            return Ok(None);
        }
        let path = self.directory.join(key);
        let file = match File::open(&path) {
            Err(error) if is_missing(&error) => return Ok(None),
            file => file.map_err(|error| disk::named(&path, error))?,
        };
        let about = file.metadata().map_err(|error| disk::named(&path, error))?;
        if !about.is_file() {
            return Ok(None);
        }
        Ok(Some(Object { info: info(key.to_owned(), &about), file, metadata: self.metadata_of(key)? }))
    }

    fn metadata_of(&self, key: &str) -> io::Result<BTreeMap<String, String>> {
        let path = self.metadata_path(key);
        match fs::read(&path) {
            Err(error) if is_missing(&error) => Ok(BTreeMap::new()),
            contents => {
                let contents = contents.map_err(|error| disk::named(&path, error))?;
                serde_json::from_slice(&contents).map_err(|error| disk::named(&path, error.into()))
            }
        }
    }

    fn metadata_path(&self, key: &str) -> PathBuf {
        self.metadata.join(format!("{key}.json"))
    }

    /// Lists the objects whose names begin with `prefix` and come after `after`, at most `limit`.
    ///
    /// # Errors
    /// A directory cannot be read.
    pub fn list(&self, prefix: &str, after: &str, limit: usize) -> io::Result<ObjectPage> {
        let mut listing = Listing { prefix, after, limit, found: Vec::new() };
        listing.walk(&self.directory, "")?;
        let is_truncated = listing.found.len() > limit;
        listing.found.truncate(limit);
        Ok(ObjectPage { objects: listing.found, is_truncated })
    }

    /// Writes an object where nobody sees it yet. `id` is what it will be found by, should the server stop meanwhile.
    pub(crate) fn stage(
        &self,
        id: &str,
        contents: &[u8],
        metadata: &BTreeMap<String, String>,
    ) -> io::Result<()> {
        disk::create_directory(&self.staging)?;
        if !metadata.is_empty() {
            let json = serde_json::to_vec(metadata).map_err(io::Error::other)?;
            disk::write_aside(&self.staged(id, "metadata"), &json)?;
        }
        disk::write_aside(&self.staged(id, "object"), contents)?;
        disk::sync_directory(&self.staging)
    }

    /// Shows an object that was staged, if it still is.
    pub(crate) fn show(&self, id: &str, key: &str) -> io::Result<()> {
        // The metadata first: an object that is there is complete.
        self.put(&self.staged(id, "metadata"), &self.metadata_path(key))?;
        self.put(&self.staged(id, "object"), &self.directory.join(key))
    }

    /// Forgets what was staged for a delivery that did not come about.
    pub(crate) fn clear_staging(&self) -> io::Result<()> {
        match fs::remove_dir_all(&self.staging) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(disk::named(&self.staging, error)),
            _ => Ok(()),
        }
    }

    /// Removes an object.
    pub(crate) fn remove(&self, key: &str) -> io::Result<()> {
        disk::remove_if_there(&self.directory.join(key))?;
        disk::remove_if_there(&self.metadata_path(key))
    }

    fn staged(&self, id: &str, part: &str) -> PathBuf {
        self.staging.join(format!("{id}.{part}"))
    }

    fn put(&self, staged: &Path, path: &Path) -> io::Result<()> {
        let aside = disk::aside(staged);
        if !aside.exists() {
            return Ok(());
        }
        let directories: Vec<&Path> = path.ancestors().skip(1).take_while(|above| !above.exists()).collect();
        if let Some(directory) = path.parent() {
            disk::create_directory(directory)?;
        }
        fs::rename(&aside, path).map_err(|error| disk::named(path, error))?;
        // The directory of the file, and those above the new ones.
        let parents = directories.iter().filter_map(|directory| directory.parent());
        path.parent().into_iter().chain(parents).try_for_each(disk::sync_directory)
    }
}

/// Names that stay in the bucket's directory.
fn is_key(key: &str) -> bool {
    !key.contains(['\\', '\0']) && key.split('/').all(|part| !matches!(part, "" | "." | ".."))
}

fn is_missing(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory | io::ErrorKind::InvalidFilename
    )
}

fn info(key: String, about: &fs::Metadata) -> ObjectInfo {
    let modified = about.modified().ok().and_then(|time| Timestamp::try_from(time).ok());
    ObjectInfo { key, size: about.len(), modified: modified.unwrap_or(Timestamp::UNIX_EPOCH) }
}

/// Walks through the directories in the order of the names.
struct Listing<'a> {
    prefix: &'a str,
    after: &'a str,
    limit: usize,
    found: Vec<ObjectInfo>,
}

impl Listing<'_> {
    /// `above` is the name of the directory in the bucket, with a `/` at its end.
    fn walk(&mut self, directory: &Path, above: &str) -> io::Result<()> {
        let mut entries = match fs::read_dir(directory) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            entries => entries
                .and_then(Iterator::collect::<io::Result<Vec<_>>>)
                .map_err(|error| disk::named(directory, error))?
                .into_iter()
                .filter_map(|entry| {
                    let is_directory = entry.file_type().is_ok_and(|kind| kind.is_dir());
                    let name = format!("{above}{}", entry.file_name().to_str()?);
                    Some((if is_directory { name + "/" } else { name }, entry))
                })
                .collect::<Vec<_>>(),
        };
        entries.sort_by(|(one, _), (other, _)| one.cmp(other));
        for (name, entry) in entries {
            if self.found.len() > self.limit {
                return Ok(());
            }
            if name.ends_with('/') {
                let may_match = name.starts_with(self.prefix) || self.prefix.starts_with(&name);
                let is_passed = *name < *self.after && !self.after.starts_with(&name);
                if may_match && !is_passed {
                    self.walk(&entry.path(), &name)?;
                }
            } else if name.starts_with(self.prefix) && *name > *self.after {
                let about = entry.metadata().map_err(|error| disk::named(&entry.path(), error))?;
                self.found.push(info(name, &about));
            }
        }
        Ok(())
    }
}

impl Object {
    /// All of its contents.
    ///
    /// # Errors
    /// They cannot be read.
    pub fn read(&mut self) -> io::Result<Vec<u8>> {
        let mut contents = Vec::new();
        self.file.read_to_end(&mut contents)?;
        Ok(contents)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn objects(directory: &Path) -> Objects {
        Objects::new(&Layout::new(directory), "bucket")
    }

    fn put(objects: &Objects, key: &str) {
        let metadata = BTreeMap::from([("x-amz-meta-signature".to_owned(), "00".to_owned())]);
        objects.stage("id", key.as_bytes(), &metadata).unwrap();
        assert!(objects.open(key).unwrap().is_none());
        objects.show("id", key).unwrap();
    }

    #[test]
    fn objects_are_listed_by_the_bytes_of_their_names() {
        let temp = tempfile::tempdir().unwrap();
        let objects = objects(temp.path());
        let keys = ["a.b", "a/b", "a/c/d", "a0", "b/x"];
        keys.iter().rev().for_each(|key| put(&objects, key));
        let list = |prefix, after, limit| {
            let page = objects.list(prefix, after, limit).unwrap();
            (page.objects.into_iter().map(|object| object.key).collect::<Vec<_>>(), page.is_truncated)
        };
        assert_eq!(list("", "", 10), (keys.map(String::from).to_vec(), false));
        assert_eq!(list("a/", "", 1), (vec!["a/b".into()], true));
        assert_eq!(list("a/", "a/b", 1), (vec!["a/c/d".into()], false));
        assert_eq!(list("", "a/c/d", 9), (vec!["a0".into(), "b/x".into()], false));
        assert_eq!(list("c", "", 9), (vec![], false));
    }

    #[test]
    fn an_object_has_its_contents_and_metadata() {
        let temp = tempfile::tempdir().unwrap();
        let objects = objects(temp.path());
        put(&objects, "a/b");
        let mut object = objects.open("a/b").unwrap().unwrap();
        assert_eq!(object.read().unwrap(), b"a/b");
        assert_eq!(object.metadata["x-amz-meta-signature"], "00");
        for key in ["", "a", "a/../a/b", "/a/b", "a/b/c", "a//b", "nothing"] {
            assert!(objects.open(key).unwrap().is_none(), "{key:?}");
        }
    }
}
