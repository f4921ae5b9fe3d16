//! The operations of `logs`: groups, streams, events, and following them.

mod bounds;
mod create_log_group;
mod create_log_stream;
mod delete_log_group;
mod delete_log_stream;
mod describe_log_groups;
mod describe_log_streams;
mod event_token;
mod filter_log_events;
mod get_log_events;
mod group;
mod kms_key;
mod live_tail;
mod put_log_events;
mod refusal;
mod retention_policy;
mod start_live_tail;
mod stream;
mod tags;

use std::sync::Arc;

use postern_api::logs::{Operation, errors};
use postern_api::{ApiError, Code, CommonError};

use super::serve_json;
use crate::app::App;
use crate::inbound::Inbound;

pub(crate) use start_live_tail::start_live_tail;

pub(super) async fn run(
    app: &Arc<App>,
    operation: Operation,
    inbound: &Inbound,
) -> Result<Vec<u8>, ApiError> {
    let answered = match operation {
        Operation::AssociateKmsKey => serve_json(app, inbound, kms_key::associate).await,
        Operation::CreateLogGroup => serve_json(app, inbound, create_log_group::create_log_group).await,
        Operation::CreateLogStream => serve_json(app, inbound, create_log_stream::create_log_stream).await,
        Operation::DeleteLogGroup => serve_json(app, inbound, delete_log_group::delete_log_group).await,
        Operation::DeleteLogStream => serve_json(app, inbound, delete_log_stream::delete_log_stream).await,
        Operation::DeleteRetentionPolicy => serve_json(app, inbound, retention_policy::delete).await,
        Operation::DescribeLogGroups => {
            serve_json(app, inbound, describe_log_groups::describe_log_groups).await
        }
        Operation::DescribeLogStreams => {
            serve_json(app, inbound, describe_log_streams::describe_log_streams).await
        }
        Operation::DisassociateKmsKey => serve_json(app, inbound, kms_key::disassociate).await,
        Operation::FilterLogEvents => serve_json(app, inbound, filter_log_events::filter_log_events).await,
        Operation::GetLogEvents => serve_json(app, inbound, get_log_events::get_log_events).await,
        Operation::ListTagsForResource => serve_json(app, inbound, tags::list_for_resource).await,
        Operation::ListTagsLogGroup => serve_json(app, inbound, tags::list_of_group).await,
        Operation::PutLogEvents => serve_json(app, inbound, put_log_events::put_log_events).await,
        Operation::PutRetentionPolicy => serve_json(app, inbound, retention_policy::put).await,
        Operation::TagLogGroup => serve_json(app, inbound, tags::tag_group).await,
        Operation::TagResource => serve_json(app, inbound, tags::tag_resource).await,
        Operation::UntagLogGroup => serve_json(app, inbound, tags::untag_group).await,
        Operation::UntagResource => serve_json(app, inbound, tags::untag_resource).await,
        // Its answer is a stream: see `start_live_tail`.
        Operation::StartLiveTail => Err(super::not_served()),
    };
    answered.map_err(as_of_logs)
}

/// What other services answer with `ValidationException`, CloudWatch Logs calls `InvalidParameterException`.
fn as_of_logs(error: ApiError) -> ApiError {
    if error.code == Code::Common(CommonError::Validation) {
        return ApiError { code: Code::Modeled(errors::INVALID_PARAMETER_EXCEPTION), ..error };
    }
    error
}
