//! `AssociateKmsKey` and `DisassociateKmsKey`: which key a group's events are said to be encrypted with.

use postern_api::ApiError;
use postern_api::logs::{
    AssociateKmsKeyInput, AssociateKmsKeyOutput, DisassociateKmsKeyInput, DisassociateKmsKeyOutput,
};
use postern_ids::{Arn, KmsAlias, KmsKeyId};
use postern_logs::GroupName;
use postern_store::KmsKeyState;

use super::{group, refusal};
use crate::app::App;
use crate::routes::call::Call;
use crate::routes::failure;

pub(super) async fn associate(call: Call<AssociateKmsKeyInput>) -> Result<AssociateKmsKeyOutput, ApiError> {
    let input = &call.input;
    let name = named(&call.app, input.log_group_name.as_deref(), input.resource_identifier.as_deref())?;
    let _permit = call.authorize([group::check(&call, &name).await?]).await?;
    group::ensure_exists(&call.app, &name).await?;
    let key = usable(&call.app, &input.kms_key_id).await?;
    call.app.logs.store.set_kms_key(&name, Some(&key)).await.map_err(refusal::group_change)?;
    Ok(AssociateKmsKeyOutput {})
}

pub(super) async fn disassociate(
    call: Call<DisassociateKmsKeyInput>,
) -> Result<DisassociateKmsKeyOutput, ApiError> {
    let input = &call.input;
    let name = named(&call.app, input.log_group_name.as_deref(), input.resource_identifier.as_deref())?;
    let _permit = call.authorize([group::check(&call, &name).await?]).await?;
    call.app.logs.store.set_kms_key(&name, None).await.map_err(refusal::group_change)?;
    Ok(DisassociateKmsKeyOutput {})
}

/// A group by name or ARN. Results of queries, which AWS takes as well, are not here.
fn named(app: &App, name: Option<&str>, identifier: Option<&str>) -> Result<GroupName, ApiError> {
    match (name, identifier) {
        (Some(name), None) => group::named(name),
        (None, Some(identifier)) => group::of_arn(app, identifier),
        _ => Err(refusal::invalid("Either logGroupName or resourceIdentifier must be given.")),
    }
}

/// The ARN of a key that can be associated: one of this server's that is enabled. It may be named by an alias.
pub(super) async fn usable(app: &App, key: &str) -> Result<String, ApiError> {
    let not_found = || refusal::invalid("The specified KMS Key Id could not be found.");
    let prefix = format!("arn:aws:kms:{}:{}:", app.region, app.account);
    let name = key.strip_prefix(&prefix).unwrap_or(key);
    let found = if let Ok(alias) = name.parse::<KmsAlias>() {
        app.store.kms_key_of(&alias).await
    } else {
        let id = name.strip_prefix("key/").unwrap_or(name).parse::<KmsKeyId>().map_err(|_| not_found())?;
        app.store.kms_key(&id).await
    };
    let found = found.map_err(failure::store)?.ok_or_else(not_found)?;
    if found.state != KmsKeyState::Enabled {
        return Err(refusal::invalid("The specified KMS Key Id is not enabled."));
    }
    Ok(Arn::kms_key(&app.region, &app.account, &found.id).to_string())
}
