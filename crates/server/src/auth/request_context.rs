//! What policies can ask about any request: who calls, from where, when, with which credentials.
//!
//! Source of the keys: "AWS global condition context keys" in the IAM User Guide.

use jiff::Timestamp;
use postern_iam::{Context, Value};
use postern_ids::{AccountId, Arn, Region};
use postern_store::Tag;

use super::{Caller, Principal, TokenFacts};

/// The circumstances of a request, besides its caller and what it is about.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct RequestContext {
    /// The request, for the audit log.
    pub request_id: String,
    /// When it arrived.
    pub at: Timestamp,
    /// The client's description of itself.
    pub user_agent: Option<String>,
    /// Its `Referer`.
    pub referer: Option<String>,
}

/// The keys that every request of `caller` has. `tags` are those of its user or role.
pub(super) fn global_keys(
    caller: &Caller,
    tags: &[Tag],
    request: &RequestContext,
    account: &AccountId,
    region: &Region,
) -> Context {
    let mut keys = Context::with_capacity(24 + tags.len());
    time_keys(&mut keys, request.at);
    keys.insert("aws:SourceIp", caller.source_ip);
    // There is no port without TLS.
    keys.insert("aws:SecureTransport", true);
    keys.insert("aws:ViaAWSService", false);
    keys.insert_some("aws:UserAgent", request.user_agent.as_deref());
    keys.insert_some("aws:Referer", request.referer.as_deref());
    keys.insert_some("aws:RequestedRegion", caller.region.as_deref());
    principal_keys(&mut keys, &caller.principal, account, region);
    for tag in tags {
        keys.insert(format!("aws:PrincipalTag/{}", tag.key), tag.value.as_str());
    }
    if let Some(token) = &caller.token {
        token_keys(&mut keys, token, request.at);
    }
    keys
}

/// `aws:CurrentTime` and `aws:EpochTime`.
pub(super) fn time_keys(keys: &mut Context, now: Timestamp) {
    keys.insert("aws:CurrentTime", now);
    keys.insert("aws:EpochTime", now.as_second());
}

fn principal_keys(keys: &mut Context, principal: &Principal, account: &AccountId, region: &Region) {
    let (arn, kind) = match principal {
        Principal::User { arn, name, .. } => {
            keys.insert("aws:username", name.as_str());
            (arn, "User")
        }
        Principal::RoleSession { role_arn, .. } => (role_arn, "AssumedRole"),
        Principal::WebIdentity { provider, .. } => {
            keys.insert("aws:PrincipalType", "FederatedUser");
            keys.insert("aws:FederatedProvider", provider.as_str());
            return;
        }
        Principal::Node { .. } | Principal::Anonymous => {
            keys.insert("aws:PrincipalType", "Anonymous");
            return;
        }
    };
    keys.insert("aws:PrincipalArn", arn.as_str());
    keys.insert("aws:PrincipalType", kind);
    keys.insert("aws:PrincipalAccount", account.as_str());
    keys.insert_some("aws:userid", principal.user_id());
    if let Some(node) = principal.node() {
        let arn = Arn::managed_instance(region, account, node);
        keys.insert("ssm:SourceInstanceARN", arn.as_str());
    }
}

