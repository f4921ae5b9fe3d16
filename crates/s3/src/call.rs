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
}

/// The answer to those who may not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refused {
    /// `AccessDenied`, with this text.
    Denied(String),
    /// `InternalError`: whether they may could not be found out, or not be written down.
    Failed,
}

/// Decides about calls. It is asked once for every request, before the store is.
#[async_trait::async_trait]
pub trait Guard: Send + Sync + 'static {
    /// Leave to do `call`. `extensions` are those of the request: whoever authenticated it has put there what the
    /// decision needs.
    ///
    /// # Errors
    /// [`Refused`].
    async fn permit(&self, call: &Call<'_>, extensions: &mut Extensions) -> Result<(), Refused>;
}

impl<'a> Call<'a> {
    /// The action that policies name. Several operations may share one.
    ///
    /// Source: "Actions, resources, and condition keys for Amazon S3", Service Authorization Reference.
    #[must_use]
    pub fn action_name(&self) -> &'a str {
        match self.operation {
            "ListBuckets" => "ListAllMyBuckets",
            "HeadBucket" | "ListObjects" | "ListObjectsV2" => "ListBucket",
            "HeadObject" => "GetObject",
            "GetBucketEncryption" => "GetEncryptionConfiguration",
            "ListObjectVersions" => "ListBucketVersions",
            "DeleteObjects" => "DeleteObject",
            "CopyObject"
            | "CreateMultipartUpload"
            | "UploadPart"
            | "CompleteMultipartUpload"
            | "UploadPartCopy"
            | "PostObject" => "PutObject",
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
        self.key.is_some() || matches!(self.operation, "ListObjects" | "ListObjectsV2" | "HeadBucket")
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
        let call = |operation, key| Call { operation, bucket: Some("b"), key };
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
        assert_eq!(Call { operation: "ListBuckets", bucket: None, key: None }.resource(), "*");
    }
}
