//! The operations of `sts`.

mod get_caller_identity;

use std::sync::Arc;

use postern_api::query::Form;
use postern_api::{Answer, ApiError, sts::Operation};

use super::{not_served, serve_query};
use crate::app::App;
use crate::inbound::Inbound;

pub(super) async fn run(
    app: &Arc<App>,
    operation: Operation,
    form: &Form,
    inbound: &Inbound,
) -> Result<Answer, ApiError> {
    match operation {
        Operation::GetCallerIdentity => {
            serve_query(app, form, inbound, get_caller_identity::get_caller_identity).await
        }
        Operation::AssumeRole | Operation::AssumeRoleWithWebIdentity | Operation::GetSessionToken => {
            Err(not_served())
        }
    }
}
