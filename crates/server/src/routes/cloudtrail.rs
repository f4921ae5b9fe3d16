//! The operations of `cloudtrail`, over the one trail that there is.

mod describe_trails;
mod get_trail;
mod get_trail_status;
mod list_public_keys;
mod list_trails;
mod lookup_events;
mod trail;

use std::sync::Arc;

use postern_api::ApiError;
use postern_api::cloudtrail::Operation;

use super::serve_json;
use crate::app::App;
use crate::inbound::Inbound;

pub(super) async fn run(
    app: &Arc<App>,
    operation: Operation,
    inbound: &Inbound,
) -> Result<Vec<u8>, ApiError> {
    match operation {
        Operation::DescribeTrails => serve_json(app, inbound, describe_trails::describe_trails).await,
        Operation::GetTrail => serve_json(app, inbound, get_trail::get_trail).await,
        Operation::GetTrailStatus => serve_json(app, inbound, get_trail_status::get_trail_status).await,
        Operation::ListPublicKeys => serve_json(app, inbound, list_public_keys::list_public_keys).await,
        Operation::ListTrails => serve_json(app, inbound, list_trails::list_trails).await,
        Operation::LookupEvents => serve_json(app, inbound, lookup_events::lookup_events).await,
    }
}
