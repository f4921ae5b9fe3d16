//! Rules of [`HeldPolicyStore`](crate::HeldPolicyStore).

use super::identity_samples::*;
use crate::{Entity, IdentityError, PolicyEntity, PolicyHolder, PolicyUse, PrincipalName, Quota, Store};

pub(crate) async fn inline_policies_are_put_and_deleted(a: &dyn Store, b: &dyn Store) {
    let one = policy_name("One");
    for holder in create_holders(a).await {
        assert_eq!(b.inline_policy(&holder, &one).await.unwrap(), None, "{holder}");
        for policy in [inline("two", "2"), inline("ONE", "0"), inline("One", " 1\n")] {
            a.put_inline_policy(&holder, &policy).await.unwrap();
        }
        let expected = [inline("One", " 1\n"), inline("two", "2")];
        assert_eq!(b.inline_policies(&holder).await.unwrap(), expected, "{holder}");
        assert_eq!(b.inline_policy(&holder, &policy_name("one")).await.unwrap().as_ref(), Some(&expected[0]));
        a.delete_inline_policy(&holder, &one).await.unwrap();
        assert_not_found(a.delete_inline_policy(&holder, &one).await, Entity::InlinePolicy(one.clone()));
        assert_eq!(b.inline_policies(&holder).await.unwrap(), expected[1..], "{holder}");
    }
}

pub(crate) async fn inline_policies_have_a_common_limit(a: &dyn Store, b: &dyn Store) {
    let quotas =
        [(Quota::UserPolicyChars, 2048), (Quota::GroupPolicyChars, 5120), (Quota::RolePolicyChars, 10_240)];
    for (holder, (expected, limit)) in create_holders(a).await.into_iter().zip(quotas) {
        let text = |chars: usize| "ä ".repeat(chars);
        a.put_inline_policy(&holder, &inline("One", &text(limit - 10))).await.unwrap();
        a.put_inline_policy(&holder, &inline("Two", &text(10))).await.unwrap();
        let refused = b.put_inline_policy(&holder, &inline("Two", &text(11))).await;
        assert_refused!(
            refused,
            IdentityError::LimitExceeded { quota, max }
                if *quota == expected && usize::try_from(*max).unwrap() == limit
        );
        assert_eq!(a.inline_policies(&holder).await.unwrap()[1].document, text(10), "{holder}");
        b.put_inline_policy(&holder, &inline("One", &text(limit - 11))).await.unwrap();
        b.put_inline_policy(&holder, &inline("Two", &text(11))).await.unwrap();
    }
}

pub(crate) async fn policies_are_attached_and_detached(a: &dyn Store, b: &dyn Store) {
    let own = create_policy(a, "/team/Own").await.arn;
    let amazon = aws_policy("ReadOnlyAccess");
    let missing = policy_arn("Missing");
    for holder in create_holders(a).await {
        for arn in [&amazon, &own, &own] {
            a.attach_policy(&holder, arn).await.unwrap();
        }
        assert_not_found(a.attach_policy(&holder, &missing).await, Entity::Policy(missing.clone()));
        let attached = b.attached_policies(&holder).await.unwrap();
        assert_eq!(attached, [own.clone(), amazon.clone()], "{holder}");
        a.detach_policy(&holder, &own).await.unwrap();
        assert_not_found(a.detach_policy(&holder, &own).await, Entity::Attachment(own.clone()));
        let attached = b.attached_policies(&holder).await.unwrap();
        assert_eq!(attached.as_slice(), std::slice::from_ref(&amazon), "{holder}");
    }
}

pub(crate) async fn ten_policies_are_attached(a: &dyn Store, b: &dyn Store) {
    for holder in create_holders(a).await {
        for number in 0..10 {
            a.attach_policy(&holder, &aws_policy(&format!("Policy{number}"))).await.unwrap();
        }
        assert_refused!(
            b.attach_policy(&holder, &aws_policy("Eleventh")).await,
            IdentityError::LimitExceeded { quota: Quota::AttachedPolicies, max: 10 }
        );
        b.attach_policy(&holder, &aws_policy("Policy0")).await.unwrap();
        assert_eq!(a.attached_policies(&holder).await.unwrap().len(), 10, "{holder}");
    }
}

pub(crate) async fn nobody_holds_nothing(a: &dyn Store, _: &dyn Store) {
    let cases = [
        (PolicyHolder::User(user_name("eve")), Entity::User(user_name("eve"))),
        (PolicyHolder::Group("none".parse().unwrap()), Entity::Group("none".parse().unwrap())),
        (PolicyHolder::Role(role_name("None")), Entity::Role(role_name("None"))),
    ];
    let (name, arn) = (policy_name("One"), aws_policy("ReadOnlyAccess"));
    for (holder, missing) in cases {
        assert_not_found(a.put_inline_policy(&holder, &inline("One", "1")).await, missing.clone());
        assert_not_found(a.inline_policy(&holder, &name).await, missing.clone());
        assert_not_found(a.inline_policies(&holder).await, missing.clone());
        assert_not_found(a.delete_inline_policy(&holder, &name).await, missing.clone());
        assert_not_found(a.attach_policy(&holder, &arn).await, missing.clone());
        assert_not_found(a.detach_policy(&holder, &arn).await, missing.clone());
        assert_not_found(a.attached_policies(&holder).await, missing);
    }
}

pub(crate) async fn who_uses_a_policy_is_known(a: &dyn Store, b: &dyn Store) {
    let (own, amazon) = (create_policy(a, "Own").await.arn, aws_policy("ReadOnlyAccess"));
    let [user, group, role] = create_holders(a).await;
    create_user(a, "Aaron").await;
    let aaron = PolicyHolder::User(user_name("Aaron"));
    for holder in [&user, &group, &role, &aaron] {
        a.attach_policy(holder, &own).await.unwrap();
    }
    a.attach_policy(&role, &amazon).await.unwrap();
    for principal in [PrincipalName::User(user_name("alice")), PrincipalName::Role(role_name("Night"))] {
        a.set_boundary(&principal, Some(&own)).await.unwrap();
    }

    let entities = b.policy_entities(&own).await.unwrap();
    let holders = |entities: &[PolicyEntity]| -> Vec<PolicyHolder> {
        entities.iter().map(|entity| entity.holder.clone()).collect()
    };
    assert_eq!(holders(&entities.attached_to), [aaron, user.clone(), group, role.clone()]);
    assert_eq!(holders(&entities.boundary_of), [user, role.clone()]);
    let expected = super::identity_samples::user("alice");
    assert_eq!((&entities.boundary_of[0].id, &entities.boundary_of[0].path), (&expected.id, &expected.path));
    assert_eq!(holders(&b.policy_entities(&amazon).await.unwrap().attached_to), [role]);
    assert_eq!(holders(&b.policy_entities(&aws_policy("Unused")).await.unwrap().attached_to), []);
    let missing = policy_arn("Missing");
    assert_not_found(b.policy_entities(&missing).await, Entity::Policy(missing));

    let used = PolicyUse { attachments_count: 4, boundaries_count: 2 };
    let uses = b.policy_uses().await.unwrap();
    assert_eq!(uses.get(&own), Some(&used));
    assert_eq!(uses.get(&amazon), Some(&PolicyUse { attachments_count: 1, boundaries_count: 0 }));
    assert_eq!(uses.len(), 2);
    assert_eq!(b.policy(&own).await.unwrap().unwrap().used, used);
}
