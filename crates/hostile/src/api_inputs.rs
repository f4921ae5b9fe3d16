//! Bodies of requests: whatever arrives, decoding answers with an error and does not panic, and what it accepts it
//! can write and accept again.

use postern_api::{Request, iam, json, query, ssm, sts};

fn read<T: Request>(body: &[u8]) {
    match json::decode::<T>(body) {
        Ok(input) => assert!(json::decode::<T>(&json::encode(&input)).is_ok()),
        Err(error) => {
            let _ = error.to_json();
        }
    }
}

pub(crate) fn run(body: &[u8]) {
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
}

pub(crate) fn seeds() -> Vec<Vec<u8>> {
    crate::seeds_of(&[
        r#"{"ActivationCode":"abcdefghijklmnopqrst","ActivationId":"00000000-0000-4000-8000-000000000001","Fingerprint":"f","PublicKey":"k","PublicKeyType":"Rsa"}"#,
        r#"{"Target":"mi-0123456789abcdef0","DocumentName":"SSM-SessionManagerRunShell","Reason":"r","Parameters":{"command":["id"]}}"#,
        r#"{"ResourceId":"mi-0123456789abcdef0","ResourceType":"ManagedInstance","ComplianceType":"Patch","ExecutionSummary":{"ExecutionTime":1700000000.5},"Items":[{"Severity":"LOW","Status":"COMPLIANT"}]}"#,
        "Action=AssumeRoleWithWebIdentity&Version=2011-06-15&RoleArn=arn%3Aaws%3Aiam%3A%3A111122223333%3Arole%2Fx&RoleSessionName=s&WebIdentityToken=aaaa.bbbb.cccc&PolicyArns.member.1.arn=a",
        "Action=SimulateCustomPolicy&PolicyInputList.member.1=%7B%7D&ActionNames.member.1=ssm%3A*&ContextEntries.member.1.ContextKeyName=k&ContextEntries.member.1.ContextKeyValues.member.2=v",
    ])
}
