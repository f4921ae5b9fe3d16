//! Pages of a listing: prefix, delimiter, and where to go on.

use std::io;

use crate::objects::{ObjectInfo, Objects};
use crate::write::KEY_BYTES_MAX;

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

impl Page {
    fn len(&self) -> usize {
        self.objects.len() + self.common_prefixes.len()
    }
}

/// Objects looked for when the last ones were all below one common prefix: it may hold any number, and nothing is known
/// of what comes behind it.
const AFTER_PREFIX: usize = 16;

/// One page of a bucket that exists.
pub(crate) async fn page(store: &dyn Objects, asked: Asked<'_>) -> io::Result<Page> {
    let keys_max = asked.keys_max.min(KEYS_MAX);
    let mut page = Page::default();
    if keys_max == 0 {
        return Ok(page);
    }
    let mut after = asked.after.map(|after| behind(after, asked));
    let mut last = String::new();
    let mut count = keys_max + 1;
    loop {
        let found = store.list(asked.bucket, asked.prefix, after.as_deref(), count).await?;
        let is_all = found.len() < count;
        let before = page.len();
        for object in found {
            let prefix = common_prefix(&object.key, asked);
            if prefix.is_some_and(|prefix| page.common_prefixes.last().is_some_and(|last| last == prefix)) {
                continue;
            }
            // One more than there is room for tells that another page follows.
            if page.len() == keys_max {
                page.next = Some(last);
                return Ok(page);
            }
            match prefix {
                Some(prefix) => {
                    last = prefix.to_owned();
                    page.common_prefixes.push(last.clone());
                }
                None => {
                    last.clone_from(&object.key);
                    page.objects.push(object);
                }
            }
        }
        if is_all {
            return Ok(page);
        }
        after = Some(behind(&last, asked));
        count = if page.len() - before > 1 { (count * 2).min(KEYS_MAX + 1) } else { AFTER_PREFIX };
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

/// Comes after every key that begins with `prefix`: it goes on with the last character of all, for as long as keys can be.
fn past(prefix: &str) -> String {
    let characters = KEY_BYTES_MAX / char::MAX.len_utf8();
    prefix.chars().chain(std::iter::repeat_n(char::MAX, characters)).collect()
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::SystemTime;

    use super::*;
    use crate::objects::Opened;

    /// Keys, and how many objects were handed out of them.
    struct Keys(Vec<&'static str>, AtomicUsize);

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
            let found: Vec<ObjectInfo> = keys.map(info).collect();
            self.1.fetch_add(found.len(), Ordering::Relaxed);
            Ok(found)
        }

        async fn open(&self, _: &str, _: &str) -> io::Result<Option<Opened>> {
            Ok(None)
        }
    }

    /// All pages, each as its keys, its common prefixes behind them.
    async fn pages(keys: &[&'static str], prefix: &str, delimiter: &str, keys_max: usize) -> Vec<String> {
        let store = Keys(keys.to_vec(), AtomicUsize::new(0));
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

    /// Whoever may write below a prefix must not keep others from listing what is beside it.
    #[tokio::test]
    async fn a_common_prefix_comes_once_whatever_is_below_it() {
        let keys = ["a/\u{10ffff}\u{10ffff}x", "a/\u{10ffff}", "a/1", "b"];
        assert_eq!(pages(&keys, "", "/", 1000).await, ["b a/"]);
        assert_eq!(pages(&keys, "", "/", 1).await, ["a/", "b"]);
    }

    #[tokio::test]
    async fn directories_cost_a_part_of_what_is_in_them() {
        let names: Vec<String> =
            (0..40).flat_map(|d| (0..100).map(move |n| format!("d{d:02}/{n:03}"))).collect();
        let store = Keys(names.iter().map(|name| &*name.clone().leak()).collect(), AtomicUsize::new(0));
        let asked = Asked { bucket: "b", prefix: "", delimiter: Some("/"), after: None, keys_max: 1000 };
        let page = page(&store, asked).await.unwrap();
        assert_eq!(page.common_prefixes.len(), 40);
        let looked_at = store.1.into_inner();
        assert!(looked_at < 3 * names.len(), "{looked_at} of {}", names.len());
    }
}
