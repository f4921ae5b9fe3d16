//! Credential scopes: for which day, region and service a signature is good.

use std::fmt;

use crate::refusal::excerpt;
use crate::{Refusal, SigningTime};

/// The last element of every scope.
pub(crate) const TERMINATOR: &str = "aws4_request";

/// `20130524/us-east-1/s3/aws4_request`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scope {
    /// The day, `YYYYMMDD`.
    pub date: String,
    /// The region's name.
    pub region: String,
    /// The service's signing name.
    pub service: String,
}

impl Scope {
    /// The scope of a signature made at `time`.
    #[must_use]
    pub fn new(time: SigningTime, region: &str, service: &str) -> Self {
        Self { date: time.date(), region: region.to_owned(), service: service.to_owned() }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { date, region, service } = self;
        write!(f, "{date}/{region}/{service}/{TERMINATOR}")
    }
}

/// Who signed, and within which scope: the access key (or a managed node's ID) and the scope.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credential {
    /// The access key ID, or the ID of the managed node that signed with its RSA key.
    pub access_key_id: String,
    /// Where and when the signature is good.
    pub scope: Scope,
}

impl Credential {
    pub(crate) fn parse(text: &str) -> Result<Self, Refusal> {
        let parts: Vec<&str> = text.splitn(6, '/').collect();
        let [access_key_id, date, region, service, terminator] = parts[..] else {
            return Err(Refusal::CredentialElements { credential: excerpt(text) });
        };
        if [access_key_id, date, region, service].contains(&"") {
            return Err(Refusal::CredentialElements { credential: excerpt(text) });
        }
        if terminator != TERMINATOR {
            return Err(Refusal::Terminator { terminator: excerpt(terminator) });
        }
        let scope = Scope { date: date.to_owned(), region: region.to_owned(), service: service.to_owned() };
        Ok(Self { access_key_id: access_key_id.to_owned(), scope })
    }
}

impl fmt::Display for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.access_key_id, self.scope)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_credential_has_five_elements() {
        let text = "AKIDEXAMPLE/20150830/us-east-1/service/aws4_request";
        let credential = Credential::parse(text).unwrap();
        assert_eq!(credential.access_key_id, "AKIDEXAMPLE");
        assert_eq!(credential.to_string(), text);
        for wrong in [
            "",
            "a",
            "a/b/c/d",
            "a/b/c/d/aws4_request/e",
            "/20150830/us-east-1/s/aws4_request",
            "a/b//d/aws4_request",
        ] {
            assert!(matches!(Credential::parse(wrong), Err(Refusal::CredentialElements { .. })), "{wrong:?}");
        }
        assert!(matches!(Credential::parse("a/b/c/d/aws5_request"), Err(Refusal::Terminator { .. })));
    }
}
