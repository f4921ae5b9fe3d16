//! What bounds the writing of logs beside the sizes of AWS: the disk, and for nodes how much each may upload.

use std::time::Instant;

use postern_api::logs::errors;
use postern_api::{ApiError, CommonError};

use crate::routes::call::Call;

/// Refuses to write so many bytes of events for the caller. Clients try again later.
pub(super) fn admit<T>(call: &Call<T>, bytes: usize) -> Result<(), ApiError> {
    let app = &call.app;
    if !app.logs.has_room(app.disk_reserve) {
        let message = "There is no room left on the server. Try again later.";
        return Err(ApiError::new(errors::SERVICE_UNAVAILABLE_EXCEPTION, message));
    }
    let Some(node) = call.caller.principal.node() else { return Ok(()) };
    let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
    // A batch is never more than what a node may upload at once.
    app.node_uploads.admit(node, bytes, Instant::now()).map_err(|_| {
        let message = "The node uploads more than it may in an hour. Try again later.";
        ApiError::new(CommonError::Throttling, message)
    })
}
