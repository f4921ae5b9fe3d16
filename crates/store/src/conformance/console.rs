//! Rules of [`ConsoleSignInStore`](crate::ConsoleSignInStore).

use futures_util::future::join_all;

use super::identity_samples::{create_user, mfa_device, user_name};
use super::samples::at;
use crate::{
    ConsoleSignIn, LoginProfile, LoginProfileUpdate, MfaCounter, PasswordProof, SIGN_INS_PER_OWNER_MAX,
    Secret, SignInEnd, SignInStage, Store, TokenHash,
};

/// A sign-in of `owner` that is done, begins at `number` seconds and is good for a thousand.
fn sign_in(number: u16, owner: &str) -> ConsoleSignIn {
    let mut hash = [0; 32];
    hash[..2].copy_from_slice(&number.to_be_bytes());
    let begins_at = at(i64::from(number));
    ConsoleSignIn {
        id: format!("sign-in-{number:05}"),
        secret: TokenHash(hash),
        owner: owner.to_owned(),
        stage: SignInStage::Done,
        content: Secret::new(format!("content of {number}").into_bytes()),
        created_at: begins_at,
        last_used_at: begins_at,
        expires_at: at(i64::from(number) + 1000),
        source_ip: "2001:db8::1".parse().unwrap(),
        user_agent: Some("Mozilla/5.0".to_owned()),
    }
}

pub(crate) async fn a_sign_in_is_found_by_its_secret_until_it_ends(a: &dyn Store, b: &dyn Store) {
    let mut one = sign_in(1, "AIDAONE");
    a.create_console_sign_in(&one).await.unwrap();
    assert_eq!(b.console_sign_in(&one.secret).await.unwrap(), Some(one.clone()));
    assert_eq!(b.console_sign_in(&TokenHash([9; 32])).await.unwrap(), None);
    a.touch_console_sign_in(&one.id, at(70)).await.unwrap();
    a.touch_console_sign_in(&one.id, at(60)).await.unwrap();
    one.last_used_at = at(70);
    one.content = Secret::new(b"another role".to_vec());
    assert!(b.change_console_sign_in(&one.id, &one.content).await.unwrap());
    assert_eq!(b.console_sign_in(&one.secret).await.unwrap(), Some(one.clone()));
    assert!(a.end_console_sign_in(&one.id, SignInEnd::SignedOut, at(80)).await.unwrap());
    assert!(!b.end_console_sign_in(&one.id, SignInEnd::SignedOut, at(81)).await.unwrap());
    assert!(!b.end_console_sign_in("nobody's", SignInEnd::Revoked, at(81)).await.unwrap());
    assert_eq!(b.console_sign_in(&one.secret).await.unwrap(), None);
    assert!(!b.change_console_sign_in(&one.id, &one.content).await.unwrap());
}

pub(crate) async fn a_half_done_sign_in_goes_on_once(a: &dyn Store, b: &dyn Store) {
    let half = ConsoleSignIn { stage: SignInStage::SecondFactor, ..sign_in(1, "AIDAONE") };
    a.create_console_sign_in(&half).await.unwrap();
    assert!(!b.is_console_sign_in_trusted(&half.id).await.unwrap());
    assert!(!b.change_console_sign_in(&half.id, &half.content).await.unwrap());
    let attempts = (10..30).map(async |number| {
        let store = if number % 2 == 0 { a } else { b };
        store.advance_console_sign_in(&half.secret, &sign_in(number, "AIDAONE")).await.unwrap()
    });
    assert_eq!(join_all(attempts).await.into_iter().filter(|advanced| *advanced).count(), 1);
    assert_eq!(a.console_sign_in(&half.secret).await.unwrap(), None);
    let done = a.console_sign_ins(None, at(30), 100).await.unwrap();
    assert_eq!(done.len(), 1);
    assert!(!a.advance_console_sign_in(&done[0].secret, &sign_in(31, "AIDAONE")).await.unwrap());
}

pub(crate) async fn sign_ins_are_listed_while_they_are_good(a: &dyn Store, b: &dyn Store) {
    for (number, owner) in [(1, "AIDAONE"), (2, "AIDATWO"), (3, "AIDAONE")] {
        a.create_console_sign_in(&sign_in(number, owner)).await.unwrap();
    }
    let half = ConsoleSignIn { stage: SignInStage::NewPassword, ..sign_in(4, "AIDAONE") };
    a.create_console_sign_in(&half).await.unwrap();
    let ids = async |owner, seconds, limit| {
        let found = b.console_sign_ins(owner, at(seconds), limit).await.unwrap();
        found
            .into_iter()
            .map(|found| found.id.trim_start_matches("sign-in-0000").to_owned())
            .collect::<String>()
    };
    assert_eq!(ids(None, 10, 9).await, "321");
    assert_eq!(ids(None, 10, 2).await, "32");
    assert_eq!(ids(Some("AIDAONE"), 10, 9).await, "31");
    assert_eq!(ids(None, 1001, 9).await, "32", "the first is over");
    b.end_console_sign_in("sign-in-00003", SignInEnd::SignedOut, at(11)).await.unwrap();
    assert_eq!(ids(None, 12, 9).await, "21");
}

