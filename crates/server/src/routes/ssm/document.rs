//! Documents as callers name them: by name or ARN, in one of their versions.

use jiff::Timestamp;
use postern_api::ssm::{self, errors};
use postern_api::{ApiError, CommonError, ErrorCode, Request};
use postern_documents::{
    AMAZON_DOCUMENTS, AmazonDocument, DEFAULT_SESSION_DOCUMENT_NAME, DocumentError, DocumentFormat,
    DocumentType, ParameterDescription, Platform, SessionDocument, TimeLimits, amazon_document,
    default_session_document,
};
use postern_ids::{AccountId, Arn, Region};
use postern_store::{ResourceKey, Tag, VersionChoice};
use serde_json::Value;

use super::own_agent;
use crate::app::App;
use crate::auth::Check;
use crate::routes::call::Call;
use crate::routes::failure;

/// A document that can be named here, in one version.
#[derive(Debug, Clone)]
pub(super) enum Document {
    /// One that Amazon owns on AWS.
    Amazon(&'static AmazonDocument),
    /// The account's preferences, which nobody has changed.
    Default,
    /// One that the account has made.
    Own(Box<OwnDocument>),
}

/// A document that the account has made.
#[derive(Debug, Clone)]
pub(super) struct OwnDocument {
    pub(super) document: postern_store::Document,
    pub(super) version: postern_store::DocumentVersion,
    pub(super) tags: Vec<Tag>,
}

impl Document {
    /// Everything there is, by name, in its default version.
    pub(super) async fn all(app: &App) -> Result<Vec<Self>, ApiError> {
        let mut all: Vec<Self> = AMAZON_DOCUMENTS.iter().map(Self::Amazon).collect();
        let own = app.store.documents().await.map_err(failure::store)?;
        if !own.iter().any(|(document, _)| document.name == DEFAULT_SESSION_DOCUMENT_NAME) {
            all.push(Self::Default);
        }
        for (document, version) in own {
            let tags =
                app.store.tags(&ResourceKey::document(&document.name)).await.map_err(failure::store)?;
            all.push(Self::Own(Box::new(OwnDocument { document, version, tags })));
        }
        all.sort_by(|one, other| one.name().cmp(other.name()));
        Ok(all)
    }

    /// The document that a caller names, in the version that sessions use.
    pub(super) async fn find(app: &App, name: &str) -> Result<Self, ApiError> {
        // The console and AWS's own instructions change the preferences without ever setting a default version.
        let is_preferences = own_name(name, &app.region, &app.account) == Some(DEFAULT_SESSION_DOCUMENT_NAME);
        let version = if is_preferences { VersionChoice::Latest } else { VersionChoice::Default };
        Self::find_version(app, name, version).await
    }

    /// The same, in the version that the caller names.
    pub(super) async fn find_version(
        app: &App,
        name: &str,
        version: VersionChoice,
    ) -> Result<Self, ApiError> {
        let found = match own_name(name, &app.region, &app.account) {
            Some(own) => app.store.document_version(own, &version).await.map_err(failure::store)?,
            None => None,
        };
        if let Some((document, found)) = found {
            let version = found.ok_or_else(|| unknown_version(name))?;
            let tags =
                app.store.tags(&ResourceKey::document(&document.name)).await.map_err(failure::store)?;
            return Ok(Self::Own(Box::new(OwnDocument { document, version, tags })));
        }
        let of_every_account = Self::of_every_account(name, &app.region, &app.account);
        let document = of_every_account.ok_or_else(|| unknown(name))?;
        match version {
            VersionChoice::Default | VersionChoice::Latest | VersionChoice::Number(1) => Ok(document),
            VersionChoice::Number(_) | VersionChoice::Named(_) => Err(unknown_version(name)),
        }
    }

    fn of_every_account(name: &str, region: &Region, account: &AccountId) -> Option<Self> {
        if own_name(name, region, account) == Some(DEFAULT_SESSION_DOCUMENT_NAME) {
            return Some(Self::Default);
        }
        match name.parse::<Arn>() {
            Ok(arn) => AMAZON_DOCUMENTS
                .iter()
                .find(|document| Arn::amazon_document(region, document.name) == arn)
                .map(Self::Amazon),
            Err(_) => amazon_document(name).map(Self::Amazon),
        }
    }

