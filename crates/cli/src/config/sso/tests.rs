//! SSO against a portal of its own.

use std::sync::{self, Arc};

use aws_runtime::env_config::file::{EnvConfigFileKind, EnvConfigFiles};
use aws_runtime::env_config::source;
use aws_types::os_shim_internal::{Env, Fs};
use postern_dial::{Dialer, Http, Proxies, Trust};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use super::*;

const CONFIG: &str = "
[sso-session corp]
sso_start_url = https://corp.awsapps.com/start
sso_region = eu-central-1
[profile session]
sso_session = corp
sso_account_id = 111122223333
sso_role_name = Ops & Support
[profile legacy]
sso_start_url = https://old.awsapps.com/start
sso_region = eu-west-1
sso_account_id = 111122223333
sso_role_name = Ops
[profile lost]
sso_session = nowhere
sso_account_id = 111122223333
sso_role_name = Ops
[profile half]
sso_account_id = 111122223333
sso_region = eu-west-1
[profile other]
region = eu-west-1
";

async fn read(name: &str) -> Option<Result<SsoProfile, String>> {
    let files = EnvConfigFiles::builder().with_contents(EnvConfigFileKind::Config, CONFIG).build();
    let source = source::load(&Env::from_slice(&[]), &Fs::from_slice(&[]), &files).await.unwrap();
    let sections = EnvConfigSections::parse(source).unwrap();
    SsoProfile::read(sections.get_profile(name).unwrap(), &sections)
}

#[tokio::test]
async fn profiles_say_where_and_as_what_to_sign_in() {
    let session = read("session").await.unwrap().unwrap();
    assert_eq!((session.region.as_str(), session.token_of.as_str()), ("eu-central-1", "corp"));
    let legacy = read("legacy").await.unwrap().unwrap();
    assert_eq!(
        (legacy.region.as_str(), legacy.token_of.as_str()),
        ("eu-west-1", "https://old.awsapps.com/start")
    );
    assert_eq!(read("lost").await, Some(Err("a section [sso-session nowhere]".to_owned())));
    assert_eq!(read("half").await, Some(Err("sso_start_url, sso_role_name".to_owned())));
    assert_eq!(read("other").await, None);
}

#[test]
fn files_have_the_names_that_the_aws_cli_gives_them() {
    // `printf %s my-sso | sha1sum`
    assert_eq!(file_name("my-sso"), "0ad374308c5a4e22f723adf10145eafad7c4031c.json");
}

/// A portal that gives `answers` to one request each.
struct Portal {
    asked: Arc<sync::Mutex<Vec<String>>>,
    _serving: JoinSet<()>,
}

async fn portal(answers: Vec<&'static str>) -> (SsoPortal, Portal) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
    let asked = Arc::new(sync::Mutex::new(Vec::new()));
    let (noted, mut serving) = (asked.clone(), JoinSet::new());
    serving.spawn(async move {
        for answer in answers {
            let (mut stream, _) = listener.accept().await.unwrap();
            let (mut request, mut buffer) = (Vec::new(), [0; 4096]);
            while !request.ends_with(b"\r\n\r\n") {
                let count = stream.read(&mut buffer).await.unwrap();
                request.extend_from_slice(&buffer[..count]);
            }
            noted.lock().unwrap().push(String::from_utf8(request).unwrap());
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
    });
    let http = Http::new(Dialer::new(Trust::native(), Proxies::none()));
    (SsoPortal::new(http, endpoint), Portal { asked, _serving: serving })
}

const GIVEN: &str = "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 119\r\n\r\n\
    {\"roleCredentials\":{\"accessKeyId\":\"ASIA1\",\"secretAccessKey\":\"s\",\"sessionToken\":\"t\",\"expiration\":32503680000000},\"x\":\"\"}";
const REFUSED: &str = "HTTP/1.1 401 Unauthorized\r\nConnection: close\r\nx-amzn-ErrorType: UnauthorizedException\r\n\
    Content-Length: 16\r\n\r\n{\"message\":\"no\"}";

fn sign_in(home: &Path, token_of: &str, token: &str) {
    let directory = home.join(".aws/sso/cache");
    std::fs::create_dir_all(&directory).unwrap();
    std::fs::write(directory.join(file_name(token_of)), token).unwrap();
}

#[tokio::test]
async fn the_token_of_the_sign_in_is_shown_to_the_portal_once() {
    let home = tempfile::tempdir().unwrap();
    sign_in(
        home.path(),
        "corp",
        r#"{"startUrl":"x","accessToken":"bearer-1","expiresAt":"2999-01-01T00:00:00Z"}"#,
    );
    let (portal, served) = portal(vec![GIVEN]).await;
    let role = SsoRole::new(read("session").await.unwrap().unwrap(), home.path(), portal);
    assert_eq!(role.credentials().await.unwrap().access_key_id, "ASIA1");
    assert_eq!(role.credentials().await.unwrap().session_token.as_deref(), Some("t"), "from memory");
    let asked = served.asked.lock().unwrap();
    assert_eq!(asked.len(), 1);
    let wanted =
        "GET /federation/credentials?role_name=Ops%20%26%20Support&account_id=111122223333 HTTP/1.1\r\n";
    assert!(asked[0].starts_with(wanted), "{}", asked[0]);
    assert!(asked[0].contains("x-amz-sso_bearer_token: bearer-1\r\n"), "{}", asked[0]);
}

#[tokio::test]
async fn whoever_is_not_signed_in_is_told_how() {
    let expired = r#"{"accessToken":"hush","expiresAt":"2020-06-17T10:02:08UTC"}"#;
    let good = r#"{"accessToken":"hush","expiresAt":"2999-06-17T10:02:08UTC"}"#;
    for (token, words) in [
        (None, "nobody has signed in"),
        (Some(expired), "has expired"),
        (Some("{\"accessToken\":\"hush\"}"), "holds no token"),
        (Some(good), "does not accept"),
    ] {
        let home = tempfile::tempdir().unwrap();
        if let Some(token) = token {
            sign_in(home.path(), "https://old.awsapps.com/start", token);
        }
        let (portal, _served) = portal(vec![REFUSED]).await;
        let role = SsoRole::new(read("legacy").await.unwrap().unwrap(), home.path(), portal);
        let error = role.credentials().await.unwrap_err();
        assert!(error.message.contains(words) && !error.message.contains("hush"), "{error:?}");
        assert_eq!(error.hint.as_deref(), Some("run `aws sso login --profile legacy`"));
    }
}
