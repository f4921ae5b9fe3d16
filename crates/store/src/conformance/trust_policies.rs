//! Rules of trust policies: whom they name, and what becomes of that.

use postern_ids::PrincipalId;

use super::identity_samples::*;
use crate::{IdentityError, NewName, Role, RoleUpdate, Store};

/// The principals of the account that the stores are for.
const ALICE: &str = "arn:aws:iam::000000000000:user/alice";
const OPS: &str = "arn:aws:iam::000000000000:role/Ops";
const SESSION: &str = "arn:aws:sts::000000000000:assumed-role/Ops/bob";

fn trust(principals: &[&str]) -> String {
    let statement =
        serde_json::json!({"Effect": "Allow", "Principal": {"AWS": principals}, "Action": "sts:AssumeRole"});
    serde_json::json!({"Version": "2012-10-17", "Statement": [statement]}).to_string()
}

fn role_trusting(name: &str, principals: &[&str]) -> Role {
    Role { trust_policy: trust(principals), ..role(name) }
}

fn now_trusting(principals: &[&str]) -> RoleUpdate {
    RoleUpdate { trust_policy: Some(trust(principals)), ..RoleUpdate::default() }
}

async fn trust_of(store: &dyn Store, name: &str) -> String {
    store.role(&role_name(name)).await.unwrap().unwrap().trust_policy
}

pub(crate) async fn they_name_only_whom_there_is(a: &dyn Store, b: &dyn Store) {
    create_user(a, "alice").await;
    create_role(b, "Ops").await;
    let known = [ALICE, OPS, SESSION, "000000000000", "*", "arn:aws:iam::999999999999:user/who-knows"];
    a.create_role(&role_trusting("Trusting", &known)).await.unwrap();
    for unknown in [
        "arn:aws:iam::000000000000:user/eve",
        "arn:aws:iam::000000000000:user/ops/alice",
        "arn:aws:iam::000000000000:user/Alice",
        "arn:aws:iam::000000000000:role/Nobody",
        "arn:aws:sts::000000000000:assumed-role/Nobody/bob",
        // Not even itself.
        "arn:aws:iam::000000000000:role/New",
    ] {
        let is_told =
            |error| matches!(error, IdentityError::PrincipalUnknown { principal } if principal == unknown);
        let refused = a.create_role(&role_trusting("New", &[ALICE, unknown])).await.unwrap_err();
        assert!(is_told(refused), "{unknown}");
        assert_eq!(b.role(&role_name("New")).await.unwrap(), None);
        let refused = a.update_role(&role_name("Trusting"), &now_trusting(&[unknown])).await.unwrap_err();
        assert!(is_told(refused), "{unknown}");
        assert_eq!(trust_of(b, "Trusting").await, trust(&known));
    }
}

pub(crate) async fn they_follow_whom_they_name_and_forget_who_is_gone(a: &dyn Store, b: &dyn Store) {
    let alice = create_user(a, "alice").await;
    create_user(a, "alice2").await;
    let ops = create_role(a, "Ops").await;
    let other = "arn:aws:iam::000000000000:user/alice2";
    a.create_role(&role_trusting("Trusting", &[ALICE, other, OPS, SESSION])).await.unwrap();

    let new = NewName { name: Some(user_name("alicia")), path: Some("/ops/".parse().unwrap()) };
    b.update_user(&alice.name, &new).await.unwrap();
    let alicia = "arn:aws:iam::000000000000:user/ops/alicia";
    assert_eq!(trust_of(a, "Trusting").await, trust(&[alicia, other, OPS, SESSION]));
    b.update_user(&user_name("alicia"), &NewName { name: None, path: None }).await.unwrap();

    a.delete_user(&user_name("alicia")).await.unwrap();
    assert_eq!(trust_of(b, "Trusting").await, trust(&[alice.id.as_str(), other, OPS, SESSION]));
    a.delete_role(&ops.name).await.unwrap();
    let gone = trust(&[alice.id.as_str(), other, ops.id.as_str(), ops.id.as_str()]);
    assert_eq!(trust_of(b, "Trusting").await, gone);
    // Who has the names now is somebody else.
    create_user(a, "alicia").await;
    create_role(a, "Ops").await;
    assert_eq!(trust_of(b, "Trusting").await, gone);

    // A new name that leaves no room is not worth a policy that nobody could store.
    let bob: PrincipalId = create_user(a, "bob").await.id;
    let filler = "arn:aws:iam::999999999999:user/a-user-of-another-account";
    let mut full = vec!["arn:aws:iam::000000000000:user/bob"];
    while trust(&full).chars().filter(|c| !c.is_whitespace()).count() <= 4_000 {
        full.push(filler);
    }
    a.create_role(&role_trusting("Full", &full)).await.unwrap();
    let long = NewName { name: None, path: Some(format!("/{}/", "x".repeat(200)).parse().unwrap()) };
    a.update_user(&user_name("bob"), &long).await.unwrap();
    full[0] = bob.as_str();
    assert_eq!(trust_of(b, "Full").await, trust(&full));
}

/// Whichever comes first: no policy names somebody who is gone, so that nobody who comes after is meant.
pub(crate) async fn deleting_and_trusting_do_not_cross(a: &dyn Store, b: &dyn Store) {
    a.create_role(&role_trusting("Trusting", &[])).await.unwrap();
    for number in 0..20 {
        let name = format!("user{number}");
        let arn = format!("arn:aws:iam::000000000000:user/{name}");
        create_user(a, &name).await;
        let update = now_trusting(&[&arn]);
        let (trusting, user) = (role_name("Trusting"), user_name(&name));
        let (trusted, deleted) = tokio::join!(a.update_role(&trusting, &update), b.delete_user(&user));
        deleted.unwrap();
        if let Err(error) = trusted {
            assert!(matches!(error, IdentityError::PrincipalUnknown { .. }), "{error:?}");
        }
        assert!(!trust_of(a, "Trusting").await.contains(&arn), "{number}");
    }
}
