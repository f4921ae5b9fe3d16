//! The operations of `postern`: what AWS has no operation for.

mod attach_session;
mod delete_session_recording;
mod describe_node_connections;
mod expire_audit_records;
mod get_session_recording;
mod get_session_timeline;
mod list_session_recordings;
mod readable;
mod recording_filters;
mod revoke_sessions;
mod search_session_recordings;
mod session_command;
mod session_recording;

use std::sync::Arc;

use postern_api::ApiError;
use postern_api::postern::Operation;

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
        Operation::AttachSession => serve!(attach_session),
        Operation::DeleteSessionRecording => serve!(delete_session_recording),
        Operation::DescribeNodeConnections => serve!(describe_node_connections),
        Operation::GetSessionRecording => serve!(get_session_recording),
        Operation::GetSessionTimeline => serve!(get_session_timeline),
        Operation::ListSessionRecordings => serve!(list_session_recordings),
        Operation::ExpireAuditRecords => serve!(expire_audit_records),
        Operation::RevokeSessions => serve!(revoke_sessions),
        Operation::SearchSessionRecordings => serve!(search_session_recordings),
    }
}
