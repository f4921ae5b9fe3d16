//! What a session token says about its bearer, besides who it is: the facts that policies ask for.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use postern_ids::{AccessKeyId, Arn};
use serde::{Deserialize, Serialize};

/// What a session token says. It is sealed in the token, so it is as true as on the day it was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenFacts {
    /// `aws:TokenIssueTime`, to the second.
    #[serde(rename = "i", with = "seconds")]
    pub issued_at: Timestamp,
    /// Until when the credentials are good, to the second.
    #[serde(rename = "e", with = "seconds")]
    pub expires_at: Timestamp,
    /// When a code of an MFA device was given: `aws:MultiFactorAuthPresent` is whether there is a time,
    /// `aws:MultiFactorAuthAge` is counted from it.
    #[serde(rename = "m", default, with = "seconds::option", skip_serializing_if = "Option::is_none")]
    pub mfa_at: Option<Timestamp>,
    /// The access key that asked for the credentials; none for nodes and web identities.
    #[serde(rename = "b", default, skip_serializing_if = "Option::is_none")]
    pub issued_by: Option<AccessKeyId>,
    /// The sign-in to the console that the bearer acts in. What follows from it is good for as long as the sign-in is
    /// trusted.
    #[serde(rename = "n", default, skip_serializing_if = "Option::is_none")]
    pub sign_in: Option<String>,
    /// `aws:SourceIdentity`. Once set, the sessions that follow from this one keep it.
    #[serde(rename = "s", default, skip_serializing_if = "Option::is_none")]
    pub source_identity: Option<String>,
    /// Session tags, those inherited along a chain of roles included: `aws:PrincipalTag/…`, over the role's own.
    /// No two keys differ in case only.
    #[serde(rename = "t", default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<String, String>,
    /// The keys of the tags that the sessions following from this one inherit.
    #[serde(rename = "tt", default, skip_serializing_if = "BTreeSet::is_empty")]
    pub transitive_tag_keys: BTreeSet<String>,
    /// The inline session policy, as it was given; it was checked then.
    #[serde(rename = "p", default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<String>,
    /// Managed policies that limit the session. With `policy` they are one layer, the union of all.
    #[serde(rename = "pa", default, skip_serializing_if = "Vec::is_empty")]
    pub policy_arns: Vec<Arn>,
    /// Which identity provider vouched, and for whom.
    #[serde(rename = "f", default, skip_serializing_if = "Option::is_none")]
    pub federation: Option<Federation>,
}

/// Who an OIDC provider said the bearer is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Federation {
    /// `aws:FederatedProvider`: `arn:aws:iam::…:oidc-provider/…`.
    #[serde(rename = "p")]
    pub provider: Arn,
    /// The claims that are context keys of the session: `aud`, `sub` and, if they were there, `amr` and `azp`. The
    /// key's name is [`Federation::host_and_path`], a colon, and the claim's name.
    #[serde(rename = "c")]
    pub claims: BTreeMap<String, Vec<String>>,
}

impl TokenFacts {
    /// Those of credentials without any of the optional facts, good for `lifetime` from `now`.
    #[must_use]
    pub fn new(now: Timestamp, lifetime: SignedDuration) -> Self {
        let issued = now.as_second();
        let expires = issued.saturating_add(lifetime.as_secs());
        Self {
            issued_at: Timestamp::from_second(issued).expect("it is a Timestamp's second"),
            expires_at: Timestamp::from_second(expires).unwrap_or(Timestamp::MAX),
            mfa_at: None,
            issued_by: None,
            sign_in: None,
            source_identity: None,
            tags: BTreeMap::new(),
            transitive_tag_keys: BTreeSet::new(),
            policy: None,
            policy_arns: Vec::new(),
            federation: None,
        }
    }

    /// Whether session policies limit what the bearer may do. An empty list of managed policies is none.
    #[must_use]
    pub fn is_limited(&self) -> bool {
        self.policy.is_some() || !self.policy_arns.is_empty()
    }

    /// `aws:MultiFactorAuthAge` at `now`.
    #[must_use]
    pub fn mfa_age_seconds(&self, now: Timestamp) -> Option<i64> {
        Some(now.duration_since(self.mfa_at?).as_secs().max(0))
    }
}

impl Federation {
    /// The issuer without its scheme, as the provider's ARN and the names of context keys have it.
    #[must_use]
    pub fn host_and_path(&self) -> &str {
        self.provider.resource().strip_prefix("oidc-provider/").unwrap_or_default()
    }

    /// `sub`: whom the provider vouches for.
    #[must_use]
    pub fn subject(&self) -> &str {
        self.claims.get("sub").and_then(|values| values.first()).map(String::as_str).unwrap_or_default()
    }
}

/// Times as whole seconds since 1970.
mod seconds {
    use jiff::Timestamp;
    use serde::{Deserialize, Deserializer, Serializer, de};

    pub(super) fn serialize<S: Serializer>(time: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_i64(time.as_second())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Timestamp, D::Error> {
        Timestamp::from_second(i64::deserialize(deserializer)?).map_err(de::Error::custom)
    }

    pub(super) mod option {
        use jiff::Timestamp;
        use serde::{Deserialize, Deserializer, Serializer, de};

        pub(in super::super) fn serialize<S: Serializer>(
            time: &Option<Timestamp>,
            serializer: S,
        ) -> Result<S::Ok, S::Error> {
            match time {
                Some(time) => super::serialize(time, serializer),
                None => serializer.serialize_none(),
            }
        }

        pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(
            deserializer: D,
        ) -> Result<Option<Timestamp>, D::Error> {
            let seconds: Option<i64> = Deserialize::deserialize(deserializer)?;
            seconds.map(Timestamp::from_second).transpose().map_err(de::Error::custom)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_age_of_mfa_counts_from_the_code_not_from_the_token() {
        let now: Timestamp = "2026-11-27T08:00:00Z".parse().unwrap();
        let mut facts = TokenFacts::new(now, SignedDuration::from_hours(1));
        assert_eq!(facts.mfa_age_seconds(now), None);
        facts.mfa_at = Some(now - SignedDuration::from_mins(2));
        assert_eq!(facts.mfa_age_seconds(now), Some(120));
        facts.mfa_at = Some(now + SignedDuration::from_mins(2));
        assert_eq!(facts.mfa_age_seconds(now), Some(0));
    }

    #[test]
    fn a_providers_name_stands_in_its_arn() {
        let provider = "arn:aws:iam::111122223333:oidc-provider/idp.example.com/realms/ops".parse().unwrap();
        let claims = BTreeMap::from([("sub".to_owned(), vec!["alice".to_owned()])]);
        let federation = Federation { provider, claims };
        assert_eq!(federation.host_and_path(), "idp.example.com/realms/ops");
        assert_eq!(federation.subject(), "alice");
    }
}
