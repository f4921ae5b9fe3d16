//! SQLite keeps the rules, and says what is wrong with its file.

use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::*;
use crate::conformance::identity_samples::{create_user, key, mfa_device};
use crate::conformance::samples::{at, register, session, start};
use crate::{
    AccessKeyStore, LoginProfile, NodeStore, Page, Secret, SessionStore, SettingStore, SignInStore,
    StoreError,
};

mod upgrade;

/// Two handles on one file, as two processes would have.
pub(super) struct Stores {
    pub(super) a: SqliteStore,
    pub(super) b: SqliteStore,
    _directory: TempDir,
}

pub(super) async fn open_two() -> Stores {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("postern.db");
    Stores { a: open(&path).await.unwrap(), b: open(&path).await.unwrap(), _directory: directory }
}

crate::conformance::suite!(open_two);

async fn open(path: &Path) -> Result<SqliteStore, OpenError> {
    SqliteStore::open(&SqliteOptions::new(path), MasterKey::new([7; 32])).await
}

/// A file in a new directory, with a database that was used and closed.
async fn used() -> (TempDir, PathBuf) {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("postern.db");
    let store = open(&path).await.unwrap();
    for number in 0..50 {
        register(&store, number).await;
    }
    store.close().await;
    (directory, path)
}

/// Changes the database behind the store's back.
async fn execute(path: &Path, sql: &'static str) {
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(path);
    let pool = SqlitePool::connect_with(options).await.unwrap();
    sqlx::query(sql).execute(&pool).await.unwrap();
    pool.close().await;
}

#[tokio::test]
async fn what_was_stored_is_there_after_opening_again() {
    let (_directory, path) = used().await;
    let options = SqliteOptions { durability: Durability::PowerFailure, ..SqliteOptions::new(&path) };
    let store = SqliteStore::open(&options, MasterKey::new([7; 32])).await.unwrap();
    assert_eq!(store.nodes(&[], &Page::first(100)).await.unwrap().items.len(), 50);
}

