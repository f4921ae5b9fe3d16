//! Condition operators, beyond what the catalogue of cases has.

use core::net::IpAddr;

use postern_iam::{Context, Value};

use crate::support::holds;

#[test]
fn absent_keys_and_empty_lists() {
    let empty = Context::new().with("a:list", Vec::new());
    let cases = [
        ("StringEquals", false),
        ("StringNotEquals", true),
        ("StringEqualsIfExists", true),
        ("StringNotEqualsIfExists", true),
        ("ForAllValues:StringEquals", true),
        ("ForAllValues:StringNotEquals", true),
        ("ForAnyValue:StringEquals", false),
        ("ForAnyValue:StringNotEquals", false),
        ("ForAnyValue:StringEqualsIfExists", true),
        ("ForAllValues:StringEqualsIfExists", true),
    ];
    for (operator, expected) in cases {
        for key in ["a:list", "a:absent"] {
            let condition = format!(r#""{operator}":{{"{key}":"x"}}"#);
            assert_eq!(holds(&condition, &empty), expected, "{condition}");
        }
    }
    assert!(holds(r#""Null":{"a:list":"true"}"#, &empty));
    assert!(!holds(r#""Null":{"a:list":false}"#, &empty));
    assert!(holds(r#""Null":{"a:list":["true","false"]}"#, &empty));
}

#[test]
fn lists_need_a_qualifier() {
    let context = Context::new().with("a:list", ["x"].as_slice()).with("a:single", "x");
    for operator in ["StringEquals", "StringNotEquals", "StringLikeIfExists", "StringNotLikeIfExists"] {
        assert!(!holds(&format!(r#""{operator}":{{"a:list":"x"}}"#), &context), "{operator}");
    }
    for operator in ["ForAllValues:StringEquals", "ForAnyValue:StringLike"] {
        for key in ["a:list", "a:single"] {
            assert!(holds(&format!(r#""{operator}":{{"{key}":"x"}}"#), &context), "{operator} {key}");
        }
    }
}

#[test]
fn qualifiers() {
    let context = Context::new().with("a:list", ["x", "y"].as_slice());
    let cases = [
        ("ForAllValues:StringEquals", r#"["x","y","z"]"#, true),
        ("ForAllValues:StringEquals", r#"["x"]"#, false),
        ("ForAllValues:StringNotEquals", r#"["z"]"#, true),
        ("ForAllValues:StringNotEquals", r#"["x"]"#, false),
        ("ForAnyValue:StringEquals", r#"["x"]"#, true),
        ("ForAnyValue:StringEquals", r#"["z"]"#, false),
        ("ForAnyValue:StringNotEquals", r#"["x"]"#, true),
        ("ForAnyValue:StringNotEquals", r#"["x","y"]"#, false),
        ("ForAllValues:NumericLessThan", r#"["1"]"#, false),
        ("ForAnyValue:NumericNotEquals", r#"["1"]"#, false),
    ];
    for (operator, values, expected) in cases {
        assert_eq!(
            holds(&format!(r#""{operator}":{{"a:list":{values}}}"#), &context),
            expected,
            "{operator} {values}"
        );
    }
}

#[test]
fn a_request_value_of_another_type_satisfies_nothing() {
    let context = Context::new().with("a:text", "many");
    let cases = [
        ("NumericEquals", "1"),
        ("NumericNotEquals", "1"),
        ("NumericNotEqualsIfExists", "1"),
        ("DateNotEquals", "2026-06-15"),
        ("IpAddress", "10.0.0.0/8"),
        ("NotIpAddress", "10.0.0.0/8"),
        ("ArnNotLike", "arn:aws:iam::*:user/*"),
        ("Bool", "false"),
    ];
    for (operator, value) in cases {
        assert!(!holds(&format!(r#""{operator}":{{"a:text":"{value}"}}"#), &context), "{operator}");
    }
    assert!(!holds(r#""BinaryEquals":{"a:text":"QUJD"}"#, &Context::new().with("a:text", "no base64")));
}

#[test]
fn typed_values() {
    let address: IpAddr = "::ffff:203.0.113.7".parse().unwrap();
    let context = Context::new()
        .with("a:bool", true)
        .with("a:number", 42_i64)
        .with("a:time", jiff::Timestamp::from_second(1_781_524_800).unwrap())
        .with("a:address", address)
        .with("a:bytes", "QUI=")
        .with("a:arn", "arn:aws:s3:::bucket/a:b");
    let cases = [
        (r#""Bool":{"a:bool":true}"#, true),
        (r#""Bool":{"a:bool":"TRUE"}"#, true),
        (r#""NumericEquals":{"a:number":42}"#, true),
        (r#""NumericGreaterThanEquals":{"a:number":"42.0"}"#, true),
        (r#""NumericLessThan":{"a:number":"42.0001"}"#, true),
        (r#""DateEquals":{"a:time":"2026-06-15T14:00:00+02:00"}"#, true),
        (r#""DateLessThan":{"a:time":1781524801}"#, true),
        (r#""IpAddress":{"a:address":"203.0.113.0/24"}"#, true),
        (r#""IpAddress":{"a:address":"::/0"}"#, false),
        (r#""BinaryEquals":{"a:bytes":"QUI="}"#, true),
        (r#""ArnLike":{"a:arn":"arn:aws:s3:::buck*b"}"#, true),
        (r#""ArnLike":{"a:arn":"arn:*:s3:*:*:*"}"#, true),
        (r#""ArnLike":{"a:arn":"arn:aws:s3:::bucket"}"#, false),
        (r#""ArnLike":{"a:arn":"*"}"#, false),
        (r#""StringLike":{"a:arn":"*"}"#, true),
        (r#""StringEquals":{"a:bool":true}"#, true),
    ];
    for (condition, expected) in cases {
        assert_eq!(holds(condition, &context), expected, "{condition}");
    }
}

#[test]
fn a_condition_without_values() {
    let context = Context::new().with("a:b", "x");
    assert!(!holds(r#""StringEquals":{"a:b":[]}"#, &context));
    assert!(holds(r#""StringNotEquals":{"a:b":[]}"#, &context));
    assert!(holds("", &context));
    assert!(holds(r#""StringEquals":{}"#, &context));
}

#[test]
fn keys_that_differ_in_case_are_one() {
    let mut context = Context::new().with("aws:Key", "old").with("AWS:KEY", "new");
    assert_eq!(context.iter().collect::<Vec<_>>(), [("aws:Key", &Value::from("new"))]);
    context.insert_some("a:none", None::<String>);
    context.insert_some("a:some", Some("x"));
    assert_eq!((context.get("a:none"), context.single("A:SOME")), (None, Some("x")));
    assert!(holds(r#""StringEquals":{"AWS:key":"new"}"#, &context));
}
