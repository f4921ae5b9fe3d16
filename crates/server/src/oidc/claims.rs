//! What a verified token says, checked against the provider and the clock.

use std::collections::BTreeMap;

use jiff::Timestamp;
use postern_ids::OidcIssuer;
use postern_store::OidcProvider;
use serde_json::{Map, Value};

use super::OidcError;

/// How far the issuer's clock and ours may be apart.
const CLOCK_SKEW_SECONDS: i64 = 60;
/// As long as the model's `SubjectFromWebIdentityToken` may be.
const SUBJECT_CHARS_MAX: usize = 255;
/// Claims that become context keys, and values of one of them. Longer values and further claims are left out: a policy
/// that asks for them does not match.
const KEYS_MAX: usize = 64;
const VALUES_MAX: usize = 64;
const VALUE_CHARS_MAX: usize = 1024;
/// The claims that stay with the session; the others are only there for the trust policy.
const KEPT_CLAIMS: [&str; 4] = ["aud", "sub", "amr", "azp"];
const KEPT_CHARS_MAX: usize = 512;
/// Where providers put session tags and the source identity.
/// Source: "Passing session tags using AssumeRoleWithWebIdentity" and "Monitor and control actions taken with assumed
/// roles", IAM User Guide.
const TAGS_CLAIM: &str = "https://aws.amazon.com/tags";
const SOURCE_IDENTITY_CLAIM: &str = "https://aws.amazon.com/source_identity";

/// Whom a provider vouches for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Identity {
    /// The provider.
    pub(crate) issuer: OidcIssuer,
    /// `iss`, as the token has it.
    pub(crate) issuer_url: String,
    /// `sub`.
    pub(crate) subject: String,
    /// The client ID that the token was made for.
    pub(crate) audience: String,
    /// Claims as the values of context keys, by the claim's name.
    pub(crate) claims: BTreeMap<String, Vec<String>>,
    /// Session tags that the provider gives.
    pub(crate) tags: BTreeMap<String, String>,
    /// Those of them that sessions further along a chain inherit.
    pub(crate) transitive_tag_keys: Vec<String>,
    /// The source identity that the provider gives.
    pub(crate) source_identity: Option<String>,
}

impl Identity {
    /// Reads the claims of a token whose signature is good.
    pub(super) fn new(
        provider: &OidcProvider,
        issuer_url: &str,
        claims: Map<String, Value>,
        now: Timestamp,
    ) -> Result<Self, OidcError> {
        check_times(&claims, now.as_second())?;
        let subject = text(&claims, "sub")?.to_owned();
        if subject.chars().count() > SUBJECT_CHARS_MAX {
            return Err(OidcError::Claim { claim: "sub" });
        }
        let audience = audience(&claims, &provider.client_ids)?;
        let source_identity = match claims.get(SOURCE_IDENTITY_CLAIM) {
            None => None,
            Some(Value::String(name)) => Some(name.clone()),
            Some(_) => return Err(OidcError::Claim { claim: SOURCE_IDENTITY_CLAIM }),
        };
        let (tags, transitive_tag_keys) = tags(&claims)?;
        let mut keys = context_keys(&claims);
        // However many other claims there are.
        keys.insert("aud".to_owned(), vec![audience.clone()]);
        keys.insert("sub".to_owned(), vec![subject.clone()]);
        Ok(Self {
            issuer: provider.issuer.clone(),
            issuer_url: issuer_url.to_owned(),
            subject,
            audience,
            claims: keys,
            tags,
            transitive_tag_keys,
            source_identity,
        })
    }

    /// The claims that stay with the session, of bounded size.
    pub(crate) fn kept_claims(&self) -> BTreeMap<String, Vec<String>> {
        let is_short = |values: &[String]| values.iter().map(String::len).sum::<usize>() <= KEPT_CHARS_MAX;
        let kept = KEPT_CLAIMS.iter().filter_map(|name| self.claims.get_key_value(*name));
        kept.filter(|(_, values)| is_short(values))
            .map(|(name, values)| (name.clone(), values.clone()))
            .collect()
    }
}

