//! The texts of violated constraints, as AWS writes them.

use crate::{CommonError, Request, json, ssm};

fn refusal<T: Request>(body: &str) -> String {
    match json::decode::<T>(body.as_bytes()) {
        Ok(_) => panic!("accepted: {body}"),
        Err(error) => {
            assert_eq!(error.code, CommonError::Validation.into(), "{error}");
            error.message
        }
    }
}

#[test]
fn ranges_and_enumerations() {
    insta::assert_snapshot!(refusal::<ssm::DescribeSessionsInput>(r#"{"State":"Active","MaxResults":999}"#), @"1 validation error detected: Value '999' at 'maxResults' failed to satisfy constraint: Member must have value less than or equal to 200");
    insta::assert_snapshot!(refusal::<ssm::DescribeSessionsInput>(r#"{"State":"Now","MaxResults":0}"#), @"2 validation errors detected: Value 'Now' at 'state' failed to satisfy constraint: Member must satisfy enum value set: [Active, History]; Value '0' at 'maxResults' failed to satisfy constraint: Member must have value greater than or equal to 1");
}

#[test]
fn lengths() {
    insta::assert_snapshot!(refusal::<ssm::StartSessionInput>(r#"{"Target":""}"#), @"1 validation error detected: Value '' at 'target' failed to satisfy constraint: Member must have length greater than or equal to 1");
    let long = "ä".repeat(401);
    assert!(
        refusal::<ssm::StartSessionInput>(&format!(r#"{{"Target":"{long}"}}"#))
            .ends_with("less than or equal to 400")
    );
    let fits = "ä".repeat(400);
    json::decode::<ssm::StartSessionInput>(format!(r#"{{"Target":"{fits}"}}"#).as_bytes()).unwrap();
}

#[test]
fn patterns_match_the_whole_text() {
    let body = r#"{"Target":"mi-1","DocumentName":"AWS-StartSSHSession;x"}"#;
    insta::assert_snapshot!(refusal::<ssm::StartSessionInput>(body), @r"1 validation error detected: Value 'AWS-StartSSHSession;x' at 'documentName' failed to satisfy constraint: Member must satisfy regular expression pattern: ^[a-zA-Z0-9_\-.:/]{3,128}$");
    for name in ["AWS-StartSSHSession\\n", "a b", "ab", "ä-document"] {
        refusal::<ssm::StartSessionInput>(&format!(r#"{{"Target":"mi-1","DocumentName":"{name}"}}"#));
    }
}

#[test]
fn structures_in_lists_are_named_by_position() {
    let body = r#"{"State":"Active","Filters":[{"key":"Owner","value":"a"},{"key":"Nobody"}]}"#;
    insta::assert_snapshot!(refusal::<ssm::DescribeSessionsInput>(body), @"2 validation errors detected: Value 'Nobody' at 'filters.2.member.key' failed to satisfy constraint: Member must satisfy enum value set: [InvokedAfter, InvokedBefore, Target, Owner, Status, SessionId, AccessType]; Value null at 'filters.2.member.value' failed to satisfy constraint: Member must not be null");
}

#[test]
fn collections_are_counted_before_their_items() {
    let filter = r#"{"key":"Owner"}"#;
    let body = format!(r#"{{"State":"Active","Filters":[{}]}}"#, [filter; 7].join(","));
    let message = refusal::<ssm::DescribeSessionsInput>(&body);
    assert!(
        message.starts_with("1 validation error detected: Value '[SessionFilter(key=Owner), "),
        "{message}"
    );
    assert!(message.ends_with(
        "at 'filters' failed to satisfy constraint: Member must have length less than or equal to 6"
    ));
}

#[test]
fn simple_items_are_reported_once_for_the_list() {
    let body = r#"{"ResourceType":"ManagedInstance","ResourceId":"mi-1","TagKeys":["a","","b","*"]}"#;
    insta::assert_snapshot!(refusal::<ssm::RemoveTagsFromResourceInput>(body), @r"1 validation error detected: Value '[a, , b, *]' at 'tagKeys' failed to satisfy constraint: Member must satisfy constraint: [Member must have length less than or equal to 128, Member must have length greater than or equal to 1, Member must satisfy regular expression pattern: ^([\p{L}\p{Z}\p{N}_.:/=+\-@]*)$]");
}

#[test]
fn maps() {
    let body = r#"{"Target":"mi-1","Parameters":{"":["x"],"p":[""]}}"#;
    insta::assert_snapshot!(refusal::<ssm::StartSessionInput>(body), @"2 validation errors detected: Value '{=[x], p=[]}' at 'parameters' failed to satisfy constraint: Map keys must satisfy constraint: [Member must have length less than or equal to 255, Member must have length greater than or equal to 1]; Value '{=[x], p=[]}' at 'parameters' failed to satisfy constraint: Map value must satisfy constraint: [Member must satisfy constraint: [Member must have length less than or equal to 65535, Member must have length greater than or equal to 1]]");
    let body = r#"{"Target":"mi-1","Parameters":{"p":[null]}}"#;
    refusal::<ssm::StartSessionInput>(body);
}

#[test]
fn secrets_are_not_repeated() {
    let body = r#"{"ActivationId":"11111111-2222-3333-4444-555555555555","ActivationCode":"short","Fingerprint":"f","PublicKey":"k"}"#;
    let message = refusal::<ssm::RegisterManagedInstanceInput>(body);
    assert!(!message.contains("short"), "{message}");
    insta::assert_snapshot!(message, @"2 validation errors detected: Value at 'activationCode' failed to satisfy constraint: Member must have length greater than or equal to 20; Value 'k' at 'publicKey' failed to satisfy constraint: Member must have length greater than or equal to 392");
}

#[test]
fn the_answer_does_not_grow_with_the_violations() {
    let body =
        format!(r#"{{"ResourceType":"Document","ResourceId":"d","Tags":[{}]}}"#, ["{}"; 900].join(","));
    let message = refusal::<ssm::AddTagsToResourceInput>(&body);
    assert!(message.starts_with("20 validation errors detected: "), "{message}");
    assert!(message.len() < 4096);
}

#[test]
fn an_overridden_pattern_refuses_blank_texts() {
    let body =
        |key: &str| format!(r#"{{"IamRole":"r","RegistrationMetadata":[{{"Key":"{key}","Value":"v"}}]}}"#);
    refusal::<ssm::CreateActivationInput>(&body("  "));
    json::decode::<ssm::CreateActivationInput>(body(" k ").as_bytes()).unwrap();
}

#[test]
fn a_rust_value_is_checked_the_same_way() {
    let input = ssm::ResumeSessionInput { session_id: String::new() };
    assert!(json::validate(&input).unwrap_err().message.contains("at 'sessionId'"));
}
