//! No text but one that the server sealed is a session token, and reading one never fails otherwise.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use postern_server::auth::SessionTokens;
use postern_store::MasterKey;

static TOKENS: LazyLock<SessionTokens> = LazyLock::new(|| SessionTokens::new(&MasterKey::new([7; 32])));

fuzz_target!(|text: &str| {
    assert!(TOKENS.open(text).is_err(), "a token was forged");
});
