//! `RevokeSessions`: refuses from now on all temporary credentials of a user or role that were issued so far. Live
//! sessions that rest on them end, as with everything that is revoked.

use postern_api::postern::{RevokeSessionsInput, RevokeSessionsOutput, errors};
use postern_api::{ApiError, Request};
use postern_ids::{Arn, PrincipalId};
use postern_store::{IdentityError, PrincipalName, Tag};

use crate::routes::call::Call;
use crate::routes::failure;

/// Whose sessions they are.
struct Found {
    name: PrincipalName,
    id: PrincipalId,
    tags: Vec<Tag>,
}

pub(super) async fn revoke_sessions(
    call: Call<RevokeSessionsInput>,
) -> Result<RevokeSessionsOutput, ApiError> {
    let arn = parse(&call, &call.input.principal_arn)?;
    let found = find(&call, &arn).await?;
    let tags = found.as_ref().map(|found| found.tags.as_slice()).unwrap_or_default();
    let _permit = call.authorize([call.check().on(arn.clone()).with_iam_tags(tags)]).await?;
    let found = found.ok_or_else(|| unknown(&arn))?;
    // Later than the request: whatever was issued while it was being decided is meant, too.
    let at = call.app.clock.now();
    call.app.store.revoke_sessions(&found.name, at).await.map_err(|error| match error {
        IdentityError::NotFound(_) => unknown(&arn),
        error => failure::internal(&error),
    })?;
    Ok(RevokeSessionsOutput {
        principal_arn: Some(arn.to_string()),
        principal_id: Some(found.id.to_string()),
        revoked_before: Some(at.into()),
    })
}

/// The ARN of a user or a role of this account.
fn parse<T>(call: &Call<T>, text: &str) -> Result<Arn, ApiError> {
    let prefix = format!("arn:aws:iam::{}:", call.app.account);
    let resource = text.strip_prefix(&prefix);
    let is_principal = resource.is_some_and(|resource| {
        (resource.starts_with("user/") || resource.starts_with("role/")) && !resource.contains(['*', '?'])
    });
    text.parse().ok().filter(|_| is_principal).ok_or_else(|| {
        let message = format!(
            "{text:.200} is not the ARN of a user or role of this account, such as {prefix}role/name."
        );
        ApiError::new(errors::INVALID_PRINCIPAL_EXCEPTION, message)
    })
}

/// The principal, if its ARN is this one, letter by letter.
async fn find<T: Request>(call: &Call<T>, arn: &Arn) -> Result<Option<Found>, ApiError> {
    let (store, account) = (&call.app.store, &call.app.account);
    let Some(name) = arn.resource().rsplit('/').next() else { return Ok(None) };
    let found = if arn.resource().starts_with("user/") {
        let Ok(name) = name.parse() else { return Ok(None) };
        store.user(&name).await.map_err(failure::store)?.map(|user| {
            let found_arn = Arn::user(account, &user.path, &user.name);
            (found_arn, Found { name: PrincipalName::User(user.name), id: user.id, tags: user.tags })
        })
    } else {
        let Ok(name) = name.parse() else { return Ok(None) };
        store.role(&name).await.map_err(failure::store)?.map(|role| {
            let found_arn = Arn::role(account, &role.path, &role.name);
            (found_arn, Found { name: PrincipalName::Role(role.name), id: role.id, tags: role.tags })
        })
    };
    Ok(found.filter(|(found_arn, _)| found_arn == arn).map(|(_, found)| found))
}

fn unknown(arn: &Arn) -> ApiError {
    ApiError::new(errors::PRINCIPAL_NOT_FOUND_EXCEPTION, format!("{arn} cannot be found."))
}
