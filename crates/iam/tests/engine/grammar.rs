//! Documents that are refused, each with the place and what was expected.

use postern_iam::{Policy, PolicyKind, Reason, Version, policy_size};

fn error(kind: PolicyKind, text: &str) -> String {
    match Policy::parse(kind, text) {
        Ok(_) => format!("{text}: accepted"),
        Err(error) => error.to_string(),
    }
}

/// The error of a policy with this one statement.
fn of_statement(kind: PolicyKind, statement: &str) -> String {
    error(kind, &format!("{{\"Statement\":\n{statement}}}"))
}

#[test]
fn what_is_not_json_is_named_by_line_and_column() {
    let cases = [
        (
            "",
            "expected a JSON value, found the end of the document, at the top of the document, line 1 column 1",
        ),
        (
            "{",
            "expected a name in quotes, found the end of the document, at the top of the document, line 1 column 2",
        ),
        (
            "{\"Id\": \"x\" \"a\"}",
            "expected `,` or `}`, found '\"', at the top of the document, line 1 column 12",
        ),
        (
            "{\"Id\": \"x\",}",
            "expected a name in quotes, found '}', at the top of the document, line 1 column 12",
        ),
        (
            "{\n  \"Statement\": [\n    {\"Effect\": Allow}\n  ]\n}",
            "expected a JSON value, found 'A', at /Statement/0/Effect, line 3 column 16",
        ),
        ("{\"Id\": \"ü\\x\"}", "expected an escape sequence of JSON, found '\\\\', at /Id, line 1 column 10"),
        (
            "{\"Id\": \"a\nb\"}",
            "expected no control character in a string, found '\\n', at /Id, line 1 column 10",
        ),
        (
            "{\"Id\": \"a",
            "expected the closing quote of a string, found the end of the document, at /Id, line 1 column 10",
        ),
        (
            "{\"Id\": \"\\ud800\"}",
            "expected four hexadecimal digits of a Unicode character, found '\\\\', at /Id, line 1 column 9",
        ),
        ("{\"Id\": 01}", "expected a number as JSON writes it, found '0', at /Id, line 1 column 8"),
        ("{} x", "expected the end of the document, found 'x', at the top of the document, line 1 column 4"),
        ("{\"Id\":\"a\",\"Id\":\"b\"}", "the name \"Id\" occurs twice, at /Id, line 1 column 11"),
        (
            "[]",
            "expected a policy: an object with a Statement, found an empty list, at the top of the document, line 1 column 1",
        ),
    ];
    for (text, expected) in cases {
        assert_eq!(error(PolicyKind::Identity, text), expected, "{text}");
    }
}

#[test]
fn a_name_that_occurs_twice_is_refused_wherever_it_stands() {
    let statement =
        r#"{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"Bool":{"a:b":"true","a:b":"false"}}}"#;
    let expected = "the name \"a:b\" occurs twice, at /Statement/Condition/Bool/a:b, line 2 column 81";
    assert_eq!(of_statement(PolicyKind::Identity, statement), expected);
    let escaped = r#"{"Effect":"Allow","\u0045ffect":"Deny","Action":"*","Resource":"*"}"#;
    let expected = "the name \"Effect\" occurs twice, at /Statement/Effect, line 2 column 19";
    assert_eq!(of_statement(PolicyKind::Identity, escaped), expected);
}

