//! Policy variables in resources and conditions.

use postern_iam::{Context, NamedPolicy, Policies, Policy, PolicyKind, Request, evaluate};

use crate::support::{ACCOUNT, ALICE, holds};

fn matches(version: &str, pattern: &str, resource: &str, context: &Context) -> bool {
    let text = format!(
        r#"{{"Version":"{version}","Statement":{{"Effect":"Allow","Action":"*","Resource":"{pattern}"}}}}"#
    );
    let identity = [NamedPolicy::new("p", Policy::parse(PolicyKind::Identity, &text).unwrap())];
    let request = Request { principal: ALICE, action: "ssm:A", resource, resource_account: ACCOUNT, context };
    evaluate(&Policies { identity: &identity, ..Policies::default() }, &request).is_allowed()
}

#[test]
fn in_resources() {
    let context = Context::new()
        .with("aws:username", "alice")
        .with("aws:PrincipalTag/star", "*")
        .with("aws:PrincipalTag/path", "a/b:c")
        .with("aws:TagKeys", ["a"].as_slice());
    let cases = [
        ("${aws:username}", "alice", true),
        ("${AWS:USERNAME}", "alice", true),
        ("x${aws:username}-${aws:username}*", "xalice-alice!", true),
        ("${aws:username}", "${aws:username}", false),
        ("${aws:PrincipalTag/star}", "anything", false),
        ("${aws:PrincipalTag/star}", "*", true),
        ("*${aws:PrincipalTag/path}", "b/a/b:c", true),
        ("${aws:PrincipalTag/none}", "", false),
        ("${aws:PrincipalTag/none, 'blue}*'}", "blue}*", true),
        ("${aws:PrincipalTag/none,'*'}", "x", false),
        ("${aws:username, 'bob'}", "bob", false),
        // A list is not a value, and its default is not for it.
        ("${aws:TagKeys}", "a", false),
        ("${aws:TagKeys, 'a'}", "a", false),
        ("${*}${?}${$}", "*?$", true),
        ("${*}", "x", false),
    ];
    for (pattern, resource, expected) in cases {
        let (pattern, resource) = (format!("arn:aws:s3:::{pattern}"), format!("arn:aws:s3:::{resource}"));
        assert_eq!(matches("2012-10-17", &pattern, &resource, &context), expected, "{pattern} {resource}");
    }
}

#[test]
fn only_after_the_fifth_colon_and_only_from_2012_on() {
    let context = Context::new().with("aws:PrincipalAccount", ACCOUNT).with("aws:username", "alice");
    let literal = "arn:aws:ssm:r:${aws:PrincipalAccount}:x";
    assert!(!matches("2012-10-17", literal, "arn:aws:ssm:r:111122223333:x", &context));
    assert!(matches("2012-10-17", literal, literal, &context));
    let name = "arn:aws:s3:::${aws:username}";
    assert!(!matches("2008-10-17", name, "arn:aws:s3:::alice", &context));
    assert!(matches("2008-10-17", name, name, &context));
}

#[test]
fn in_conditions() {
    let context = Context::new()
        .with("aws:username", "alice")
        .with("aws:PrincipalTag/team", "blue")
        .with("aws:ResourceTag/team", "blue")
        .with("aws:SourceArn", "arn:aws:iam::111122223333:user/alice")
        .with("aws:PrincipalArn", "arn:aws:iam::111122223333:user/alice");
    let cases = [
        (r#""StringEquals":{"aws:ResourceTag/team":"${aws:PrincipalTag/team}"}"#, true),
        (r#""StringEquals":{"aws:ResourceTag/team":"${aws:PrincipalTag/other}"}"#, false),
        (r#""StringNotEquals":{"aws:ResourceTag/team":"${aws:PrincipalTag/other}"}"#, true),
        (r#""StringNotEquals":{"aws:ResourceTag/team":["${aws:PrincipalTag/other}","blue"]}"#, false),
        (r#""StringEqualsIgnoreCase":{"aws:username":"${aws:PrincipalTag/n, 'ALICE'}"}"#, true),
        (r#""StringLike":{"aws:username":"${*}lice"}"#, false),
        (r#""ArnEquals":{"aws:SourceArn":"arn:aws:iam::*:user/${aws:username}"}"#, true),
        (r#""ArnEquals":{"aws:SourceArn":"${aws:PrincipalArn}"}"#, true),
        (r#""ArnEquals":{"aws:SourceArn":"${aws:username}"}"#, false),
        (r#""ArnNotEquals":{"aws:SourceArn":"arn:aws:iam::*:user/${aws:SourceIdentity}"}"#, true),
    ];
    for (condition, expected) in cases {
        assert_eq!(holds(condition, &context), expected, "{condition}");
    }
}
