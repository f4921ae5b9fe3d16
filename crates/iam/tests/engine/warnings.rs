//! What is stored and probably not meant.

use postern_iam::{Advice, Policy, PolicyKind};

fn warnings(kind: PolicyKind, text: &str) -> Vec<(Advice, String)> {
    let policy = Policy::parse(kind, text).unwrap_or_else(|error| panic!("{text}: {error}"));
    policy.warnings().iter().map(|warning| (warning.advice, warning.pointer.clone())).collect()
}

fn of_condition(condition: &str) -> Vec<(Advice, String)> {
    let statement =
        format!(r#"{{"Effect":"Allow","Action":"*","Resource":"*","Condition":{{{condition}}}}}"#);
    warnings(PolicyKind::Identity, &format!(r#"{{"Version":"2012-10-17","Statement":{statement}}}"#))
}

#[test]
fn each_doubt_names_its_place() {
    let at = |rest: &str| format!("/Statement/Condition{rest}");
    let cases = [
        (
            r#""ForAnyValue:StringLikeIfExists":{"a:b":"x"}"#,
            Advice::AnyValueIfExists,
            at("/ForAnyValue:StringLikeIfExists/a:b"),
        ),
        (r#""StringLike":{"aws:tagkeys":"x"}"#, Advice::ListWithoutQualifier, at("/StringLike/aws:tagkeys")),
        (r#""ForAllValues:StringLike":{"aws:TagKeys":"x"}"#, Advice::AllValuesAllowAbsent, at("")),
        (
            r#""ArnLike":{"a:b":["arn:aws:s3:::x","arn:aws:*"]}"#,
            Advice::ArnNeverMatches,
            at("/ArnLike/a:b/1"),
        ),
        (r#""StringLike":{"a:b":[]}"#, Advice::EmptyCondition, at("/StringLike/a:b")),
    ];
    for (condition, advice, pointer) in cases {
        assert_eq!(of_condition(condition), [(advice, pointer)], "{condition}");
    }
    assert_eq!(
        of_condition(r#""ForAllValues:StringLike":{"aws:TagKeys":"x"},"Null":{"AWS:TagKeys":"false"}"#),
        []
    );
    assert_eq!(of_condition(r#""Null":{"aws:TagKeys":"true"}"#), []);
}

#[test]
fn literal_variables_and_wide_services() {
    let text = r#"{"Statement":{"Effect":"Allow","Action":"*","Resource":"arn:aws:s3:::${aws:username}",
        "Condition":{"StringLike":{"a:b":"${aws:username}"}}}}"#;
    let found = warnings(PolicyKind::Identity, text);
    let literal = |pointer: &str| (Advice::VariableIsLiteral, pointer.to_owned());
    assert_eq!(found, [literal("/Statement/Resource"), literal("/Statement/Condition/StringLike/a:b")]);
    let text = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*",
        "Resource":["arn:aws:s*:::x","arn:aws:ssm:r:${aws:PrincipalAccount}:x"]}}"#;
    let found = warnings(PolicyKind::Identity, text);
    assert_eq!(
        found,
        [(Advice::WildcardService, "/Statement/Resource/0".to_owned()), literal("/Statement/Resource/1")]
    );
}

#[test]
fn trust_is_about_sts() {
    let text =
        r#"{"Statement":{"Effect":"Allow","Principal":"*","Action":["STS:AssumeRole","ssm:StartSession"]}}"#;
    assert_eq!(
        warnings(PolicyKind::Trust, text),
        [(Advice::TrustOfOtherAction, "/Statement/Action/1".to_owned())]
    );
}

#[test]
fn as_text() {
    let text = r#"{"Statement":{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"StringLike":{"a:b":[]}}}}"#;
    let policy = Policy::parse(PolicyKind::Identity, text).unwrap();
    let shown: Vec<_> = policy.warnings().iter().map(ToString::to_string).collect();
    assert_eq!(
        shown,
        ["a condition without values, at /Statement/Condition/StringLike/a:b, line 1 column 87"]
    );
}
