//! `UpdateInstanceInformation`: a node says what it is, at its start and every five minutes.
//!
//! AWS's agent sleeps for five minutes or more when its first call fails, so nothing here is refused that can be
//! understood, unless a node calls as often as no agent does.

use std::time::Instant;

use postern_api::ssm::{
    AgentPlatformType, UpdateInstanceInformationInput, UpdateInstanceInformationOutput, errors,
};
use postern_api::{ApiError, CommonError};
use postern_store::{NodeInfo, PlatformType};

use super::node;
use crate::routes::call::Call;
use crate::routes::failure;

pub(super) async fn update_instance_information(
    call: Call<UpdateInstanceInformationInput>,
) -> Result<UpdateInstanceInformationOutput, ApiError> {
    let id = node::parse(&call.input.instance_id)?;
    let info = info(&call.input)?;
    let _permit = call.authorize([call.check_node(&id)]).await?;
    if !call.app.node_updates.admits(id.clone(), Instant::now()) {
        return Err(ApiError::new(CommonError::Throttling, "Rate exceeded"));
    }
    if call.app.store.record_ping(&id, &info, call.at).await.map_err(failure::store)? {
        Ok(UpdateInstanceInformationOutput {})
    } else {
        Err(node::unknown(id.as_str()))
    }
}

/// An empty text is as good as none: the agent sends some before it knows better.
fn info(input: &UpdateInstanceInformationInput) -> Result<NodeInfo, ApiError> {
    let text = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
    let platform_type = match &input.platform_type {
        Some(AgentPlatformType::Linux) => Some(PlatformType::Linux),
        Some(AgentPlatformType::Windows) => Some(PlatformType::Windows),
        Some(AgentPlatformType::MacOs) => Some(PlatformType::MacOs),
        Some(AgentPlatformType::Unknown(other)) => {
            let message = format!("PlatformType {other:.32} is not valid.");
            return Err(ApiError::new(errors::INVALID_INSTANCE_INFORMATION_VALUE, message));
        }
        None => None,
    };
    Ok(NodeInfo {
        agent_name: text(&input.agent_name),
        agent_version: text(&input.agent_version),
        agent_status: text(&input.agent_status),
        platform_type,
        platform_name: text(&input.platform_name),
        platform_version: text(&input.platform_version),
        computer_name: text(&input.computer_name),
        ip_address: text(&input.ip_address),
        connection_channel: text(&input.ssm_connection_channel),
    })
}
