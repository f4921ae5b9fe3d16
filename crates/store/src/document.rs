//! The documents that the account has made, with their versions.

use async_trait::async_trait;
use jiff::Timestamp;

use crate::{Page, Paged, StoreError, Tag};

/// A document of the account, without its contents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// The name, unique in the account; case matters.
    pub name: String,
    /// As `DocumentType` spells it.
    pub document_type: String,
    /// What it may be used on, as AWS names resources.
    pub target_type: Option<String>,
    /// The version that is used unless somebody names another.
    pub default_version: u32,
    /// The newest version that there is.
    pub latest_version: u32,
    /// When the document was created.
    pub created_at: Timestamp,
}

/// One version of a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DocumentVersion {
    /// Its number, from 1.
    pub version: u32,
    /// Its name, unique in the document.
    pub version_name: Option<String>,
    /// A name for people.
    pub display_name: Option<String>,
    /// `JSON` or `YAML`.
    pub format: String,
    /// The text as it was given.
    pub content: String,
    /// When it was made.
    pub created_at: Timestamp,
}

/// A version as somebody names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum VersionChoice {
    /// The default version.
    Default,
    /// The newest.
    Latest,
    /// The one with this number.
    Number(u32),
    /// The one with this name.
    Named(String),
}

/// A version to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewDocumentVersion {
    /// See [`DocumentVersion::version_name`].
    pub version_name: Option<String>,
    /// See [`DocumentVersion::display_name`].
    pub display_name: Option<String>,
    /// See [`DocumentVersion::format`].
    pub format: String,
    /// The text.
    pub content: String,
    /// Now.
    pub at: Timestamp,
}

/// A document to be created, with its first version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewDocument {
    /// See [`Document::name`].
    pub name: String,
    /// See [`Document::document_type`].
    pub document_type: String,
    /// See [`Document::target_type`].
    pub target_type: Option<String>,
    /// The first version.
    pub first: NewDocumentVersion,
    /// The tags that it has from the beginning.
    pub tags: Vec<Tag>,
}

/// How many documents there may be, and versions of each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DocumentQuotas {
    /// Documents of the account.
    pub documents: u32,
    /// Versions of a document that are there at once.
    pub versions: u32,
}

impl Default for DocumentQuotas {
    /// Source: "AWS Systems Manager endpoints and quotas", AWS General Reference.
    fn default() -> Self {
        Self { documents: 500, versions: 1000 }
    }
}

/// Why a document was not changed.
#[derive(Debug, thiserror::Error)]
pub enum DocumentError {
    /// There is one of this name.
    #[error("the document exists")]
    Exists,
    /// There is none of this name.
    #[error("the document does not exist")]
    Unknown,
    /// It has no such version.
    #[error("the document has no such version")]
    VersionUnknown,
    /// The version is not the newest, on which a new one must be based.
    #[error("the newest version is {latest}")]
    NotLatest {
        /// The newest version.
        latest: u32,
    },
    /// The newest version has this content already.
    #[error("the newest version has the same content")]
    SameContent,
    /// Another version has this name.
    #[error("another version has this name")]
    VersionNameTaken,
    /// The default version stays as long as there are others.
    #[error("it is the default version")]
    IsDefault,
    /// There are as many documents as there may be.
    #[error("there may be {limit} documents")]
    TooMany {
        /// How many there may be.
        limit: u32,
    },
    /// The document has as many versions as it may have.
    #[error("a document has at most {limit} versions")]
    TooManyVersions {
        /// How many it may have.
        limit: u32,
    },
    /// Storage failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The documents of the account.
#[async_trait]
pub trait DocumentStore: Send + Sync {
    /// Creates a document whose version 1 is the default.
    async fn create_document(
        &self,
        document: &NewDocument,
        quotas: DocumentQuotas,
    ) -> Result<Document, DocumentError>;

    /// Adds a version. `base` is the newest one in its author's eyes; `None` is whichever is. The default stays.
    async fn add_document_version(
        &self,
        name: &str,
        base: Option<u32>,
        version: &NewDocumentVersion,
        quotas: DocumentQuotas,
    ) -> Result<(Document, DocumentVersion), DocumentError>;

    /// Makes a version the default.
    async fn set_default_document_version(
        &self,
        name: &str,
        version: u32,
    ) -> Result<DocumentVersion, DocumentError>;

    /// Deletes one version; with the last one the document goes.
    async fn delete_document_version(&self, name: &str, version: &VersionChoice)
    -> Result<(), DocumentError>;

    /// Deletes a document with all versions and tags.
    async fn delete_document(&self, name: &str) -> Result<(), DocumentError>;

    /// The document.
    async fn document(&self, name: &str) -> Result<Option<Document>, StoreError>;

    /// The document and one of its versions, of one moment; no version if there is no such one.
    async fn document_version(
        &self,
        name: &str,
        version: &VersionChoice,
    ) -> Result<Option<(Document, Option<DocumentVersion>)>, StoreError>;

    /// All versions, newest first.
    async fn document_versions(
        &self,
        name: &str,
        page: &Page<u32>,
    ) -> Result<Paged<DocumentVersion, u32>, StoreError>;

    /// All documents with their default versions, by name.
    async fn documents(&self) -> Result<Vec<(Document, DocumentVersion)>, StoreError>;
}
