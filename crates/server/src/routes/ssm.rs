//! The operations of `ssm`.

mod activation;
mod add_tags_to_resource;
mod create_activation;
mod create_document;
mod delete_activation;
mod delete_document;
mod deregister_managed_instance;
mod describe_activations;
mod describe_document;
mod describe_document_permission;
mod describe_instance_information;
mod describe_sessions;
mod destination;
mod document;
mod document_description;
mod get_connection_status;
mod get_document;
mod list_document_versions;
mod list_documents;
mod list_instance_associations;
mod list_tags_for_resource;
mod modify_document_permission;
mod node;
mod node_role;
mod own_agent;
mod put_compliance_items;
mod put_inventory;
mod register_managed_instance;
mod remove_tags_from_resource;
mod request_managed_instance_role_token;
mod resume_session;
mod session;
mod session_logging;
mod start_session;
mod tag;
mod target;
mod terminate_session;
mod update_document;
mod update_document_default_version;
mod update_instance_association_status;
mod update_instance_information;
mod update_managed_instance_public_key;
mod update_managed_instance_role;

use std::sync::Arc;

use postern_api::ApiError;
use postern_api::ssm::Operation;

use super::serve_json;
use crate::app::App;
use crate::inbound::Inbound;

pub(super) async fn run(
    app: &Arc<App>,
    operation: Operation,
    inbound: &Inbound,
) -> Result<Vec<u8>, ApiError> {
    // Each operation's function has its name and lies in the file of that name.
    macro_rules! serve {
        ($name:ident) => {
            serve_json(app, inbound, $name::$name).await
        };
    }
    match operation {
        Operation::AddTagsToResource => serve!(add_tags_to_resource),
        Operation::CreateActivation => serve!(create_activation),
        Operation::CreateDocument => serve!(create_document),
        Operation::DeleteActivation => serve!(delete_activation),
        Operation::DeleteDocument => serve!(delete_document),
        Operation::DeregisterManagedInstance => serve!(deregister_managed_instance),
        Operation::DescribeActivations => serve!(describe_activations),
        Operation::DescribeDocument => serve!(describe_document),
        Operation::DescribeDocumentPermission => serve!(describe_document_permission),
        Operation::DescribeInstanceInformation => serve!(describe_instance_information),
        Operation::DescribeSessions => serve!(describe_sessions),
        Operation::GetConnectionStatus => serve!(get_connection_status),
        Operation::GetDocument => serve!(get_document),
        Operation::ListDocuments => serve!(list_documents),
        Operation::ListDocumentVersions => serve!(list_document_versions),
        Operation::ListInstanceAssociations => serve!(list_instance_associations),
        Operation::ListTagsForResource => serve!(list_tags_for_resource),
        Operation::ModifyDocumentPermission => serve!(modify_document_permission),
        Operation::PutComplianceItems => serve!(put_compliance_items),
        Operation::PutInventory => serve!(put_inventory),
        Operation::RegisterManagedInstance => serve!(register_managed_instance),
        Operation::RemoveTagsFromResource => serve!(remove_tags_from_resource),
        Operation::RequestManagedInstanceRoleToken => serve!(request_managed_instance_role_token),
        Operation::ResumeSession => serve!(resume_session),
        Operation::StartSession => serve!(start_session),
        Operation::TerminateSession => serve!(terminate_session),
        Operation::UpdateDocument => serve!(update_document),
        Operation::UpdateDocumentDefaultVersion => serve!(update_document_default_version),
        Operation::UpdateInstanceAssociationStatus => serve!(update_instance_association_status),
        Operation::UpdateInstanceInformation => serve!(update_instance_information),
        Operation::UpdateManagedInstancePublicKey => serve!(update_managed_instance_public_key),
        Operation::UpdateManagedInstanceRole => serve!(update_managed_instance_role),
    }
}
