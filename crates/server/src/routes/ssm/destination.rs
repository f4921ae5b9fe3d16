//! Where the session that a call of `StartSession` asks for is to lead.

use postern_api::ApiError;
use postern_api::ssm::{StartSessionInput, errors};

use super::document::Document;
use crate::auth::Destination;
use crate::routes::call::Call;

/// What policies are asked about. `None`: it is no session with connections, or its parameters are wrong, which is told to
/// those who may start it.
pub(super) fn asked(call: &Call<StartSessionInput>, document: &Document) -> Option<Destination> {
    let session = document.session(call.app.sessions.time_limits).ok()?;
    let given = call.input.parameters.clone().unwrap_or_default();
    let arguments = session.arguments(&given).ok()?;
    let resolved = session.resolve(arguments.as_map()).ok()?;
    Destination::of(&resolved.properties)
}

/// Refuses a host that hides which address it is.
pub(super) fn check(destination: Option<&Destination>) -> Result<(), ApiError> {
    match destination.filter(|destination| destination.is_in_disguise()) {
        None => Ok(()),
        Some(destination) => Err(ApiError::new(
            errors::INVALID_PARAMETERS,
            format!(
                "Parameter \"host\" has value \"{:.256}\", which is neither a name nor an address in its usual form.",
                destination.host
            ),
        )),
    }
}
