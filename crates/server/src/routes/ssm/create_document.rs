//! `CreateDocument`: a document of the account, for sessions.

use postern_api::ssm::{self, CreateDocumentInput, CreateDocumentOutput, DocumentStatus, Operation, errors};
use postern_api::{ApiError, CommonError};
use postern_documents::{DocumentFormat, DocumentType, amazon_document};
use postern_ids::Arn;
use postern_store::{
    Document as Stored, DocumentError, DocumentQuotas, NewDocument, NewDocumentVersion, Tag, VersionChoice,
};

use super::document::{Document, checked_content, format};
use super::document_description::described;
use super::tag;
use crate::auth::{Check, Permit};
use crate::routes::call::Call;
use crate::routes::failure;

/// Names that begin so belong to documents of every account. Source: AWS SSM API reference, `CreateDocument`, `Name`;
/// the last is ours.
const RESERVED_PREFIXES: [&str; 4] = ["aws", "amazon", "amzn", "postern-"];

pub(super) async fn create_document(
    call: Call<CreateDocumentInput>,
) -> Result<CreateDocumentOutput, ApiError> {
    let input = &call.input;
    check_name(&input.name)?;
    check_type(input.document_type.as_ref())?;
    not_kept("Requires", input.requires.as_deref())?;
    not_kept("Attachments", input.attachments.as_deref())?;
    not_kept("CloudProviders", input.cloud_providers.as_deref())?;
    let format = format(input.document_format.as_ref(), DocumentFormat::Json)?;
    let tags = tag::checked(input.tags.clone().unwrap_or_default())?;
    if tags.len() > tag::TAGS_MAX {
        let message = format!("A document has at most {} tags.", tag::TAGS_MAX);
        return Err(ApiError::new(CommonError::Validation, message));
    }
    let permit = call.authorize(checks(&call, &tags)).await?;
    checked_content(&input.content, format, call.app.sessions.time_limits)?;
    let new = NewDocument {
        name: input.name.clone(),
        document_type: DocumentType::Session.as_str().to_owned(),
        target_type: input.target_type.clone(),
        first: NewDocumentVersion {
            version_name: input.version_name.clone(),
            display_name: input.display_name.clone(),
            format: format.as_str().to_owned(),
            content: input.content.clone(),
            at: call.at,
        },
        tags,
    };
    create(&call, permit, &new).await?;
    let created = Document::find_version(&call.app, &new.name, VersionChoice::Number(1)).await?;
    let description = described(&created, &call.app.account, DocumentStatus::Creating);
    Ok(CreateDocumentOutput { document_description: Some(description) })
}

async fn create(
    call: &Call<CreateDocumentInput>,
    _permit: Permit,
    new: &NewDocument,
) -> Result<Stored, ApiError> {
    let created = call.app.store.create_document(new, DocumentQuotas::default()).await;
    created.map_err(|error| match error {
        DocumentError::Exists => {
            let message = format!("Document with name {} already exists.", new.name);
            ApiError::new(errors::DOCUMENT_ALREADY_EXISTS, message)
        }
        DocumentError::TooMany { limit } => {
            let message =
                format!("The account has its maximum of {limit} documents. Delete some that are not used.");
            ApiError::new(errors::DOCUMENT_LIMIT_EXCEEDED, message)
        }
        DocumentError::Store(error) => failure::store(error),
        other => failure::internal(&other),
    })
}

/// Who sets tags needs leave for that as well.
fn checks(call: &Call<CreateDocumentInput>, tags: &[Tag]) -> Vec<Check> {
    let arn = Arn::document(&call.app.region, &call.app.account, &call.input.name);
    let create = call.check().on(arn.clone()).with("ssm:DocumentType", DocumentType::Session.as_str());
    let mut checks = vec![create.with_request_tags(tags)];
    if !tags.is_empty() {
        checks.push(Check::new(Operation::AddTagsToResource).on(arn).with_request_tags(tags));
    }
    checks
}

fn check_name(name: &str) -> Result<(), ApiError> {
    let lower = name.to_ascii_lowercase();
    let reserved = RESERVED_PREFIXES.iter().find(|prefix| lower.starts_with(**prefix));
    if reserved.is_none() && amazon_document(name).is_none() {
        return Ok(());
    }
    let message = format!(
        "Document name {name} is not available: names that begin with {} are reserved.",
        RESERVED_PREFIXES.join(", ")
    );
    Err(ApiError::new(CommonError::Validation, message))
}

/// AWS's default is `Command`; this server keeps what it can carry out.
fn check_type(document_type: Option<&ssm::DocumentType>) -> Result<(), ApiError> {
    let document_type = document_type.map_or("Command", ssm::DocumentType::as_str);
    if document_type == DocumentType::Session.as_str() {
        return Ok(());
    }
    let message = format!(
        "This server keeps documents of type Session only, not {document_type}: set DocumentType to Session."
    );
    Err(ApiError::new(errors::INVALID_DOCUMENT_TYPE, message))
}

/// Refuses what would silently have no effect.
pub(super) fn not_kept<T>(member: &str, items: Option<&[T]>) -> Result<(), ApiError> {
    if items.is_none_or(<[T]>::is_empty) {
        return Ok(());
    }
    Err(ApiError::new(CommonError::Validation, format!("{member} is not kept by this server: leave it out.")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_every_accounts_documents_are_reserved() {
        for (name, is_free) in [
            ("SSM-SessionManagerRunShell", true),
            ("Shell", true),
            ("my-aws-shell", true),
            ("AWS-StartSSHSession", false),
            ("awsShell", false),
            ("Amazon-Shell", false),
            ("AMZN", false),
            ("Postern-Shell", false),
            ("PosternShell", true),
        ] {
            assert_eq!(check_name(name).is_ok(), is_free, "{name}");
        }
    }
}
