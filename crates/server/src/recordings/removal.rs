//! Removing a recording: said on the audit trail first, then done.

use std::io;
use std::sync::Arc;

use postern_audit::format::tombstone::{RemovedRecording, Tombstone};
use postern_ids::{Arn, SessionId};
use postern_recording::{RecordingSummary, Removal, RemovalOrder, RemoveError};
use tokio::task::spawn_blocking;

use crate::app::App;
use crate::audit::{Unrecorded, cast_name};

/// Why a recording was not removed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NotRemoved {
    /// There is none.
    #[error("there is no recording of session {0}")]
    Unknown(SessionId),
    /// Its session has not come to its end.
    #[error("session {0} is still being recorded")]
    InProgress(SessionId),
    /// The trail cannot tell of it, so it stays.
    #[error(transparent)]
    Unrecorded(#[from] Unrecorded),
    /// Its files cannot be read or removed. If the trail has told of it, it is removed later.
    #[error("the files of a recording cannot be removed")]
    Files(#[from] io::Error),
}

/// Removes the recording of a session that is over, on the order of whom `by` names. Whoever asked may be gone meanwhile:
/// what is begun is brought to its end.
pub(crate) async fn remove(
    app: &Arc<App>,
    session: SessionId,
    by: Arn,
    reason: String,
) -> Result<RecordingSummary, NotRemoved> {
    let order = RemovalOrder { by, reason, at: app.clock.now() };
    let task = app.tasks.spawn(carry_out(Arc::clone(app), session, order));
    task.await.map_err(io::Error::other)?
}

async fn carry_out(
    app: Arc<App>,
    session: SessionId,
    order: RemovalOrder,
) -> Result<RecordingSummary, NotRemoved> {
    let _removing = app.recordings.removing.lock().await;
    // The recording is complete a little before the trail has its hash.
    if app.gateway.carries(&session) {
        return Err(NotRemoved::InProgress(session));
    }
    let directory = Arc::clone(&app.recordings.directory);
    let begun = spawn_blocking(move || directory.begin_removal(&session, order)).await;
    let removal = begun.map_err(io::Error::other)?.map_err(|error| match error {
        RemoveError::Unknown { session } => NotRemoved::Unknown(session),
        RemoveError::Running { session } => NotRemoved::InProgress(session),
        RemoveError::Io(error) => NotRemoved::Files(error),
    })?;
    finish(&app, removal).await
}

/// Has the trail tell of a removal that was begun, and completes it.
async fn finish(app: &App, removal: Removal) -> Result<RecordingSummary, NotRemoved> {
    let session = removal.recording().info.session_id.clone();
    if let Err(unrecorded) = app.audit.recording_removed(&session, &tombstone(&removal)?).await {
        spawn_blocking(|| removal.cancel()).await.map_err(io::Error::other)??;
        return Err(unrecorded.into());
    }
    let (summary, order) = (removal.recording().clone(), removal.order().clone());
    spawn_blocking(|| removal.complete()).await.map_err(io::Error::other)??;
    tracing::info!(session.id = %session, "removed the recording of session {session} on the order of {}", order.by);
    Ok(summary)
}

fn tombstone(removal: &Removal) -> io::Result<Tombstone> {
    let (order, recording, recorded) = (removal.order(), removal.recording(), removal.recorded());
    let removed = RemovedRecording {
        session_id: recording.info.session_id.to_string(),
        owner: recording.info.owner.to_string(),
        target: recording.info.node.to_string(),
        start_time: recording.info.started_at,
        end_time: recording.ended_at,
        ordered_time: order.at,
        name: cast_name(&recording.info.session_id),
        bytes: recorded.bytes,
        hash_value: recorded
            .sha256
            .parse()
            .map_err(|_| io::Error::other("the hash of a recording is none"))?,
    };
    let (by, reason) = (order.by.to_string(), order.reason.clone());
    Ok(Tombstone { by, reason, recordings: vec![removed], ..Tombstone::default() })
}

/// Carries out the removals that were begun and not completed, as when the server stopped in between. Their order was on
/// the disk, so it is known that somebody gave it who may.
pub(super) async fn finish_all(app: &App) -> Result<(), NotRemoved> {
    let _removing = app.recordings.removing.lock().await;
    for removal in app.recordings.blocking(|directory| directory.unfinished_removals()).await? {
        finish(app, removal).await?;
    }
    Ok(())
}