    pub(super) fn name(&self) -> &str {
        match self {
            Self::Amazon(document) => document.name,
            Self::Default => DEFAULT_SESSION_DOCUMENT_NAME,
            Self::Own(own) => &own.document.name,
        }
    }

    pub(super) fn arn(&self, region: &Region, account: &AccountId) -> Arn {
        match self {
            Self::Amazon(document) => Arn::amazon_document(region, document.name),
            Self::Default | Self::Own(_) => Arn::document(region, account, self.name()),
        }
    }

    /// The operation, on this document.
    pub(super) fn check<T: Request>(&self, call: &Call<T>) -> Check {
        let arn = self.arn(&call.app.region, &call.app.account);
        let check = call.check().on(arn).with("ssm:DocumentType", self.document_type().as_str());
        check.with_resource_tags(self.tags())
    }

    pub(super) fn tags(&self) -> &[Tag] {
        match self {
            Self::Amazon(_) | Self::Default => &[],
            Self::Own(own) => &own.tags,
        }
    }

    /// `Amazon`, or the account.
    pub(super) fn owner(&self, account: &AccountId) -> String {
        match self {
            Self::Amazon(_) => AmazonDocument::OWNER.to_owned(),
            Self::Default | Self::Own(_) => account.to_string(),
        }
    }

    pub(super) fn document_type(&self) -> DocumentType {
        match self {
            Self::Amazon(document) => document.document_type,
            // The account's documents are for sessions; others it cannot make.
            Self::Default | Self::Own(_) => DocumentType::Session,
        }
    }

    pub(super) fn platforms(&self) -> &'static [Platform] {
        match self {
            Self::Amazon(document) => document.platforms,
            Self::Default | Self::Own(_) => &[Platform::Windows, Platform::Linux, Platform::MacOs],
        }
    }

    /// The text, in the format asked for; as it was written if that is its own.
    pub(super) fn content(&self, format: DocumentFormat) -> String {
        let text = match self {
            Self::Amazon(document) => document.content.to_owned(),
            Self::Default => DocumentFormat::Json.write(&default_session_document().to_content()),
            Self::Own(own) => own.version.content.clone(),
        };
        if format == self.format() {
            return text;
        }
        self.format().read(&text).map_or(text, |value| format.write(&value))
    }

    /// What the document is written in.
    pub(super) fn format(&self) -> DocumentFormat {
        match self {
            Self::Amazon(_) | Self::Default => DocumentFormat::Json,
            Self::Own(own) => own.version.format.parse().unwrap_or(DocumentFormat::Json),
        }
    }

    /// The number of this version.
    pub(super) fn version(&self) -> u32 {
        match self {
            Self::Amazon(_) | Self::Default => 1,
            Self::Own(own) => own.version.version,
        }
    }

    pub(super) fn default_version(&self) -> u32 {
        match self {
            Self::Amazon(_) | Self::Default => 1,
            Self::Own(own) => own.document.default_version,
        }
    }

    pub(super) fn latest_version(&self) -> u32 {
        match self {
            Self::Amazon(_) | Self::Default => 1,
            Self::Own(own) => own.document.latest_version,
        }
    }

    /// What the account has made, and said of it.
    pub(super) fn own(&self) -> Option<&OwnDocument> {
        match self {
            Self::Amazon(_) | Self::Default => None,
            Self::Own(own) => Some(own),
        }
    }

    /// When this version was made; none for what came with the server.
    pub(super) fn created_at(&self) -> Option<Timestamp> {
        self.own().map(|own| own.version.created_at)
    }

    pub(super) fn schema_version(&self) -> String {
        match self {
            Self::Amazon(document) => document.schema_version(),
            Self::Default | Self::Own(_) => "1.0".to_owned(),
        }
    }

