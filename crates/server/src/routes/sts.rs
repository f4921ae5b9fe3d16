//! The operations of `sts`: who somebody is, and credentials for a while.

mod assume_role;
mod assume_role_with_web_identity;
mod credentials;
mod get_caller_identity;
mod get_session_token;
mod mfa;
mod role;
mod role_checks;
mod session_policies;
mod session_tags;

use std::sync::Arc;

use postern_api::query::Form;
use postern_api::{Answer, ApiError, sts::Operation};

pub(crate) use assume_role::take_on as take_on_role;
pub(crate) use assume_role_with_web_identity::take_on as take_on_role_by_web_identity;

use super::serve_query;
use crate::app::App;
use crate::inbound::Inbound;

pub(super) async fn run(
    app: &Arc<App>,
    operation: Operation,
    form: &Form,
    inbound: &Inbound,
) -> Result<Answer, ApiError> {
    match operation {
        Operation::AssumeRole => serve_query(app, form, inbound, assume_role::assume_role).await,
        Operation::AssumeRoleWithWebIdentity => {
            let work = assume_role_with_web_identity::assume_role_with_web_identity;
            serve_query(app, form, inbound, work).await
        }
        Operation::GetCallerIdentity => {
            serve_query(app, form, inbound, get_caller_identity::get_caller_identity).await
        }
        Operation::GetSessionToken => {
            serve_query(app, form, inbound, get_session_token::get_session_token).await
        }
    }
}
