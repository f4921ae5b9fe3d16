//! A role that somebody wants to take on, and the session that comes of it.

use jiff::SignedDuration;
use postern_api::ApiError;
use postern_api::sts::AssumedRoleUser;
use postern_ids::{Arn, RoleName, UserName};
use postern_store::{Role, StoreError};

use super::credentials::{denied, invalid};
use crate::app::App;
use crate::auth::{Bearer, Caller, Principal};
use crate::routes::failure;

/// How long a session lasts unless the request says otherwise.
const DURATION_DEFAULT: SignedDuration = SignedDuration::from_hours(1);
/// How long a session of a role can last that was taken on from a session of a role.
/// Source: "Roles terms and concepts", IAM User Guide, "Role chaining".
const CHAINED_DURATION_MAX: SignedDuration = SignedDuration::from_hours(1);

/// The role with this ARN. Whether it does not exist or may not be taken on, nobody is told.
pub(super) async fn find(
    app: &App,
    caller: &Caller,
    arn: &str,
    action: &str,
) -> Result<(Role, Arn), ApiError> {
    let unknown = || {
        let who = caller.principal.name();
        denied(match caller.principal {
            Principal::Anonymous | Principal::WebIdentity { .. } => {
                format!("Not authorized to perform {action}")
            }
            _ => format!("User: {who} is not authorized to perform: {action} on resource: {arn}"),
        })
    };
    let parsed: Arn = arn.parse().map_err(|_| invalid(format!("{arn} is invalid")))?;
    let name = parsed.resource().rsplit('/').next().unwrap_or_default();
    let name: RoleName = name.parse().map_err(|_| invalid(format!("{arn} is invalid")))?;
    let role = app.store.role(&name).await.map_err(failure::store)?.ok_or_else(unknown)?;
    let real = Arn::role(&app.account, &role.path, &role.name);
    if real == parsed { Ok((role, real)) } else { Err(unknown()) }
}

/// How long the session lasts, as far as `role` allows.
pub(super) fn duration(
    asked: Option<i32>,
    role: &Role,
    is_chained: bool,
) -> Result<SignedDuration, ApiError> {
    let asked = asked.map(|seconds| SignedDuration::from_secs(seconds.into()));
    let duration = asked.unwrap_or(DURATION_DEFAULT);
    if is_chained && duration > CHAINED_DURATION_MAX {
        return Err(invalid(
            "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining.",
        ));
    }
    if duration > role.session_duration_max {
        return Err(invalid(
            "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.",
        ));
    }
    Ok(duration)
}

/// Refuses a session's name by which its sessions on nodes could be taken for a user's: a policy for
/// `session/${aws:username}-*` would let that user into them, and with a user's own name somebody else into hers.
pub(super) async fn check_session_name(app: &App, caller: &Caller, name: &str) -> Result<(), ApiError> {
    let confused = confused_with(app, caller, name).await.map_err(failure::store)?;
    match confused {
        None => Ok(()),
        Some(user) => Err(invalid(format!(
            "The role session name {name} could be taken for the user {user}: choose one that is neither a user's name nor begins with one and a hyphen."
        ))),
    }
}

/// The user other than the caller whose name is `name` up to a hyphen, or all of it.
async fn confused_with(app: &App, caller: &Caller, name: &str) -> Result<Option<UserName>, StoreError> {
    let own = match &caller.principal {
        Principal::User { name, .. } => Some(name.as_str()),
        // Whoever got that name before may keep it along the chain.
        Principal::RoleSession { session_name, .. } if session_name == name => return Ok(None),
        _ => None,
    };
    let hyphens = name.match_indices('-').map(|(at, _)| at);
    for cut in hyphens.chain([name.len()]) {
        let Ok(candidate) = name[..cut].parse::<UserName>() else { continue };
        if own == Some(candidate.as_str()) {
            continue;
        }
        // Names are unique whatever their case, but policies compare with it.
        if let Some(user) = app.store.user(&candidate).await?
            && user.name == candidate
        {
            return Ok(Some(user.name));
        }
    }
    Ok(None)
}

/// Who acts in a session of `role`.
pub(super) fn bearer(role: &Role, session_name: &str) -> Bearer {
    Bearer::Role {
        name: role.name.clone(),
        id: Some(role.id.clone()),
        session_name: session_name.to_owned(),
        node: None,
    }
}

/// The session as answers name it.
pub(super) fn assumed_role_user(app: &App, role: &Role, session_name: &str) -> AssumedRoleUser {
    AssumedRoleUser {
        assumed_role_id: format!("{}:{session_name}", role.id),
        arn: Arn::assumed_role(&app.account, &role.name, session_name).to_string(),
    }
}