pub(crate) async fn a_sign_in_that_was_revoked_is_trusted_no_longer(a: &dyn Store, b: &dyn Store) {
    for number in 1..=4 {
        a.create_console_sign_in(&sign_in(number, "AIDAONE")).await.unwrap();
    }
    a.create_console_sign_in(&sign_in(5, "AIDATWO")).await.unwrap();
    let trusted =
        async |number: u16| b.is_console_sign_in_trusted(&format!("sign-in-{number:05}")).await.unwrap();
    let generation = *a.identity_generation().borrow();
    a.end_console_sign_in("sign-in-00001", SignInEnd::SignedOut, at(10)).await.unwrap();
    assert!(trusted(1).await, "what it started goes on");
    assert_eq!(*a.identity_generation().borrow(), generation);
    assert!(a.end_console_sign_in("sign-in-00001", SignInEnd::Revoked, at(11)).await.unwrap());
    assert!(!trusted(1).await);
    assert_eq!(*a.identity_generation().borrow(), generation + 1);
    a.revoke_console_sign_ins("AIDAONE", Some("sign-in-00003"), at(12)).await.unwrap();
    assert_eq!(
        [trusted(2).await, trusted(3).await, trusted(4).await, trusted(5).await],
        [false, true, false, true]
    );
    assert!(!trusted(6).await, "one that nobody knows");
}

pub(crate) async fn a_changed_or_taken_password_revokes_its_users_sign_ins(a: &dyn Store, b: &dyn Store) {
    let alice = create_user(a, "alice").await;
    let hash = || Secret::new("$argon2id$v=19$m=19456,t=2,p=1$c2FsdA$aGFzaA".to_owned());
    let profile = LoginProfile {
        user: alice.name.clone(),
        password_hash: hash(),
        reset_required: false,
        created_at: at(0),
    };
    a.create_login_profile(&profile).await.unwrap();
    for number in 1..=2 {
        a.create_console_sign_in(&sign_in(number, alice.id.as_str())).await.unwrap();
    }
    let one = sign_in(1, "").id;
    let late = LoginProfileUpdate {
        password_hash: Some(hash()),
        checked_hash: Some(Secret::new("$argon2id$before".to_owned())),
        ..LoginProfileUpdate::default()
    };
    a.update_login_profile(&alice.name, &late).await.unwrap_err();
    let trusted = async |number: u16| b.is_console_sign_in_trusted(&sign_in(number, "").id).await.unwrap();
    let flag = LoginProfileUpdate { reset_required: Some(true), ..LoginProfileUpdate::default() };
    a.update_login_profile(&user_name("alice"), &flag).await.unwrap();
    assert!(trusted(1).await && trusted(2).await, "the password is the same");
    let update = LoginProfileUpdate {
        password_hash: Some(hash()),
        kept_sign_in: Some(one),
        ..LoginProfileUpdate::default()
    };
    a.update_login_profile(&alice.name, &update).await.unwrap();
    assert!(trusted(1).await && !trusted(2).await, "the one in which it was changed goes on");
    a.delete_login_profile(&alice.name).await.unwrap();
    assert!(!trusted(1).await);
    assert_eq!(b.console_sign_ins(None, at(3), 9).await.unwrap(), []);
}

pub(crate) async fn a_sign_in_takes_the_password_that_there_still_is(a: &dyn Store, b: &dyn Store) {
    let alice = create_user(a, "alice").await;
    let proof = PasswordProof { password_hash: Secret::new("$argon2id$one".to_owned()), has_mfa: false };
    let begun = async |number: u16, proof: &PasswordProof| {
        let one = sign_in(number, alice.id.as_str());
        let is_begun = b.create_proved_console_sign_in(&one, proof).await.unwrap();
        assert_eq!(a.console_sign_in(&one.secret).await.unwrap().is_some(), is_begun);
        is_begun
    };
    assert!(!begun(1, &proof).await, "there is no password");
    let profile = LoginProfile {
        user: alice.name.clone(),
        password_hash: proof.password_hash.clone(),
        reset_required: false,
        created_at: at(0),
    };
    a.create_login_profile(&profile).await.unwrap();
    assert!(begun(2, &proof).await);
    let with_mfa = PasswordProof { has_mfa: true, ..proof.clone() };
    assert!(!begun(3, &with_mfa).await, "the last device is gone");
    let phone = mfa_device("phone");
    a.create_mfa_device(&phone).await.unwrap();
    let counter = MfaCounter { last: 1, drift_steps: 0 };
    a.enable_mfa_device(&alice.name, &phone.serial, counter, at(1)).await.unwrap();
    assert!(!begun(4, &proof).await, "a device came");
    assert!(begun(5, &with_mfa).await);
    let other = Secret::new("$argon2id$other".to_owned());
    let update = LoginProfileUpdate { password_hash: Some(other), ..LoginProfileUpdate::default() };
    a.update_login_profile(&alice.name, &update).await.unwrap();
    assert!(!begun(6, &with_mfa).await, "the password is another");
}

pub(crate) async fn an_owners_oldest_sign_ins_are_forgotten(a: &dyn Store, b: &dyn Store) {
    let over = u16::try_from(SIGN_INS_PER_OWNER_MAX).unwrap() + 1;
    a.create_console_sign_in(&sign_in(0, "AIDATWO")).await.unwrap();
    for number in 1..=over {
        a.create_console_sign_in(&sign_in(number, "AIDAONE")).await.unwrap();
    }
    let found = async |number| b.console_sign_in(&sign_in(number, "").secret).await.unwrap().is_some();
    assert!(!found(1).await && found(2).await && found(over).await && found(0).await);
    // Half-done ones, for which the password suffices, do not crowd out the others.
    let half = ConsoleSignIn { stage: SignInStage::SecondFactor, ..sign_in(over + 1, "AIDAONE") };
    a.create_console_sign_in(&half).await.unwrap();
    assert!(found(2).await && found(over + 1).await);
    let much_later = ConsoleSignIn { created_at: at(40 * 86_400), ..sign_in(over + 2, "AIDATWO") };
    a.create_console_sign_in(&much_later).await.unwrap();
    assert!(!found(2).await && !found(0).await);
}
