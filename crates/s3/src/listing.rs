//! Pages of a listing: prefix, delimiter, and where to go on.

use std::io;

use crate::objects::{ObjectInfo, Objects};

/// The most keys and common prefixes of a page. Source: `MaxKeys`, Amazon S3 API Reference.
pub(crate) const KEYS_MAX: usize = 1000;

/// What is listed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asked<'a> {
    pub(crate) bucket: &'a str,
    pub(crate) prefix: &'a str,
    pub(crate) delimiter: Option<&'a str>,
    /// Keys and common prefixes up to this one, inclusive, are passed over.
    pub(crate) after: Option<&'a str>,
    pub(crate) keys_max: usize,
}

/// One page.
#[derive(Debug, PartialEq, Eq, Default)]
pub(crate) struct Page {
    pub(crate) objects: Vec<ObjectInfo>,
    pub(crate) common_prefixes: Vec<String>,
    /// The last key or common prefix of a page that another one follows.
    pub(crate) next: Option<String>,
}

/// One page of a bucket that exists.
pub(crate) async fn page(store: &dyn Objects, asked: Asked<'_>) -> io::Result<Page> {
    let keys_max = asked.keys_max.min(KEYS_MAX);
    let mut page = Page::default();
    if keys_max == 0 {
        return Ok(page);
    }
    let mut after = asked.after.map(|after| behind(after, asked));
    let mut last = String::new();
    loop {
        let room = keys_max - page.objects.len() - page.common_prefixes.len();
        // One more than there is room for tells whether another page follows.
        let found = store.list(asked.bucket, asked.prefix, after.as_deref(), room + 1).await?;
        let is_all = found.len() <= room;
        let mut skip_to = None;
        for object in found {
            if page.objects.len() + page.common_prefixes.len() == keys_max {
                page.next = Some(last);
                return Ok(page);
            }
            match common_prefix(&object.key, asked) {
                Some(prefix) => {
                    last = prefix.to_owned();
                    skip_to = Some(past(prefix));
                    page.common_prefixes.push(prefix.to_owned());
                    break;
                }
                None => {
                    last.clone_from(&object.key);
                    page.objects.push(object);
                }
            }
        }
        match skip_to {
            Some(skip_to) => after = Some(skip_to),
            None if is_all => return Ok(page),
            None => after = Some(last.clone()),
        }
    }
}

/// The part of a key up to the delimiter behind the prefix.
fn common_prefix<'a>(key: &'a str, asked: Asked<'_>) -> Option<&'a str> {
    let delimiter = asked.delimiter.filter(|delimiter| !delimiter.is_empty())?;
    let rest = key.strip_prefix(asked.prefix)?;
    let at = rest.find(delimiter)?;
    key.get(..asked.prefix.len() + at + delimiter.len())
}

/// A marker that is a common prefix stands for all keys below it.
fn behind(marker: &str, asked: Asked<'_>) -> String {
    match common_prefix(marker, asked) {
        Some(prefix) if prefix == marker => past(marker),
        _ => marker.to_owned(),
    }
}

/// Comes after every key that begins with `prefix`: keys hold no longer character.
fn past(prefix: &str) -> String {
    format!("{prefix}{}", char::MAX)
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::*;
    use crate::objects::Opened;

    struct Keys(Vec<&'static str>);

    #[async_trait::async_trait]
    impl Objects for Keys {
        async fn buckets(&self) -> io::Result<Vec<(String, SystemTime)>> {
            Ok(Vec::new())
        }

        async fn has_bucket(&self, _: &str) -> io::Result<bool> {
            Ok(true)
        }

        async fn list(
            &self,
            _: &str,
            prefix: &str,
            after: Option<&str>,
            count_max: usize,
        ) -> io::Result<Vec<ObjectInfo>> {
            let mut keys = self.0.clone();
            keys.sort_unstable();
            let keys = keys.into_iter().filter(|key| key.starts_with(prefix));
            let keys = keys.filter(|key| after.is_none_or(|after| *key > after)).take(count_max);
            let info = |key: &str| ObjectInfo {
                key: key.to_owned(),
                size_bytes: 0,
                modified_at: SystemTime::UNIX_EPOCH,
                entity_tag: "t".to_owned(),
            };
            Ok(keys.map(info).collect())
        }

        async fn open(&self, _: &str, _: &str) -> io::Result<Option<Opened>> {
            Ok(None)
        }
    }

    /// All pages, each as its keys, its common prefixes behind them.
    async fn pages(keys: &[&'static str], prefix: &str, delimiter: &str, keys_max: usize) -> Vec<String> {
        let store = Keys(keys.to_vec());
        let mut after: Option<String> = None;
        let mut pages = Vec::new();
        loop {
            let delimiter = Some(delimiter).filter(|delimiter| !delimiter.is_empty());
            let asked = Asked { bucket: "b", prefix, delimiter, after: after.as_deref(), keys_max };
            let page = page(&store, asked).await.unwrap();
            let keys = page.objects.iter().map(|object| object.key.as_str());
            let names = keys.chain(page.common_prefixes.iter().map(String::as_str));
            pages.push(names.collect::<Vec<_>>().join(" "));
            match page.next {
                Some(next) => after = Some(next),
                None => return pages,
            }
            assert!(pages.len() < 20, "{pages:?}");
        }
    }

    #[tokio::test]
    async fn pages_hold_every_key_once() {
        let keys = ["a/1", "a/2", "a-b", "b", "c/d/1", "c/d/2", "c/e"];
        for (name, prefix, delimiter, keys_max, expected) in [
            ("all", "", "", 1000, vec!["a-b a/1 a/2 b c/d/1 c/d/2 c/e"]),
            ("two a page", "", "", 2, vec!["a-b a/1", "a/2 b", "c/d/1 c/d/2", "c/e"]),
            ("exactly one page", "a/", "", 2, vec!["a/1 a/2"]),
            ("prefix", "c/", "", 1000, vec!["c/d/1 c/d/2 c/e"]),
            ("delimiter", "", "/", 1000, vec!["a-b b a/ c/"]),
            ("delimiter, one a page", "", "/", 1, vec!["a-b", "a/", "b", "c/"]),
            ("delimiter and prefix", "c/", "/", 1000, vec!["c/e c/d/"]),
            ("nothing", "x", "", 10, vec![""]),
        ] {
            assert_eq!(pages(&keys, prefix, delimiter, keys_max).await, expected, "{name}");
        }
    }
}
