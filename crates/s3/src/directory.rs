//! Objects that are files below a directory: `<directory>/<bucket>/<key>`.

use std::collections::BTreeMap;
use std::fs::{self, File, Metadata};
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use postern_store::ObjectAttributes;
use serde_json::{Map, Value};
use tokio::task::spawn_blocking;

use crate::objects::{ObjectInfo, Objects, Opened};
use crate::stream;

/// Metadata is a few hundred bytes; a file that is longer is none.
const METADATA_BYTES_MAX: u64 = 64 * 1024;
/// What metadata's names begin with on the wire.
const METADATA_PREFIX: &str = "x-amz-meta-";

/// Files served as objects. Links are not followed, and what has a name that begins with a dot is not there.
#[derive(Debug, Clone)]
pub struct DirectoryObjects {
    objects: PathBuf,
    metadata: PathBuf,
}

impl DirectoryObjects {
    /// Serves the files below `objects`. The metadata of one is in the file of the same name with `.json` behind it,
    /// below `metadata`: a JSON object with texts.
    #[must_use]
    pub fn new(objects: PathBuf, metadata: PathBuf) -> Self {
        Self { objects, metadata }
    }

    fn bucket_path(&self, bucket: &str) -> Option<PathBuf> {
        is_bucket_name(bucket).then(|| self.objects.join(bucket))
    }

    fn open_blocking(&self, bucket: &str, key: String) -> io::Result<Option<Opened>> {
        let Some(bucket_path) = self.bucket_path(bucket) else { return Ok(None) };
        if !leads_to_file(bucket_path.clone(), &key)? {
            return Ok(None);
        }
        let Some(file) = present(File::open(bucket_path.join(&key)))? else { return Ok(None) };
        let metadata = metadata(&self.metadata.join(bucket).join(format!("{key}.json")))?;
        let info = info(key, &file.metadata()?)?;
        Ok(Some(Opened {
            info,
            attributes: ObjectAttributes { metadata, ..ObjectAttributes::default() },
            retention: None,
            parts: Vec::new(),
            is_encrypted: false,
            contents: Box::new(move |range| Box::pin(stream::of_file(file.into(), range))),
        }))
    }
}

#[async_trait::async_trait]
impl Objects for DirectoryObjects {
    async fn buckets(&self) -> io::Result<Vec<(String, SystemTime)>> {
        let objects = self.objects.clone();
        blocking(move || {
            let mut buckets = Vec::new();
            for entry in entries(&objects)? {
                if entry.is_directory && is_bucket_name(&entry.name) {
                    let metadata = fs::symlink_metadata(objects.join(&entry.name))?;
                    buckets.push((entry.name, metadata.created().or_else(|_| metadata.modified())?));
                }
            }
            Ok(buckets)
        })
        .await
    }

    async fn has_bucket(&self, bucket: &str) -> io::Result<bool> {
        let Some(path) = self.bucket_path(bucket) else { return Ok(false) };
        blocking(move || Ok(present(fs::symlink_metadata(path))?.is_some_and(|found| found.is_dir()))).await
    }

    async fn list(
        &self,
        bucket: &str,
        prefix: &str,
        after: Option<&str>,
        count_max: usize,
    ) -> io::Result<Vec<ObjectInfo>> {
        let Some(path) = self.bucket_path(bucket) else { return Ok(Vec::new()) };
        let walk = Walk { prefix: prefix.to_owned(), after: after.map(str::to_owned), count_max };
        blocking(move || {
            let mut objects = Vec::new();
            walk.directory(&path, "", &mut objects)?;
            Ok(objects)
        })
        .await
    }

    async fn open(&self, bucket: &str, key: &str) -> io::Result<Option<Opened>> {
        let (this, bucket, key) = (self.clone(), bucket.to_owned(), key.to_owned());
        blocking(move || this.open_blocking(&bucket, key)).await
    }
}

/// Goes through a bucket in the order of keys.
struct Walk {
    prefix: String,
    after: Option<String>,
    count_max: usize,
}

impl Walk {
    /// Adds what lies in `directory`, whose keys all begin with `above`.
    fn directory(&self, directory: &Path, above: &str, objects: &mut Vec<ObjectInfo>) -> io::Result<()> {
        for entry in entries(directory)? {
            if objects.len() >= self.count_max {
                return Ok(());
            }
            let path = directory.join(&entry.name);
            if entry.is_directory {
                let below = format!("{above}{}/", entry.name);
                if self.may_hold(&below) {
                    self.directory(&path, &below, objects)?;
                }
                continue;
            }
            let key = format!("{above}{}", entry.name);
            if key.starts_with(&self.prefix)
                && self.after.as_ref().is_none_or(|after| key > *after)
                && let Some(metadata) = present(fs::symlink_metadata(&path))?
            {
                objects.push(info(key, &metadata)?);
            }
        }
        Ok(())
    }

