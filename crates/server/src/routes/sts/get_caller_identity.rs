//! `GetCallerIdentity`: who the credentials belong to.

use postern_api::ApiError;
use postern_api::sts::{GetCallerIdentityInput, GetCallerIdentityOutput};

use crate::routes::call::Call;

/// No policy can deny it.
pub(super) async fn get_caller_identity(
    call: Call<GetCallerIdentityInput>,
) -> Result<GetCallerIdentityOutput, ApiError> {
    let _permit = call.authorize([call.check()]).await?;
    Ok(GetCallerIdentityOutput {
        user_id: call.caller.principal.user_id(),
        account: Some(call.app.account.to_string()),
        arn: Some(call.caller.principal.name().to_owned()),
    })
}
