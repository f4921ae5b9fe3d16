//! Removing a recording: said on the audit trail first, then done.

use std::io;
use std::sync::Arc;

use postern_audit::format::tombstone::{RemovedRecording, Tombstone};
use postern_ids::{Arn, SessionId};
use postern_recording::{RecordingSummary, Removal, RemovalOrder, RemoveError};
use postern_store::SessionLogState;
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
    /// Its log is not where it should be yet, and is made from it.
    #[error("the log of session {0} is still to be made from the recording")]
    LogWaiting(SessionId),
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
    let logs = app.store.session_logs(&session).await.map_err(io::Error::other)?;
    if logs.iter().any(|log| log.state == SessionLogState::Waiting) {
        return Err(NotRemoved::LogWaiting(session));
    }
    let directory = Arc::clone(&app.recordings.directory);
    let begun = spawn_blocking(move || directory.begin_removal(&session, order)).await;
    let removal = begun.map_err(io::Error::other)?.map_err(|error| match error {
        RemoveError::Unknown { session } => NotRemoved::Unknown(session),
        RemoveError::Running { session } => NotRemoved::InProgress(session),
        RemoveError::Io(error) => NotRemoved::Files(error),
    })?;
    app.recordings.removals_begun.send_modify(|count| *count += 1);
    if let Err(error) = tell(&app, &removal).await {
        spawn_blocking(|| removal.cancel()).await.map_err(io::Error::other)??;
        return Err(error);
    }
    complete(&app, removal).await
}

/// Has the trail tell of a removal that was begun.
async fn tell(app: &App, removal: &Removal) -> Result<(), NotRemoved> {
    let session = &removal.recording().info.session_id;
    Ok(app.audit.recording_removed(session, &tombstone(removal)?).await?)
}