    /// Whether keys that begin with `below` can be among those asked for.
    fn may_hold(&self, below: &str) -> bool {
        let is_within = below.starts_with(&self.prefix) || self.prefix.starts_with(below);
        is_within
            && self.after.as_ref().is_none_or(|after| after.starts_with(below) || after.as_str() < below)
    }
}

struct Entry {
    name: String,
    is_directory: bool,
}

/// The files and directories in a directory, in the order of the keys below them: a directory's keys go on with a
/// slash, and characters may come before that. None if it is not there.
fn entries(directory: &Path) -> io::Result<Vec<Entry>> {
    let Some(reader) = present(fs::read_dir(directory))? else { return Ok(Vec::new()) };
    let mut entries = Vec::new();
    for entry in reader {
        let entry = entry?;
        let kind = entry.file_type()?;
        match entry.file_name().into_string() {
            Ok(name) if is_segment(&name) && (kind.is_dir() || kind.is_file()) => {
                entries.push(Entry { name, is_directory: kind.is_dir() });
            }
            // Nothing that this server wrote.
            Ok(_) | Err(_) => {}
        }
    }
    entries.sort_by(|one, other| one.ordered().cmp(other.ordered()));
    Ok(entries)
}

impl Entry {
    fn ordered(&self) -> impl Iterator<Item = u8> + '_ {
        self.name.bytes().chain(self.is_directory.then_some(b'/'))
    }
}

