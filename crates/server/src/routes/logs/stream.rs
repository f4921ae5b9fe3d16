//! Log streams as callers name them, and whose they are.

use postern_api::{ApiError, Request};
use postern_ids::{NodeId, SessionId};
use postern_logs::{GroupName, StreamName};
use postern_store::SessionLogSink;

use super::{group, refusal};
use crate::auth::Check;
use crate::routes::call::Call;
use crate::routes::failure;
use crate::session_logs::is_servers;

/// A name that the model has checked.
pub(super) fn named(name: &str) -> Result<StreamName, ApiError> {
    name.parse().map_err(|_| refusal::invalid("The specified log stream name is not valid."))
}

/// The operation, on a stream.
pub(super) async fn check<T: Request>(
    call: &Call<T>,
    group: &GroupName,
    stream: &str,
) -> Result<Check, ApiError> {
    let check = call.check().on(group::stream_arn(&call.app, group, stream));
    let check = about_owner(call, check, stream).await?;
    group::with_tags(&call.app, check, group).await
}

/// If a node calls: whether the stream is its own, for nodes write nobody else's.
pub(super) async fn about_owner<T>(call: &Call<T>, check: Check, stream: &str) -> Result<Check, ApiError> {
    let Some(node) = call.caller.principal.node() else { return Ok(check) };
    let is_own = names_node(stream, node) || is_of_session(call, stream, node).await?;
    Ok(check.about_node(Some(node).filter(|_| is_own)))
}

/// Whether a name is one that the agent of `node` makes of its node's identifier: `<node>` for its own log,
/// `<command>/<node>/<step>/<stdout or stderr>` for output of commands.
///
/// Source: aws/amazon-ssm-agent, agent/agentlogstocloudwatch and agent/framework/processor/executer/iohandler.
fn names_node(stream: &str, node: &NodeId) -> bool {
    let mut parts = stream.split('/');
    let first = parts.next().unwrap_or_default();
    match parts.next() {
        None => first == node.as_str(),
        // Not of another node by its name, whatever stands where a command's identifier should be.
        Some(second) => second == node.as_str() && first.parse::<NodeId>().is_err(),
    }
}

/// Whether it is named after a session on `node` whose log its agent writes.
async fn is_of_session<T>(call: &Call<T>, stream: &str, node: &NodeId) -> Result<bool, ApiError> {
    let Ok(session) = stream.parse::<SessionId>() else { return Ok(false) };
    let found = call.app.store.session(&session).await.map_err(failure::store)?;
    let is_on_node = found.is_some_and(|found| found.node == *node);
    let sink = SessionLogSink::CloudWatch;
    Ok(is_on_node && !is_servers(&call.app, &session, sink).await.map_err(failure::store)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_that_a_node_names_after_itself() {
        let node: NodeId = "mi-0123456789abcdef0".parse().unwrap();
        for (stream, expected) in [
            ("mi-0123456789abcdef0", true),
            ("8f1a4c2e-0000-4000-8000-000000000000/mi-0123456789abcdef0/runShellScript/stdout", true),
            ("8f1a4c2e-0000-4000-8000-000000000000/mi-00000000000000000/runShellScript/stdout", false),
            ("mi-00000000000000000/mi-0123456789abcdef0/x", false),
            ("mi-0123456789abcdef0/x", false),
            ("mi-00000000000000000", false),
            ("x/y/mi-0123456789abcdef0", false),
            ("", false),
        ] {
            assert_eq!(names_node(stream, &node), expected, "{stream}");
        }
    }
}
