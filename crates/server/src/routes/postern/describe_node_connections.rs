//! `DescribeNodeConnections`: how the control channels of nodes stand, since when, and why the last one closed.

use postern_api::ApiError;
use postern_api::postern::{
    DescribeNodeConnectionsInput, DescribeNodeConnectionsOutput, LastClose, NodeConnection,
    NodeConnectionStatus,
};
use postern_ids::NodeId;
use postern_store::{Node, NodeFilter, Page};

use crate::app::App;
use crate::page_token::Listing;
use crate::routes::call::Call;
use crate::routes::failure;

const RESULTS_DEFAULT: u32 = 50;

/// The longest pauses of agents between two tries to open a control channel, while nothing keeps them from trying.
///
/// Sources: `for_connections` in crates/agent/src/backoff.rs; that the pauses of AWS's agent double up to 40 minutes is
/// the behaviour of its version 3.3.
const RETRY_PAUSES_MAX_SECONDS: [(&str, i32); 2] = [("postern-agent", 30), ("amazon-ssm-agent", 40 * 60)];

pub(super) async fn describe_node_connections(
    call: Call<DescribeNodeConnectionsInput>,
) -> Result<DescribeNodeConnectionsOutput, ApiError> {
    let _permit = call.authorize([call.check()]).await?;
    let input = &call.input;
    let listing = Listing::new("DescribeNodeConnections", &input.nodes);
    let after: Option<NodeId> = call.page_after(&listing, input.next_token.as_deref())?;
    let limit = input.max_results.and_then(|count| u32::try_from(count).ok()).unwrap_or(RESULTS_DEFAULT);
    // What is no node's identifier is that of none.
    let asked = input.nodes.as_ref().map(|nodes| nodes.iter().filter_map(|id| id.parse().ok()).collect());
    let filters: Vec<_> = asked.map(NodeFilter::Ids).into_iter().collect();
    let found = call.app.store.nodes(&filters, &Page { after, limit }).await.map_err(failure::store)?;
    Ok(DescribeNodeConnectionsOutput {
        node_connections: Some(found.items.iter().map(|node| shown(&call.app, node)).collect()),
        next_token: found.next.map(|cursor| call.app.page_tokens.seal(&listing, &cursor)),
    })
}

fn shown(app: &App, node: &Node) -> NodeConnection {
    let known = app.gateway.node_connection(&node.id);
    let last_close = known.and_then(|known| known.last_close);
    let (status, since) = match known {
        Some(known) => (known.status.as_str().into(), known.since),
        None => (NodeConnectionStatus::NeverConnected, node.registered_at),
    };
    NodeConnection {
        node: Some(node.id.to_string()),
        status: Some(status),
        since: Some(since.into()),
        last_close: last_close
            .map(|close| LastClose { reason: Some(close.reason.as_str().into()), at: Some(close.at.into()) }),
        retry_pause_max_seconds: retry_pause_max_seconds(node.info.agent_name.as_deref()),
    }
}

/// `None`: nothing can be said of this agent.
fn retry_pause_max_seconds(agent_name: Option<&str>) -> Option<i32> {
    let known = RETRY_PAUSES_MAX_SECONDS.iter().find(|(name, _)| Some(*name) == agent_name)?;
    Some(known.1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_promised_for_agents_that_nobody_knows() {
        assert_eq!(retry_pause_max_seconds(Some("postern-agent")), Some(30));
        assert_eq!(retry_pause_max_seconds(Some("amazon-ssm-agent")), Some(2400));
        assert_eq!(retry_pause_max_seconds(Some("somebody's")), None);
        assert_eq!(retry_pause_max_seconds(None), None);
    }
}
