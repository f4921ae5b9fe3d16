//! What a request asks for, and who decides whether it may.

use http::Extensions;

/// A call of an operation, before anything has been done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Call<'a> {
    /// The operation's name, such as `GetObject`.
    pub operation: &'a str,
    /// The bucket; `None` for `ListBuckets`.
    pub bucket: Option<&'a str>,
    /// The key, decoded.
    pub key: Option<&'a str>,
    /// The action that policies name, if it is another than the operation's own.
    pub action: Option<&'static str>,
}

/// In the extensions of a request: its caller writes no object in the place of another.
#[derive(Debug, Clone, Copy)]
pub struct OnlyNew;

/// The answer to those who may not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refused {
    /// `AccessDenied`, with this text.
    Denied(String),
    /// `InternalError`: whether they may could not be found out, or not be written down.
    Failed,
}

/// Decides about calls. It is asked for every request before the store is: once, and a second time about what is copied.
#[async_trait::async_trait]
pub trait Guard: Send + Sync + 'static {
    /// Leave to do all of `calls`, of which there is at least one; all are of one operation. `extensions` are those of the request: whoever authenticated it has put there what the
    /// decision needs.
    ///
    /// # Errors
    /// [`Refused`].
    async fn permit(&self, calls: &[Call<'_>], extensions: &mut Extensions) -> Result<(), Refused>;
}

impl<'a> Call<'a> {
    /// A call on nothing in particular.
    #[must_use]
    pub fn new(operation: &'a str) -> Self {
        Self { operation, bucket: None, key: None, action: None }
    }

    /// The same call, for which leave to do this action is needed.
    #[must_use]
    pub fn acting_as(self, action: &'static str) -> Self {
        Self { action: Some(action), ..self }
    }

    /// The action that policies name. Several operations may share one.
    ///
    /// Source: "Actions, resources, and condition keys for Amazon S3", Service Authorization Reference.
    #[must_use]
    pub fn action_name(&self) -> &'a str {
        if let Some(action) = self.action {
            return action;
        }
        match self.operation {
            "ListBuckets" => "ListAllMyBuckets",
            "HeadBucket" | "ListObjects" | "ListObjectsV2" => "ListBucket",
            "HeadObject" => "GetObject",
            "GetBucketEncryption" => "GetEncryptionConfiguration",
            "ListObjectVersions" => "ListBucketVersions",
            "DeleteObjects" => "DeleteObject",
            "ListParts" => "ListMultipartUploadParts",
            "ListMultipartUploads" => "ListBucketMultipartUploads",
            "GetObjectLockConfiguration" => "GetBucketObjectLockConfiguration",
            "PutObjectLockConfiguration" => "PutBucketObjectLockConfiguration",
            "CopyObject"
            | "CreateMultipartUpload"
            | "UploadPart"
            | "CompleteMultipartUpload"
            | "UploadPartCopy" => "PutObject",
            other => other,
        }
    }

    /// Whether the operation changes nothing.
    #[must_use]
    pub fn is_read_only(&self) -> bool {
        ["Get", "Head", "List", "Select"].iter().any(|prefix| self.operation.starts_with(prefix))
    }

    /// Whether the operation is about objects, not about the management of buckets.
    ///
    /// Source: "Amazon S3 CloudTrail events", Amazon S3 User Guide.
    #[must_use]
    pub fn is_data_event(&self) -> bool {
        self.key.is_some()
            || matches!(
                self.operation,
                "ListObjects" | "ListObjectsV2" | "HeadBucket" | "DeleteObjects" | "ListMultipartUploads"
            )
    }

    /// The resource name of the bucket or object; `*` for operations on neither.
    #[must_use]
    pub fn resource(&self) -> String {
        match (self.bucket, self.key) {
            (Some(bucket), Some(key)) => format!("arn:aws:s3:::{bucket}/{key}"),
            (Some(bucket), None) => format!("arn:aws:s3:::{bucket}"),
            (None, _) => "*".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operations_and_their_actions() {
        let call = |operation, key| Call { bucket: Some("b"), key, ..Call::new(operation) };
        for (operation, action, is_read_only) in [
            ("ListObjects", "ListBucket", true),
            ("HeadObject", "GetObject", true),
            ("GetBucketLocation", "GetBucketLocation", true),
            ("PutObject", "PutObject", false),
            ("DeleteObjects", "DeleteObject", false),
        ] {
            let call = call(operation, None);
            assert_eq!((call.action_name(), call.is_read_only()), (action, is_read_only), "{operation}");
        }
        assert_eq!(call("GetObject", Some("a/b c")).resource(), "arn:aws:s3:::b/a/b c");
        assert_eq!(call("ListObjects", None).resource(), "arn:aws:s3:::b");
        assert_eq!(Call::new("ListBuckets").resource(), "*");
    }
}
