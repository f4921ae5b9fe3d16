//! Claims that are good, and each way in which they are not.

use serde_json::json;

use super::*;

const NOW: i64 = 1_795_000_000;
const ISSUER: &str = "https://token.actions.example.com";

fn provider() -> OidcProvider {
    OidcProvider {
        issuer: OidcIssuer::from_url(ISSUER).unwrap(),
        client_ids: vec!["sts.amazonaws.com".to_owned(), "other-client".to_owned()],
        thumbprints: Vec::new(),
        created_at: Timestamp::UNIX_EPOCH,
        tags: Vec::new(),
    }
}

/// The claims of a GitHub Actions token, with `changes` made; `null` removes.
fn read(changes: Value) -> Result<Identity, OidcError> {
    let mut claims = json!({
        "iss": ISSUER, "aud": "sts.amazonaws.com", "sub": "repo:acme/app:ref:refs/heads/main",
        "exp": NOW + 300, "nbf": NOW - 300, "iat": NOW, "jti": "1",
        "ref": "refs/heads/main", "repository": "acme/app", "repository_id": "74", "run_attempt": 1,
        "nested": {"a": "b"}, "amr": ["pwd", "otp"],
    });
    let claims = claims.as_object_mut().unwrap();
    for (name, value) in changes.as_object().unwrap() {
        claims.insert(name.clone(), value.clone());
    }
    claims.retain(|_, value| !value.is_null());
    Identity::new(&provider(), ISSUER, claims.clone(), Timestamp::from_second(NOW).unwrap())
}

#[test]
fn claims_become_an_identity_with_context_keys() {
    let identity = read(json!({})).unwrap();
    assert_eq!(identity.subject, "repo:acme/app:ref:refs/heads/main");
    assert_eq!(identity.audience, "sts.amazonaws.com");
    let key = |name: &str| identity.claims.get(name).map(|values| values.join(","));
    assert_eq!(key("repository").as_deref(), Some("acme/app"));
    assert_eq!(key("run_attempt").as_deref(), Some("1"));
    assert_eq!(key("amr").as_deref(), Some("pwd,otp"));
    assert_eq!(key("nested"), None);
    let kept: Vec<String> = identity.kept_claims().into_keys().collect();
    assert_eq!(kept, ["amr", "aud", "sub"]);
}

#[test]
fn many_claims_do_not_push_out_the_subject() {
    let many = (0..KEYS_MAX * 2).map(|number| (format!("a{number}"), json!("x"))).collect();
    let identity = read(Value::Object(many)).unwrap();
    assert_eq!(identity.claims.get("sub"), Some(&vec![identity.subject.clone()]));
    assert_eq!(identity.claims.get("aud"), Some(&vec![identity.audience.clone()]));
}

#[test]
fn a_claim_that_is_wrong_empty_or_missing_is_no_identity() {
    let cases = [
        (json!({"sub": null}), "Missing a required claim: sub"),
        (json!({"aud": null}), "Missing a required claim: aud"),
        (json!({"exp": null}), "Missing a required claim: exp"),
        (json!({"iat": null}), "Missing a required claim: iat"),
        (json!({"sub": ""}), "The claim sub"),
        (json!({"sub": "  "}), "The claim sub"),
        (json!({"sub": 7}), "The claim sub"),
        (json!({"sub": "x".repeat(256)}), "The claim sub"),
        (json!({"aud": ""}), "The claim aud"),
        (json!({"aud": []}), "The claim aud"),
        (json!({"aud": {"a": 1}}), "The claim aud"),
        (json!({"aud": ["sts.amazonaws.com", ""]}), "The claim aud"),
        (json!({"aud": "somebody-else"}), "Incorrect token audience"),
        (json!({"aud": ["somebody-else"]}), "Incorrect token audience"),
        (json!({"aud": "STS.amazonaws.com"}), "Incorrect token audience"),
        (json!({"azp": "somebody-else"}), "Incorrect token audience"),
        (json!({"azp": ""}), "The claim azp"),
        (json!({"exp": NOW - 60}), "Token expired: current date/time 1795000000 must be before"),
        (json!({"exp": "soon"}), "The claim exp"),
        (json!({"exp": 1.5}), "The claim exp"),
        (json!({"nbf": NOW + 61}), "The claim nbf"),
        (json!({"iat": NOW + 61}), "The claim iat"),
        (json!({"https://aws.amazon.com/source_identity": 1}), "source_identity"),
        (json!({"https://aws.amazon.com/tags": []}), "tags"),
        (json!({"https://aws.amazon.com/tags": {"principal_tags": {"a": ["1", "2"]}}}), "tags"),
        (json!({"https://aws.amazon.com/tags": {"transitive_tag_keys": "a"}}), "tags"),
    ];
    for (changes, expected) in cases {
        let refused = read(changes.clone()).unwrap_err().to_string();
        assert!(refused.contains(expected), "{changes}: {refused}");
    }
}

#[test]
fn clocks_may_be_a_minute_apart() {
    for changes in
        [json!({"exp": NOW - 59}), json!({"nbf": NOW + 60}), json!({"iat": NOW + 60}), json!({"nbf": null})]
    {
        assert!(read(changes.clone()).is_ok(), "{changes}");
    }
}

#[test]
fn of_several_audiences_the_providers_counts_and_azp_before_them() {
    assert_eq!(read(json!({"aud": ["x", "other-client"]})).unwrap().audience, "other-client");
    let identity = read(json!({"aud": "account", "azp": "other-client"})).unwrap();
    assert_eq!(identity.audience, "other-client");
    assert_eq!(identity.claims["aud"], ["other-client"]);
}

#[test]
fn a_provider_may_give_tags_and_a_source_identity() {
    let identity = read(json!({
        "https://aws.amazon.com/tags":
            {"principal_tags": {"Team": ["ops"], "Stage": "test"}, "transitive_tag_keys": ["Team"]},
        "https://aws.amazon.com/source_identity": "alice",
    }))
    .unwrap();
    assert_eq!(
        identity.tags,
        BTreeMap::from([("Stage".into(), "test".into()), ("Team".into(), "ops".into())])
    );
    assert_eq!(identity.transitive_tag_keys, ["Team"]);
    assert_eq!(identity.source_identity.as_deref(), Some("alice"));
}

#[test]
fn huge_claims_are_left_out() {
    let identity =
        read(json!({"long": "x".repeat(1025), "many": vec!["x"; 65], "amr": vec!["y".repeat(100); 6]}))
            .unwrap();
    assert!(!identity.claims.contains_key("long") && !identity.claims.contains_key("many"));
    assert!(identity.claims.contains_key("amr") && !identity.kept_claims().contains_key("amr"));
}
