//! Right and wrong passwords, and what a guesser learns.

use std::net::Ipv4Addr;

use jiff::Timestamp;
use postern_ids::{PrincipalId, PrincipalKind};
use postern_store::{MasterKey, SignInStore as _, SqliteOptions, SqliteStore, User, UserStore as _};

use super::*;
use crate::random::SystemRandom;

const RIGHT: &str = "correct horse battery staple";
const HERE: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));

struct Lab {
    passwords: Passwords,
    store: SqliteStore,
    _directory: tempfile::TempDir,
}

impl Lab {
    /// With `alice`, who has a password, and `bob`, who has none.
    async fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let options = SqliteOptions::new(directory.path().join("postern.db"));
        let store = SqliteStore::open(&options, MasterKey::new([1; 32])).await.unwrap();
        let at: Timestamp = "2026-11-27T08:00:00Z".parse().unwrap();
        for (name, byte) in [("alice", 1), ("bob", 2)] {
            let id = PrincipalId::from_random(PrincipalKind::User, [byte; 17]);
            store.create_user(&User::new(name.parse().unwrap(), id, at)).await.unwrap();
        }
        let passwords = Passwords::new(&SystemRandom);
        let password_hash = passwords.hash(RIGHT, &SystemRandom).await.unwrap();
        let user = "alice".parse().unwrap();
        let profile = LoginProfile { user, password_hash, reset_required: false, created_at: at };
        store.create_login_profile(&profile).await.unwrap();
        Self { passwords, store, _directory: directory }
    }

    async fn check(&self, user: &str, password: &str, address: IpAddr) -> Result<(), PasswordRefused> {
        let user = user.parse().unwrap();
        self.passwords.check(&self.store, &user, password, address).await.map(drop)
    }
}

#[tokio::test]
async fn only_the_users_own_password_is_accepted() {
    let lab = Lab::new().await;
    lab.check("alice", RIGHT, HERE).await.unwrap();
    let long = "x".repeat(100_000);
    for (user, password) in [
        ("alice", "Correct horse battery staple"),
        ("alice", ""),
        ("alice", &long),
        ("bob", RIGHT),
        ("bob", ""),
        ("carol", RIGHT),
    ] {
        let refused = lab.check(user, password, HERE).await.unwrap_err();
        assert!(matches!(refused, PasswordRefused::Wrong), "{user} {password:.10}: {refused:?}");
    }
}

#[tokio::test]
async fn the_hash_is_argon2id_with_a_salt_of_its_own() {
    let passwords = Passwords::new(&SystemRandom);
    let one = passwords.hash(RIGHT, &SystemRandom).await.unwrap();
    let other = passwords.hash(RIGHT, &SystemRandom).await.unwrap();
    assert!(one.expose_secret().starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{}", one.expose_secret());
    assert_ne!(one.expose_secret(), other.expose_secret());
}

#[tokio::test]
async fn a_user_who_does_not_exist_is_hashed_for_as_well() {
    let lab = Lab::new().await;
    // The same parameters, so the same work.
    let nobodys = lab.passwords.nobodys.expose_secret();
    assert!(nobodys.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{nobodys}");
    // No work without room for it: if all room is taken, an unknown user waits as a known one does.
    let room = lab.passwords.room.acquire_many(2).await.unwrap();
    let waiting = lab.check("carol", RIGHT, HERE);
    let waited = tokio::time::timeout(Duration::from_millis(20), waiting).await;
    assert!(waited.is_err());
    drop(room);
}

#[tokio::test]
async fn guessing_at_one_user_ends_whatever_the_address() {
    let lab = Lab::new().await;
    for number in 0..ATTEMPTS_PER_USER {
        let address = IpAddr::from([192, 0, 2, u8::try_from(number).unwrap()]);
        // The same user, spelled in another case.
        let name = if number % 2 == 0 { "alice" } else { "ALICE" };
        assert!(matches!(lab.check(name, "guess", address).await, Err(PasswordRefused::Wrong)));
    }
    let refused = lab.check("alice", RIGHT, HERE).await;
    assert!(matches!(refused, Err(PasswordRefused::TooManyAttempts)), "{refused:?}");
    assert!(matches!(lab.check("bob", RIGHT, HERE).await, Err(PasswordRefused::Wrong)));
}

#[tokio::test]
async fn guessing_from_one_address_ends_whoever_it_is_at() {
    let lab = Lab::new().await;
    for _ in 0..ATTEMPTS_PER_ADDRESS {
        assert!(lab.passwords.addresses.admits(HERE, Instant::now()));
    }
    assert!(matches!(lab.check("alice", RIGHT, HERE).await, Err(PasswordRefused::TooManyAttempts)));
    lab.check("alice", RIGHT, Ipv4Addr::LOCALHOST.into()).await.unwrap();
}

/// The bound as a guesser meets it: however many names and addresses it has, of the passwords of one user it can try
/// ten, and then no more than ten in each quarter of an hour.
#[tokio::test]
async fn made_up_names_do_not_get_a_guesser_more_attempts() {
    let lab = Lab::new().await;
    let now = Instant::now();
    let guess = |user: &str, now| lab.passwords.users.admits(user.to_owned(), now);
    let admitted = (0..1_000).filter(|_| guess("alice", now)).count();
    assert_eq!(admitted, usize::try_from(ATTEMPTS_PER_USER).unwrap());
    for number in 0..40_000 {
        guess(&format!("made-up-{number}"), now);
    }
    let refused = lab.check("alice", RIGHT, HERE).await;
    assert!(matches!(refused, Err(PasswordRefused::TooManyAttempts)), "{refused:?}");
    // As many as come back within the time, one after the other.
    let admitted = (1..=900).filter(|&second| guess("alice", now + Duration::from_secs(second))).count();
    assert!((9..=11).contains(&admitted), "{admitted}");
    lab.check("bob", RIGHT, HERE).await.unwrap_err();
}
