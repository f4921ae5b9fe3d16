//! `DescribeDocument`: all about a document but its content.

use postern_api::ApiError;
use postern_api::ssm::{
    DescribeDocumentInput, DescribeDocumentOutput, DocumentDescription, DocumentFormat, DocumentHashType,
    DocumentStatus,
};
use postern_documents::{AmazonDocument, content_hash};

use super::document::{Document, platform_types};
use crate::routes::call::Call;

pub(super) async fn describe_document(
    call: Call<DescribeDocumentInput>,
) -> Result<DescribeDocumentOutput, ApiError> {
    let (input, app) = (&call.input, &call.app);
    let document = Document::find_version(
        &input.name,
        input.document_version.as_deref(),
        input.version_name.as_deref(),
        &app.region,
        &app.account,
    )?;
    let _permit = call.authorize([document.check(&call)]).await?;
    let version = Some(AmazonDocument::VERSION.to_owned());
    let parameters = document.parameters();
    let description = DocumentDescription {
        name: Some(document.name().to_owned()),
        owner: Some(document.owner(&app.account)),
        hash: Some(content_hash(&document.content())),
        hash_type: Some(DocumentHashType::Sha256),
        status: Some(DocumentStatus::Active),
        description: document.description(),
        parameters: (!parameters.is_empty()).then_some(parameters),
        platform_types: Some(platform_types(document.platforms())),
        document_type: Some(document.document_type().as_str().into()),
        schema_version: Some(document.schema_version()),
        document_version: version.clone(),
        latest_version: version.clone(),
        default_version: version,
        document_format: Some(DocumentFormat::Json),
        ..DocumentDescription::default()
    };
    Ok(DescribeDocumentOutput { document: Some(description) })
}
