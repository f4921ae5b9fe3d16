//! Any text is a node's public key or a refusal, and a key is read the same from what is kept of it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use postern_server::auth::NodePublicKey;

pub(crate) fn run(bytes: &[u8]) {
    // As it stands, and as the bytes within, which base64 would hide from the fuzzer.
    if let Ok(text) = std::str::from_utf8(bytes) {
        let _ = NodePublicKey::from_base64(text);
    }
    if let Ok(key) = NodePublicKey::from_base64(&STANDARD.encode(bytes)) {
        let der = key.into_der();
        let again = NodePublicKey::from_base64(&STANDARD.encode(&der)).expect("it was read before");
        assert_eq!(again.into_der(), der);
    }
}

/// A key of 2048 bits, made with `openssl genrsa`; its private half is thrown away.
const KEY: &str = "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAlJ2d3OSY2w2fW8qqO0MEHnYGmFdBO7bC/LeN6o1UK4TtBHQSI664cM\
    cM0tvquIrdeIIwYKBHsBLovZIY+02vZclgUd0iuOnzt5CaG5TsDBjQVV7MA/TPaUXsUH4mo0qv5oJ8BgsDxd8hOemq05OTNMLX\
    7DPQziKoE7kKRdEPLnxJ8ot928Q9/f6wbswwWIW7Ye9qOgfUy/4u0+zBvh46wUEEydDV4eJnmxX0L3el2845MLe5+s2LNkiDae\
    hXGuDPbtFk7cqwrioU3J5YO/J0lUQB0a8vfv778CP0v4BTacYodUcy83szFJG41vK44w7cU0x6rVA8V9ePwvCDDYCXowIDAQAB";

pub(crate) fn seeds() -> Vec<Vec<u8>> {
    vec![KEY.into(), STANDARD.decode(KEY).expect("a constant in base64")]
}
