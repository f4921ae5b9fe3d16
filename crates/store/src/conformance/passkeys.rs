//! Passkeys: each is one user's, answers a challenge once, and its counter only grows.

use futures_util::future::join_all;
use postern_ids::PrincipalId;

use super::identity_samples::{create_user, mfa_device};
use super::samples::at;
use crate::{
    ConsoleSignIn, Dependent, IdentityError, LoginProfile, MfaCounter, Passkey, PasskeyCreation,
    PasskeySignIn, PasskeyUse, PasswordProof, Quota, Secret, SignInStage, SpentChallenge, Store, TokenHash,
    User,
};

fn passkey(number: u8, user: &PrincipalId) -> Passkey {
    Passkey {
        id: format!("KEY{number}"),
        credential_id: vec![number; 16],
        user: user.clone(),
        user_handle: b"handle".to_vec(),
        relying_party: "gate.example".to_owned(),
        public_key: vec![0xa0, number],
        sign_count: 0,
        is_backup_eligible: true,
        is_backed_up: false,
        transports: vec!["internal".to_owned()],
        name: format!("passkey {number}"),
        created_at: at(i64::from(number)),
        last_used_at: None,
    }
}

fn challenge(number: u8) -> SpentChallenge {
    SpentChallenge { hash: TokenHash([number; 32]), expires_at: at(300) }
}

async fn create(store: &dyn Store, number: u8, user: &PrincipalId) -> Passkey {
    let passkey = passkey(number, user);
    let created = store.create_passkey(&passkey, &challenge(100 + number)).await.unwrap();
    assert_eq!(created, PasskeyCreation::Created);
    passkey
}

async fn with_password(store: &dyn Store, name: &str) -> User {
    let user = create_user(store, name).await;
    let password_hash = Secret::new("$argon2id$one".to_owned());
    let profile =
        LoginProfile { user: user.name.clone(), password_hash, reset_required: false, created_at: at(0) };
    store.create_login_profile(&profile).await.unwrap();
    user
}

fn used(passkey: &Passkey, sign_count: u32, number: u8) -> PasskeyUse {
    PasskeyUse {
        passkey: passkey.clone(),
        sign_count,
        is_backed_up: true,
        challenge: challenge(number),
        at: at(50),
    }
}

fn sign_in(number: u8, user: &PrincipalId, stage: SignInStage) -> ConsoleSignIn {
    ConsoleSignIn {
        id: format!("sign-in-{number}"),
        secret: TokenHash([number; 32]),
        owner: user.to_string(),
        stage,
        content: Secret::new(b"content".to_vec()),
        created_at: at(50),
        last_used_at: at(50),
        expires_at: at(1000),
        source_ip: "2001:db8::1".parse().unwrap(),
        user_agent: None,
    }
}

pub(crate) async fn a_passkey_is_found_renamed_and_removed(a: &dyn Store, b: &dyn Store) {
    let (alice, bob) = (create_user(a, "alice").await, create_user(a, "bob").await);
    let (one, two) = (create(a, 1, &alice.id).await, create(a, 2, &alice.id).await);
    assert_eq!(b.passkey(&one.credential_id).await.unwrap(), Some(one.clone()));
    assert_eq!(b.passkey(b"none").await.unwrap(), None);
    assert_eq!(b.passkeys_of_user(&alice.id).await.unwrap(), [one.clone(), two]);
    // What one user has, no other gets.
    let taken = Passkey { user: bob.id.clone(), id: "OTHER".to_owned(), ..one.clone() };
    assert_eq!(b.create_passkey(&taken, &challenge(3)).await.unwrap(), PasskeyCreation::Known);
    assert!(!a.rename_passkey(&bob.id, &one.id, "mine").await.unwrap());
    assert!(!a.delete_passkey(&bob.id, &one.id).await.unwrap());
    assert!(a.rename_passkey(&alice.id, &one.id, "laptop").await.unwrap());
    assert_eq!(b.passkey(&one.credential_id).await.unwrap().unwrap().name, "laptop");
    assert!(a.delete_passkey(&alice.id, &one.id).await.unwrap());
    assert!(!b.delete_passkey(&alice.id, &one.id).await.unwrap());
    assert_eq!(b.passkey(&one.credential_id).await.unwrap(), None);
    // The answer that made it does not bring it back.
    let again = a.create_passkey(&one, &challenge(101)).await.unwrap();
    assert_eq!(again, PasskeyCreation::ChallengeSpent);
}

