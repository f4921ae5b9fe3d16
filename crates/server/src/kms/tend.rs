//! What becomes of keys in time: those that wait for it are deleted, those that are to be rotated are.

use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use postern_store::{KmsKey, KmsKeyState, KmsMaterialOrigin};

use super::KmsError;
use crate::app::App;
use crate::audit::{KeyEvent, Unrecorded};

/// How often it is looked for keys that are due.
const LOOKED_EVERY: Duration = Duration::from_secs(60);
/// Keys that are looked at at a time.
const KEYS: u32 = 64;

/// Why a key stays as it is for now.
#[derive(Debug, thiserror::Error)]
enum TendError {
    #[error("it cannot be put on the audit trail")]
    Unrecorded(#[from] Unrecorded),
    #[error("the key cannot be changed")]
    Kms(#[from] KmsError),
}

/// When a key that is rotated every so many days is rotated after `at`.
pub(crate) fn next_rotation(at: Timestamp, days: u16) -> Timestamp {
    let days = SignedDuration::from_hours(i64::from(days) * 24);
    at.checked_add(days).unwrap_or(Timestamp::MAX)
}

/// Looks for keys that are due until the server stops.
pub(crate) async fn tend(app: Arc<App>) {
    loop {
        if let Err(error) = tend_once(&app).await {
            let error: &dyn std::error::Error = &error;
            tracing::error!(error, "keys that are due stay as they are for now; it is tried again");
        }
        tokio::select! {
            () = app.shutdown.cancelled() => return,
            () = tokio::time::sleep(LOOKED_EVERY) => {}
        }
    }
}

async fn tend_once(app: &App) -> Result<(), TendError> {
    let now = app.clock.now();
    let due = app.store.kms_keys_due(now, KEYS).await.map_err(KmsError::Store)?;
    for key in due {
        match key.state {
            KmsKeyState::PendingDeletion { .. } => delete(app, &key, now).await?,
            KmsKeyState::Enabled => rotate(app, &key, now).await?,
            KmsKeyState::Disabled => {}
        }
    }
    Ok(())
}

/// The trail says it first, as of everything that cannot be undone.
async fn delete(app: &App, key: &KmsKey, now: Timestamp) -> Result<(), TendError> {
    app.audit.key_event(KeyEvent::Deleted, key).await?;
    if app.store.delete_kms_key(&key.id, now).await.map_err(KmsError::Store)? {
        tracing::info!("deleted key {}, as it was scheduled", key.id);
    }
    Ok(())
}

async fn rotate(app: &App, key: &KmsKey, now: Timestamp) -> Result<(), TendError> {
    app.audit.key_event(KeyEvent::Rotated, key).await?;
    if app.kms.rotate(key, KmsMaterialOrigin::Automatic, now).await? {
        tracing::info!("rotated key {}", key.id);
    }
    Ok(())
}
