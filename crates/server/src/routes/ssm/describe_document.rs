//! `DescribeDocument`: all about a document but its content.

use postern_api::ApiError;
use postern_api::ssm::{DescribeDocumentInput, DescribeDocumentOutput, DocumentStatus};

use super::document::{Document, version_choice};
use super::document_description::described;
use crate::routes::call::Call;

pub(super) async fn describe_document(
    call: Call<DescribeDocumentInput>,
) -> Result<DescribeDocumentOutput, ApiError> {
    let input = &call.input;
    let version =
        version_choice(&input.name, input.document_version.as_deref(), input.version_name.as_deref())?;
    let document = Document::find_version(&call.app, &input.name, version).await?;
    let _permit = call.authorize([document.check(&call)]).await?;
    let description = described(&document, &call.app.account, DocumentStatus::Active);
    Ok(DescribeDocumentOutput { document: Some(description) })
}
