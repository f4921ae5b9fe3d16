//! `GetMessages`: amazon-ssm-agent asks it for a minute after its start, even with a control channel open.

use std::time::Duration;

use postern_api::ec2messages::{GetMessagesInput, GetMessagesOutput};
use postern_api::{ApiError, CommonError};
use postern_ids::NodeId;

use crate::routes::call::Call;

/// The agent gives up after 20 s and asks every 2 s when answered at once.
/// Source: agent/runcommand/mds in aws/amazon-ssm-agent.
const HELD: Duration = Duration::from_secs(15);

/// Holds the call for a while and answers that there is nothing.
pub(super) async fn get_messages(call: Call<GetMessagesInput>) -> Result<GetMessagesOutput, ApiError> {
    let node: NodeId = call.input.destination.parse().map_err(|error: postern_ids::ParseError| {
        ApiError::new(CommonError::Validation, format!("Destination: {error}"))
    })?;
    let _permit = call.authorize([call.check_node(&node)]).await?;
    tokio::select! {
        () = tokio::time::sleep(HELD) => {}
        () = call.app.shutdown.cancelled() => {}
    }
    let GetMessagesInput { destination, messages_request_id, .. } = call.input;
    Ok(GetMessagesOutput { destination, messages: Vec::new(), messages_request_id })
}
