//! Taking up logs: those of sessions that go on after a restart, and those that are due for another attempt.

use std::sync::Arc;
use std::time::Duration;

use postern_store::{SessionLogSink, StoreError};

use super::delivery::{deliver, follow};
use crate::app::App;

/// How often it is looked for logs that are due, at least.
const LOOKED_EVERY: Duration = Duration::from_secs(5);

/// Takes logs up until the server stops.
pub(crate) async fn tend(app: Arc<App>) {
    while let Err(error) = take_up(&app).await {
        log(&error);
        if is_stopped_after(&app, LOOKED_EVERY).await {
            return;
        }
    }
    let every = LOOKED_EVERY.min(app.session_logs.config.retry_pause_max);
    loop {
        for sink in SessionLogSink::ALL {
            if let Err(error) = retry_due(&app, *sink).await {
                log(&error);
            }
        }
        if is_stopped_after(&app, every).await {
            return;
        }
    }
}

async fn is_stopped_after(app: &App, pause: Duration) -> bool {
    tokio::select! {
        () = app.shutdown.cancelled() => true,
        () = tokio::time::sleep(pause) => false,
    }
}

fn log(error: &StoreError) {
    let error: &dyn std::error::Error = error;
    tracing::error!(error, "logs of sessions cannot be taken up for now; it is tried again");
}

/// What an earlier process had claimed.
async fn take_up(app: &Arc<App>) -> Result<(), StoreError> {
    app.store.release_session_logs().await?;
    for session in app.store.live_sessions().await? {
        follow(app, &session.id).await?;
    }
    Ok(())
}

/// Tries again what is due, as much of it as may go on at a time.
async fn retry_due(app: &Arc<App>, sink: SessionLogSink) -> Result<(), StoreError> {
    let retries = &app.session_logs.bounds(sink).retries;
    let limit = u32::try_from(retries.available_permits()).unwrap_or(u32::MAX);
    if limit == 0 {
        return Ok(());
    }
    for log in app.store.claim_due_session_logs(sink, app.clock.now(), limit).await? {
        let Ok(permit) = Arc::clone(retries).acquire_owned().await else { return Ok(()) };
        let app = Arc::clone(app);
        app.tasks.clone().spawn(async move {
            // One whose session runs waits for it, and for nobody's room.
            let permit = (!app.gateway.carries(&log.session)).then_some(permit);
            deliver(app, log).await;
            drop(permit);
        });
    }
    Ok(())
}
