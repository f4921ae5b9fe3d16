//! No text but the one that the server sealed is a session token: neither what anyone makes up, nor a token that was
//! altered, whether in its text or in the bytes within.

use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::{SignedDuration, Timestamp};
use postern_server::auth::{Bearer, SessionTokens, TokenFacts};
use postern_server::random::SystemRandom;
use postern_store::MasterKey;

static TOKENS: LazyLock<SessionTokens> = LazyLock::new(|| SessionTokens::new(&MasterKey::new([7; 32])));

static GENUINE: LazyLock<String> = LazyLock::new(|| {
    let bearer = Bearer::Role {
        name: "PosternNode".parse().expect("a name"),
        id: None,
        session_name: "mi-0123456789abcdef0".to_owned(),
        node: "mi-0123456789abcdef0".parse().ok(),
    };
    let facts = TokenFacts::new(Timestamp::UNIX_EPOCH, SignedDuration::from_hours(1));
    let issued = TOKENS.issue(bearer, facts, 0, &SystemRandom).expect("it is short");
    issued.token.expose_secret().clone()
});

pub(crate) fn run(bytes: &[u8]) {
    let within = STANDARD.encode(bytes);
    for text in std::str::from_utf8(bytes).into_iter().chain([within.as_str()]) {
        assert_eq!(TOKENS.open(text).is_ok(), text == *GENUINE, "{text:?}");
    }
}

pub(crate) fn seeds() -> Vec<Vec<u8>> {
    vec![GENUINE.as_bytes().to_vec(), STANDARD.decode(&*GENUINE).expect("a token is base64")]
}
