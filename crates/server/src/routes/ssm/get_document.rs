//! `GetDocument`: a document's content.

use postern_api::ApiError;
use postern_api::ssm::{DocumentFormat, DocumentStatus, GetDocumentInput, GetDocumentOutput};
use postern_documents::AmazonDocument;

use super::document::Document;
use crate::routes::call::Call;

pub(super) async fn get_document(call: Call<GetDocumentInput>) -> Result<GetDocumentOutput, ApiError> {
    let (input, app) = (&call.input, &call.app);
    let document = Document::find_version(
        &input.name,
        input.document_version.as_deref(),
        input.version_name.as_deref(),
        &app.region,
        &app.account,
    )?;
    let _permit = call.authorize([document.check(&call)]).await?;
    Ok(GetDocumentOutput {
        name: Some(document.name().to_owned()),
        document_version: Some(AmazonDocument::VERSION.to_owned()),
        status: Some(DocumentStatus::Active),
        // The contents are JSON, which is YAML too.
        content: Some(document.content()),
        document_type: Some(document.document_type().as_str().into()),
        document_format: Some(input.document_format.clone().unwrap_or(DocumentFormat::Json)),
        created_date: None,
        display_name: None,
        version_name: None,
        status_information: None,
        requires: None,
        attachments_content: None,
        review_status: None,
    })
}
