//! A database of an older version becomes one of this version, with everything in it.

use sqlx::migrate::Migrator;

use super::super::open::migrations;
use super::*;
use crate::conformance::identity_samples::{aws_policy, role_name, user_name};
use crate::{
    AttachedPolicy, AuthorizationStore, NewName, PolicyHolder, Principal, PrincipalName, Role, UserStore,
};

/// A database of the first schema, as the first server filled it: an administrator with a key, the role of nodes, a
/// node; and a user and a role that it did not make.
async fn first_schema(path: &Path) {
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(path).create_if_missing(true);
    let pool = SqlitePool::connect_with(options).await.unwrap();
    let first = migrations().into_iter().filter(|migration| migration.version == 1).collect();
    Migrator::with_migrations(first).run(&pool).await.unwrap();
    let key = MasterKey::new([7; 32]);
    let place =
        crate::seal::Place { table: "access_keys", column: "secret_sealed", id: "AKIAAAAAAAAAAAAAAAAA" };
    sqlx::query(
        "INSERT INTO users (name, id, created_at) VALUES
             ('admin', 'AIDAAAAAAAAAAAAAAAAAA', 1), ('alice', 'AIDABBBBBBBBBBBBBBBBB', 1)",
    )
    .execute(&pool)
    .await
    .unwrap();
    sqlx::query("INSERT INTO access_keys VALUES ('AKIAAAAAAAAAAAAAAAAA', ?, 'Admin', 'Active', 1)")
        .bind(key.seal(place, b"secret").unwrap())
        .execute(&pool)
        .await
        .unwrap();
    sqlx::query(
        "INSERT INTO roles (name, id, created_at) VALUES
             ('PosternNode', 'AROAAAAAAAAAAAAAAAAAA', 1), ('Other', 'AROABBBBBBBBBBBBBBBBB', 1)",
    )
    .execute(&pool)
    .await
    .unwrap();
    sqlx::query(
        "INSERT INTO nodes (id, role, fingerprint, public_key_der, public_key_since, registered_at)
         VALUES ('mi-00000000000000001', 'PosternNode', 'f', x'01', 1, 1)",
    )
    .execute(&pool)
    .await
    .unwrap();
    pool.close().await;
}

async fn policies(store: &SqliteStore, principal: PrincipalName) -> (Principal, Vec<AttachedPolicy>) {
    let found = store.principal_policies(&principal).await.unwrap().unwrap();
    (found.principal, found.policies.attached)
}

#[tokio::test]
async fn what_names_allowed_becomes_attached_policies() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("postern.db");
    first_schema(&path).await;
    for _ in 0..2 {
        let store = open(&path).await.unwrap();
        let (_, attached) = policies(&store, PrincipalName::User(user_name("admin"))).await;
        assert_eq!(attached, [AttachedPolicy::AwsManaged(aws_policy("AdministratorAccess"))]);
        let (_, attached) = policies(&store, PrincipalName::User(user_name("alice"))).await;
        assert_eq!(attached, []);

        let (principal, attached) = policies(&store, PrincipalName::Role(role_name("PosternNode"))).await;
        assert_eq!(attached, [AttachedPolicy::AwsManaged(aws_policy("AmazonSSMManagedInstanceCore"))]);
        let Principal::Role(node) = principal else { panic!("{principal:?}") };
        let trust: serde_json::Value = serde_json::from_str(&node.trust_policy).unwrap();
        assert_eq!(trust["Statement"][0]["Principal"]["Service"], "ssm.amazonaws.com");
        assert_eq!(trust["Statement"][0]["Action"], "sts:AssumeRole");
        assert_eq!((node.path.as_str(), node.session_duration_max), ("/", Role::SESSION_DURATION_DEFAULT));

        let (principal, attached) = policies(&store, PrincipalName::Role(role_name("Other"))).await;
        assert_eq!(attached, []);
        let Principal::Role(other) = principal else { panic!("{principal:?}") };
        let trust: serde_json::Value = serde_json::from_str(&other.trust_policy).unwrap();
        assert_eq!(trust["Statement"], serde_json::json!([]), "nobody may assume it");

        assert!(store.node(&"mi-00000000000000001".parse().unwrap()).await.unwrap().is_some());
        store.close().await;
    }
}

#[tokio::test]
async fn what_was_detached_stays_detached() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("postern.db");
    first_schema(&path).await;
    let admin = PolicyHolder::User(user_name("admin"));
    let store = open(&path).await.unwrap();
    crate::HeldPolicyStore::detach_policy(&store, &admin, &aws_policy("AdministratorAccess")).await.unwrap();
    let generation = *store.identity_generation().borrow();
    store.close().await;
    let store = open(&path).await.unwrap();
    assert_eq!(policies(&store, PrincipalName::User(user_name("admin"))).await.1, []);
    assert_eq!(*store.identity_generation().borrow(), generation, "it goes on where it was");
}

#[tokio::test]
async fn a_key_from_before_follows_its_user() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("postern.db");
    first_schema(&path).await;
    let store = open(&path).await.unwrap();
    let id = "AKIAAAAAAAAAAAAAAAAA".parse().unwrap();
    let key = store.access_key(&id).await.unwrap().unwrap();
    assert_eq!((key.user.as_str(), key.secret.expose_secret().as_str()), ("admin", "secret"));
    let renamed = NewName { name: Some(user_name("root-of-all")), path: None };
    store.update_user(&user_name("admin"), &renamed).await.unwrap();
    assert_eq!(store.access_key(&id).await.unwrap().unwrap().user.as_str(), "root-of-all");
}
