//! Rules of [`AccountStore`](crate::AccountStore).

use super::identity_samples::*;
use super::samples::at;
use crate::{Entity, Guardrail, IdentityCounts, MfaCounter, Quota, Quotas, Store, VersionRank};

pub(crate) async fn guardrails_are_put_listed_and_deleted(a: &dyn Store, b: &dyn Store) {
    let guardrail = |name: &str, level, document: &str| Guardrail {
        name: policy_name(name),
        level,
        document: document.to_owned(),
        updated_at: at(i64::from(level)),
    };
    assert_eq!(b.guardrails().await.unwrap(), []);
    for put in [guardrail("zebra", 0, "1"), guardrail("Full", 1, "2"), guardrail("ape", 1, "3")] {
        a.put_guardrail(&put).await.unwrap();
    }
    a.put_guardrail(&guardrail("FULL", 0, "4")).await.unwrap();
    let expected = [guardrail("FULL", 0, "4"), guardrail("zebra", 0, "1"), guardrail("ape", 1, "3")];
    assert_eq!(b.guardrails().await.unwrap(), expected);
    b.delete_guardrail(&policy_name("Zebra")).await.unwrap();
    let gone = policy_name("zebra");
    assert_not_found(a.delete_guardrail(&gone).await, Entity::Guardrail(gone));
    assert_eq!(a.guardrails().await.unwrap().len(), 2);
}

pub(crate) async fn identities_are_counted(a: &dyn Store, b: &dyn Store) {
    assert_eq!(b.identity_counts().await.unwrap(), IdentityCounts::default());
    let alice = create_user(a, "alice").await.name;
    create_user(a, "bob").await;
    create_group(a, "admins").await;
    create_role(a, "Night").await;
    let arn = create_policy(a, "Own").await.arn;
    a.create_policy_version(&arn, "{}", VersionRank::Other, at(1)).await.unwrap();
    a.create_instance_profile(&profile("web")).await.unwrap();
    for name in ["one", "two", "three"] {
        a.create_mfa_device(&mfa_device(name)).await.unwrap();
    }
    let counter = MfaCounter { last: 1, drift_steps: 0 };
    a.enable_mfa_device(&alice, &serial("one"), counter, at(1)).await.unwrap();
    let expected = IdentityCounts {
        users: 2,
        groups: 1,
        roles: 1,
        policies: 1,
        policy_versions: 2,
        instance_profiles: 1,
        oidc_providers: 0,
        mfa_devices: 3,
        mfa_devices_in_use: 1,
    };
    assert_eq!(b.identity_counts().await.unwrap(), expected);
    assert_eq!(b.quotas(), &Quotas::default());
    assert_eq!(b.quotas().max(Quota::AccessKeysPerUser), 2);
}
