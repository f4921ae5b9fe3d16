//! Documents in SQLite.

use async_trait::async_trait;
use sqlx::sqlite::SqliteRow;
use sqlx::{Sqlite, SqliteConnection, SqliteExecutor, Transaction};

use super::page::paged;
use super::tag::put_tags;
use super::{Fields, SqliteStore, failed};
use crate::{
    Document, DocumentError, DocumentQuotas, DocumentStore, DocumentVersion, NewDocument, NewDocumentVersion,
    Page, Paged, ResourceKey, StoreError, VersionChoice,
};

/// A document's columns, and the newest of its versions.
const DOCUMENT: &str = "SELECT d.*, (SELECT max(version) FROM document_versions v WHERE v.document_name = d.name) AS latest_version FROM documents d WHERE d.name = ?";

#[async_trait]
impl DocumentStore for SqliteStore {
    async fn create_document(
        &self,
        document: &NewDocument,
        quotas: DocumentQuotas,
    ) -> Result<Document, DocumentError> {
        let mut tx = self.begin().await?;
        if read(&mut *tx, &document.name).await?.is_some() {
            return Err(DocumentError::Exists);
        }
        let count: u32 = sqlx::query_scalar("SELECT count(*) FROM documents")
            .fetch_one(&mut *tx)
            .await
            .map_err(failed("count documents"))?;
        if count >= quotas.documents {
            return Err(DocumentError::TooMany { limit: quotas.documents });
        }
        sqlx::query(
            "INSERT INTO documents (name, document_type, target_type, default_version, versions_made, created_at)
             VALUES (?, ?, ?, 1, 1, ?)",
        )
        .bind(&document.name)
        .bind(&document.document_type)
        .bind(document.target_type.as_deref())
        .bind(document.first.at.as_microsecond())
        .execute(&mut *tx)
        .await
        .map_err(failed("create a document"))?;
        insert_version(&mut tx, &document.name, 1, &document.first).await?;
        put_tags(&mut tx, &ResourceKey::document(&document.name), &document.tags).await?;
        let created = present(&mut tx, &document.name).await?;
        self.commit_change(tx, "create a document").await?;
        Ok(created)
    }

    async fn add_document_version(
        &self,
        name: &str,
        base: Option<u32>,
        version: &NewDocumentVersion,
        quotas: DocumentQuotas,
    ) -> Result<(Document, DocumentVersion), DocumentError> {
        let mut tx = self.begin().await?;
        let document = present(&mut tx, name).await?;
        if base.is_some_and(|base| base != document.latest_version) {
            return Err(DocumentError::NotLatest { latest: document.latest_version });
        }
        let latest = read_version(&mut *tx, &document, &VersionChoice::Latest).await?;
        if latest.is_some_and(|latest| latest.content == version.content && latest.format == version.format) {
            return Err(DocumentError::SameContent);
        }
        if let Some(version_name) = &version.version_name {
            let named = VersionChoice::Named(version_name.clone());
            if read_version(&mut *tx, &document, &named).await?.is_some() {
                return Err(DocumentError::VersionNameTaken);
            }
        }
        let count: u32 = sqlx::query_scalar("SELECT count(*) FROM document_versions WHERE document_name = ?")
            .bind(name)
            .fetch_one(&mut *tx)
            .await
            .map_err(failed("count versions"))?;
        if count >= quotas.versions {
            return Err(DocumentError::TooManyVersions { limit: quotas.versions });
        }
        let number: u32 = sqlx::query_scalar(
            "UPDATE documents SET versions_made = versions_made + 1 WHERE name = ? RETURNING versions_made",
        )
        .bind(name)
        .fetch_one(&mut *tx)
        .await
        .map_err(failed("number a version"))?;
        insert_version(&mut tx, name, number, version).await?;
        let document = present(&mut tx, name).await?;
        let added = read_version(&mut *tx, &document, &VersionChoice::Number(number)).await?;
        tx.commit().await.map_err(failed("add a version"))?;
        Ok((document, added.ok_or(DocumentError::VersionUnknown)?))
    }

    async fn set_default_document_version(
        &self,
        name: &str,
        version: u32,
    ) -> Result<DocumentVersion, DocumentError> {
        let mut tx = self.begin().await?;
        let document = present(&mut tx, name).await?;
        let found = read_version(&mut *tx, &document, &VersionChoice::Number(version)).await?;
        let found = found.ok_or(DocumentError::VersionUnknown)?;
        sqlx::query("UPDATE documents SET default_version = ? WHERE name = ?")
            .bind(version)
            .bind(name)
            .execute(&mut *tx)
            .await
            .map_err(failed("set a default version"))?;
        tx.commit().await.map_err(failed("set a default version"))?;
        Ok(found)
    }

    async fn delete_document_version(
        &self,
        name: &str,
        version: &VersionChoice,
    ) -> Result<(), DocumentError> {
        let mut tx = self.begin().await?;
        let document = present(&mut tx, name).await?;
        let found = read_version(&mut *tx, &document, version).await?;
        let number = found.ok_or(DocumentError::VersionUnknown)?.version;
        if number == document.default_version {
            let others: u32 =
                sqlx::query_scalar("SELECT count(*) - 1 FROM document_versions WHERE document_name = ?")
                    .bind(name)
                    .fetch_one(&mut *tx)
                    .await
                    .map_err(failed("count versions"))?;
            if others > 0 {
                return Err(DocumentError::IsDefault);
            }
            return self.delete_all(tx, name).await;
        }
        sqlx::query("DELETE FROM document_versions WHERE document_name = ? AND version = ?")
            .bind(name)
            .bind(number)
            .execute(&mut *tx)
            .await
            .map_err(failed("delete a version"))?;
        Ok(tx.commit().await.map_err(failed("delete a version"))?)
    }

