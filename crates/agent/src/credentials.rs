//! Role credentials: asked for with the node's key, kept over restarts, renewed at half of their life.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use postern_dial::{Credentials, jittered};
use tokio::sync::{Notify, watch};
use tokio::time::{Instant, sleep, sleep_until};

use crate::backoff;
use crate::control_plane::{CallError, ControlPlane, RoleToken, unix_seconds};
use crate::network;
use crate::state::{NodeKey, Registration, RoleCredentials, StateDirectory};

/// A node that was de-registered has nothing to ask for: AWS's agent waits as long.
const DENIED_PAUSE: Duration = Duration::from_secs(30 * 60);
/// Credentials that do not work are not asked for more often than this.
const RENEW_PAUSE: Duration = Duration::from_secs(10);
/// Credentials about to expire are not used: requests take time, and clocks differ.
const LIFE_LEFT_MIN_S: i64 = 30;

/// Where everybody in the agent has the role credentials from.
#[derive(Debug, Clone)]
pub(crate) struct CredentialSource {
    current: watch::Receiver<Option<RoleCredentials>>,
    renew: Arc<Notify>,
}

impl CredentialSource {
    /// The credentials, as soon as there are any.
    pub(crate) async fn get(&mut self) -> Credentials {
        let current = self.current.wait_for(Option::is_some).await;
        let current = current.ok().and_then(|current| current.as_ref().map(RoleCredentials::to_credentials));
        match current {
            Some(credentials) => credentials,
            // The keeper stopped, so the agent is about to.
            None => std::future::pending().await,
        }
    }

    /// The credentials were refused: new ones are wanted before their time.
    pub(crate) fn renew(&self) {
        self.renew.notify_one();
    }
}

/// Keeps the credentials of one node fresh.
#[derive(Debug)]
pub(crate) struct CredentialKeeper {
    plane: Arc<ControlPlane>,
    state: StateDirectory,
    registration: Registration,
    current: watch::Sender<Option<RoleCredentials>>,
    renew: Arc<Notify>,
}

impl CredentialKeeper {
    pub(crate) fn new(
        plane: Arc<ControlPlane>,
        state: StateDirectory,
        registration: Registration,
    ) -> (Self, CredentialSource) {
        let now = unix_seconds(SystemTime::now());
        let kept = state.credentials().filter(|kept| kept.expires_at - LIFE_LEFT_MIN_S > now);
        let (current, receiver) = watch::channel(kept);
        let renew = Arc::new(Notify::new());
        let source = CredentialSource { current: receiver, renew: Arc::clone(&renew) };
        (Self { plane, state, registration, current, renew }, source)
    }

    /// Runs until it is dropped.
    pub(crate) async fn run(mut self) {
        let mut backoff = backoff::for_connections();
        loop {
            let pause = self.current.borrow().as_ref().map_or(Duration::ZERO, pause_before_renewal);
            let asked_for = tokio::select! {
                () = sleep(pause) => false,
                () = self.renew.notified() => true,
            };
            tracing::debug!(asked_for, "renewing the role credentials");
            let not_before = Instant::now() + RENEW_PAUSE;
            match self.request().await {
                Ok(token) => {
                    backoff.reset();
                    self.keep(token).await;
                    sleep_until(not_before).await;
                }
                Err(error) if error.is_denied() => {
                    self.current.send_replace(None);
                    tracing::error!(
                        node.id = %self.plane.node_id(), error = &error as &dyn std::error::Error,
                        "the control plane does not accept this node: it was probably de-registered. Register it again, \
                         or remove the agent. The next try is in about half an hour"
                    );
                    sleep(jittered(DENIED_PAUSE)).await;
                }
                Err(error) => {
                    self.drop_expired();
                    let pause = backoff.next_pause();
                    tracing::warn!(
                        error = &error as &dyn std::error::Error,
                        "cannot get role credentials; trying again in {pause:.1?}"
                    );
                    tokio::select! {
                        () = sleep(pause) => {}
                        () = network::changed() => {}
                    }
                    // At once, whatever is left of the old credentials' life.
                    self.renew.notify_one();
                }
            }
        }
    }

