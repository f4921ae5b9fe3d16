//! Rules of [`SignInStore`](crate::SignInStore).

use futures_util::future::join_all;
use postern_ids::MfaSerial;

use super::identity_samples::*;
use super::samples::at;
use super::tags::tag;
use crate::{
    Dependent, Entity, IdentityError, LoginProfile, LoginProfileUpdate, MfaCounter, MfaDevice, MfaFilter,
    NewMfaDevice, NewName, Page, Quota, Secret, Store,
};

fn counter(last: u64) -> MfaCounter {
    MfaCounter { last, drift_steps: 0 }
}

pub(crate) async fn a_password_is_given_changed_and_taken(a: &dyn Store, b: &dyn Store) {
    let profile = LoginProfile {
        user: user_name("Alice"),
        password_hash: Secret::new("$argon2id$v=19$m=19456,t=2,p=1$c2FsdA$aGFzaA".to_owned()),
        reset_required: true,
        created_at: at(0),
    };
    let missing = || Entity::User(user_name("Alice"));
    assert_not_found(a.create_login_profile(&profile).await, missing());
    assert_not_found(a.update_login_profile(&profile.user, &LoginProfileUpdate::default()).await, missing());
    assert_not_found(a.delete_login_profile(&profile.user).await, missing());
    assert!(!a.record_password_use(&profile.user, at(1)).await.unwrap());

    create_user(a, "Alice").await;
    assert_eq!(b.login_profile(&profile.user).await.unwrap(), None);
    a.create_login_profile(&profile).await.unwrap();
    assert_eq!(b.login_profile(&user_name("alice")).await.unwrap(), Some(profile.clone()));
    assert_refused!(
        a.create_login_profile(&profile).await,
        IdentityError::AlreadyExists(Entity::LoginProfile(_))
    );
    let update = LoginProfileUpdate { reset_required: Some(false), ..LoginProfileUpdate::default() };
    a.update_login_profile(&profile.user, &update).await.unwrap();
    let expected = LoginProfile { reset_required: false, ..profile.clone() };
    assert_eq!(b.login_profile(&profile.user).await.unwrap(), Some(expected.clone()));
    let hash = Secret::new("$argon2id$another".to_owned());
    let update = LoginProfileUpdate { password_hash: Some(hash.clone()), ..LoginProfileUpdate::default() };
    a.update_login_profile(&profile.user, &update).await.unwrap();
    let expected = LoginProfile { password_hash: hash, ..expected };
    assert_eq!(b.login_profile(&profile.user).await.unwrap(), Some(expected.clone()));
    let checked = LoginProfileUpdate {
        password_hash: Some(Secret::new("$argon2id$third".to_owned())),
        checked_hash: Some(profile.password_hash.clone()),
        ..LoginProfileUpdate::default()
    };
    assert_refused!(a.update_login_profile(&profile.user, &checked).await, IdentityError::PasswordChanged(_));
    assert_eq!(b.login_profile(&profile.user).await.unwrap(), Some(expected.clone()));
    let checked = LoginProfileUpdate { checked_hash: Some(expected.password_hash.clone()), ..checked };
    a.update_login_profile(&profile.user, &checked).await.unwrap();
    let expected = LoginProfile { password_hash: checked.password_hash.unwrap(), ..expected };
    assert_eq!(b.login_profile(&profile.user).await.unwrap(), Some(expected.clone()));

    assert!(a.record_password_use(&profile.user, at(9)).await.unwrap());
    assert_eq!(b.user(&profile.user).await.unwrap().unwrap().password_last_used_at, Some(at(9)));
    let renamed = NewName { name: Some(user_name("Alicia")), path: None };
    a.update_user(&profile.user, &renamed).await.unwrap();
    let expected = LoginProfile { user: user_name("Alicia"), ..expected };
    assert_eq!(b.login_profile(&expected.user).await.unwrap(), Some(expected.clone()));
    a.delete_login_profile(&expected.user).await.unwrap();
    let gone = || Entity::LoginProfile(expected.user.clone());
    assert_not_found(a.delete_login_profile(&expected.user).await, gone());
    assert_not_found(a.update_login_profile(&expected.user, &update).await, gone());
}

