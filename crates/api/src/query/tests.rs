//! Forms in and XML out, on the shapes of STS and IAM.

use super::*;
use crate::{Blob, CommonError, Operation, Service, Timestamp, iam, sts};

const REQUEST_ID: &str = "01234567-89ab-cdef-0123-456789abcdef";

fn read<T: QueryRequest>(form: &str) -> Result<T, ApiError> {
    decode(&Form::parse(form).unwrap())
}

fn written<T: QueryRequest>(output: &T::Output) -> String {
    String::from_utf8(encode::<T>(output, REQUEST_ID).body).unwrap()
}

#[test]
fn caller_identity_in_and_out() {
    let form = Form::parse("Action=GetCallerIdentity&Version=2011-06-15").unwrap();
    let operation = Operation::from_action(form.get("Version").unwrap(), form.get("Action").unwrap());
    assert_eq!(operation, Some(Operation::Sts(sts::Operation::GetCallerIdentity)));
    decode::<sts::GetCallerIdentityInput>(&form).unwrap();
    let output = sts::GetCallerIdentityOutput {
        user_id: Some("AIDAAAAAAAAAAAAAAAAAA".to_owned()),
        account: Some("000000000000".to_owned()),
        arn: Some("arn:aws:iam::000000000000:user/a&b".to_owned()),
    };
    insta::assert_snapshot!(written::<sts::GetCallerIdentityInput>(&output), @r#"<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult><UserId>AIDAAAAAAAAAAAAAAAAAA</UserId><Account>000000000000</Account><Arn>arn:aws:iam::000000000000:user/a&amp;b</Arn></GetCallerIdentityResult><ResponseMetadata><RequestId>01234567-89ab-cdef-0123-456789abcdef</RequestId></ResponseMetadata></GetCallerIdentityResponse>"#);
}

#[test]
fn a_role_with_tags_is_read() {
    let input: iam::CreateRoleInput = read(concat!(
        "Action=CreateRole&Version=2010-05-08&RoleName=Nodes&Path=%2Fteam%2F&MaxSessionDuration=7200",
        "&AssumeRolePolicyDocument=%7B%22Version%22%3A+%222012-10-17%22%7D",
        "&Tags.member.1.Key=env&Tags.member.1.Value=a+b&Tags.member.2.Key=empty&Tags.member.2.Value=",
    ))
    .unwrap();
    assert_eq!((input.role_name.as_str(), input.path.as_deref()), ("Nodes", Some("/team/")));
    assert_eq!(input.assume_role_policy_document, r#"{"Version": "2012-10-17"}"#);
    assert_eq!(input.max_session_duration, Some(7200));
    let tags: Vec<_> =
        input.tags.iter().flatten().map(|tag| (tag.key.as_str(), tag.value.as_str())).collect();
    assert_eq!(tags, [("env", "a b"), ("empty", "")]);
}

#[test]
fn lists_of_texts_and_of_structures_with_lists_are_read() {
    let input: iam::UntagUserInput = read("UserName=a&TagKeys.member.1=x&TagKeys.member.2=y").unwrap();
    assert_eq!(input.tag_keys, ["x", "y"]);

    let input: iam::SimulateCustomPolicyInput = read(concat!(
        "PolicyInputList.member.1=%7B%7D&ActionNames.member.1=ssm%3AStartSession",
        "&ContextEntries.member.1.ContextKeyName=aws%3ASourceIp&ContextEntries.member.1.ContextKeyType=ipList",
        "&ContextEntries.member.1.ContextKeyValues.member.1=10.0.0.1",
        "&ContextEntries.member.1.ContextKeyValues.member.2=10.0.0.2",
    ))
    .unwrap();
    let entry = &input.context_entries.unwrap()[0];
    assert_eq!(entry.context_key_type, Some(iam::ContextKeyTypeEnum::IpList));
    assert_eq!(entry.context_key_values.as_deref().unwrap(), ["10.0.0.1", "10.0.0.2"]);
}

#[test]
fn a_list_of_users_is_written() {
    let user = iam::User {
        path: "/team/".to_owned(),
        user_name: "alice".to_owned(),
        user_id: "AIDAAAAAAAAAAAAAAAAAA".to_owned(),
        arn: "arn:aws:iam::000000000000:user/team/alice".to_owned(),
        create_date: Timestamp::from_epoch_ms(1_781_524_800_000),
        password_last_used: None,
        permissions_boundary: None,
        tags: Some(vec![iam::Tag { key: "k".to_owned(), value: "<v>".to_owned() }]),
    };
    let output =
        iam::ListUsersOutput { users: vec![user], is_truncated: Some(true), marker: Some("m".to_owned()) };
    insta::assert_snapshot!(written::<iam::ListUsersInput>(&output), @r#"<ListUsersResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/"><ListUsersResult><Users><member><Path>/team/</Path><UserName>alice</UserName><UserId>AIDAAAAAAAAAAAAAAAAAA</UserId><Arn>arn:aws:iam::000000000000:user/team/alice</Arn><CreateDate>2026-06-15T12:00:00Z</CreateDate><Tags><member><Key>k</Key><Value>&lt;v&gt;</Value></member></Tags></member></Users><IsTruncated>true</IsTruncated><Marker>m</Marker></ListUsersResult><ResponseMetadata><RequestId>01234567-89ab-cdef-0123-456789abcdef</RequestId></ResponseMetadata></ListUsersResponse>"#);
    let none = iam::ListUsersOutput { users: Vec::new(), is_truncated: Some(false), marker: None };
    insta::assert_snapshot!(written::<iam::ListUsersInput>(&none), @r#"<ListUsersResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/"><ListUsersResult><Users></Users><IsTruncated>false</IsTruncated></ListUsersResult><ResponseMetadata><RequestId>01234567-89ab-cdef-0123-456789abcdef</RequestId></ResponseMetadata></ListUsersResponse>"#);
}

#[test]
fn a_map_and_a_blob_are_written() {
    let summary_map = [("Users".to_owned(), 3)].into();
    let output = iam::GetAccountSummaryOutput { summary_map: Some(summary_map) };
    insta::assert_snapshot!(written::<iam::GetAccountSummaryInput>(&output), @r#"<GetAccountSummaryResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/"><GetAccountSummaryResult><SummaryMap><entry><key>Users</key><value>3</value></entry></SummaryMap></GetAccountSummaryResult><ResponseMetadata><RequestId>01234567-89ab-cdef-0123-456789abcdef</RequestId></ResponseMetadata></GetAccountSummaryResponse>"#);
    let device = iam::VirtualMfaDevice {
        serial_number: "arn:aws:iam::000000000000:mfa/phone".to_owned(),
        base32_string_seed: Some(Blob(b"JBSWY3DPEHPK3PXP".to_vec())),
        qr_code_png: None,
        user: None,
        enable_date: None,
        tags: None,
    };
    let output = iam::CreateVirtualMFADeviceOutput { virtual_mfa_device: device };
    insta::assert_snapshot!(written::<iam::CreateVirtualMFADeviceInput>(&output), @r#"<CreateVirtualMFADeviceResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/"><CreateVirtualMFADeviceResult><VirtualMFADevice><SerialNumber>arn:aws:iam::000000000000:mfa/phone</SerialNumber><Base32StringSeed>SkJTV1kzRFBFSFBLM1BYUA==</Base32StringSeed></VirtualMFADevice></CreateVirtualMFADeviceResult><ResponseMetadata><RequestId>01234567-89ab-cdef-0123-456789abcdef</RequestId></ResponseMetadata></CreateVirtualMFADeviceResponse>"#);
}

#[test]
fn an_operation_without_output_has_no_result() {
    insta::assert_snapshot!(written::<iam::DeleteUserInput>(&iam::DeleteUserOutput {}), @r#"<DeleteUserResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/"><ResponseMetadata><RequestId>01234567-89ab-cdef-0123-456789abcdef</RequestId></ResponseMetadata></DeleteUserResponse>"#);
}

#[test]
fn documents_are_encoded_as_rfc_3986_says() {
    assert_eq!(
        url_encoded("{\"Version\": \"2012-10-17\", \"a\": \"*~_.\u{e4}\"}"),
        "%7B%22Version%22%3A%20%222012-10-17%22%2C%20%22a%22%3A%20%22%2A~_.%C3%A4%22%7D"
    );
}

#[test]
fn a_modeled_error_of_iam_in_its_namespace() {
    let error =
        ApiError::new(iam::errors::NO_SUCH_ENTITY_EXCEPTION, "The user with name bob cannot be found.");
    let answer = error.to_query(Service::Iam, REQUEST_ID);
    assert_eq!(answer.status, 404);
    insta::assert_snapshot!(String::from_utf8(answer.body).unwrap(), @r#"<ErrorResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/"><Error><Type>Sender</Type><Code>NoSuchEntity</Code><Message>The user with name bob cannot be found.</Message></Error><RequestId>01234567-89ab-cdef-0123-456789abcdef</RequestId></ErrorResponse>"#);
    for (code, status) in [
        (iam::errors::ENTITY_ALREADY_EXISTS_EXCEPTION, 409),
        (iam::errors::DELETE_CONFLICT_EXCEPTION, 409),
        (iam::errors::LIMIT_EXCEEDED_EXCEPTION, 409),
        (iam::errors::MALFORMED_POLICY_DOCUMENT_EXCEPTION, 400),
        (iam::errors::UNMODIFIABLE_ENTITY_EXCEPTION, 400),
        (iam::errors::INVALID_AUTHENTICATION_CODE_EXCEPTION, 403),
    ] {
        assert_eq!(ApiError::new(code, "").to_query(Service::Iam, REQUEST_ID).status, status, "{code:?}");
    }
}

#[test]
fn constraints_of_iam_are_told_as_aws_tells_them() {
    let refusal = read::<iam::CreateUserInput>("UserName=a%2Fb&Path=team").unwrap_err();
    assert_eq!(refusal.code, CommonError::Validation.into());
    insta::assert_snapshot!(refusal.message, @r#"2 validation errors detected: Value 'team' at 'path' failed to satisfy constraint: Member must satisfy regular expression pattern: (\u002F)|(\u002F[\u0021-\u007E]+\u002F); Value 'a/b' at 'userName' failed to satisfy constraint: Member must satisfy regular expression pattern: [\w+=,.@-]+"#);
    let refusal = read::<iam::ListUsersInput>("MaxItems=1001").unwrap_err();
    insta::assert_snapshot!(refusal.message, @"1 validation error detected: Value '1001' at 'maxItems' failed to satisfy constraint: Member must have value less than or equal to 1000");
    let refusal = read::<iam::GetRoleInput>("").unwrap_err();
    insta::assert_snapshot!(refusal.message, @"1 validation error detected: Value null at 'roleName' failed to satisfy constraint: Member must not be null");
    let refusal =
        read::<iam::UpdateAccessKeyInput>("AccessKeyId=AKIAAAAAAAAAAAAAAAAA&Status=On").unwrap_err();
    insta::assert_snapshot!(refusal.message, @"1 validation error detected: Value 'On' at 'status' failed to satisfy constraint: Member must satisfy enum value set: [Active, Inactive, Expired]");
}

#[test]
fn what_is_secret_is_neither_debugged_nor_quoted() {
    let input: iam::CreateLoginProfileInput = read("UserName=a&Password=hunter2").unwrap();
    assert!(!format!("{input:?}").contains("hunter2"));
    let refusal = read::<iam::EnableMFADeviceInput>(
        "UserName=a&SerialNumber=arn%3Aaws%3Aiam%3A%3A0%3Amfa%2Fp&AuthenticationCode1=12345x&AuthenticationCode2=123456",
    )
    .unwrap_err();
    assert!(!refusal.message.contains("12345x"), "{}", refusal.message);
}