fn token_keys(keys: &mut Context, token: &TokenFacts, now: Timestamp) {
    keys.insert("aws:TokenIssueTime", token.issued_at);
    keys.insert("aws:MultiFactorAuthPresent", token.mfa_at.is_some());
    keys.insert_some("aws:MultiFactorAuthAge", token.mfa_age_seconds(now));
    keys.insert_some("aws:SourceIdentity", token.source_identity.as_deref());
    for (key, value) in &token.tags {
        keys.insert(format!("aws:PrincipalTag/{key}"), value.as_str());
    }
    let Some(federation) = &token.federation else { return };
    keys.insert("aws:FederatedProvider", federation.provider.as_str());
    for (claim, values) in &federation.claims {
        let value = match values.as_slice() {
            [one] => Value::Single(one.clone()),
            many => Value::Multi(many.to_vec()),
        };
        keys.insert(format!("{}:{claim}", federation.host_and_path()), value);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::Arc;

    use jiff::SignedDuration;

    use super::*;

    fn keys(principal: Principal, token: Option<TokenFacts>, tags: &[(&str, &str)]) -> Context {
        let caller = Caller {
            region: Some("us-east-1".to_owned()),
            token: token.map(Arc::new),
            ..Caller::unsigned(principal, "::ffff:192.0.2.7".parse().unwrap())
        };
        let tags: Vec<Tag> = tags
            .iter()
            .map(|(key, value)| Tag { key: (*key).to_owned(), value: (*value).to_owned() })
            .collect();
        let request = RequestContext {
            request_id: "r".to_owned(),
            at: "2026-11-27T08:00:00Z".parse().unwrap(),
            user_agent: Some("aws-cli".to_owned()),
            referer: None,
        };
        let (account, region) = ("111122223333".parse().unwrap(), "us-east-1".parse().unwrap());
        global_keys(&caller, &tags, &request, &account, &region)
    }

    fn user() -> Principal {
        Principal::User {
            name: "alice".parse().unwrap(),
            id: "AIDAAAAAAAAAAAAAAAAAA".parse().unwrap(),
            arn: "arn:aws:iam::111122223333:user/ops/alice".parse().unwrap(),
        }
    }

    fn role_session(node: Option<&str>) -> Principal {
        let session_name = node.unwrap_or("bob").to_owned();
        Principal::RoleSession {
            role: "Ops".parse().unwrap(),
            role_id: "AROAAAAAAAAAAAAAAAAAA".parse().unwrap(),
            role_arn: "arn:aws:iam::111122223333:role/team/Ops".parse().unwrap(),
            arn: format!("arn:aws:sts::111122223333:assumed-role/Ops/{session_name}").parse().unwrap(),
            session_name,
            node: node.map(|node| node.parse().unwrap()),
        }
    }

    fn facts() -> TokenFacts {
        TokenFacts::new("2026-11-27T07:00:00Z".parse().unwrap(), SignedDuration::from_hours(2))
    }

    #[test]
    fn a_users_keys_are_its_own() {
        let keys = keys(user(), None, &[("team", "web")]);
        for (key, value) in [
            ("aws:username", "alice"),
            ("aws:userid", "AIDAAAAAAAAAAAAAAAAAA"),
            ("aws:PrincipalArn", "arn:aws:iam::111122223333:user/ops/alice"),
            ("aws:PrincipalType", "User"),
            ("aws:PrincipalAccount", "111122223333"),
            ("aws:PrincipalTag/team", "web"),
            ("aws:SourceIp", "192.0.2.7"),
            ("aws:SecureTransport", "true"),
            ("aws:RequestedRegion", "us-east-1"),
            ("aws:CurrentTime", "2026-11-27T08:00:00Z"),
            ("aws:UserAgent", "aws-cli"),
        ] {
            assert_eq!(keys.single(key), Some(value), "{key}");
        }
        for absent in
            ["aws:TokenIssueTime", "aws:MultiFactorAuthPresent", "aws:MultiFactorAuthAge", "aws:Referer"]
        {
            assert_eq!(keys.get(absent), None, "{absent}: a long-term key has none");
        }
    }

    #[test]
    fn a_role_session_is_known_by_its_role_and_its_tags_come_first() {
        let mut token = facts();
        token.tags = BTreeMap::from([("Team".to_owned(), "db".to_owned())]);
        token.source_identity = Some("carol".to_owned());
        let keys = keys(role_session(None), Some(token), &[("team", "web"), ("env", "prod")]);
        for (key, value) in [
            ("aws:PrincipalArn", "arn:aws:iam::111122223333:role/team/Ops"),
            ("aws:userid", "AROAAAAAAAAAAAAAAAAAA:bob"),
            ("aws:PrincipalType", "AssumedRole"),
            ("aws:PrincipalTag/team", "db"),
            ("aws:PrincipalTag/env", "prod"),
            ("aws:SourceIdentity", "carol"),
            ("aws:TokenIssueTime", "2026-11-27T07:00:00Z"),
            ("aws:MultiFactorAuthPresent", "false"),
        ] {
            assert_eq!(keys.single(key), Some(value), "{key}");
        }
        assert_eq!(keys.get("aws:username"), None);
        assert_eq!(keys.get("aws:MultiFactorAuthAge"), None);
    }

    #[test]
    fn a_code_of_an_mfa_device_is_known_with_its_age() {
        let mut token = facts();
        token.mfa_at = Some("2026-11-27T07:59:00Z".parse().unwrap());
        let keys = keys(user(), Some(token), &[]);
        assert_eq!(keys.single("aws:MultiFactorAuthPresent"), Some("true"));
        assert_eq!(keys.single("aws:MultiFactorAuthAge"), Some("60"));
    }

    #[test]
    fn a_node_is_known_by_its_name() {
        let keys = keys(role_session(Some("mi-0123456789abcdef0")), Some(facts()), &[]);
        assert_eq!(
            keys.single("ssm:SourceInstanceARN"),
            Some("arn:aws:ssm:us-east-1:111122223333:managed-instance/mi-0123456789abcdef0")
        );
    }
}
