//! The operations of `ec2messages`, the older way of telling a node that there is a command for it.
//!
//! There is never one: what else agents would call only follows on a message.

mod get_messages;

use std::sync::Arc;

use postern_api::{ApiError, ec2messages::Operation};

use super::{not_served, serve_json};
use crate::app::App;
use crate::inbound::Inbound;

pub(super) async fn run(
    app: &Arc<App>,
    operation: Operation,
    inbound: &Inbound,
) -> Result<Vec<u8>, ApiError> {
    match operation {
        Operation::GetMessages => serve_json(app, inbound, get_messages::get_messages).await,
        Operation::AcknowledgeMessage | Operation::FailMessage | Operation::SendReply => Err(not_served()),
    }
}
