//! `DescribeDocumentPermission`: with whom a document is shared. This server has one account, so with nobody.

use postern_api::ApiError;
use postern_api::ssm::{
    DescribeDocumentPermissionInput, DescribeDocumentPermissionOutput, DocumentPermissionType, errors,
};

use super::update_document::find_own;
use crate::routes::call::Call;

pub(super) async fn describe_document_permission(
    call: Call<DescribeDocumentPermissionInput>,
) -> Result<DescribeDocumentPermissionOutput, ApiError> {
    check_type(&call.input.permission_type)?;
    let document = find_own(&call, &call.input.name).await?;
    let _permit = call.authorize([document.check(&call)]).await?;
    if call.input.next_token.is_some() {
        let message = "The specified token is not valid for this listing.";
        return Err(ApiError::new(errors::INVALID_NEXT_TOKEN, message));
    }
    Ok(DescribeDocumentPermissionOutput {
        account_ids: Some(Vec::new()),
        account_sharing_info_list: Some(Vec::new()),
        next_token: None,
    })
}

/// There is one type.
pub(super) fn check_type(permission_type: &DocumentPermissionType) -> Result<(), ApiError> {
    match permission_type {
        DocumentPermissionType::Share => Ok(()),
        DocumentPermissionType::Unknown(other) => {
            let message = format!("The permission type {other:.64} is not valid: Share is.");
            Err(ApiError::new(errors::INVALID_PERMISSION_TYPE, message))
        }
    }
}