    pub(super) fn description(&self) -> Option<String> {
        match self {
            Self::Amazon(document) => Some(document.description()),
            Self::Default => default_session_document().description.clone(),
            Self::Own(own) => own.shown()?.description,
        }
    }

    pub(super) fn parameters(&self) -> Vec<ssm::DocumentParameter> {
        let described: Vec<ParameterDescription> = match self {
            Self::Amazon(document) => document.parameters(),
            Self::Default => Vec::new(),
            Self::Own(own) => {
                let shown = own.shown().map(|document| document.parameters).unwrap_or_default();
                shown.into_iter().map(ParameterDescription::from).collect()
            }
        };
        let parameters = described.into_iter().map(|parameter| ssm::DocumentParameter {
            name: Some(parameter.name),
            r#type: Some(parameter.parameter_type.into()),
            description: parameter.description,
            default_value: parameter.default_value,
        });
        parameters.collect()
    }

    /// The session that it starts, under the limits of today.
    pub(super) fn session(&self, limits: TimeLimits) -> Result<SessionDocument, ApiError> {
        match self {
            Self::Amazon(document) => document.session().ok_or_else(|| not_a_session(document.document_type)),
            Self::Default => Ok(default_session_document().clone()),
            Self::Own(own) => {
                let value = self.format().read(&own.version.content);
                let session = value.and_then(|value| SessionDocument::read(&value, limits));
                session.map_err(|error| {
                    let message = format!("Document {} cannot be used: {error}.", self.name());
                    ApiError::new(errors::INVALID_DOCUMENT, message)
                })
            }
        }
    }
}

impl OwnDocument {
    /// The document as it may be shown, whatever its limits.
    fn shown(&self) -> Option<SessionDocument> {
        let format: DocumentFormat = self.version.format.parse().ok()?;
        SessionDocument::received(&format.read(&self.version.content).ok()?).ok()
    }
}

/// The name of a document of the account; `None` for an ARN of anything else.
fn own_name<'a>(name: &'a str, region: &Region, account: &AccountId) -> Option<&'a str> {
    let Ok(arn) = name.parse::<Arn>() else { return Some(name) };
    let (_, own) = name.split_once(":document/")?;
    (Arn::document(region, account, own) == arn).then_some(own)
}

/// The version that a caller names: the default one unless it names another.
pub(super) fn version_choice(
    name: &str,
    version: Option<&str>,
    version_name: Option<&str>,
) -> Result<VersionChoice, ApiError> {
    match (version, version_name) {
        (None, None) => Ok(VersionChoice::Default),
        (None, Some(version_name)) => Ok(VersionChoice::Named(version_name.to_owned())),
        (Some("$DEFAULT"), None) => Ok(VersionChoice::Default),
        (Some("$LATEST"), None) => Ok(VersionChoice::Latest),
        (Some(number), None) => number.parse().map(VersionChoice::Number).map_err(|_| unknown_version(name)),
        (Some(_), Some(_)) => {
            let message = "Give either DocumentVersion or VersionName, not both.";
            Err(ApiError::new(CommonError::Validation, message))
        }
    }
}

/// What a text of this type and format says, once nothing is wrong with it.
pub(super) fn checked_content(
    content: &str,
    format: DocumentFormat,
    limits: TimeLimits,
) -> Result<Value, ApiError> {
    let read = || {
        let value = format.read(content)?;
        SessionDocument::read(&value, limits)?;
        if let Some(own) = own_agent::types().find(|own| value["properties"]["type"] == own.forwarding_type) {
            let reason = format!("only {} may have the type {}", own.document, own.forwarding_type);
            return Err(DocumentError::Field { place: "properties.type".to_owned(), reason });
        }
        Ok(value)
    };
    read().map_err(|error: DocumentError| {
        ApiError::new(content_error(&error), format!("The content of the document is not valid: {error}."))
    })
}

fn content_error(error: &DocumentError) -> ErrorCode {
    match error {
        DocumentError::SchemaVersion { .. } => errors::INVALID_DOCUMENT_SCHEMA_VERSION,
        DocumentError::TooLarge => errors::MAX_DOCUMENT_SIZE_EXCEEDED,
        DocumentError::NotJson { .. }
        | DocumentError::NotYaml { .. }
        | DocumentError::UnknownField { .. }
        | DocumentError::Field { .. } => errors::INVALID_DOCUMENT_CONTENT,
    }
}

