//! The buckets of a vault, as they are read.

use std::io;
use std::time::SystemTime;

use postern_objects::Vault;
use postern_store::{StoreError, StoredObject};

use crate::digests;
use crate::objects::{ObjectInfo, Objects, Opened};
use crate::times;

#[async_trait::async_trait]
impl Objects for Vault {
    async fn buckets(&self) -> io::Result<Vec<(String, SystemTime)>> {
        let buckets = self.store().buckets().await.map_err(failed)?;
        Ok(buckets.into_iter().map(|bucket| (bucket.name, times::to_system(bucket.created_at))).collect())
    }

    async fn has_bucket(&self, bucket: &str) -> io::Result<bool> {
        Ok(self.store().bucket(bucket).await.map_err(failed)?.is_some())
    }

    async fn list(
        &self,
        bucket: &str,
        prefix: &str,
        after: Option<&str>,
        count_max: usize,
    ) -> io::Result<Vec<ObjectInfo>> {
        let count_max = u32::try_from(count_max).unwrap_or(u32::MAX);
        let objects = self.store().objects(bucket, prefix, after, count_max).await.map_err(failed)?;
        Ok(objects.into_iter().map(|object| info(&object)).collect())
    }

    async fn open(&self, bucket: &str, key: &str) -> io::Result<Option<Opened>> {
        let found = self.store().object_contents(bucket, key).await.map_err(failed)?;
        Ok(found.map(|(object, segments)| {
            let vault = self.clone();
            let is_of_parts = digests::is_of_parts(&object.entity_tag);
            let sizes = segments.iter().map(|segment| segment.size_bytes);
            Opened {
                parts: if is_of_parts { sizes.collect() } else { Vec::new() },
                info: info(&object),
                attributes: object.attributes,
                retention: object.retention,
                is_encrypted: true,
                contents: Box::new(move |range| Box::pin(vault.read(segments, range))),
            }
        }))
    }
}

fn info(object: &StoredObject) -> ObjectInfo {
    ObjectInfo {
        key: object.key.clone(),
        size_bytes: object.size_bytes,
        modified_at: times::to_system(object.modified_at),
        entity_tag: object.entity_tag.clone(),
    }
}

fn failed(error: StoreError) -> io::Error {
    io::Error::other(error)
}
