//! `ListDocumentVersions`: the versions of a document, newest first.

use postern_api::ApiError;
use postern_api::ssm::{
    DocumentStatus, DocumentVersionInfo, ListDocumentVersionsInput, ListDocumentVersionsOutput,
};
use postern_store::{DocumentVersion, Page, VersionChoice};

use super::document::Document;
use crate::page_token::Listing;
use crate::routes::call::Call;
use crate::routes::failure;

const RESULTS_DEFAULT: u32 = 50;

pub(super) async fn list_document_versions(
    call: Call<ListDocumentVersionsInput>,
) -> Result<ListDocumentVersionsOutput, ApiError> {
    let document = Document::find_version(&call.app, &call.input.name, VersionChoice::Default).await?;
    let _permit = call.authorize([document.check(&call)]).await?;
    let Some(own) = document.own() else {
        return Ok(ListDocumentVersionsOutput {
            document_versions: Some(vec![the_only_version(&document)]),
            next_token: None,
        });
    };
    let name = &own.document.name;
    let listing = Listing::new("ListDocumentVersions", name);
    let after: Option<u32> = call.page_after(&listing, call.input.next_token.as_deref())?;
    let limit = call.input.max_results.and_then(|count| u32::try_from(count).ok()).unwrap_or(RESULTS_DEFAULT);
    let page =
        call.app.store.document_versions(name, &Page { after, limit }).await.map_err(failure::store)?;
    let shown = |version| shown(name, own.document.default_version, version);
    Ok(ListDocumentVersionsOutput {
        document_versions: Some(page.items.into_iter().map(shown).collect()),
        next_token: page.next.map(|last| call.app.page_tokens.seal(&listing, &last)),
    })
}

fn shown(name: &str, default: u32, version: DocumentVersion) -> DocumentVersionInfo {
    DocumentVersionInfo {
        name: Some(name.to_owned()),
        display_name: version.display_name,
        document_version: Some(version.version.to_string()),
        version_name: version.version_name,
        created_date: Some(version.created_at.into()),
        is_default_version: Some(version.version == default),
        document_format: Some(version.format.as_str().into()),
        status: Some(DocumentStatus::Active),
        ..DocumentVersionInfo::default()
    }
}

fn the_only_version(document: &Document) -> DocumentVersionInfo {
    DocumentVersionInfo {
        name: Some(document.name().to_owned()),
        document_version: Some(document.version().to_string()),
        is_default_version: Some(true),
        document_format: Some(document.format().as_str().into()),
        status: Some(DocumentStatus::Active),
        ..DocumentVersionInfo::default()
    }
}
