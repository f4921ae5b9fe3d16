//! Patterns from AWS's documentation, by their meaning, and patterns that are none.

use proptest::prelude::*;

use super::*;

fn matches(pattern: &str, message: &str) -> bool {
    let parsed = FilterPattern::parse(pattern);
    parsed.unwrap_or_else(|error| panic!("{pattern}: {error}")).matches(message)
}

#[test]
fn terms() {
    let bad = "[ERROR 400] BAD REQUEST";
    let unauthorized = "[ERROR 401] UNAUTHORIZED REQUEST";
    let arguments = "[ERROR 419] MISSING ARGUMENTS";
    for (pattern, message, expected) in [
        ("", bad, true),
        ("   ", bad, true),
        ("\"\"", bad, true),
        ("ERROR", bad, true),
        ("error", bad, false),
        ("ERROR ARGUMENTS", arguments, true),
        ("ERROR ARGUMENTS", bad, false),
        ("?ERROR ?ARGUMENTS", arguments, true),
        ("?WARN ?ARGUMENTS", arguments, true),
        ("?WARN ?INFO", arguments, false),
        ("\"BAD REQUEST\"", bad, true),
        ("\"BAD  REQUEST\"", bad, false),
        ("ERROR -ARGUMENTS", bad, true),
        ("ERROR -ARGUMENTS", arguments, false),
        ("ERROR -\"BAD REQUEST\" -ARGUMENTS", unauthorized, true),
        ("-ERROR", bad, false),
        ("-WARN", bad, true),
        // Beside required terms, optional ones decide nothing; beside excluded ones they do.
        ("ERROR ?WARN", bad, true),
        ("?WARN -ARGUMENTS", bad, false),
        ("?BAD -ARGUMENTS", bad, true),
        ("%AUTHORIZED%", unauthorized, true),
        ("%4[0-9]{2}% REQUEST", bad, true),
        ("\"say \\\"hi\\\"\"", "I say \"hi\"", true),
        ("käse", "ein käsebrot", true),
    ] {
        assert_eq!(matches(pattern, message), expected, "{pattern} on {message}");
    }
}

const TRAIL: &str = r#"{"eventType": "UpdateTrail", "sourceIPAddress": "123.123.1.2", "arrayKey": ["value", "another"],
    "objectList": [{"name": "a", "id": 1}, {"name": "b", "id": 2}], "SomeObject": null, "cluster.name": "c",
    "latency": 1.5e3, "code": "404", "flag": true, "off": false, "user": {"id": 7, "tags": {"x": "y"}}}"#;

