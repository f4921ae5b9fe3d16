//! `UpdateDocument`: another version of a document. The default version stays.

use postern_api::ssm::{DocumentStatus, UpdateDocumentInput, UpdateDocumentOutput, errors};
use postern_api::{ApiError, CommonError};
use postern_documents::DocumentFormat;
use postern_store::{DocumentError, DocumentQuotas, NewDocumentVersion, VersionChoice};

use super::create_document::not_kept;
use super::document::{Document, checked_content, format, unknown, version_choice};
use super::document_description::described;
use crate::auth::Permit;
use crate::routes::call::Call;
use crate::routes::failure;

pub(super) async fn update_document(
    call: Call<UpdateDocumentInput>,
) -> Result<UpdateDocumentOutput, ApiError> {
    let input = &call.input;
    not_kept("Attachments", input.attachments.as_deref())?;
    not_kept("CloudProviders", input.cloud_providers.as_deref())?;
    let document = find_own(&call, &input.name).await?;
    let permit = call.authorize([document.check(&call)]).await?;
    if input.target_type.is_some()
        && input.target_type != document.own().and_then(|own| own.document.target_type.clone())
    {
        let message = "TargetType is set when a document is created: leave it out.";
        return Err(ApiError::new(CommonError::Validation, message));
    }
    let base = base(&input.name, input.document_version.as_deref(), &document)?;
    let format = format(input.document_format.as_ref(), DocumentFormat::Json)?;
    checked_content(&input.content, format, call.app.sessions.time_limits)?;
    let version = NewDocumentVersion {
        version_name: input.version_name.clone(),
        display_name: input.display_name.clone(),
        format: format.as_str().to_owned(),
        content: input.content.clone(),
        at: call.at,
    };
    let number = update(&call, permit, base, &version).await?;
    let updated = Document::find_version(&call.app, &input.name, VersionChoice::Number(number)).await?;
    let description = described(&updated, &call.app.account, DocumentStatus::Updating);
    Ok(UpdateDocumentOutput { document_description: Some(description) })
}

/// A document that the account has made; others cannot be changed.
pub(super) async fn find_own<T: postern_api::Request>(
    call: &Call<T>,
    name: &str,
) -> Result<Document, ApiError> {
    match Document::find_version(&call.app, name, VersionChoice::Default).await? {
        own @ Document::Own(_) => Ok(own),
        Document::Default => {
            let message = format!(
                "Document with name {name} does not exist: the account has the built-in preferences. Create its own with CreateDocument."
            );
            Err(ApiError::new(errors::INVALID_DOCUMENT, message))
        }
        Document::Amazon(_) => Err(unknown(name)),
    }
}

/// The version that the new one is based on, which must be the newest.
fn base(name: &str, version: Option<&str>, document: &Document) -> Result<Option<u32>, ApiError> {
    Ok(match version_choice(name, version, None)? {
        VersionChoice::Number(number) => Some(number),
        VersionChoice::Default if version.is_some() => Some(document.default_version()),
        VersionChoice::Default | VersionChoice::Latest | VersionChoice::Named(_) => None,
    })
}

async fn update(
    call: &Call<UpdateDocumentInput>,
    _permit: Permit,
    base: Option<u32>,
    version: &NewDocumentVersion,
) -> Result<u32, ApiError> {
    let name = &call.input.name;
    let added = call.app.store.add_document_version(name, base, version, DocumentQuotas::default()).await;
    added.map(|(_, added)| added.version).map_err(|error| match error {
        DocumentError::Unknown => unknown(name),
        DocumentError::NotLatest { latest } => {
            let message =
                format!("Only the latest version of a document can be updated, and that is {latest}.");
            ApiError::new(errors::INVALID_DOCUMENT_VERSION, message)
        }
        DocumentError::SameContent => {
            let message = "The content is that of the latest version. Change the content and try again.";
            ApiError::new(errors::DUPLICATE_DOCUMENT_CONTENT, message)
        }
        DocumentError::VersionNameTaken => {
            let message = "Another version of the document has this version name.";
            ApiError::new(errors::DUPLICATE_DOCUMENT_VERSION_NAME, message)
        }
        DocumentError::TooManyVersions { limit } => {
            let message =
                format!("The document has its maximum of {limit} versions. Delete some that are not used.");
            ApiError::new(errors::DOCUMENT_VERSION_LIMIT_EXCEEDED, message)
        }
        DocumentError::Store(error) => failure::store(error),
        other => failure::internal(&other),
    })
}