#[cfg(unix)]
#[tokio::test]
async fn only_the_owner_can_read_the_files() {
    use std::os::unix::fs::PermissionsExt;

    let directory = TempDir::new().unwrap();
    let store = open(&directory.path().join("postern.db")).await.unwrap();
    register(&store, 1).await;
    let mut files = 0;
    for entry in fs::read_dir(directory.path()).unwrap() {
        let entry = entry.unwrap();
        assert_eq!(entry.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{:?}", entry.path());
        files += 1;
    }
    assert_eq!(files, 3, "the database, its log and the log's index");
}

#[tokio::test]
async fn no_secret_is_in_clear_in_the_files() {
    let directory = TempDir::new().unwrap();
    let store = open(&directory.path().join("postern.db")).await.unwrap();
    let alice = create_user(&store, "alice").await;
    let key = key(1, "alice");
    store.create_access_key(&key).await.unwrap();
    let password_hash = Secret::new("$argon2id$hash-in-clear".to_owned());
    let profile = LoginProfile { user: alice.name, password_hash, reset_required: false, created_at: at(0) };
    store.create_login_profile(&profile).await.unwrap();
    store.create_mfa_device(&mfa_device("phone")).await.unwrap();
    store.put_secret_setting("one", &Secret::new(b"setting-in-clear".to_vec())).await.unwrap();
    store.put_setting("two", b"meant-to-be-seen").await.unwrap();

    let contents: Vec<u8> = fs::read_dir(directory.path())
        .unwrap()
        .flat_map(|entry| fs::read(entry.unwrap().path()).unwrap())
        .collect();
    let holds = |text: &[u8]| contents.windows(text.len()).any(|window| window == text);
    let shown: [&[u8]; 3] = [b"meant-to-be-seen", key.id.as_str().as_bytes(), b"mfa/phone"];
    assert!(shown.into_iter().all(holds), "the test looks in the right place");
    let hidden: [&[u8]; 5] = [
        key.secret.expose_secret().as_bytes(),
        b"hash-in-clear",
        b"argon2id",
        b"seed of phone",
        b"setting-in-clear",
    ];
    for secret in hidden {
        assert!(!holds(secret), "{}", String::from_utf8_lossy(secret));
    }
}

#[tokio::test]
async fn another_master_key_is_refused() {
    let (_directory, path) = used().await;
    let refused = SqliteStore::open(&SqliteOptions::new(&path), MasterKey::new([8; 32])).await;
    assert!(matches!(refused, Err(OpenError::WrongMasterKey { .. })), "{refused:?}");
    open(&path).await.unwrap();
}

#[tokio::test]
async fn another_file_is_refused_and_left_alone() {
    let (directory, _) = used().await;
    let text = directory.path().join("notes.txt");
    fs::write(&text, "shopping list").unwrap();
    let refused = open(&text).await;
    assert!(matches!(refused, Err(OpenError::NotADatabase { .. })), "{refused:?}");
    assert_eq!(fs::read_to_string(&text).unwrap(), "shopping list");

    let foreign = directory.path().join("foreign.db");
    fs::write(&foreign, "").unwrap();
    execute(&foreign, "CREATE TABLE bookmarks (url TEXT)").await;
    let refused = open(&foreign).await;
    assert!(matches!(refused, Err(OpenError::NotADatabase { .. })), "{refused:?}");
}

#[tokio::test]
async fn a_damaged_file_is_refused() {
    for (from, name) in [(100, "the first page"), (4096 * 3, "a later page")] {
        let (_directory, path) = used().await;
        let mut bytes = fs::read(&path).unwrap();
        let end = bytes.len().min(from + 4096 * 8);
        bytes[from..end].fill(0x5a);
        fs::write(&path, bytes).unwrap();
        let refused = open(&path).await;
        assert!(matches!(refused, Err(OpenError::Damaged { .. })), "{name}: {refused:?}");
    }
    let (_directory, path) = used().await;
    let bytes = fs::read(&path).unwrap();
    fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
    let refused = open(&path).await;
    assert!(matches!(refused, Err(OpenError::Damaged { .. })), "cut off: {refused:?}");
}

#[tokio::test]
async fn a_newer_schema_is_refused() {
    let (_directory, path) = used().await;
    execute(
        &path,
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
         VALUES (99, 'from the future', TRUE, x'00', 0)",
    )
    .await;
    let refused = open(&path).await;
    assert!(matches!(refused, Err(OpenError::NewerSchema { found: 99, .. })), "{refused:?}");
}

#[tokio::test]
async fn a_place_that_cannot_be_written_is_refused() {
    let directory = TempDir::new().unwrap();
    let file = directory.path().join("file");
    fs::write(&file, "").unwrap();
    for path in
        [directory.path().join("missing/postern.db"), file.join("postern.db"), directory.path().into()]
    {
        let refused = open(&path).await;
        assert!(matches!(refused, Err(OpenError::NotWritable { .. })), "{path:?}: {refused:?}");
    }
}

#[tokio::test]
async fn every_refusal_names_the_file_and_a_remedy() {
    let path = PathBuf::from("/data/postern.db");
    let errors = [
        OpenError::NotWritable { path: path.clone(), source: "x".into() },
        OpenError::NotADatabase { path: path.clone() },
        OpenError::Damaged { path: path.clone(), finding: "x".to_owned() },
        OpenError::NewerSchema { path: path.clone(), found: 2, known: 1 },
        OpenError::WrongMasterKey { path: path.clone() },
        OpenError::InUse { path: path.clone() },
        OpenError::Other { path, source: "x".into() },
    ];
    for error in errors {
        assert!(error.to_string().contains("/data/postern.db"), "{error}");
        assert!(error.remedy().ends_with(['.', 'r']), "{error}");
    }
}

#[tokio::test]
async fn rows_that_cannot_be_understood_are_named() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("postern.db");
    let store = open(&path).await.unwrap();
    let node = register(&store, 1).await;
    start(&store, &session("one", &node.id, at(20))).await;
    let cases = [
        ("UPDATE nodes SET platform_type = 'BeOS'", "nodes", "platform_type"),
        (
            "UPDATE nodes SET platform_type = NULL, registered_at = 9223372036854775807",
            "nodes",
            "registered_at",
        ),
        ("UPDATE sessions SET status = 'Asleep'", "sessions", "status"),
        ("UPDATE sessions SET status = 'Connected', parameters = '{'", "sessions", "parameters"),
        ("UPDATE sessions SET parameters = '{}', owner_arn = 'alice'", "sessions", "owner_arn"),
        (
            "UPDATE sessions SET owner_arn = 'arn:aws:iam::1:user/a', exit_code = 4294967296",
            "sessions",
            "exit_code",
        ),
    ];
    for (sql, expected_table, expected_column) in cases {
        execute(&path, sql).await;
        let error = match expected_table {
            "nodes" => store.node(&node.id).await.unwrap_err(),
            _ => store.session(&"one".parse().unwrap()).await.unwrap_err(),
        };
        let StoreError::InvalidRow { table, column, id, .. } = &error else { panic!("{sql}: {error:?}") };
        assert_eq!((*table, *column), (expected_table, expected_column), "{sql}: {error:?}");
        assert!(id == node.id.as_str() || id == "one", "{sql}: {error}");
    }
}

