//! Where the session that a call of `StartSession` asks for is to lead.

use postern_api::ApiError;
use postern_api::ssm::{StartSessionInput, errors};
use postern_documents::Properties;

use super::document::Document;
use crate::auth::Destination;
use crate::routes::call::Call;

/// What policies are asked about. Empty: it is no session with connections, or one whose connections are asked for one by one,
/// or its parameters are wrong, which is told to those who may start it.
pub(super) fn asked(call: &Call<StartSessionInput>, document: &Document) -> Vec<Destination> {
    let asked = || {
        let session = document.session(call.app.sessions.time_limits).ok()?;
        let given = call.input.parameters.clone().unwrap_or_default();
        let arguments = session.arguments(&given).ok()?;
        let resolved = session.resolve(arguments.as_map()).ok()?;
        Destination::of(&resolved.properties).ok()
    };
    asked().unwrap_or_default()
}

/// The same of arguments that are known to be right; refuses a host that hides which address it is.
pub(super) fn checked(properties: &Properties) -> Result<Vec<Destination>, ApiError> {
    Destination::of(properties).map_err(|error| ApiError::new(errors::INVALID_PARAMETERS, error.to_string()))
}