/// The format that a caller asks for or gives.
pub(super) fn format(
    format: Option<&ssm::DocumentFormat>,
    default: DocumentFormat,
) -> Result<DocumentFormat, ApiError> {
    let Some(format) = format else { return Ok(default) };
    format.as_str().parse().map_err(|_| {
        let message =
            format!("DocumentFormat {} is not one of session documents: use JSON or YAML.", format.as_str());
        ApiError::new(CommonError::Validation, message)
    })
}

/// As the API spells platforms.
pub(super) fn platform_types(platforms: &[Platform]) -> Vec<ssm::PlatformType> {
    platforms.iter().map(|platform| platform.as_str().into()).collect()
}

pub(super) fn unknown(name: &str) -> ApiError {
    ApiError::new(errors::INVALID_DOCUMENT, format!("Document with name {name:.256} does not exist."))
}

pub(super) fn unknown_version(name: &str) -> ApiError {
    ApiError::new(errors::INVALID_DOCUMENT_VERSION, format!("Document {name:.256} has no such version."))
}

fn not_a_session(document_type: DocumentType) -> ApiError {
    let message = format!(
        "Document type: '{}' is not supported. Only type: 'Session' is supported for Session Manager.",
        document_type.as_str()
    );
    ApiError::new(errors::INVALID_DOCUMENT, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(name: &str) -> Option<String> {
        let (region, account) = ("us-east-1".parse().unwrap(), "111122223333".parse().unwrap());
        Document::of_every_account(name, &region, &account).map(|document| document.name().to_owned())
    }

    #[test]
    fn documents_are_found_by_name_and_by_arn() {
        for right in [
            "AWS-StartSSHSession",
            "arn:aws:ssm:us-east-1::document/AWS-StartSSHSession",
            "SSM-SessionManagerRunShell",
            "arn:aws:ssm:us-east-1:111122223333:document/SSM-SessionManagerRunShell",
        ] {
            assert_eq!(find(right).as_deref(), right.rsplit('/').next(), "{right}");
        }
        for wrong in [
            "aws-startsshsession",
            "arn:aws:ssm:eu-west-1::document/AWS-StartSSHSession",
            "arn:aws:ssm:us-east-1:111122223333:document/AWS-StartSSHSession",
            "arn:aws:ssm:us-east-1:000000000000:document/SSM-SessionManagerRunShell",
        ] {
            assert_eq!(find(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn an_arn_names_a_document_of_its_own_account_and_region_only() {
        let (region, account) = ("us-east-1".parse().unwrap(), "111122223333".parse().unwrap());
        for (name, expected) in [
            ("Shell", Some("Shell")),
            ("arn:aws:ssm:us-east-1:111122223333:document/Shell", Some("Shell")),
            ("arn:aws:ssm:us-east-1:000000000000:document/Shell", None),
            ("arn:aws:ssm:us-east-1::document/Shell", None),
            ("arn:aws:ssm:us-east-1:111122223333:parameter/Shell", None),
        ] {
            assert_eq!(own_name(name, &region, &account), expected, "{name}");
        }
    }

    #[test]
    fn versions_are_named_by_number_by_name_or_by_rank() {
        let choice = |version, name| version_choice("Shell", version, name).ok();
        assert_eq!(choice(None, None), Some(VersionChoice::Default));
        assert_eq!(choice(Some("$LATEST"), None), Some(VersionChoice::Latest));
        assert_eq!(choice(Some("$DEFAULT"), None), Some(VersionChoice::Default));
        assert_eq!(choice(Some("12"), None), Some(VersionChoice::Number(12)));
        assert_eq!(choice(None, Some("v1")), Some(VersionChoice::Named("v1".to_owned())));
        assert_eq!(choice(Some("12"), Some("v1")), None);
        assert_eq!(choice(Some("99999999999"), None), None);
    }
}
