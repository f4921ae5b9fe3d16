//! Any text is an `Authorization` header or a refusal, and a header is read the same after it was written.
#![no_main]

use libfuzzer_sys::fuzz_target;
use postern_sigv4::Authorization;

fuzz_target!(|value: &str| {
    if let Ok(authorization) = Authorization::parse(value) {
        assert_eq!(Authorization::parse(&authorization.to_string()), Ok(authorization));
    }
});
