//! Bodies of requests: whatever arrives, decoding answers with an error and does not panic, and what it accepts it
//! can write and accept again.

#![no_main]

use libfuzzer_sys::fuzz_target;
use postern_api::{Request, iam, json, query, ssm, sts};

fn read<T: Request>(body: &[u8]) {
    match json::decode::<T>(body) {
        Ok(input) => assert!(json::decode::<T>(&json::encode(&input)).is_ok()),
        Err(error) => {
            let _ = error.to_json();
        }
    }
}

fuzz_target!(|body: &[u8]| {
    // The one operation that nobody signs, and the one with the most kinds of members.
    read::<ssm::RegisterManagedInstanceInput>(body);
    read::<ssm::StartSessionInput>(body);
    read::<ssm::PutComplianceItemsInput>(body);
    if let Ok(text) = std::str::from_utf8(body)
        && let Ok(form) = query::Form::parse(text)
    {
        // The one of forms that nobody signs, and one of those with lists of structures that hold lists.
        let _ = query::decode::<sts::AssumeRoleWithWebIdentityInput>(&form);
        let _ = query::decode::<iam::SimulateCustomPolicyInput>(&form);
    }
});
