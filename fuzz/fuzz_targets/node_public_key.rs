//! Any text is a node's public key or a refusal, and a key is read the same from what is kept of it.
#![no_main]

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use libfuzzer_sys::fuzz_target;
use postern_server::auth::NodePublicKey;

fuzz_target!(|bytes: &[u8]| {
    // As it stands, and as the bytes within, which base64 would hide from the fuzzer.
    if let Ok(text) = std::str::from_utf8(bytes) {
        let _ = NodePublicKey::from_base64(text);
    }
    if let Ok(key) = NodePublicKey::from_base64(&STANDARD.encode(bytes)) {
        let der = key.into_der();
        let again = NodePublicKey::from_base64(&STANDARD.encode(&der)).expect("it was read before");
        assert_eq!(again.into_der(), der);
    }
});
