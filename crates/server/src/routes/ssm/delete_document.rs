//! `DeleteDocument`: a document of the account, or one version of it. Sessions that were started with it go on.

use postern_api::ApiError;
use postern_api::ssm::{DeleteDocumentInput, DeleteDocumentOutput, errors};
use postern_store::{DocumentError, VersionChoice};

use super::document::{unknown, unknown_version, version_choice};
use super::update_document::find_own;
use crate::auth::Permit;
use crate::routes::call::Call;
use crate::routes::failure;

pub(super) async fn delete_document(
    call: Call<DeleteDocumentInput>,
) -> Result<DeleteDocumentOutput, ApiError> {
    let input = &call.input;
    let document = find_own(&call, &input.name).await?;
    let permit = call.authorize([document.check(&call)]).await?;
    let one_version = match (&input.document_version, &input.version_name) {
        (None, None) => None,
        (version, name) => Some(version_choice(&input.name, version.as_deref(), name.as_deref())?),
    };
    delete(&call, permit, one_version).await?;
    Ok(DeleteDocumentOutput {})
}

async fn delete(
    call: &Call<DeleteDocumentInput>,
    _permit: Permit,
    one_version: Option<VersionChoice>,
) -> Result<(), ApiError> {
    let (store, name) = (&call.app.store, &call.input.name);
    let deleted = match one_version {
        None => store.delete_document(name).await,
        Some(version) => store.delete_document_version(name, &version).await,
    };
    deleted.map_err(|error| match error {
        DocumentError::Unknown => unknown(name),
        DocumentError::VersionUnknown => unknown_version(name),
        DocumentError::IsDefault => {
            let message = "The default version of a document cannot be deleted. Make another version the default first.";
            ApiError::new(errors::INVALID_DOCUMENT_OPERATION, message)
        }
        DocumentError::Store(error) => failure::store(error),
        other => failure::internal(&other),
    })
}
