//! `UpdateDocumentDefaultVersion`: which version sessions use. The preferences are used in their latest version.

use postern_api::ApiError;
use postern_api::ssm::{
    DocumentDefaultVersionDescription, UpdateDocumentDefaultVersionInput, UpdateDocumentDefaultVersionOutput,
};
use postern_store::{DocumentError, DocumentVersion};

use super::document::{unknown, unknown_version};
use super::update_document::find_own;
use crate::auth::Permit;
use crate::routes::call::Call;
use crate::routes::failure;

pub(super) async fn update_document_default_version(
    call: Call<UpdateDocumentDefaultVersionInput>,
) -> Result<UpdateDocumentDefaultVersionOutput, ApiError> {
    let document = find_own(&call, &call.input.name).await?;
    let permit = call.authorize([document.check(&call)]).await?;
    let default = set_default(&call, permit).await?;
    let description = DocumentDefaultVersionDescription {
        name: Some(call.input.name.clone()),
        default_version: Some(default.version.to_string()),
        default_version_name: default.version_name,
    };
    Ok(UpdateDocumentDefaultVersionOutput { description: Some(description) })
}

async fn set_default(
    call: &Call<UpdateDocumentDefaultVersionInput>,
    _permit: Permit,
) -> Result<DocumentVersion, ApiError> {
    let name = &call.input.name;
    let number = call.input.document_version.parse().map_err(|_| unknown_version(name))?;
    let set = call.app.store.set_default_document_version(name, number).await;
    set.map_err(|error| match error {
        DocumentError::Unknown => unknown(name),
        DocumentError::VersionUnknown => unknown_version(name),
        DocumentError::Store(error) => failure::store(error),
        other => failure::internal(&other),
    })
}