/// `exp` and `iat` must be there, `nbf` may.
fn check_times(claims: &Map<String, Value>, now: i64) -> Result<(), OidcError> {
    let expires = time(claims, "exp")?.ok_or(OidcError::MissingClaim { claim: "exp" })?;
    if now >= expires.saturating_add(CLOCK_SKEW_SECONDS) {
        return Err(OidcError::Expired { now, expires });
    }
    let issued = time(claims, "iat")?.ok_or(OidcError::MissingClaim { claim: "iat" })?;
    if issued > now.saturating_add(CLOCK_SKEW_SECONDS) {
        return Err(OidcError::Claim { claim: "iat" });
    }
    match time(claims, "nbf")? {
        Some(not_before) if not_before > now.saturating_add(CLOCK_SKEW_SECONDS) => {
            Err(OidcError::Claim { claim: "nbf" })
        }
        _ => Ok(()),
    }
}

/// A time in whole seconds; STS takes no fractions.
fn time(claims: &Map<String, Value>, claim: &'static str) -> Result<Option<i64>, OidcError> {
    let Some(value) = claims.get(claim) else { return Ok(None) };
    value.as_i64().map(Some).ok_or(OidcError::Claim { claim })
}

/// A claim that must be there and say something.
fn text<'a>(claims: &'a Map<String, Value>, claim: &'static str) -> Result<&'a str, OidcError> {
    match claims.get(claim) {
        None | Some(Value::Null) => Err(OidcError::MissingClaim { claim }),
        Some(Value::String(text)) if !text.trim().is_empty() => Ok(text),
        Some(_) => Err(OidcError::Claim { claim }),
    }
}

/// The client ID that the token was made for: `azp` if the provider says it, otherwise the one of `aud` that is the
/// provider's.
/// Source: "Available keys for AWS OIDC federation", IAM User Guide: if both are set, `azp` is taken.
fn audience(claims: &Map<String, Value>, client_ids: &[String]) -> Result<String, OidcError> {
    let audiences: Vec<&str> = match claims.get("aud") {
        None | Some(Value::Null) => return Err(OidcError::MissingClaim { claim: "aud" }),
        Some(Value::String(audience)) => vec![audience],
        Some(Value::Array(audiences)) => audiences.iter().filter_map(Value::as_str).collect(),
        Some(_) => return Err(OidcError::Claim { claim: "aud" }),
    };
    if audiences.is_empty() || audiences.iter().any(|audience| audience.trim().is_empty()) {
        return Err(OidcError::Claim { claim: "aud" });
    }
    let candidates = match claims.get("azp") {
        None => audiences,
        Some(_) => vec![text(claims, "azp")?],
    };
    let found = candidates.into_iter().find(|candidate| client_ids.iter().any(|id| id == candidate));
    found.map(str::to_owned).ok_or(OidcError::Audience)
}

/// Claims as policies see them: texts, numbers and truths, and lists of them.
fn context_keys(claims: &Map<String, Value>) -> BTreeMap<String, Vec<String>> {
    let values = |value: &Value| match value {
        Value::Array(items) => items.iter().take(VALUES_MAX + 1).map(plain).collect::<Option<Vec<_>>>(),
        value => plain(value).map(|text| vec![text]),
    };
    let keys = claims.iter().filter_map(|(name, value)| Some((name.clone(), values(value)?)));
    keys.filter(|(_, values)| values.len() <= VALUES_MAX).take(KEYS_MAX).collect()
}

fn plain(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if text.len() <= VALUE_CHARS_MAX => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(truth) => Some(truth.to_string()),
        _ => None,
    }
}

/// `{"principal_tags": {"key": ["value"]}, "transitive_tag_keys": ["key"]}`.
fn tags(claims: &Map<String, Value>) -> Result<(BTreeMap<String, String>, Vec<String>), OidcError> {
    let wrong = || OidcError::Claim { claim: TAGS_CLAIM };
    let Some(given) = claims.get(TAGS_CLAIM) else { return Ok(Default::default()) };
    let given = given.as_object().ok_or_else(wrong)?;
    let mut tags = BTreeMap::new();
    if let Some(principal_tags) = given.get("principal_tags") {
        for (key, values) in principal_tags.as_object().ok_or_else(wrong)? {
            let value = match values {
                Value::String(value) => value,
                Value::Array(values) => match values.as_slice() {
                    [Value::String(value)] => value,
                    _ => return Err(wrong()),
                },
                _ => return Err(wrong()),
            };
            tags.insert(key.clone(), value.clone());
        }
    }
    let transitive = match given.get("transitive_tag_keys") {
        None => Vec::new(),
        Some(keys) => {
            let keys = keys.as_array().ok_or_else(wrong)?;
            keys.iter()
                .map(|key| key.as_str().map(str::to_owned).ok_or_else(wrong))
                .collect::<Result<_, _>>()?
        }
    };
    Ok((tags, transitive))
}

#[cfg(test)]
mod tests;
