//! Policy documents: checked before they are stored, encoded when they are shown.

use postern_api::iam::errors::MALFORMED_POLICY_DOCUMENT_EXCEPTION;
use postern_api::{ApiError, query};
use postern_iam::{Policy, PolicyKind};

/// Refuses what is no policy, with the place and what was expected there.
pub(super) fn check(kind: PolicyKind, text: &str) -> Result<(), ApiError> {
    parsed(kind, text).map(drop)
}

/// The policy in a document.
pub(super) fn parsed(kind: PolicyKind, text: &str) -> Result<Policy, ApiError> {
    Policy::parse(kind, text).map_err(|error| {
        ApiError::new(MALFORMED_POLICY_DOCUMENT_EXCEPTION, format!("Syntax errors in policy: {error}."))
    })
}

/// A document in an answer.
pub(super) fn shown(text: &str) -> String {
    query::url_encoded(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_policy_is_refused_with_its_place() {
        let text = r#"{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "ssm:*"}]}"#;
        let error = check(PolicyKind::Identity, text).unwrap_err();
        assert_eq!(error.code.name(), "MalformedPolicyDocument");
        assert!(error.message.contains("Resource") && error.message.contains("line 1 column"), "{error}");
        assert!(check(PolicyKind::Identity, "{").is_err());
        assert!(check(PolicyKind::Trust, text).is_err());
    }
}
