//! The MFA code in a request.

use jiff::Timestamp;
use postern_api::{ApiError, CommonError, Secret};
use postern_ids::MfaSerial;

use crate::app::App;
use crate::auth::{Caller, MfaRefused, Principal};
use crate::routes::failure;

/// Whether the request proves with a code that the user is there. A code is used up by that, whatever comes of the
/// request. No code and no serial number: `false`.
pub(super) async fn is_proved(
    app: &App,
    caller: &Caller,
    serial: Option<&str>,
    code: Option<&Secret>,
    at: Timestamp,
) -> Result<bool, ApiError> {
    let (serial, code) = match (serial, code) {
        (None, None) => return Ok(false),
        (Some(serial), Some(code)) => (serial, code),
        _ => return Err(refused(MfaRefused::Incomplete)),
    };
    let Principal::User { name, .. } = &caller.principal else {
        return Err(refused(MfaRefused::NotYourDevice));
    };
    let serial: MfaSerial = serial.parse().map_err(|_| refused(MfaRefused::NotYourDevice))?;
    let accepted = app.mfa_codes.accept(&*app.store, name, &serial, code.expose_secret(), at).await;
    accepted.map(|()| true).map_err(refused)
}

fn refused(error: MfaRefused) -> ApiError {
    match error {
        MfaRefused::Store(error) => failure::store(error),
        refused => ApiError::new(CommonError::AccessDenied, refused.to_string()),
    }
}
