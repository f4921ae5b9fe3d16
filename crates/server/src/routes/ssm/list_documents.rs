//! `ListDocuments`: the documents that there are, by name.

use postern_api::ssm::{
    DocumentFilter, DocumentFilterKey, DocumentIdentifier, DocumentKeyValuesFilter, ListDocumentsInput,
    ListDocumentsOutput, errors,
};
use postern_api::{ApiError, CommonError};
use postern_ids::AccountId;

use super::document::{Document, platform_types};
use super::tag;
use crate::page_token::Listing;
use crate::routes::call::Call;

const RESULTS_DEFAULT: usize = 50;

/// A condition on documents; one of the values must match.
enum Filter {
    Owner(Vec<String>),
    NamePrefix(String),
    Name(Vec<String>),
    PlatformTypes(Vec<String>),
    DocumentType(Vec<String>),
    SearchKeyword(Vec<String>),
    TargetType(Vec<String>),
    Tag {
        key: String,
        values: Vec<String>,
    },
    /// One that no document here can match: they have no cloud providers.
    Nothing,
}

pub(super) async fn list_documents(call: Call<ListDocumentsInput>) -> Result<ListDocumentsOutput, ApiError> {
    let filters = filters(&call.input)?;
    let _permit = call.authorize([call.check()]).await?;
    let listing = Listing::new("ListDocuments", &(&call.input.document_filter_list, &call.input.filters));
    let after: Option<String> = call.page_after(&listing, call.input.next_token.as_deref())?;
    let limit =
        call.input.max_results.and_then(|count| usize::try_from(count).ok()).unwrap_or(RESULTS_DEFAULT);
    let account = &call.app.account;
    let mut rest = Document::all(&call.app)
        .await?
        .into_iter()
        .filter(|document| after.as_deref().is_none_or(|after| document.name() > after))
        .filter(|document| filters.iter().all(|filter| filter.admits(document, account)));
    let page: Vec<Document> = rest.by_ref().take(limit).collect();
    let last = page.last().filter(|_| rest.next().is_some());
    Ok(ListDocumentsOutput {
        next_token: last.map(|last| call.app.page_tokens.seal(&listing, &last.name().to_owned())),
        document_identifiers: Some(page.iter().map(|document| shown(document, account)).collect()),
    })
}

fn filters(input: &ListDocumentsInput) -> Result<Vec<Filter>, ApiError> {
    let (old, new) = (input.document_filter_list.as_deref(), input.filters.as_deref());
    match (old.unwrap_or_default(), new.unwrap_or_default()) {
        (old, []) => old.iter().map(old_filter).collect(),
        ([], new) => new.iter().map(new_filter).collect(),
        _ => {
            let message = "Give either DocumentFilterList or Filters, not both.";
            Err(ApiError::new(CommonError::Validation, message))
        }
    }
}

fn old_filter(filter: &DocumentFilter) -> Result<Filter, ApiError> {
    let value = filter.value.clone();
    Ok(match &filter.key {
        DocumentFilterKey::Name => Filter::NamePrefix(value),
        DocumentFilterKey::Owner => Filter::Owner(vec![value]),
        DocumentFilterKey::PlatformTypes => Filter::PlatformTypes(vec![value]),
        DocumentFilterKey::DocumentType => Filter::DocumentType(vec![value]),
        DocumentFilterKey::Unknown(key) => return Err(unknown_key(key)),
    })
}

fn new_filter(filter: &DocumentKeyValuesFilter) -> Result<Filter, ApiError> {
    let values = filter.values.clone().unwrap_or_default();
    Ok(match filter.key.as_deref().unwrap_or_default() {
        "Owner" => Filter::Owner(values),
        "Name" => Filter::Name(values),
        "PlatformTypes" => Filter::PlatformTypes(values),
        "DocumentType" => Filter::DocumentType(values),
        "SearchKeyword" => Filter::SearchKeyword(values),
        "TargetType" => Filter::TargetType(values),
        "CloudProviders" => Filter::Nothing,
        key => match key.strip_prefix("tag:") {
            Some(key) => Filter::Tag { key: key.to_owned(), values },
            None => return Err(unknown_key(key)),
        },
    })
}

fn unknown_key(key: &str) -> ApiError {
    ApiError::new(errors::INVALID_FILTER_KEY, format!("The filter key {key:.64} is not valid."))
}

impl Filter {
    fn admits(&self, document: &Document, account: &AccountId) -> bool {
        let name = document.name();
        match self {
            Self::Owner(owners) => owners.iter().any(|owner| is_owner(owner, document, account)),
            Self::NamePrefix(prefix) => name.starts_with(prefix.as_str()),
            Self::Name(names) => names.iter().any(|wanted| wanted == name),
            Self::PlatformTypes(types) => document
                .platforms()
                .iter()
                .any(|platform| types.iter().any(|wanted| wanted == platform.as_str())),
            Self::DocumentType(types) => {
                types.iter().any(|wanted| wanted == document.document_type().as_str())
            }
            Self::SearchKeyword(words) => words.iter().all(|word| {
                let word = word.to_lowercase();
                name.to_lowercase().contains(&word)
                    || document.description().is_some_and(|text| text.to_lowercase().contains(&word))
            }),
            Self::TargetType(types) => {
                let target_type = document.own().and_then(|own| own.document.target_type.as_ref());
                target_type.is_some_and(|target_type| types.contains(target_type))
            }
            Self::Tag { key, values } => document
                .tags()
                .iter()
                .any(|tag| tag.key == *key && (values.is_empty() || values.contains(&tag.value))),
            Self::Nothing => false,
        }
    }
}

fn is_owner(owner: &str, document: &Document, account: &AccountId) -> bool {
    match document {
        Document::Amazon(_) => matches!(owner, "Amazon" | "Public" | "All"),
        Document::Default | Document::Own(_) => {
            matches!(owner, "Self" | "Private" | "All") || owner == account.as_str()
        }
    }
}

fn shown(document: &Document, account: &AccountId) -> DocumentIdentifier {
    let own = document.own();
    let tags = tag::shown(document.tags().to_vec());
    DocumentIdentifier {
        name: Some(document.name().to_owned()),
        created_date: document.created_at().map(Into::into),
        display_name: own.and_then(|own| own.version.display_name.clone()),
        owner: Some(document.owner(account)),
        version_name: own.and_then(|own| own.version.version_name.clone()),
        platform_types: Some(platform_types(document.platforms())),
        document_version: Some(document.version().to_string()),
        document_type: Some(document.document_type().as_str().into()),
        schema_version: Some(document.schema_version()),
        document_format: Some(document.format().as_str().into()),
        target_type: own.and_then(|own| own.document.target_type.clone()),
        tags: (!tags.is_empty()).then_some(tags),
        ..DocumentIdentifier::default()
    }
}