pub(crate) async fn passkeys_count_as_mfa_devices(a: &dyn Store, b: &dyn Store) {
    let alice = create_user(a, "alice").await;
    let phone = mfa_device("phone");
    a.create_mfa_device(&phone).await.unwrap();
    for number in 1..=8 {
        create(a, number, &alice.id).await;
    }
    let is_full = |result: IdentityError| {
        matches!(result, IdentityError::LimitExceeded { quota: Quota::MfaDevicesPerUser, max: 8 })
    };
    assert!(is_full(b.create_passkey(&passkey(9, &alice.id), &challenge(9)).await.unwrap_err()));
    let counter = MfaCounter { last: 1, drift_steps: 0 };
    let enabled = b.enable_mfa_device(&alice.name, &phone.serial, counter, at(1)).await;
    assert!(is_full(enabled.unwrap_err()));
    assert_eq!(b.identity_counts().await.unwrap().mfa_devices_in_use, 8);
    let refused = b.delete_user(&alice.name).await.unwrap_err();
    let IdentityError::DeleteConflict { remaining, .. } = refused else { panic!("{refused:?}") };
    assert_eq!(remaining, [Dependent::MfaDevices]);
}

pub(crate) async fn a_password_alone_does_not_pass_by_a_passkey(a: &dyn Store, b: &dyn Store) {
    let alice = with_password(a, "alice").await;
    let proof = PasswordProof { password_hash: Secret::new("$argon2id$one".to_owned()), has_mfa: false };
    let with_mfa = PasswordProof { has_mfa: true, ..proof.clone() };
    let begun = async |number: u8, proof: &PasswordProof| {
        let next = sign_in(number, &alice.id, SignInStage::Done);
        b.create_proved_console_sign_in(&next, proof).await.unwrap()
    };
    assert!(begun(1, &proof).await && !begun(2, &with_mfa).await);
    let one = create(a, 1, &alice.id).await;
    assert!(!begun(3, &proof).await && begun(4, &with_mfa).await);
    a.delete_passkey(&alice.id, &one.id).await.unwrap();
    assert!(begun(5, &proof).await);
}

pub(crate) async fn a_challenge_is_answered_once(a: &dyn Store, b: &dyn Store) {
    let alice = with_password(a, "alice").await;
    let one = create(a, 1, &alice.id).await;
    let attempts = (10..30).map(async |number: u8| {
        let store = if number.is_multiple_of(2) { a } else { b };
        let next = sign_in(number, &alice.id, SignInStage::Done);
        store.sign_in_with_passkey(&used(&one, 0, 9), None, &next).await.unwrap()
    });
    let outcomes = join_all(attempts).await;
    assert_eq!(outcomes.iter().filter(|outcome| **outcome == PasskeySignIn::SignedIn).count(), 1);
    assert_eq!(outcomes.iter().filter(|outcome| **outcome == PasskeySignIn::ChallengeSpent).count(), 19);
    assert_eq!(a.console_sign_ins(None, at(51), 100).await.unwrap().len(), 1);
    let known = a.passkey(&one.credential_id).await.unwrap().unwrap();
    assert_eq!((known.last_used_at, known.is_backed_up), (Some(at(50)), true));
    // Nobody remembers a challenge whose time is over.
    let later = PasskeyUse { at: at(300), ..used(&one, 0, 10) };
    let next = sign_in(40, &alice.id, SignInStage::Done);
    assert_eq!(a.sign_in_with_passkey(&later, None, &next).await.unwrap(), PasskeySignIn::SignedIn);
}

pub(crate) async fn a_passkey_signs_in_while_all_it_rests_on_is_there(a: &dyn Store, b: &dyn Store) {
    let (alice, bob) = (with_password(a, "alice").await, with_password(a, "bob").await);
    let one = create(a, 1, &alice.id).await;
    let done = |number| sign_in(number, &alice.id, SignInStage::Done);
    let signs_in = async |used: PasskeyUse, half: Option<&TokenHash>, number: u8| {
        let outcome = b.sign_in_with_passkey(&used, half, &done(number)).await.unwrap();
        let is_there = a.console_sign_in(&done(number).secret).await.unwrap().is_some();
        assert_eq!(is_there, outcome == PasskeySignIn::SignedIn);
        outcome
    };
    let half = sign_in(10, &alice.id, SignInStage::SecondFactor);
    a.create_console_sign_in(&half).await.unwrap();
    assert_eq!(signs_in(used(&one, 3, 11), Some(&half.secret), 11).await, PasskeySignIn::SignedIn);
    assert_eq!(signs_in(used(&one, 4, 12), Some(&half.secret), 12).await, PasskeySignIn::Gone);
    for (sign_count, number) in [(3, 13), (2, 14), (0, 15)] {
        let outcome = signs_in(used(&one, sign_count, number), None, number).await;
        assert_eq!(outcome, PasskeySignIn::CounterWentBack, "{sign_count}");
    }
    assert_eq!(signs_in(used(&one, 4, 16), None, 16).await, PasskeySignIn::SignedIn);
    let of_bob = Passkey { user: bob.id.clone(), ..one.clone() };
    assert_eq!(signs_in(used(&of_bob, 5, 17), None, 17).await, PasskeySignIn::Gone);
    a.delete_login_profile(&alice.name).await.unwrap();
    assert_eq!(signs_in(used(&one, 6, 18), None, 18).await, PasskeySignIn::Gone);
    a.delete_passkey(&alice.id, &one.id).await.unwrap();
    assert_eq!(signs_in(used(&one, 7, 19), None, 19).await, PasskeySignIn::Gone);
}