pub(crate) async fn an_mfa_device_is_enabled_for_one_user(a: &dyn Store, b: &dyn Store) {
    let (alice, bob) = (create_user(a, "alice").await.name, create_user(a, "bob").await.name);
    let new = NewMfaDevice { tags: vec![tag("a", "1")], ..mfa_device("phone") };
    a.create_mfa_device(&new).await.unwrap();
    assert_refused!(
        a.create_mfa_device(&mfa_device("PHONE")).await,
        IdentityError::AlreadyExists(Entity::MfaDevice(_))
    );
    let free = MfaDevice {
        serial: new.serial.clone(),
        created_at: at(0),
        user: None,
        enabled_at: None,
        counter: None,
        tags: new.tags.clone(),
    };
    assert_eq!(b.mfa_device(&new.serial).await.unwrap(), Some(free.clone()));
    assert_eq!(b.mfa_seed(&serial("Phone")).await.unwrap(), Some(new.seed.clone()));
    assert_eq!(b.mfa_seed(&serial("none")).await.unwrap(), None);

    let learnt = MfaCounter { last: 7, drift_steps: -3 };
    a.enable_mfa_device(&alice, &new.serial, learnt, at(5)).await.unwrap();
    let enabled = MfaDevice {
        user: Some(alice.clone()),
        enabled_at: Some(at(5)),
        counter: Some(learnt),
        ..free.clone()
    };
    assert_eq!(b.mfa_device(&new.serial).await.unwrap(), Some(enabled.clone()));
    assert_eq!(b.mfa_devices_of_user(&alice).await.unwrap(), [enabled]);
    for user in [&alice, &bob] {
        assert_refused!(
            b.enable_mfa_device(user, &new.serial, counter(9), at(6)).await,
            IdentityError::AlreadyExists(Entity::MfaDevice(_))
        );
    }
    let missing = || Entity::MfaDevice(new.serial.clone());
    assert_not_found(a.deactivate_mfa_device(&bob, &new.serial).await, missing());
    assert_refused!(
        a.delete_mfa_device(&new.serial).await,
        IdentityError::DeleteConflict { remaining, .. } if *remaining == [Dependent::Owner]
    );
    a.deactivate_mfa_device(&alice, &new.serial).await.unwrap();
    assert_not_found(a.deactivate_mfa_device(&alice, &new.serial).await, missing());
    a.delete_mfa_device(&serial("Phone")).await.unwrap();
    assert_not_found(a.delete_mfa_device(&new.serial).await, missing());
    assert_not_found(a.enable_mfa_device(&alice, &new.serial, learnt, at(5)).await, missing());
    a.create_mfa_device(&mfa_device("phone")).await.unwrap();
    assert_eq!(b.mfa_device(&new.serial).await.unwrap(), Some(MfaDevice { tags: vec![], ..free }));
}

pub(crate) async fn a_code_is_accepted_once(a: &dyn Store, b: &dyn Store) {
    let (alice, bob) = (create_user(a, "alice").await.name, create_user(a, "bob").await.name);
    let phone = serial("phone");
    a.create_mfa_device(&mfa_device("phone")).await.unwrap();
    assert!(!a.advance_mfa_counter(&alice, &phone, counter(5)).await.unwrap(), "it is nobody's");
    a.enable_mfa_device(&alice, &phone, counter(10), at(5)).await.unwrap();
    for (last, expected) in [(9, false), (10, false), (11, true), (11, false), (10, false), (15, true)] {
        let accepted = b.advance_mfa_counter(&alice, &phone, counter(last)).await.unwrap();
        assert_eq!(accepted, expected, "{last}");
    }
    assert!(!a.advance_mfa_counter(&bob, &phone, counter(20)).await.unwrap(), "it is alice's");
    let drifted = MfaCounter { last: 16, drift_steps: 2 };
    assert!(a.advance_mfa_counter(&alice, &phone, drifted).await.unwrap());
    assert_eq!(b.mfa_device(&phone).await.unwrap().unwrap().counter, Some(drifted));

    let attempts = (0..20).map(async |index| {
        let store = if index % 2 == 0 { a } else { b };
        store.advance_mfa_counter(&alice, &phone, counter(30)).await.unwrap()
    });
    assert_eq!(join_all(attempts).await.into_iter().filter(|accepted| *accepted).count(), 1);

    a.deactivate_mfa_device(&alice, &phone).await.unwrap();
    a.enable_mfa_device(&bob, &phone, counter(25), at(9)).await.unwrap();
    assert!(!a.advance_mfa_counter(&bob, &phone, counter(30)).await.unwrap(), "it was used before");
    assert!(a.advance_mfa_counter(&bob, &phone, counter(31)).await.unwrap());
}

