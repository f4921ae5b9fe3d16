//! A document as `DescribeDocument` and the calls that change it show it.

use postern_api::ssm::{DocumentDescription, DocumentHashType, DocumentStatus};
use postern_documents::content_hash;
use postern_ids::AccountId;

use super::document::{Document, platform_types};
use super::tag;

/// All about a document but its content. What a call has made is in order when the call answers, but AWS's answers say
/// `Creating` and `Updating`, and its clients wait for what comes after that.
pub(super) fn described(
    document: &Document,
    account: &AccountId,
    status: DocumentStatus,
) -> DocumentDescription {
    let parameters = document.parameters();
    let own = document.own();
    let tags = tag::shown(document.tags().to_vec());
    DocumentDescription {
        name: Some(document.name().to_owned()),
        display_name: own.and_then(|own| own.version.display_name.clone()),
        version_name: own.and_then(|own| own.version.version_name.clone()),
        owner: Some(document.owner(account)),
        created_date: document.created_at().map(Into::into),
        hash: Some(content_hash(&document.content(document.format()))),
        hash_type: Some(DocumentHashType::Sha256),
        status: Some(status),
        description: document.description(),
        parameters: (!parameters.is_empty()).then_some(parameters),
        platform_types: Some(platform_types(document.platforms())),
        document_type: Some(document.document_type().as_str().into()),
        schema_version: Some(document.schema_version()),
        document_version: Some(document.version().to_string()),
        latest_version: Some(document.latest_version().to_string()),
        default_version: Some(document.default_version().to_string()),
        document_format: Some(document.format().as_str().into()),
        target_type: own.and_then(|own| own.document.target_type.clone()),
        tags: (!tags.is_empty()).then_some(tags),
        ..DocumentDescription::default()
    }
}
