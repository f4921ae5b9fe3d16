//! What a token keeps, and how it fails.

use std::collections::{BTreeMap, BTreeSet};

use super::super::Federation;
use super::*;
use crate::random::SystemRandom;

fn now() -> Timestamp {
    Timestamp::from_second(1_795_000_000).unwrap()
}

fn node_bearer() -> Bearer {
    let node: NodeId = "mi-0123456789abcdef0".parse().unwrap();
    Bearer::Role {
        name: "PosternNode".parse().unwrap(),
        id: Some("AROAAAAAAAAAAAAAAAAAA".parse().unwrap()),
        session_name: node.to_string(),
        node: Some(node),
    }
}

fn user_bearer() -> Bearer {
    Bearer::User { name: "alice".parse().unwrap(), id: "AIDAAAAAAAAAAAAAAAAAA".parse().unwrap() }
}

fn hour() -> TokenFacts {
    TokenFacts::new(now(), SignedDuration::from_hours(1))
}

fn everything() -> TokenFacts {
    TokenFacts {
        mfa_at: Some(now()),
        issued_by: Some("AKIAAAAAAAAAAAAAAAAA".parse().unwrap()),
        source_identity: Some("alice".to_owned()),
        tags: BTreeMap::from([("Team".to_owned(), "Ops \u{1f600}".to_owned())]),
        transitive_tag_keys: BTreeSet::from(["Team".to_owned()]),
        policy: Some(r#"{"Version":"2012-10-17","Statement":[]}"#.to_owned()),
        policy_arns: vec!["arn:aws:iam::aws:policy/ReadOnlyAccess".parse().unwrap()],
        federation: Some(Federation {
            provider: "arn:aws:iam::111122223333:oidc-provider/idp.example.com".parse().unwrap(),
            claims: BTreeMap::from([("sub".to_owned(), vec!["repo:acme/app".to_owned()])]),
        }),
        ..hour()
    }
}

fn tokens() -> SessionTokens {
    SessionTokens::new(&MasterKey::new([1; 32]))
}

fn issue(tokens: &SessionTokens) -> Issued {
    tokens.issue(node_bearer(), hour(), 0, &SystemRandom).unwrap()
}

#[test]
fn a_token_gives_back_what_it_was_made_for() {
    for (bearer, facts) in [(node_bearer(), hour()), (user_bearer(), hour()), (user_bearer(), everything())] {
        let issued = tokens().issue(bearer.clone(), facts.clone(), 0, &SystemRandom).unwrap();
        // A server that was started anew opens it: the key is derived, not drawn.
        let opened = tokens().open(issued.token.expose_secret()).unwrap();
        assert_eq!(opened, issued.credentials);
        assert_eq!((opened.bearer, &*opened.facts), (bearer, &facts));
    }
    let issued = issue(&tokens());
    assert_eq!(issued.credentials.facts.expires_at.as_second(), 1_795_003_600);
    assert!(issued.credentials.access_key_id.is_temporary());
    assert_eq!(issued.credentials.secret.expose_secret().len(), 40);
    assert!(issued.token.expose_secret().len() < 512);
}

#[test]
fn tokens_of_the_first_layout_are_still_read() {
    let content = br#"{"key":"ASIAAAAAAAAAAAAAAAAA","secret":"s","role":"PosternNode",
        "name":"mi-0123456789abcdef0","node":"mi-0123456789abcdef0","issued":1795000000,"expires":1795003600}"#;
    let mut sealed = content.to_vec();
    let nonce = tokens().key.seal_in_place_append_tag(Aad::from([1]), &mut sealed).unwrap();
    let token = STANDARD.encode([&[1], nonce.as_ref().as_slice(), &sealed].concat());
    let opened = tokens().open(&token).unwrap();
    let Bearer::Role { name, id, session_name, node } = opened.bearer else { panic!("not a role") };
    assert_eq!((name.as_str(), id, session_name.as_str()), ("PosternNode", None, "mi-0123456789abcdef0"));
    assert_eq!(node.unwrap().as_str(), "mi-0123456789abcdef0");
    assert_eq!(*opened.facts, hour());
    // The layout is under the seal: it cannot be read as the other one.
    let mut relabelled = STANDARD.decode(token).unwrap();
    relabelled[0] = 2;
    assert_eq!(tokens().open(&STANDARD.encode(relabelled)), Err(InvalidToken));
}

#[test]
fn one_altered_bit_makes_a_token_worthless() {
    let tokens = tokens();
    let token = STANDARD.decode(issue(&tokens).token.expose_secret()).unwrap();
    for bit in 0..token.len() * 8 {
        let mut altered = token.clone();
        altered[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(tokens.open(&STANDARD.encode(altered)), Err(InvalidToken), "bit {bit}");
    }
    for length in 0..token.len() {
        assert_eq!(tokens.open(&STANDARD.encode(&token[..length])), Err(InvalidToken), "{length} bytes");
    }
}

#[test]
fn what_is_no_token_of_ours_is_refused() {
    let foreign = issue(&SessionTokens::new(&MasterKey::new([2; 32])));
    for wrong in ["", "AQ==", "not base64", foreign.token.expose_secret(), &"A".repeat(TOKEN_CHARS_MAX + 4)] {
        assert_eq!(tokens().open(wrong), Err(InvalidToken), "{wrong:?}");
    }
}

#[test]
fn a_token_is_as_long_as_wanted_and_never_too_long() {
    for wanted in [0, 400, 401, 1000, 4093, 4096] {
        let token = tokens().issue(user_bearer(), hour(), wanted, &SystemRandom).unwrap().token;
        assert!(token.expose_secret().len() >= wanted, "{wanted}");
        assert!(token.expose_secret().len() < wanted.max(400) + 100, "{wanted}");
        assert!(tokens().open(token.expose_secret()).is_ok());
    }
    let longest_policy = TokenFacts { policy: Some("x".repeat(2048)), ..everything() };
    assert!(tokens().issue(user_bearer(), longest_policy, 0, &SystemRandom).is_ok());
    let tags = (0..50).map(|number| (format!("{number:0128}"), "v".repeat(256))).collect();
    let too_much = TokenFacts { tags, ..hour() };
    let refused = tokens().issue(user_bearer(), too_much, 0, &SystemRandom).unwrap_err();
    assert!(refused.size > TOKEN_CHARS_MAX);
    assert!(refused.to_string().contains("the maximum is 8192 bytes"), "{refused}");
}

#[test]
fn neither_secret_nor_token_is_printed() {
    let issued = issue(&tokens());
    let printed = format!("{issued:?}");
    assert!(!printed.contains(issued.token.expose_secret()));
    assert!(!printed.contains(issued.credentials.secret.expose_secret()));
}