/// Whether every step from a bucket to a key is a directory, and the last one a file. No step can lead out: each is
/// a plain name.
fn leads_to_file(mut path: PathBuf, key: &str) -> io::Result<bool> {
    let mut steps = key.split('/').peekable();
    while let Some(step) = steps.next() {
        if !is_segment(step) {
            return Ok(false);
        }
        path.push(step);
        let Some(found) = present(fs::symlink_metadata(&path))? else { return Ok(false) };
        let is_right = if steps.peek().is_some() { found.is_dir() } else { found.is_file() };
        if !is_right {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Whether a part of a key between slashes can be the name of a file here.
fn is_segment(name: &str) -> bool {
    !name.is_empty() && !name.starts_with('.') && !name.contains(['/', '\0'])
}

/// Source: "General purpose bucket naming rules", Amazon S3 User Guide.
fn is_bucket_name(name: &str) -> bool {
    let is_character = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b".-".contains(&byte);
    (3..=63).contains(&name.len()) && name.bytes().all(is_character) && is_segment(name)
}

fn info(key: String, metadata: &Metadata) -> io::Result<ObjectInfo> {
    let (size_bytes, modified_at) = (metadata.len(), metadata.modified()?);
    Ok(ObjectInfo { key, size_bytes, modified_at, entity_tag: entity_tag(size_bytes, modified_at) })
}

/// The entity tag. It changes when the object does, and looks like that of a multipart upload, which clients do
/// not take for an MD5 of the contents.
fn entity_tag(size_bytes: u64, modified_at: SystemTime) -> String {
    let modified = modified_at.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    format!("{:016x}{size_bytes:016x}-1", modified.as_nanos())
}

/// The texts of a metadata file; none if there is no such file.
fn metadata(path: &Path) -> io::Result<BTreeMap<String, String>> {
    let Some(found) = present(fs::symlink_metadata(path))? else { return Ok(BTreeMap::new()) };
    if !found.is_file() || found.len() > METADATA_BYTES_MAX {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "not a file of metadata"));
    }
    let map: Map<String, Value> = serde_json::from_slice(&fs::read(path)?)?;
    let texts = map.into_iter().filter_map(|(name, value)| match value {
        Value::String(text) => Some((name.strip_prefix(METADATA_PREFIX).unwrap_or(&name).to_owned(), text)),
        _ => None,
    });
    Ok(texts.collect())
}

/// What is not there is no failure.
fn present<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    use io::ErrorKind::{InvalidFilename, NotADirectory, NotFound};
    match result {
        Ok(found) => Ok(Some(found)),
        Err(error) if matches!(error.kind(), NotFound | NotADirectory | InvalidFilename) => Ok(None),
        Err(error) => Err(error),
    }
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> io::Result<T> + Send + 'static) -> io::Result<T> {
    spawn_blocking(work).await.unwrap_or_else(|error| Err(io::Error::other(error)))
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use futures_util::TryStreamExt as _;

    use super::*;

    fn store(files: &[(&str, &str)]) -> (tempfile::TempDir, DirectoryObjects) {
        let directory = tempfile::tempdir().unwrap();
        let write = |path: PathBuf, text: &str| {
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        for (path, text) in files {
            write(directory.path().join("objects").join(path), text);
        }
        write(directory.path().join("secret"), "not to be read");
        let objects = directory.path().join("objects");
        let metadata = directory.path().join("objects-metadata");
        (directory, DirectoryObjects::new(objects, metadata))
    }

    async fn keys(store: &DirectoryObjects, prefix: &str, after: Option<&str>, max: usize) -> Vec<String> {
        let objects = store.list("audit", prefix, after, max).await.unwrap();
        objects.into_iter().map(|object| object.key).collect()
    }

    #[tokio::test]
    async fn keys_come_in_the_order_of_their_bytes() {
        let files = ["a/1", "a/2", "a-b", "a0", "b/c/d", "z"];
        let files: Vec<_> = files.iter().map(|key| (format!("audit/{key}"), "x")).collect();
        let files: Vec<_> = files.iter().map(|(path, text)| (path.as_str(), *text)).collect();
        let (_directory, store) = store(&files);
        let all = ["a-b", "a/1", "a/2", "a0", "b/c/d", "z"];
        assert_eq!(keys(&store, "", None, 100).await, all);
        for (index, key) in all.iter().enumerate() {
            assert_eq!(keys(&store, "", Some(key), 100).await, all[index + 1..], "after {key}");
            assert_eq!(keys(&store, "", None, index).await, all[..index], "{index} at most");
        }
        assert_eq!(keys(&store, "a/", None, 100).await, ["a/1", "a/2"]);
        assert_eq!(keys(&store, "b/c", None, 100).await, ["b/c/d"]);
        assert_eq!(keys(&store, "", Some("a/\u{10ffff}"), 100).await, ["a0", "b/c/d", "z"]);
        assert!(keys(&store, "none", None, 100).await.is_empty());
    }

    #[tokio::test]
    async fn nothing_outside_a_bucket_can_be_named() {
        let (directory, store) = store(&[("audit/a/b", "inside"), ("audit/.hidden", "x")]);
        std::os::unix::fs::symlink("/etc", directory.path().join("objects/audit/etc")).unwrap();
        std::os::unix::fs::symlink("../../secret", directory.path().join("objects/audit/link")).unwrap();
        for key in [
            "../../secret",
            "a/../../../secret",
            "..",
            ".",
            "",
            "/",
            "/etc/passwd",
            "a//b",
            "a/b/",
            "a/./b",
            "a",
            "a/b/c",
            "etc/passwd",
            "link",
            ".hidden",
            "a\0b",
            &"x".repeat(300),
            &"y/".repeat(3000),
        ] {
            assert!(store.open("audit", key).await.unwrap().is_none(), "{key:.40}");
        }
        for bucket in ["..", ".", "", "../objects/audit", "audit/a", "AUDIT", "etc"] {
            assert!(store.open(bucket, "a/b").await.unwrap().is_none(), "{bucket}");
            assert!(!store.has_bucket(bucket).await.unwrap(), "{bucket}");
            assert!(store.list(bucket, "", None, 10).await.unwrap().is_empty(), "{bucket}");
        }
        assert_eq!(keys(&store, "", None, 10).await, ["a/b"]);
        let opened = store.open("audit", "a/b").await.unwrap().unwrap();
        let text: Vec<Bytes> = (opened.contents)(2..5).try_collect().await.unwrap();
        assert_eq!(text.concat(), b"sid");
    }

    #[tokio::test]
    async fn metadata_stands_beside_the_objects() {
        let (directory, store) = store(&[("audit/a/b", "x"), ("other/c", "")]);
        let path = directory.path().join("objects-metadata/audit/a/b.json");
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, r#"{"x-amz-meta-signature": "00ff", "signature-algorithm": "SHA256withRSA"}"#)
            .unwrap();
        let opened = store.open("audit", "a/b").await.unwrap().unwrap();
        assert_eq!(opened.attributes.metadata["signature"], "00ff");
        assert_eq!(opened.attributes.metadata["signature-algorithm"], "SHA256withRSA");
        assert!(store.open("other", "c").await.unwrap().unwrap().attributes.metadata.is_empty());
        let buckets: Vec<_> = store.buckets().await.unwrap().into_iter().map(|(name, _)| name).collect();
        assert_eq!(buckets, ["audit", "other"]);
        fs::write(&path, "damaged").unwrap();
        assert!(store.open("audit", "a/b").await.is_err());
    }
}
