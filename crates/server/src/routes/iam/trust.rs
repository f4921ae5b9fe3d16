//! Whom trust policies name.
//!
//! A policy names users and roles by their ARNs, and means those that have them when it is written: a user who is
//! deleted and created anew is another one. So a principal must exist when a policy that names it is stored, and when
//! it goes, the policies name it by its unique identifier, which nobody has again. Source: "AWS JSON policy elements:
//! Principal", IAM User Guide.

use postern_api::ApiError;
use postern_api::iam::errors::MALFORMED_POLICY_DOCUMENT_EXCEPTION;
use postern_iam::PolicyKind;
use postern_ids::{Arn, PrincipalId, RoleName, UserName};
use postern_store::{IdentityError, Page, Role, RoleUpdate};
use serde_json::Value;

use super::{document, refusal, roles, users};
use crate::app::App;
use crate::routes::failure;

/// Roles that are read at a time.
const ROLES_AT_A_TIME: u32 = 500;

/// Refuses what is no trust policy, and one that names a user or a role of this account that does not exist.
pub(super) async fn check(app: &App, text: &str) -> Result<(), ApiError> {
    document::check(PolicyKind::Trust, text)?;
    // It has just been read as JSON.
    let mut policy: Value = serde_json::from_str(text).map_err(|error| failure::internal(&error))?;
    for arn in principals(&mut policy).into_iter().filter_map(|principal| principal.as_str()) {
        if !exists(app, arn).await? {
            let message = format!("Invalid principal in policy: \"AWS\":\"{arn}\"");
            return Err(ApiError::new(MALFORMED_POLICY_DOCUMENT_EXCEPTION, message));
        }
    }
    Ok(())
}

/// Whether the principal may be named. Of other accounts, and of what is no user or role, nothing is known here.
async fn exists(app: &App, text: &str) -> Result<bool, ApiError> {
    let Ok(arn) = text.parse::<Arn>() else { return Ok(true) };
    if text.split(':').nth(4) != Some(app.account.as_str()) {
        return Ok(true);
    }
    let (kind, rest) = arn.resource().split_once('/').unwrap_or((arn.resource(), ""));
    let name = rest.rsplit('/').next().unwrap_or(rest);
    match kind {
        "user" => {
            let Ok(name) = name.parse::<UserName>() else { return Ok(false) };
            let found = app.store.user(&name).await.map_err(failure::store)?;
            Ok(found.is_some_and(|user| users::arn(&app.account, &user) == arn))
        }
        "role" => {
            let Ok(name) = name.parse::<RoleName>() else { return Ok(false) };
            let found = app.store.role(&name).await.map_err(failure::store)?;
            Ok(found.is_some_and(|role| roles::arn(&app.account, &role) == arn))
        }
        "assumed-role" => {
            let name = rest.split('/').next().unwrap_or(rest);
            let Ok(name) = name.parse::<RoleName>() else { return Ok(false) };
            Ok(app.store.role(&name).await.map_err(failure::store)?.is_some())
        }
        _ => Ok(true),
    }
}

/// Makes every trust policy that names `gone` name the unique identifier, which is nobody's any more.
pub(super) async fn forget(app: &App, gone: &Arn, id: &PrincipalId) -> Result<(), ApiError> {
    rename(app, gone, id.as_str(), id).await
}

/// Makes every trust policy that names `old` name `new`; where that would make a policy too long, `id`, so that at
/// least nobody else is meant.
pub(super) async fn rename(app: &App, old: &Arn, new: &str, id: &PrincipalId) -> Result<(), ApiError> {
    let mut page = Page::first(ROLES_AT_A_TIME);
    loop {
        let found = app.store.roles("/", &page).await.map_err(failure::store)?;
        for role in found.items {
            if let Some(changed) = renamed(&role.trust_policy, old, new) {
                put(app, &role, changed, renamed(&role.trust_policy, old, id.as_str())).await?;
            }
        }
        match found.next {
            Some(next) => page.after = Some(next),
            None => return Ok(()),
        }
    }
}

async fn put(app: &App, role: &Role, changed: String, shorter: Option<String>) -> Result<(), ApiError> {
    let update = |trust_policy| RoleUpdate { trust_policy, ..RoleUpdate::default() };
    let done = match app.store.update_role(&role.name, &update(Some(changed))).await {
        Err(IdentityError::LimitExceeded { .. }) => app.store.update_role(&role.name, &update(shorter)).await,
        done => done,
    };
    match done {
        // A role that went in the meantime trusts nobody.
        Ok(_) | Err(IdentityError::NotFound(_)) => Ok(()),
        Err(error) => Err(refusal::identity(error)),
    }
}

/// The policy with another name for a principal, if it names it.
fn renamed(text: &str, old: &Arn, new: &str) -> Option<String> {
    let mut policy: Value = serde_json::from_str(text).ok()?;
    let mut is_changed = false;
    for principal in principals(&mut policy) {
        if principal.as_str() == Some(old.as_str()) {
            *principal = Value::from(new);
            is_changed = true;
        }
    }
    is_changed.then(|| policy.to_string())
}

/// The values of `AWS` in the principals of every statement.
fn principals(policy: &mut Value) -> Vec<&mut Value> {
    let Some(statements) = policy.get_mut("Statement") else { return Vec::new() };
    let mut found = Vec::new();
    for statement in each(statements).into_iter().filter_map(Value::as_object_mut) {
        for (element, value) in statement.iter_mut() {
            if matches!(element.as_str(), "Principal" | "NotPrincipal") {
                found.extend(value.get_mut("AWS").map(each).unwrap_or_default());
            }
        }
    }
    found
}

/// The items of a list; a single value is a list of one.
fn each(value: &mut Value) -> Vec<&mut Value> {
    match value {
        Value::Array(items) => items.iter_mut().collect(),
        single => vec![single],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_principal_is_renamed_wherever_it_stands_and_nothing_else_is() {
        let alice: Arn = "arn:aws:iam::111122223333:user/alice".parse().unwrap();
        let cases = [
            (
                r#"{"Statement":{"Principal":{"AWS":"arn:aws:iam::111122223333:user/alice"}}}"#,
                Some(r#"{"Statement":{"Principal":{"AWS":"AIDA1"}}}"#),
            ),
            (
                r#"{"Statement": [{"NotPrincipal": {"AWS": ["a", "arn:aws:iam::111122223333:user\/alice"]}}, {"Sid": "x"}]}"#,
                Some(r#"{"Statement":[{"NotPrincipal":{"AWS":["a","AIDA1"]}},{"Sid":"x"}]}"#),
            ),
            (r#"{"Statement":{"Principal":{"AWS":"arn:aws:iam::111122223333:user/alice2"}}}"#, None),
            (r#"{"Statement":{"Sid":"arn:aws:iam::111122223333:user/alice","Principal":"*"}}"#, None),
            (r#"{"Statement":{"Principal":{"Federated":"arn:aws:iam::111122223333:user/alice"}}}"#, None),
        ];
        for (text, expected) in cases {
            assert_eq!(renamed(text, &alice, "AIDA1").as_deref(), expected, "{text}");
        }
    }
}
