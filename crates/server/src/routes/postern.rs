//! The operations of `postern`: what AWS has no operation for.

use std::sync::Arc;

use postern_api::ApiError;
use postern_api::postern::Operation;

use super::not_served;
use crate::app::App;
use crate::inbound::Inbound;

pub(super) async fn run(
    _app: &Arc<App>,
    operation: Operation,
    _inbound: &Inbound,
) -> Result<Vec<u8>, ApiError> {
    match operation {
        Operation::ListSessionRecordings
        | Operation::GetSessionRecording
        | Operation::DeleteSessionRecording
        | Operation::RevokeSessions
        | Operation::ExpireAuditRecords => Err(not_served()),
    }
}
