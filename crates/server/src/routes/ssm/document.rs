//! Documents as callers name them: by name or ARN, in their one version.

use postern_api::ssm::{self, errors};
use postern_api::{ApiError, Request};
use postern_documents::{
    AMAZON_DOCUMENTS, AmazonDocument, DEFAULT_SESSION_DOCUMENT_NAME, DocumentType, Platform, SessionDocument,
    amazon_document, default_session_document,
};
use postern_ids::{AccountId, Arn, Region};

use crate::auth::Check;
use crate::routes::call::Call;

/// A document that can be named here.
#[derive(Debug, Clone, Copy)]
pub(super) enum Document {
    /// One that Amazon owns on AWS.
    Amazon(&'static AmazonDocument),
    /// The account's preferences, which nobody has changed.
    Default,
}

impl Document {
    /// Everything there is, by name.
    pub(super) fn all() -> impl Iterator<Item = Self> {
        AMAZON_DOCUMENTS.iter().map(Self::Amazon).chain([Self::Default])
    }

    /// The document that a caller names.
    pub(super) fn find(name: &str, region: &Region, account: &AccountId) -> Result<Self, ApiError> {
        let unknown = || {
            ApiError::new(errors::INVALID_DOCUMENT, format!("Document with name {name:.256} does not exist."))
        };
        let found = match name.parse::<Arn>() {
            Ok(arn) => Self::all().find(|document| document.arn(region, account) == arn),
            Err(_) if name == DEFAULT_SESSION_DOCUMENT_NAME => Some(Self::Default),
            Err(_) => amazon_document(name).map(Self::Amazon),
        };
        found.ok_or_else(unknown)
    }

    /// The same, in the version that the caller names.
    pub(super) fn find_version(
        name: &str,
        version: Option<&str>,
        version_name: Option<&str>,
        region: &Region,
        account: &AccountId,
    ) -> Result<Self, ApiError> {
        let document = Self::find(name, region, account)?;
        let is_the_one = matches!(version, None | Some("$DEFAULT" | "$LATEST" | AmazonDocument::VERSION));
        if is_the_one && version_name.is_none() {
            return Ok(document);
        }
        let message = format!("Document {name:.256} has no such version.");
        Err(ApiError::new(errors::INVALID_DOCUMENT_VERSION, message))
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Amazon(document) => document.name,
            Self::Default => DEFAULT_SESSION_DOCUMENT_NAME,
        }
    }

    pub(super) fn arn(self, region: &Region, account: &AccountId) -> Arn {
        match self {
            Self::Amazon(document) => Arn::amazon_document(region, document.name),
            Self::Default => Arn::document(region, account, DEFAULT_SESSION_DOCUMENT_NAME),
        }
    }

    /// The operation, on this document.
    pub(super) fn check<T: Request>(self, call: &Call<T>) -> Check {
        let arn = self.arn(&call.app.region, &call.app.account);
        call.check().on(arn).with("ssm:DocumentType", self.document_type().as_str())
    }

    /// `Amazon`, or the account.
    pub(super) fn owner(self, account: &AccountId) -> String {
        match self {
            Self::Amazon(_) => AmazonDocument::OWNER.to_owned(),
            Self::Default => account.to_string(),
        }
    }

    pub(super) fn document_type(self) -> DocumentType {
        match self {
            Self::Amazon(document) => document.document_type,
            Self::Default => DocumentType::Session,
        }
    }

    pub(super) fn platforms(self) -> &'static [Platform] {
        match self {
            Self::Amazon(document) => document.platforms,
            Self::Default => &[Platform::Windows, Platform::Linux, Platform::MacOs],
        }
    }

    pub(super) fn content(self) -> String {
        match self {
            Self::Amazon(document) => document.content.to_owned(),
            Self::Default => {
                format!("{:#}\n", default_session_document().to_content())
            }
        }
    }

    pub(super) fn schema_version(self) -> String {
        match self {
            Self::Amazon(document) => document.schema_version(),
            Self::Default => "1.0".to_owned(),
        }
    }

    pub(super) fn description(self) -> Option<String> {
        match self {
            Self::Amazon(document) => Some(document.description()),
            Self::Default => default_session_document().description.clone(),
        }
    }

    pub(super) fn parameters(self) -> Vec<ssm::DocumentParameter> {
        let Self::Amazon(document) = self else { return Vec::new() };
        let parameters = document.parameters().into_iter().map(|parameter| ssm::DocumentParameter {
            name: Some(parameter.name),
            r#type: Some(parameter.parameter_type.into()),
            description: parameter.description,
            default_value: parameter.default_value,
        });
        parameters.collect()
    }

    /// The session that it starts; `None` if it starts none.
    pub(super) fn session(self) -> Option<SessionDocument> {
        match self {
            Self::Amazon(document) => document.session(),
            Self::Default => Some(default_session_document().clone()),
        }
    }
}

/// As the API spells platforms.
pub(super) fn platform_types(platforms: &[Platform]) -> Vec<ssm::PlatformType> {
    platforms.iter().map(|platform| platform.as_str().into()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(name: &str) -> Result<&'static str, String> {
        let (region, account) = ("us-east-1".parse().unwrap(), "111122223333".parse().unwrap());
        Document::find(name, &region, &account).map(Document::name).map_err(|error| error.to_string())
    }

    #[test]
    fn documents_are_found_by_name_and_by_arn() {
        assert_eq!(find("AWS-StartSSHSession"), Ok("AWS-StartSSHSession"));
        assert_eq!(find("arn:aws:ssm:us-east-1::document/AWS-StartSSHSession"), Ok("AWS-StartSSHSession"));
        assert_eq!(
            find("arn:aws:ssm:us-east-1:111122223333:document/SSM-SessionManagerRunShell"),
            Ok("SSM-SessionManagerRunShell")
        );
        for wrong in [
            "aws-startsshsession",
            "arn:aws:ssm:eu-west-1::document/AWS-StartSSHSession",
            "arn:aws:ssm:us-east-1:111122223333:document/AWS-StartSSHSession",
            "arn:aws:ssm:us-east-1:000000000000:document/SSM-SessionManagerRunShell",
        ] {
            assert_eq!(
                find(wrong),
                Err(format!("InvalidDocument: Document with name {wrong} does not exist."))
            );
        }
    }
}