/// Removes what the trail has told of.
async fn complete(app: &App, removal: Removal) -> Result<RecordingSummary, NotRemoved> {
    // Nothing is found of what is gone.
    app.search.forget(&removal.recording().info.session_id).await.map_err(io::Error::other)?;
    let (summary, order) = (removal.recording().clone(), removal.order().clone());
    spawn_blocking(|| removal.complete()).await.map_err(io::Error::other)??;
    let session = &summary.info.session_id;
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
/// the disk, so it is known that somebody gave it who may. One that cannot be carried out keeps its order for the next
/// time: the trail may have told of it, and some of its files be gone. The last error is the outcome.
pub(super) async fn finish_all(app: &App) -> Result<(), NotRemoved> {
    let _removing = app.recordings.removing.lock().await;
    let mut outcome = Ok(());
    for removal in app.recordings.blocking(|directory| directory.unfinished_removals()).await? {
        if let Err(error) = finish(app, removal).await {
            let logged: &dyn std::error::Error = &error;
            tracing::error!(error = logged, "a removal that was begun cannot be completed");
            outcome = Err(error);
        }
    }
    outcome
}

async fn finish(app: &App, removal: io::Result<Removal>) -> Result<(), NotRemoved> {
    let removal = removal?;
    tell(app, &removal).await?;
    complete(app, removal).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use jiff::Timestamp;
    use postern_recording::{RecordingEnd, RecordingInfo};
    use tokio_util::sync::CancellationToken;

    use super::*;
    use crate::config::Config;
    use crate::server::Server;

    async fn server(directory: &Path) -> Server {
        Server::start(Config::for_tests(directory.to_owned()), CancellationToken::new()).await.unwrap()
    }

    fn order() -> RemovalOrder {
        let by = "arn:aws:iam::000000000000:user/admin".parse().unwrap();
        RemovalOrder { by, reason: "a mistake".to_owned(), at: Timestamp::UNIX_EPOCH }
    }

    /// A recording that is complete.
    fn record(app: &App, session: &SessionId) {
        let info = RecordingInfo {
            session_id: session.clone(),
            owner: "arn:aws:iam::000000000000:user/admin".parse().unwrap(),
            node: "mi-0123456789abcdef0".parse().unwrap(),
            node_name: None,
            document: "SSM-SessionManagerRunShell".to_owned(),
            session_type: "Standard_Stream".to_owned(),
            reason: None,
            started_at: Timestamp::UNIX_EPOCH,
        };
        let end =
            RecordingEnd { at: Timestamp::UNIX_EPOCH, reason: "shell-exit".to_owned(), exit_code: None };
        app.recordings.directory.create(&info).unwrap().finish(&end).unwrap();
    }

    #[tokio::test]
    async fn what_was_begun_is_not_forgotten_while_the_trail_fails() {
        let directory = tempfile::tempdir().unwrap();
        let session: SessionId = "one".parse().unwrap();
        let file = |name: &str| directory.path().join("recordings").join(name);
        let failing = server(directory.path()).await;
        let app = failing.app();
        record(app, &session);
        drop(app.recordings.directory.begin_removal(&session, order()).unwrap());
        // It may be on the trail, and the first of its files gone.
        std::fs::remove_file(file("one.json")).unwrap();
        std::fs::write(file("another.removal"), "{").unwrap();
        app.audit.trail().unwrap().close().await;
        assert!(matches!(finish_all(app).await, Err(NotRemoved::Unrecorded(_))));
        assert!(file("one.removal").exists() && file("one.cast").exists());
        failing.close_store().await;
        drop(failing);

        let well = server(directory.path()).await;
        assert!(matches!(finish_all(well.app()).await, Err(NotRemoved::Files(_))), "one order is unreadable");
        assert!(!file("one.removal").exists() && !file("one.cast").exists());
        assert!(file("another.removal").exists());
    }

    #[tokio::test]
    async fn an_order_in_the_place_of_one_that_was_told_of_stays_while_the_trail_fails() {
        let directory = tempfile::tempdir().unwrap();
        let session: SessionId = "one".parse().unwrap();
        let failing = server(directory.path()).await;
        let app = failing.app();
        record(app, &session);
        let recordings = &app.recordings.directory;
        let removal = recordings.begin_removal(&session, order()).unwrap();
        tell(app, &removal).await.unwrap();
        drop(removal);
        app.audit.trail().unwrap().close().await;
        let fresh = "another reason".to_owned();
        let refused = remove(app, session.clone(), order().by, fresh).await;
        assert!(matches!(refused, Err(NotRemoved::Unrecorded(_))), "{refused:?}");
        let [removal] = &recordings.unfinished_removals().unwrap()[..] else { panic!("it is forgotten") };
        assert_eq!(removal.as_ref().unwrap().order().reason, "another reason");
    }

    #[tokio::test]
    async fn whoever_shows_a_recording_hears_that_it_goes() {
        let directory = tempfile::tempdir().unwrap();
        let server = server(directory.path()).await;
        let app = server.app();
        let (one, other): (SessionId, SessionId) = ("one".parse().unwrap(), "other".parse().unwrap());
        record(app, &one);
        record(app, &other);
        let heard = async |session: &SessionId| {
            let within = std::time::Duration::from_millis(300);
            tokio::time::timeout(within, app.recordings.is_going(session)).await.is_ok()
        };
        assert!(!heard(&one).await);
        let going = tokio::time::timeout(std::time::Duration::from_secs(10), app.recordings.is_going(&one));
        let (going, removed) = tokio::join!(going, remove(app, one.clone(), order().by, order().reason));
        going.unwrap();
        removed.unwrap();
        assert!(heard(&one).await, "it has gone");
        assert!(!heard(&other).await, "this one has not");
    }

    #[tokio::test]
    async fn a_fresh_order_is_cancelled_while_the_trail_fails() {
        let directory = tempfile::tempdir().unwrap();
        let session: SessionId = "one".parse().unwrap();
        let failing = server(directory.path()).await;
        let app = failing.app();
        record(app, &session);
        app.audit.trail().unwrap().close().await;
        let refused = remove(app, session.clone(), order().by, order().reason).await;
        assert!(matches!(refused, Err(NotRemoved::Unrecorded(_))), "{refused:?}");
        let recordings = &app.recordings.directory;
        assert!(recordings.unfinished_removals().unwrap().is_empty());
        assert!(recordings.recording(&session).unwrap().is_some());
    }
}