pub(crate) async fn a_clock_is_found_ahead_or_behind_and_no_code_works_twice(a: &dyn Store, b: &dyn Store) {
    let (alice, bob) = (create_user(a, "alice").await.name, create_user(a, "bob").await.name);
    let phone = serial("phone");
    a.create_mfa_device(&mfa_device("phone")).await.unwrap();
    let counter = |last, drift_steps| MfaCounter { last, drift_steps };
    assert!(!a.realign_mfa_device(&alice, &phone, counter(5, 0)).await.unwrap(), "it is nobody's");
    a.enable_mfa_device(&alice, &phone, counter(100, 10), at(5)).await.unwrap();
    assert!(!a.realign_mfa_device(&bob, &phone, counter(102, 0)).await.unwrap(), "it is alice's");
    assert!(!a.realign_mfa_device(&alice, &phone, counter(100, 9)).await.unwrap(), "that code was used");
    for (found, expected) in [
        // Set back: its codes up to the last one stay used.
        (counter(92, 0), counter(100, 0)),
        (counter(99, -1), counter(100, -1)),
        (counter(110, 8), counter(110, 8)),
    ] {
        assert!(a.realign_mfa_device(&alice, &phone, found).await.unwrap());
        assert_eq!(b.mfa_device(&phone).await.unwrap().unwrap().counter, Some(expected), "{found:?}");
    }
    assert!(!b.advance_mfa_counter(&alice, &phone, counter(110, 0)).await.unwrap());
    assert!(b.advance_mfa_counter(&alice, &phone, counter(111, 0)).await.unwrap());
}

pub(crate) async fn mfa_devices_are_listed(a: &dyn Store, b: &dyn Store) {
    let alice = create_user(a, "alice").await.name;
    for number in 0..9 {
        let name = format!("d{number}");
        a.create_mfa_device(&mfa_device(&name)).await.unwrap();
        let enabled = a.enable_mfa_device(&alice, &serial(&name), counter(1), at(1)).await;
        if number < 8 {
            enabled.unwrap();
        } else {
            assert_refused!(
                enabled,
                IdentityError::LimitExceeded { quota: Quota::MfaDevicesPerUser, max: 8 }
            );
        }
    }
    let listed = async |filter, page: Page<MfaSerial>| {
        let listed = b.mfa_devices(filter, &page).await.unwrap();
        (listed.items.len(), listed.next)
    };
    assert_eq!(listed(MfaFilter::Assigned, Page::first(50)).await, (8, None));
    assert_eq!(listed(MfaFilter::Unassigned, Page::first(50)).await, (1, None));
    let (first, next) = listed(MfaFilter::Any, Page::first(5)).await;
    assert_eq!((first, next.clone()), (5, Some(serial("d4"))));
    assert_eq!(listed(MfaFilter::Any, Page { after: next, limit: 5 }).await, (4, None));
    assert_eq!(b.mfa_devices_of_user(&alice).await.unwrap().len(), 8);
    let eve = user_name("eve");
    assert_not_found(b.mfa_devices_of_user(&eve).await, Entity::User(eve));
}