#[tokio::test]
async fn a_secret_moved_to_another_row_does_not_open() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("postern.db");
    let store = open(&path).await.unwrap();
    store.put_secret_setting("one", &Secret::new(b"1".to_vec())).await.unwrap();
    store.put_secret_setting("two", &Secret::new(b"2".to_vec())).await.unwrap();
    execute(
        &path,
        "UPDATE secret_settings SET value_sealed = (SELECT value_sealed FROM secret_settings WHERE name = 'one')
         WHERE name = 'two'",
    )
    .await;
    let error = store.secret_setting("two").await.unwrap_err();
    assert!(matches!(&error, StoreError::InvalidRow { id, .. } if id == "two"), "{error:?}");
    assert_eq!(store.secret_setting("one").await.unwrap(), Some(Secret::new(b"1".to_vec())));
}

#[tokio::test]
async fn listings_use_their_indexes() {
    let directory = TempDir::new().unwrap();
    let store = open(&directory.path().join("postern.db")).await.unwrap();
    let plans = [
        (
            "EXPLAIN QUERY PLAN SELECT * FROM sessions WHERE ended_at IS NULL ORDER BY started_at DESC, id",
            "sessions_live",
        ),
        (
            "EXPLAIN QUERY PLAN SELECT * FROM sessions WHERE ended_at >= 1 AND started_at <= 5 ORDER BY started_at DESC, id",
            "sessions_by_start",
        ),
        (
            "EXPLAIN QUERY PLAN SELECT id FROM sessions WHERE node_id = 'x' AND ended_at IS NULL ORDER BY id",
            "sessions_",
        ),
        ("EXPLAIN QUERY PLAN SELECT id FROM nodes WHERE public_key_der = x'00'", "sqlite_autoindex_nodes"),
        ("EXPLAIN QUERY PLAN SELECT * FROM access_keys WHERE id = 'x'", "sqlite_autoindex_access_keys"),
        ("EXPLAIN QUERY PLAN SELECT id FROM roles WHERE boundary_arn = 'x'", "roles_by_boundary"),
        ("EXPLAIN QUERY PLAN SELECT count(*) FROM policy_attachments WHERE policy_arn = 'x'", "by_policy"),
        ("EXPLAIN QUERY PLAN SELECT count(*) FROM mfa_devices WHERE user_id = 'x'", "mfa_devices_by_user"),
    ];
    for (sql, index) in plans {
        let rows = sqlx::query(sql).fetch_all(&store.readers).await.unwrap();
        let plan: Vec<String> = rows.iter().map(|row| sqlx::Row::get(row, "detail")).collect();
        assert!(plan.iter().any(|step| step.contains(index)), "{sql}: {plan:?}");
    }
}
