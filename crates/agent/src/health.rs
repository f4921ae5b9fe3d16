//! Tells the control plane every few minutes that this node is alive and what it is.

use std::sync::Arc;
use std::time::Duration;

use postern_dial::jittered;
use tokio::time::sleep;

use crate::control_plane::ControlPlane;
use crate::credentials::CredentialSource;

/// The period of AWS's agent, which the control plane's rules for "online" go by.
const PERIOD: Duration = Duration::from_secs(5 * 60);
/// After a failure.
const RETRY_PAUSE: Duration = Duration::from_secs(60);

/// Runs until it is dropped.
pub(crate) async fn report(plane: Arc<ControlPlane>, mut credentials: CredentialSource) {
    loop {
        let current = credentials.get().await;
        match plane.update_instance_information(&current).await {
            Ok(()) => sleep(PERIOD).await,
            Err(error) => {
                tracing::warn!(error = &error as &dyn std::error::Error, "cannot report this node's health");
                if error.is_about_credentials() {
                    credentials.renew();
                }
                sleep(jittered(RETRY_PAUSE)).await;
            }
        }
    }
}
