//! Which credentials are taken, and what is told when there are none.

use aws_runtime::env_config::file::{EnvConfigFileKind, EnvConfigFiles};
use aws_runtime::env_config::source;
use aws_types::os_shim_internal::Fs;
use postern_dial::{Dialer, Http, Proxies, Trust};

use super::*;

const FILE: &str = "
[static]
aws_access_key_id = AKIDSTATIC
aws_secret_access_key = secret
[process]
credential_process = echo '{\"Version\":1,\"AccessKeyId\":\"AKIDPROCESS\",\"SecretAccessKey\":\"s\",\"Expiration\":\"2999-01-01T00:00:00Z\"}'
[broken]
credential_process = exit 3
[role]
role_arn = arn:aws:iam::111122223333:role/x
source_profile = static
[all]
role_arn = arn:aws:iam::111122223333:role/y
source_profile = role
role_session_name = alice
duration_seconds = 900
external_id = tenant-7
mfa_serial = arn:aws:iam::111122223333:mfa/alice
[itself]
role_arn = arn:aws:iam::111122223333:role/x
source_profile = itself
aws_access_key_id = AKIDITSELF
aws_secret_access_key = secret
[environment]
role_arn = arn:aws:iam::111122223333:role/x
credential_source = Environment
[web]
role_arn = arn:aws:iam::111122223333:role/x
web_identity_token_file = /run/token
[one]
role_arn = arn:aws:iam::111122223333:role/x
source_profile = other
[other]
role_arn = arn:aws:iam::111122223333:role/x
source_profile = one
[nobody]
role_arn = arn:aws:iam::111122223333:role/x
[machine]
role_arn = arn:aws:iam::111122223333:role/x
credential_source = Ec2InstanceMetadata
[lost]
role_arn = arn:aws:iam::111122223333:role/x
source_profile = missing
[long]
role_arn = arn:aws:iam::111122223333:role/x
source_profile = static
duration_seconds = long
[sso]
sso_session = s
sso_account_id = 111122223333
sso_role_name = x
[empty]
";
const KEYS: &[(&str, &str)] = &[("AWS_ACCESS_KEY_ID", "AKIDENV"), ("AWS_SECRET_ACCESS_KEY", "secret")];

async fn access_key_id(
    profile: &str,
    is_option: bool,
    env: &[(&str, &str)],
) -> Result<String, CredentialError> {
    let sections = sections(profile).await;
    let source = chosen(&sections, is_option, env);
    source.credentials().await?;
    // The second time may come from memory.
    source.credentials().await.map(|credentials| credentials.access_key_id)
}

fn chosen(sections: &EnvConfigSections, is_option: bool, env: &[(&str, &str)]) -> Source {
    let sts = || {
        let http = Http::new(Dialer::new(Trust::native(), Proxies::none()));
        Sts::new(http, "https://sts.example".parse().unwrap(), "us-east-1".to_owned())
    };
    let portal = |_: &str| -> Result<SsoPortal, ConfigError> { panic!("no profile here is whole") };
    Source::new(is_option, &Profiles { env: &Env::from_slice(env), sections, sts: &sts, portal: &portal })
}

async fn sections(profile: &str) -> EnvConfigSections {
    let files = EnvConfigFiles::builder().with_contents(EnvConfigFileKind::Credentials, FILE).build();
    let mut source = source::load(&Env::from_slice(&[]), &Fs::from_slice(&[]), &files).await.unwrap();
    source.profile = profile.to_owned().into();
    EnvConfigSections::parse(source).unwrap()
}

async fn role(profile: &str, env: &[(&str, &str)]) -> AssumedRole {
    match chosen(&sections(profile).await, false, env) {
        Source::Role(role) => *role,
        other => panic!("{profile}: {other:?}"),
    }
}

#[tokio::test]
async fn a_role_is_asked_for_as_its_profile_says() {
    let assumed = role("role", &[]).await;
    assert_eq!(assumed.request.role_arn, "arn:aws:iam::111122223333:role/x");
    assert!(assumed.request.session_name.starts_with("postern-session-"), "{:?}", assumed.request);
    assert_eq!(assumed.request.duration_seconds, None);
    let assumed = role("all", &[]).await;
    let request = RoleRequest {
        role_arn: "arn:aws:iam::111122223333:role/y".to_owned(),
        session_name: "alice".to_owned(),
        duration_seconds: Some(900),
        external_id: Some("tenant-7".to_owned()),
        mfa: None,
    };
    assert_eq!(assumed.request, request);
    let Right::Credentials { source, mfa_serial } = assumed.right else { panic!("by credentials") };
    assert!(matches!(*source, Source::Role(_)), "{source:?}");
    assert_eq!(mfa_serial.as_deref(), Some("arn:aws:iam::111122223333:mfa/alice"));
    let itself = role("itself", &[]).await;
    assert!(
        matches!(&itself.right, Right::Credentials { source, .. } if matches!(**source, Source::Static(_)))
    );
    // Only a profile that was given as an option counts before the environment.
    let environment = chosen(&sections("environment").await, true, KEYS);
    assert!(
        matches!(&environment, Source::Role(role) if matches!(role.right, Right::Credentials { mfa_serial: None, .. }))
    );
}

#[tokio::test]
async fn a_web_identity_comes_from_a_file_that_profile_or_environment_name() {
    let by_profile = role("web", &[]).await;
    assert!(matches!(by_profile.right, Right::WebIdentity { token_file } if token_file.ends_with("token")));
    let env = [
        ("AWS_WEB_IDENTITY_TOKEN_FILE", "/run/token"),
        ("AWS_ROLE_ARN", "arn:aws:iam::111122223333:role/z"),
        ("AWS_ROLE_SESSION_NAME", "job"),
    ];
    let by_environment = role("static", &env).await;
    assert_eq!(by_environment.request.session_name, "job");
    assert!(matches!(by_environment.right, Right::WebIdentity { .. }));
}

#[tokio::test]
async fn sources_count_in_order() {
    for (profile, is_option, env, expected) in [
        ("static", false, KEYS, "AKIDENV"),
        ("static", true, KEYS, "AKIDSTATIC"),
        ("static", false, &[], "AKIDSTATIC"),
        ("process", false, &[], "AKIDPROCESS"),
    ] {
        assert_eq!(access_key_id(profile, is_option, env).await.unwrap(), expected, "{profile} {is_option}");
    }
}

#[tokio::test]
async fn what_cannot_be_done_is_told_with_a_way_out() {
    for (profile, words) in [
        ("sso", "[sso-session s]"),
        ("empty", "neither"),
        ("one", "leads back"),
        ("nobody", "by whose credentials"),
        ("machine", "Ec2InstanceMetadata"),
        ("lost", "\"missing\" is not in"),
        ("long", "no number"),
    ] {
        let error = access_key_id(profile, false, &[]).await.unwrap_err();
        assert!(error.message.contains(words) && error.hint.is_some(), "{profile}: {error:?}");
    }
    let error = access_key_id("broken", false, &[]).await.unwrap_err();
    assert!(error.message.contains("exit status: 3"), "{error:?}");
}

#[test]
fn a_process_that_prints_something_else_gives_no_secret_away() {
    for json in [
        "",
        "{}",
        r#"{"Version":2,"AccessKeyId":"a","SecretAccessKey":"hush"}"#,
        r#"{"SecretAccessKey":"hush"}"#,
    ] {
        let error = parse(json.as_bytes()).unwrap_err();
        assert!(!error.contains("hush"), "{error}");
    }
}
