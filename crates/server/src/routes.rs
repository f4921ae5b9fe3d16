//! Operations: one file each, named after it. Every one authenticates, checks its input, asks for a permit, and
//! only then works.

mod call;
mod cloudtrail;
mod ec2messages;
pub(crate) mod failure;
mod iam;
mod kms;
mod logs;
mod postern;
pub(crate) mod s3;
mod ssm;
pub(crate) mod ssmmessages;
mod sts;

use std::sync::Arc;

use postern_api::query::Form;
use postern_api::{Answer, ApiError, CommonError, Operation, QueryRequest, Request, json, query};

use crate::app::App;
use crate::auth::Action;
use crate::inbound::Inbound;

pub(crate) use call::Call;
pub(crate) use iam::check_new_password;
pub(crate) use logs::start_live_tail;
pub(crate) use sts::{take_on_role, take_on_role_by_web_identity};

/// Runs an operation of a JSON service and gives its answer's body.
pub(crate) async fn json(
    app: &Arc<App>,
    operation: Operation,
    inbound: &Inbound,
) -> Result<Vec<u8>, ApiError> {
    match operation {
        Operation::Ssm(operation) => ssm::run(app, operation, inbound).await,
        Operation::Ec2messages(operation) => ec2messages::run(app, operation, inbound).await,
        Operation::Cloudtrail(operation) => cloudtrail::run(app, operation, inbound).await,
        Operation::Logs(operation) => logs::run(app, operation, inbound).await,
        Operation::Postern(operation) => postern::run(app, operation, inbound).await,
        Operation::Kms(operation) => kms::run(app, operation, inbound).await,
        Operation::Iam(_) | Operation::Sts(_) => Err(not_served()),
    }
}

/// Runs an operation of a Query service and gives its whole answer.
pub(crate) async fn query(
    app: &Arc<App>,
    operation: Operation,
    form: &Form,
    inbound: &Inbound,
) -> Result<Answer, ApiError> {
    match operation {
        Operation::Iam(operation) => iam::run(app, operation, form, inbound).await,
        Operation::Sts(operation) => sts::run(app, operation, form, inbound).await,
        // The others take no forms.
        _ => Err(not_served()),
    }
}

/// The answer to an operation of the model that this server does not do.
fn not_served() -> ApiError {
    ApiError::new(CommonError::UnknownOperation, "This server does not do this operation.")
}

/// Authenticates, reads the input and hands both to `work`.
async fn serve_json<T, F>(
    app: &Arc<App>,
    inbound: &Inbound,
    work: impl FnOnce(Call<T>) -> F,
) -> Result<Vec<u8>, ApiError>
where
    T: Request,
    F: Future<Output = Result<T::Output, ApiError>>,
{
    let caller = inbound.authenticate(app, Action::from(T::OPERATION)).await?;
    let input = json::decode::<T>(&inbound.body)?;
    inbound.entry.input(&input);
    let output = work(Call::new(app, caller, input, inbound)).await?;
    inbound.entry.output(&output);
    Ok(json::encode(&output))
}

/// The same for a form.
async fn serve_query<T, F>(
    app: &Arc<App>,
    form: &Form,
    inbound: &Inbound,
    work: impl FnOnce(Call<T>) -> F,
) -> Result<Answer, ApiError>
where
    T: QueryRequest,
    F: Future<Output = Result<T::Output, ApiError>>,
{
    let caller = inbound.authenticate(app, Action::from(T::OPERATION)).await?;
    let input = query::decode::<T>(form)?;
    inbound.entry.input(&input);
    let output = work(Call::new(app, caller, input, inbound)).await?;
    inbound.entry.output(&output);
    Ok(query::encode::<T>(&output, &inbound.request_id))
}
