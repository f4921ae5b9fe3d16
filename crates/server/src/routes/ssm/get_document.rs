//! `GetDocument`: a document's content, in the format that the caller wants.

use postern_api::ApiError;
use postern_api::ssm::{DocumentStatus, GetDocumentInput, GetDocumentOutput};

use super::document::{Document, format, version_choice};
use crate::routes::call::Call;

pub(super) async fn get_document(call: Call<GetDocumentInput>) -> Result<GetDocumentOutput, ApiError> {
    let input = &call.input;
    let version =
        version_choice(&input.name, input.document_version.as_deref(), input.version_name.as_deref())?;
    let document = Document::find_version(&call.app, &input.name, version).await?;
    let _permit = call.authorize([document.check(&call)]).await?;
    let format = format(input.document_format.as_ref(), document.format())?;
    let own = document.own();
    Ok(GetDocumentOutput {
        name: Some(document.name().to_owned()),
        created_date: document.created_at().map(Into::into),
        display_name: own.and_then(|own| own.version.display_name.clone()),
        version_name: own.and_then(|own| own.version.version_name.clone()),
        document_version: Some(document.version().to_string()),
        status: Some(DocumentStatus::Active),
        content: Some(document.content(format)),
        document_type: Some(document.document_type().as_str().into()),
        document_format: Some(format.as_str().into()),
        status_information: None,
        requires: None,
        attachments_content: None,
        review_status: None,
    })
}