#[test]
fn properties() {
    for (pattern, expected) in [
        (r#"{ $.eventType = "UpdateTrail" }"#, true),
        ("{$.eventType=UpdateTrail}", true),
        (r#"{ $.eventType = "*Trail" }"#, true),
        (r#"{ $.eventType = "updatetrail" }"#, false),
        (r#"{ $.eventType != "UpdateTrail" }"#, false),
        (r#"{ $.nothing != "x" }"#, false),
        ("{ $.sourceIPAddress != 123.123.* }", false),
        ("{ $.sourceIPAddress = 123.123.* }", true),
        (r#"{ $.arrayKey[0] = "value" }"#, true),
        (r#"{ $.arrayKey[1] = "value" }"#, false),
        (r#"{ $.arrayKey[*] = "another" }"#, true),
        (r#"{ $.arrayKey[9] = "another" }"#, false),
        (r#"{ $.arrayKey = "value" }"#, false),
        ("{ $.objectList[1].id = 2 }", true),
        ("{ $.objectList[*].id = 3 }", false),
        ("{ $.user.*.x = y }", true),
        ("{ $.SomeObject IS NULL }", true),
        ("{ $.nothing IS NULL }", false),
        ("{ $.nothing NOT EXISTS }", true),
        ("{ $.SomeObject not exists }", false),
        ("{ $.SomeObject EXISTS }", true),
        ("{ $.flag IS TRUE }", true),
        ("{ $.off IS TRUE }", false),
        ("{ $.off IS FALSE }", true),
        ("{ $.latency = 1500 }", true),
        ("{ $.latency = 1.5e3 }", true),
        ("{ $.latency > 1e3 && $.latency <= 1500 }", true),
        ("{ $.latency < 1500 }", false),
        ("{ $.latency >= 1501 }", false),
        ("{ $.code = 404 }", true),
        ("{ $.code = 4* }", true),
        ("{ $.['cluster.name'] = c }", true),
        ("{ $['cluster.name'] = c }", true),
        ("{ $.eventType = %^Update.*% }", true),
        ("{ ($.user.id = 1) && ($.code = 404) || ($.flag IS TRUE) }", true),
        ("{ ($.user.id = 1) && (($.code = 404) || ($.flag IS TRUE)) }", false),
    ] {
        assert_eq!(matches(pattern, TRAIL), expected, "{pattern}");
    }
    for message in ["", "UpdateTrail", "{", "[1", r#"{"eventType": }"#] {
        assert!(!matches("{ $.x NOT EXISTS }", message), "{message} is not JSON");
    }
}

#[test]
fn fields() {
    let access = r#"127.0.0.1 Prod frank [10/Oct/2000:13:25:15 -0700] "GET /index.html HTTP/1.0" 404 1534"#;
    for (pattern, expected) in [
        ("[ip, server, username, timestamp, request, status_code, bytes]", true),
        ("[ip, server, username, timestamp, request, status_code]", false),
        ("[ip, server, username, timestamp, request, status_code, bytes, more]", false),
        ("[ip, ..., status_code, bytes]", true),
        ("[..., status_code = 4*, bytes > 1000]", true),
        ("[..., status_code = 4*, bytes > 2000]", false),
        ("[ip, server, username, timestamp, request = *.html*, status_code = 4*, bytes]", true),
        ("[ip=%127\\.0\\.0\\.[1-9]%, ...]", true),
        ("[ip, server != Prod, ...]", false),
        ("[..., status_code = 500 || status_code = 404, bytes]", true),
        ("[..., status_code = 500 && status_code = 404, bytes]", false),
        ("[..., (status_code >= 400 && status_code < 500) || status_code = 1, bytes]", true),
        ("[..., request = \"GET *\", =404, ]", true),
        ("[,,,,,,]", true),
        ("[...]", true),
    ] {
        assert_eq!(matches(pattern, access), expected, "{pattern}");
    }
    assert!(matches("[w1=ERROR || w1=%WARN%, w2]", "WARNING lights"));
    assert!(matches("[a, b]", "\"not closed"));
}

/// Looking for a bracket behind each of them would take minutes.
#[test]
fn brackets_that_do_not_close_are_fields_and_cost_no_more_than_others() {
    let hostile = "[ ".repeat(1 << 19);
    assert!(matches("[..., last = \"[\"]", &hostile));
    assert!(matches("[a = \"[\", b = \"\\\"\", c = d]", "[ \" d"));
    assert!(matches("[a = b, c = \"[\", d]", "[b] [ d"));
}

#[test]
fn what_cannot_be_read() {
    let long = "a".repeat(PATTERN_CHARS_MAX + 1);
    let deep = format!("{{ {}$.a = 1{} }}", "(".repeat(17), ")".repeat(17));
    for pattern in [
        &*long,
        &deep,
        "foo:bar",
        "\"open",
        "%open",
        "%(a)%",
        "%a% %b% %c%",
        "?",
        "{",
        "{}",
        "{ $ = 1 }",
        "{ $. = 1 }",
        "{ eventType = 1 }",
        "{ $.a }",
        "{ $.a = }",
        "{ $.a > x }",
        "{ $.a IS BLUE }",
        "{ $.a NOT THERE }",
        "{ $.a = 1 } tail",
        "{ $.a = 1 && }",
        "{ ($.a = 1 }",
        "{ $.a[*].b[*] = 1 }",
        "{ $.a[-1] = 1 }",
        "{ $.a[99999999999999999999999] = 1 }",
        "[a, b",
        "[a b]",
        "[..., a, ...]",
        "[a =]",
        "[a] tail",
    ] {
        assert!(FilterPattern::parse(pattern).is_err(), "{pattern}");
    }
    let error = FilterPattern::parse("foo:bar").unwrap_err().to_string();
    assert_eq!(error, "Invalid character(s) in term 'foo:bar'");
}

proptest! {
    #[test]
    fn a_term_that_stands_in_a_message_is_found(before in ".{0,20}", term in "[a-z0-9_]{1,12}", after in ".{0,20}") {
        let message = format!("{before}{term}{after}");
        prop_assert!(matches(&term, &message));
        let excluded = format!("-{term}");
        prop_assert!(!matches(&excluded, &message));
    }

    #[test]
    fn a_property_equals_itself(name in "[a-zA-Z_][a-zA-Z0-9_-]{0,8}", value in "[^*\\\\]{0,16}") {
        let quoted = value.replace('"', "\\\"");
        let event = serde_json::json!({ name.clone(): value }).to_string();
        let pattern = format!("{{ $.{name} = \"{quoted}\" }}");
        prop_assert!(matches(&pattern, &event), "{} on {}", pattern, event);
    }

    #[test]
    fn anything_is_read_or_refused(pattern in "[\\[\\]{}()$.*%\"'?,=<>!&|a-c0-2 \\\\-]{0,60}", message in ".{0,60}") {
        if let Ok(parsed) = FilterPattern::parse(&pattern) {
            let _ = parsed.matches(&message);
        }
    }
}