    async fn delete_document(&self, name: &str) -> Result<(), DocumentError> {
        let mut tx = self.begin().await?;
        present(&mut tx, name).await?;
        self.delete_all(tx, name).await
    }

    async fn document(&self, name: &str) -> Result<Option<Document>, StoreError> {
        read(&self.readers, name).await
    }

    async fn document_version(
        &self,
        name: &str,
        version: &VersionChoice,
    ) -> Result<Option<(Document, Option<DocumentVersion>)>, StoreError> {
        let mut tx = self.snapshot().await?;
        let Some(document) = read(&mut *tx, name).await? else { return Ok(None) };
        let version = read_version(&mut *tx, &document, version).await?;
        Ok(Some((document, version)))
    }

    async fn document_versions(
        &self,
        name: &str,
        page: &Page<u32>,
    ) -> Result<Paged<DocumentVersion, u32>, StoreError> {
        let rows = sqlx::query(
            "SELECT * FROM document_versions WHERE document_name = ? AND version < ? ORDER BY version DESC LIMIT ?",
        )
        .bind(name)
        .bind(page.after.map_or(i64::MAX, i64::from))
        .bind(i64::from(page.limit) + 1)
        .fetch_all(&self.readers)
        .await
        .map_err(failed("list versions"))?;
        paged(&rows, page.limit, |version: &DocumentVersion| version.version)
    }

    async fn documents(&self) -> Result<Vec<(Document, DocumentVersion)>, StoreError> {
        let mut tx = self.snapshot().await?;
        let names: Vec<String> = sqlx::query_scalar("SELECT name FROM documents ORDER BY name")
            .fetch_all(&mut *tx)
            .await
            .map_err(failed("list documents"))?;
        let mut documents = Vec::with_capacity(names.len());
        for name in names {
            let Some(document) = read(&mut *tx, &name).await? else { continue };
            let version = read_version(&mut *tx, &document, &VersionChoice::Default).await?;
            documents.extend(version.map(|version| (document, version)));
        }
        Ok(documents)
    }
}

impl SqliteStore {
    async fn delete_all(
        &self,
        mut tx: Transaction<'static, Sqlite>,
        name: &str,
    ) -> Result<(), DocumentError> {
        sqlx::query("DELETE FROM documents WHERE name = ?")
            .bind(name)
            .execute(&mut *tx)
            .await
            .map_err(failed("delete a document"))?;
        let resource = ResourceKey::document(name);
        sqlx::query("DELETE FROM tags WHERE resource_type = ? AND resource_id = ?")
            .bind(resource.resource_type.as_str())
            .bind(name)
            .execute(&mut *tx)
            .await
            .map_err(failed("remove a document's tags"))?;
        Ok(self.commit_change(tx, "delete a document").await?)
    }
}

async fn read(executor: impl SqliteExecutor<'_>, name: &str) -> Result<Option<Document>, StoreError> {
    let row =
        sqlx::query(DOCUMENT).bind(name).fetch_optional(executor).await.map_err(failed("read a document"))?;
    row.map(|row| Document::try_from(&row)).transpose()
}

async fn present(connection: &mut SqliteConnection, name: &str) -> Result<Document, DocumentError> {
    read(connection, name).await?.ok_or(DocumentError::Unknown)
}

async fn read_version(
    executor: impl SqliteExecutor<'_>,
    document: &Document,
    version: &VersionChoice,
) -> Result<Option<DocumentVersion>, StoreError> {
    let query = match version {
        VersionChoice::Named(_) => {
            sqlx::query("SELECT * FROM document_versions WHERE document_name = ? AND version_name = ?")
        }
        _ => sqlx::query("SELECT * FROM document_versions WHERE document_name = ? AND version = ?"),
    };
    let query = query.bind(&document.name);
    let query = match version {
        VersionChoice::Named(name) => query.bind(name),
        VersionChoice::Number(number) => query.bind(*number),
        VersionChoice::Default => query.bind(document.default_version),
        VersionChoice::Latest => query.bind(document.latest_version),
    };
    let row = query.fetch_optional(executor).await.map_err(failed("read a version"))?;
    row.map(|row| DocumentVersion::try_from(&row)).transpose()
}

async fn insert_version(
    connection: &mut SqliteConnection,
    document: &str,
    number: u32,
    version: &NewDocumentVersion,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO document_versions
             (document_name, version, version_name, display_name, format, content, created_at)
         VALUES (?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(document)
    .bind(number)
    .bind(version.version_name.as_deref())
    .bind(version.display_name.as_deref())
    .bind(&version.format)
    .bind(&version.content)
    .bind(version.at.as_microsecond())
    .execute(connection)
    .await
    .map_err(failed("add a version"))?;
    Ok(())
}

impl TryFrom<&SqliteRow> for Document {
    type Error = StoreError;

    fn try_from(row: &SqliteRow) -> Result<Self, StoreError> {
        let fields = Fields::new(row, "documents", "name");
        Ok(Self {
            name: fields.get("name")?,
            document_type: fields.get("document_type")?,
            target_type: fields.get("target_type")?,
            default_version: fields.get("default_version")?,
            latest_version: fields.get("latest_version")?,
            created_at: fields.time("created_at")?,
        })
    }
}

impl TryFrom<&SqliteRow> for DocumentVersion {
    type Error = StoreError;

    fn try_from(row: &SqliteRow) -> Result<Self, StoreError> {
        let fields = Fields::new(row, "document_versions", "document_name");
        Ok(Self {
            version: fields.get("version")?,
            version_name: fields.get("version_name")?,
            display_name: fields.get("display_name")?,
            format: fields.get("format")?,
            content: fields.get("content")?,
            created_at: fields.time("created_at")?,
        })
    }
}
