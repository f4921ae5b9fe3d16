//! Removing recordings that have been kept as long as the settings say, and what an earlier process left of a removal.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use postern_ids::{Arn, SessionId};

use super::removal::{self, NotRemoved};
use crate::app::App;

/// How often it is looked whether something is old enough.
const EVERY: Duration = Duration::from_secs(60 * 60);
/// What the trail gives as the reason.
const REASON: &str = "kept as long as the setting recording.keep_days says";

/// Does what there is to do, until the server stops. `keep`: how long recordings are kept after their end.
pub(crate) async fn tend(app: Arc<App>, keep: Option<Duration>) {
    loop {
        log(removal::finish_all(&app).await);
        if let Some(keep) = keep {
            log(remove_old(&app, keep).await);
        }
        tokio::select! {
            () = app.shutdown.cancelled() => return,
            () = tokio::time::sleep(EVERY) => {}
        }
    }
}

fn log(outcome: Result<(), NotRemoved>) {
    if let Err(error) = outcome {
        let error: &dyn std::error::Error = &error;
        tracing::error!(error, "old recordings cannot be removed");
    }
}

/// Goes on after one that cannot be removed; the last error is the outcome.
async fn remove_old(app: &Arc<App>, keep: Duration) -> Result<(), NotRemoved> {
    let Ok(oldest) = app.clock.now().checked_sub(keep) else { return Ok(()) };
    // Who has set the settings is the account itself.
    let by: Arn = format!("arn:aws:iam::{}:root", app.account).parse().map_err(std::io::Error::other)?;
    let mut outcome = Ok(());
    for session in old(app, oldest).await? {
        if app.shutdown.is_cancelled() {
            break;
        }
        match removal::remove(app, session, by.clone(), REASON.to_owned()).await {
            // Its log is given up one day.
            Ok(_) | Err(NotRemoved::LogWaiting(_)) => {}
            Err(error) => outcome = Err(error),
        }
    }
    outcome
}

/// The sessions whose recordings ended before `oldest`.
async fn old(app: &App, oldest: Timestamp) -> Result<Vec<SessionId>, NotRemoved> {
    let listing = app.recordings.blocking(|directory| directory.list()).await?;
    let ended =
        listing.recordings.into_iter().filter(|recording| recording.ended_at.is_some_and(|at| at < oldest));
    Ok(ended.map(|recording| recording.info.session_id).collect())
}
