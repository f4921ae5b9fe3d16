//! `ModifyDocumentPermission`: sharing a document with other accounts. This server answers for one, so there is nobody
//! to share it with: that is refused, and taking back what was never given is done already.

use postern_api::ApiError;
use postern_api::ssm::{ModifyDocumentPermissionInput, ModifyDocumentPermissionOutput, errors};

use super::describe_document_permission::check_type;
use super::update_document::find_own;
use crate::routes::call::Call;

pub(super) async fn modify_document_permission(
    call: Call<ModifyDocumentPermissionInput>,
) -> Result<ModifyDocumentPermissionOutput, ApiError> {
    check_type(&call.input.permission_type)?;
    let document = find_own(&call, &call.input.name).await?;
    let _permit = call.authorize([document.check(&call)]).await?;
    let removed = call.input.account_ids_to_remove.as_deref().unwrap_or_default();
    let added = call.input.account_ids_to_add.as_deref().unwrap_or_default();
    // Who is in both lists is removed.
    if added.iter().any(|account| !removed.contains(account)) {
        let message =
            "This server answers for one account: there is no other that a document could be shared with.";
        return Err(ApiError::new(errors::DOCUMENT_PERMISSION_LIMIT, message));
    }
    Ok(ModifyDocumentPermissionOutput {})
}
