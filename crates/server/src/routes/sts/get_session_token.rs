//! `GetSessionToken`: a user gets credentials for a while, mostly to prove with an MFA code that it is the user.

use jiff::SignedDuration;
use postern_api::ApiError;
use postern_api::sts::{GetSessionTokenInput, GetSessionTokenOutput};

use super::{credentials, mfa};
use crate::auth::{Bearer, Principal, TokenFacts};
use crate::routes::call::Call;

const DURATION_DEFAULT: SignedDuration = SignedDuration::from_hours(12);

/// No permission is needed for it, and a policy can deny it only by what it says of `sts:GetSessionToken`.
pub(super) async fn get_session_token(
    call: Call<GetSessionTokenInput>,
) -> Result<GetSessionTokenOutput, ApiError> {
    // Credentials of `GetSessionToken` itself were turned away with their signature.
    let Principal::User { name, id, .. } = &call.caller.principal else {
        return Err(credentials::denied("Cannot call GetSessionToken with session credentials"));
    };
    let input = &call.input;
    let code = (input.serial_number.as_deref(), input.token_code.as_ref());
    let has_code = mfa::is_proved(&call.app, &call.caller, code.0, code.1, call.at).await?;
    let permit = call.authorize([call.check()]).await?;
    let asked = input.duration_seconds.map(|seconds| SignedDuration::from_secs(seconds.into()));
    let facts = TokenFacts {
        mfa_at: has_code.then_some(call.at),
        issued_by: call.caller.access_key_id.as_deref().and_then(|key| key.parse().ok()),
        ..TokenFacts::new(call.at, asked.unwrap_or(DURATION_DEFAULT))
    };
    let bearer = Bearer::User { name: name.clone(), id: id.clone() };
    let issued = credentials::issue(&call.app, permit, bearer, facts, input.minimum_session_token_size)?;
    Ok(GetSessionTokenOutput {
        credentials: Some(credentials::answered(&issued)),
        session_token_utilization: Some(credentials::token_utilization(&issued)),
        session_token_size: Some(credentials::token_size(&issued)),
    })
}
