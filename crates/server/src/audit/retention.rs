//! Removing what has been kept as long as the settings say. The chain says so first.

use std::sync::Arc;
use std::time::Duration;

use postern_audit::Retention;

use crate::app::App;

/// How often it is looked whether something is old enough.
const EVERY: Duration = Duration::from_secs(60 * 60);
/// What the chain gives as the reason.
const REASON: &str = "kept as long as the settings audit.keep_*_days say";

/// Removes old records until the server stops; does nothing if everything is kept.
pub(crate) async fn remove_old(app: Arc<App>, retention: Retention) {
    let Some(trail) = app.audit.trail() else { return };
    if retention == Retention::default() {
        return;
    }
    // Who has set the settings is the account itself.
    let by = format!("arn:aws:iam::{}:root", app.account);
    loop {
        match trail.apply_retention(retention, &by, REASON).await {
            Ok(removed) if removed.records + removed.segments + removed.objects > 0 => tracing::info!(
                "removed {} records, {} segments and {} files from the audit trail: {REASON}",
                removed.records,
                removed.segments,
                removed.objects
            ),
            Ok(_) => {}
            Err(error) => {
                let error: &dyn std::error::Error = &error;
                tracing::error!(error, "old records cannot be removed from the audit trail");
            }
        }
        tokio::select! {
            () = app.shutdown.cancelled() => return,
            () = tokio::time::sleep(EVERY) => {}
        }
    }
}
