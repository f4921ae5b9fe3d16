//! Wildcards in actions and resources.

use std::time::{Duration, Instant};

use postern_iam::{Context, Policies, Request, evaluate};

use crate::support::{ACCOUNT, ALICE, allows, identity};

fn action(pattern: &str) -> bool {
    allows(&format!(r#"{{"Effect":"Allow","Action":"{pattern}","Resource":"*"}}"#), &Context::new())
}

fn matches(pattern: &str, resource: &str) -> bool {
    let identity = [identity(&format!(r#"{{"Effect":"Allow","Action":"*","Resource":"{pattern}"}}"#))];
    let context = Context::new();
    let request = Request {
        principal: ALICE,
        action: "s3:GetObject",
        resource,
        resource_account: ACCOUNT,
        context: &context,
    };
    evaluate(&Policies { identity: &identity, ..Policies::default() }, &request).is_allowed()
}

#[test]
fn actions() {
    let cases = [
        ("ssm:StartSession", true),
        ("SSM:startSESSION", true),
        ("ssm:*", true),
        ("ssm:S*n", true),
        ("ssm:*Session*", true),
        ("ssm:?tartSession", true),
        ("ssm:StartSession?", false),
        ("ssm:StartSessio", false),
        ("ssm:tart*", false),
        ("ssmmessages:*", false),
        ("s3:*", false),
        ("*", true),
    ];
    for (pattern, expected) in cases {
        assert_eq!(action(pattern), expected, "{pattern}");
    }
}

#[test]
fn resources() {
    let cases = [
        ("arn:aws:s3:::b/*", "arn:aws:s3:::b/a/b:c", true),
        ("arn:aws:s3:::b/*", "arn:aws:s3:::b/", true),
        ("arn:aws:s3:::b/*", "arn:aws:s3:::b", false),
        ("arn:aws:s3:::b/**/?", "arn:aws:s3:::b/ü", false),
        ("arn:aws:s3:::b/*?", "arn:aws:s3:::b/ü", true),
        ("arn:aws:s3:::b/?", "arn:aws:s3:::b/ü", true),
        ("arn:aws:s3:::b/??", "arn:aws:s3:::b/ü", false),
        ("arn:aws:s3:::B/x", "arn:aws:s3:::b/x", false),
        ("arn:aws:s3:*:*:b/x", "arn:aws:s3:::b/x", true),
        // The whole text is one pattern: a wildcard crosses colons.
        ("arn:aws:s3:*:x:*", "arn:aws:s3:a:b:c:x:y", true),
        ("arn:aws:s3:::a*b*c", "arn:aws:s3:::abbbc", true),
        ("arn:aws:s3:::a*bc*c", "arn:aws:s3:::abc", false),
        ("arn:aws:s3:::*ab", "arn:aws:s3:::aab", true),
        ("arn:aws:*:*:*:*", "*", false),
        ("*", "*", true),
        ("*", "", true),
    ];
    for (pattern, resource, expected) in cases {
        assert_eq!(matches(pattern, resource), expected, "{pattern} {resource}");
    }
}

#[test]
fn hostile_patterns_end_soon() {
    let text = format!("arn:aws:s3:::{}", "a".repeat(2000));
    let start = Instant::now();
    for pattern in [
        "a*".repeat(1000) + "b",
        "*a".repeat(1000) + "b",
        "*?".repeat(1000) + "b",
        "*".to_owned() + &"a".repeat(1900) + "b",
    ] {
        assert!(!matches(&format!("arn:aws:s3:::{pattern}"), &text));
    }
    // Each takes well under a millisecond when optimized; exponential time would not end at all.
    assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
}