    /// Signed with the node's key, or with the one that may have taken its place.
    async fn request(&mut self) -> Result<RoleToken, CallError> {
        let fingerprint = self.registration.fingerprint;
        let first = self.plane.request_role_token(&self.registration.private_key, fingerprint).await;
        let Err(refused @ CallError::Refused { .. }) = first else { return first };
        let Some(next) = &self.registration.next_private_key else { return Err(refused) };
        let token = self.plane.request_role_token(next, fingerprint).await?;
        tracing::info!("the control plane had switched to the node's new key");
        self.promote_next_key();
        Ok(token)
    }

    async fn keep(&mut self, token: RoleToken) {
        if let Err(error) = self.state.replace_credentials(&token.credentials) {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "cannot keep the role credentials for the next start"
            );
        }
        self.current.send_replace(Some(token.credentials));
        if token.update_key_pair {
            self.rotate_key().await;
        }
    }

    /// Gives the node a new key. Should the answer be lost, both keys are kept until one has proved right.
    async fn rotate_key(&mut self) {
        let Ok(next) = tokio::task::spawn_blocking(NodeKey::generate).await else { return };
        self.registration.next_private_key = Some(next);
        if !self.save_registration() {
            self.registration.next_private_key = None;
            return;
        }
        let Some(next) = &self.registration.next_private_key else { return };
        match self.plane.update_public_key(&self.registration.private_key, next).await {
            Ok(()) => {
                tracing::info!(node.id = %self.plane.node_id(), "the node has a new key");
                self.promote_next_key();
            }
            Err(error) => {
                tracing::warn!(error = &error as &dyn std::error::Error, "cannot replace the node's key");
                if matches!(error, CallError::Refused { .. }) {
                    self.registration.next_private_key = None;
                    self.save_registration();
                }
            }
        }
    }

    fn promote_next_key(&mut self) {
        if let Some(next) = self.registration.next_private_key.take() {
            self.registration.private_key = next;
            self.save_registration();
        }
    }

    fn save_registration(&self) -> bool {
        let saved = self.state.replace_registration(&self.registration);
        if let Err(error) = &saved {
            tracing::error!(error = error as &dyn std::error::Error, "cannot save the registration");
        }
        saved.is_ok()
    }

    fn drop_expired(&self) {
        let now = unix_seconds(SystemTime::now());
        self.current.send_if_modified(|current| {
            let is_over = current.as_ref().is_some_and(|current| current.expires_at <= now);
            is_over.then(|| *current = None).is_some()
        });
    }
}

/// Half of the credentials' life after they were issued, a little earlier or later so that nodes do not ask in step.
fn pause_before_renewal(credentials: &RoleCredentials) -> Duration {
    let life = (credentials.expires_at - credentials.retrieved_at).max(0);
    let renew_at = credentials.retrieved_at + life / 2;
    let left = renew_at - unix_seconds(SystemTime::now());
    let jitter = jittered(Duration::from_secs(u64::try_from(life / 16).unwrap_or(0)));
    Duration::from_secs(u64::try_from(left).unwrap_or(0)).saturating_sub(jitter)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn credentials(age_s: i64, life_s: i64) -> RoleCredentials {
        let now = unix_seconds(SystemTime::now());
        RoleCredentials {
            access_key_id: "ASIA".into(),
            secret_access_key: "hush".into(),
            session_token: "quiet".into(),
            retrieved_at: now - age_s,
            expires_at: now - age_s + life_s,
        }
    }

    #[test]
    fn credentials_are_renewed_at_half_of_their_life() {
        let minutes = pause_before_renewal(&credentials(0, 3600)).as_secs() / 60;
        assert!((26..=28).contains(&minutes), "{minutes}");
        assert_eq!(pause_before_renewal(&credentials(2000, 3600)), Duration::ZERO);
        assert_eq!(pause_before_renewal(&credentials(0, -5)), Duration::ZERO);
        assert!(pause_before_renewal(&credentials(0, 60)).as_secs() <= 30);
    }

    #[test]
    fn nothing_prints_the_secrets() {
        let printed = format!("{:?}", credentials(0, 60));
        assert!(!printed.contains("hush") && !printed.contains("quiet"), "{printed}");
    }
}