#[test]
fn the_frame_of_a_policy() {
    let cases = [
        ("{}", "Statement is missing, at the top of the document, line 1 column 1"),
        (
            r#"{"Statement":[]}"#,
            "expected a statement or a list of statements, found an empty list, at /Statement, line 1 column 14",
        ),
        (
            r#"{"Statement":["x"]}"#,
            "expected a statement: an object with Effect, Action and Resource, found \"x\", at /Statement/0, line 1 column 15",
        ),
        (
            r#"{"Version":"2012-10-18","Statement":[]}"#,
            "expected \"2012-10-17\" or \"2008-10-17\", found \"2012-10-18\", at /Version, line 1 column 12",
        ),
        (
            r#"{"version":"2012-10-17","Statement":[]}"#,
            "unknown element \"version\", expected one of Version, Id, Statement, at /version, line 1 column 2",
        ),
        (r#"{"Id":7,"Statement":[]}"#, "expected a text, found the number 7, at /Id, line 1 column 7"),
    ];
    for (text, expected) in cases {
        assert_eq!(error(PolicyKind::Identity, text), expected, "{text}");
    }
}

#[test]
fn the_elements_of_a_statement() {
    let cases = [
        (
            "7",
            "expected a statement or a list of statements, found the number 7, at /Statement, line 2 column 1",
        ),
        (r#"{"Action":"*","Resource":"*"}"#, "Effect is missing, at /Statement, line 2 column 1"),
        (
            r#"{"Effect":"allow","Action":"*","Resource":"*"}"#,
            "expected \"Allow\" or \"Deny\", found \"allow\", at /Statement/Effect, line 2 column 11",
        ),
        (
            r#"{"Effect":"Allow","Resource":"*"}"#,
            "Action or NotAction is missing, at /Statement, line 2 column 1",
        ),
        (
            r#"{"Effect":"Allow","Action":"*"}"#,
            "Resource or NotResource is missing, at /Statement, line 2 column 1",
        ),
        (
            r#"{"Effect":"Allow","Action":"*","NotAction":"*","Resource":"*"}"#,
            "Action and NotAction exclude each other, at /Statement/NotAction, line 2 column 32",
        ),
        (
            r#"{"Effect":"Allow","Action":"*","Resource":"*","NotResource":"*"}"#,
            "Resource and NotResource exclude each other, at /Statement/NotResource, line 2 column 47",
        ),
        (
            r#"{"Effect":"Allow","Action":[],"Resource":"*"}"#,
            "expected an action, service:Name or *, or a list of them, found an empty list, at /Statement/Action, line 2 column 28",
        ),
        (
            r#"{"Effect":"Allow","Action":"*","Resource":[]}"#,
            "expected the ARN of a resource or *, or a list of them, found an empty list, at /Statement/Resource, line 2 column 43",
        ),
        (
            r#"{"Effect":"Allow","Action":"*","Resource":["*",1]}"#,
            "expected the ARN of a resource or *, or a list of them, found the number 1, at /Statement/Resource/1, line 2 column 48",
        ),
        (
            r#"{"Effect":"Allow","Action":"*","Resource":"*","Conditions":{}}"#,
            "unknown element \"Conditions\", expected one of Sid, Effect, Principal, NotPrincipal, Action, NotAction, Resource, NotResource, Condition, at /Statement/Conditions, line 2 column 47",
        ),
        (
            r#"{"Sid":"a b","Effect":"Allow","Action":"*","Resource":"*"}"#,
            "expected a Sid of letters and digits, found \"a b\", at /Statement/Sid, line 2 column 8",
        ),
        (
            r#"[{"Sid":"a","Effect":"Allow","Action":"*","Resource":"*"},{"Sid":"a","Effect":"Allow","Action":"*","Resource":"*"}]"#,
            "expected a Sid that no other statement of the policy has, found \"a\", at /Statement/1/Sid, line 2 column 66",
        ),
    ];
    for (statement, expected) in cases {
        assert_eq!(of_statement(PolicyKind::Identity, statement), expected, "{statement}");
    }
}

#[test]
fn actions_and_resources_have_a_form() {
    for action in [
        "",
        "ssm",
        "ssm:",
        ":StartSession",
        "s*:StartSession",
        "*:*",
        "ssm:Start Session",
        "ssm:${aws:username}",
        "**",
    ] {
        let statement = format!(r#"{{"Effect":"Allow","Action":"{action}","Resource":"*"}}"#);
        let error = of_statement(PolicyKind::Identity, &statement);
        assert!(error.contains("at /Statement/Action"), "{action}: {error}");
    }
    for resource in [
        "",
        "**",
        "i-0123",
        "arn:aws:ssm",
        "arn:aws:ssm:us-east-1:111122223333",
        "arn:aws:ssm:us-east-1:111122223333:",
        "ARN:aws:ssm:::x",
        "arn:aws:ssm:*:${aws:PrincipalAccount}",
    ] {
        let statement = format!(r#"{{"Effect":"Allow","Action":"*","Resource":"{resource}"}}"#);
        let error = of_statement(PolicyKind::Identity, &statement);
        assert!(error.contains("at /Statement/Resource"), "{resource}: {error}");
    }
}

#[test]
fn principals_stand_where_they_belong_and_have_a_form() {
    let allow = |principal: &str| format!(r#"{{"Effect":"Allow",{principal}"Action":"sts:AssumeRole"}}"#);
    let cases = [
        (PolicyKind::Trust, "", "Principal or NotPrincipal is missing, at /Statement, line 2 column 1"),
        (
            PolicyKind::Identity,
            r#""Principal":"*","#,
            "an identity-based policy has no Principal, at /Statement/Principal, line 2 column 19",
        ),
        (
            PolicyKind::Guardrail,
            r#""Principal":"*","#,
            "a guardrail has no Principal, at /Statement/Principal, line 2 column 19",
        ),
        (
            PolicyKind::Trust,
            r#""Principal":"*","Resource":"*","#,
            "a trust policy has no Resource, at /Statement/Resource, line 2 column 35",
        ),
        (
            PolicyKind::Trust,
            r#""NotPrincipal":"*","#,
            "expected NotPrincipal only with the effect Deny, found Allow, at /Statement/NotPrincipal, line 2 column 19",
        ),
        (
            PolicyKind::Trust,
            r#""Principal":"alice","#,
            "expected \"*\" or an object with AWS, Federated, Service or CanonicalUser, found \"alice\", at /Statement/Principal, line 2 column 31",
        ),
        (
            PolicyKind::Trust,
            r#""Principal":{},"#,
            "expected \"*\" or an object with AWS, Federated, Service or CanonicalUser, found an object, at /Statement/Principal, line 2 column 31",
        ),
        (
            PolicyKind::Trust,
            r#""Principal":{"aws":"*"},"#,
            "unknown element \"aws\", expected one of AWS, Federated, Service, CanonicalUser, at /Statement/Principal/aws, line 2 column 32",
        ),
        (
            PolicyKind::Trust,
            r#""Principal":{"AWS":[]},"#,
            "expected *, an account, or the ARN of a user, a role or a session without wildcards, found an empty list, at /Statement/Principal/AWS, line 2 column 38",
        ),
        (
            PolicyKind::Trust,
            r#""Principal":{"Service":"*"},"#,
            "expected a name without wildcards, or a list of them, found \"*\", at /Statement/Principal/Service, line 2 column 42",
        ),
    ];
    for (kind, principal, expected) in cases {
        assert_eq!(of_statement(kind, &allow(principal)), expected, "{principal}");
    }
    for aws in [
        "1111",
        "arn:aws:iam::111122223333:user/*",
        "arn:aws:iam::111122223333:group/a",
        "arn:aws:iam::*:root",
        "arn:aws:iam::111122223333:user/",
        "arn:aws:s3:::bucket",
        "AIDA",
        "alice",
    ] {
        let error =
            of_statement(PolicyKind::Trust, &allow(&format!(r#""Principal":{{"AWS":["*","{aws}"]}},"#)));
        assert!(error.contains("at /Statement/Principal/AWS/1"), "{aws}: {error}");
    }
    for aws in ["*", "111122223333", "AIDAALICEEXAMPLE0001", "arn:aws:sts::111122223333:federated-user/bob"] {
        let text = format!(r#"{{"Statement":{}}}"#, allow(&format!(r#""Principal":{{"AWS":"{aws}"}},"#)));
        assert!(Policy::parse(PolicyKind::Trust, &text).is_ok(), "{aws}");
    }
}

#[test]
fn conditions_have_operators_keys_and_values_of_their_type() {
    let cases = [
        (r#"[]"#, "expected an object of condition operators, found an empty list, at /Statement/Condition"),
        (
            r#"{"StringEqual":{"a:b":"x"}}"#,
            "expected a condition operator, found \"StringEqual\", at /Statement/Condition/StringEqual",
        ),
        (
            r#"{"NullIfExists":{"a:b":"true"}}"#,
            "expected a condition operator, found \"NullIfExists\", at /Statement/Condition/NullIfExists",
        ),
        (
            r#"{"ForSomeValues:StringLike":{"a:b":"x"}}"#,
            "expected a condition operator, found \"ForSomeValues:StringLike\", at",
        ),
        (
            r#"{"Bool":"true"}"#,
            "expected an object of condition keys with their values, found \"true\", at /Statement/Condition/Bool",
        ),
        (
            r#"{"Bool":{"":"true"}}"#,
            "expected the name of a condition key, found \"\", at /Statement/Condition/Bool/",
        ),
        (
            r#"{"Bool":{"a:b":null}}"#,
            "expected a text, a number, true or false, or a list of them, found null, at /Statement/Condition/Bool/a:b",
        ),
        (r#"{"Bool":{"a:b":["true",[]]}}"#, "found an empty list, at /Statement/Condition/Bool/a:b/1"),
        (
            r#"{"Bool":{"a/b":"yes"}}"#,
            "expected true or false, found \"yes\", at /Statement/Condition/Bool/a~1b",
        ),
        (
            r#"{"NumericLessThan":{"a:b":["1","1e3"]}}"#,
            "expected a decimal number, found \"1e3\", at /Statement/Condition/NumericLessThan/a:b/1",
        ),
        (
            r#"{"DateLessThan":{"a:b":"tomorrow"}}"#,
            "expected a date (ISO 8601 with an offset, or seconds since 1970), found \"tomorrow\"",
        ),
        (
            r#"{"IpAddress":{"a:b":"10.0.0.0/33"}}"#,
            "expected an IP address, or a range of them such as 203.0.113.0/24, found \"10.0.0.0/33\"",
        ),
        (r#"{"BinaryEquals":{"a:b":"%%"}}"#, "expected base64, found \"%%\""),
        (
            r#"{"ArnNotLike":{"a:b":"arn:aws:*"}}"#,
            "expected an ARN of six segments, with wildcards or without, found \"arn:aws:*\"",
        ),
    ];
    for (condition, expected) in cases {
        let statement =
            format!(r#"{{"Effect":"Allow","Action":"*","Resource":"*","Condition":{condition}}}"#);
        let error = of_statement(PolicyKind::Identity, &statement);
        assert!(error.contains(expected), "{condition}: {error}");
    }
}

#[test]
fn variables_have_a_form_from_2012_on() {
    for text in [
        "${",
        "${aws:username",
        "${}",
        "${a b} ${",
        "${aws:username,blue}",
        "${aws:username, 'a'b'}",
        "${ aws:username }",
        "${a${b}",
    ] {
        let statement = format!(r#"{{"Effect":"Allow","Action":"*","Resource":"arn:aws:s3:::b/{text}"}}"#);
        for (version, accepted) in [("2012-10-17", false), ("2008-10-17", true)] {
            let document = format!(r#"{{"Version":"{version}","Statement":{statement}}}"#);
            assert_eq!(Policy::parse(PolicyKind::Identity, &document).is_ok(), accepted, "{version} {text}");
        }
    }
}

#[test]
fn what_is_huge_or_deep_is_refused_before_it_is_read() {
    let long = " ".repeat(postern_iam::DOCUMENT_BYTES_MAX + 1);
    let too_large = Policy::parse(PolicyKind::Identity, &long).unwrap_err();
    assert!(matches!(too_large.reason, Reason::TooLarge { .. }), "{too_large}");
    for open in ["[", "{\"a\":"] {
        let deep = open.repeat(20_000);
        let too_deep = Policy::parse(PolicyKind::Identity, &deep).unwrap_err();
        assert!(matches!(too_deep.reason, Reason::TooDeep { .. }), "{too_deep}");
    }
}

#[test]
fn a_policy_tells_what_it_is() {
    let text = r#"{"Id":"me","Statement":[
  {"Sid":"One","Effect":"Deny","Action":"ssm:*","Resource":"arn:aws:s3:::${aws:username}/x",
   "Condition":{"StringLike":{"AWS:TagKeys":"${aws:PrincipalTag/t}","aws:tagkeys":"x"}}},
  {"Effect":"Allow","Action":"ssm:*","Resource":"*"}]}"#;
    let text = text.replace(r#"{"Id""#, r#"{"Version":"2012-10-17","Id""#);
    let policy = Policy::parse(PolicyKind::Identity, &text).unwrap();
    assert_eq!(
        (policy.id(), policy.version(), policy.kind()),
        (Some("me"), Version::V2012, PolicyKind::Identity)
    );
    assert_eq!(policy.context_keys(), ["aws:username", "AWS:TagKeys", "aws:PrincipalTag/t"]);
    let [first, second] = policy.statements() else { panic!("two statements") };
    assert_eq!((first.sid(), second.sid()), (Some("One"), None));
    assert_eq!(first.start().to_string(), "line 2 column 3");
    assert_eq!(first.end().to_string(), "line 3 column 89");
}

#[test]
fn size_leaves_white_space_out() {
    assert_eq!(policy_size("{ \"Id\" :\n\t\"a b\" }"), r#"{"Id":"ab"}"#.len());
    assert_eq!(policy_size("ü"), 1);
}
