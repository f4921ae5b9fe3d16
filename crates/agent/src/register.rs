//! `postern-agent register`: makes this machine a managed node.

use std::path::PathBuf;

use postern_dial::{Dialer, Endpoint, Http, Proxies};
use postern_ids::{NodeId, Region};

use crate::control_plane::{self, Activation, CallError};
use crate::random;
use crate::state::{NodeKey, Registration, StateDirectory, StateError, StoredTrust};

/// What to register with.
#[derive(Debug)]
pub struct Options {
    /// Where the control plane answers.
    pub endpoint: Endpoint,
    /// Which certificate to expect there.
    pub trust: StoredTrust,
    /// The activation.
    pub activation_id: String,
    /// Its secret.
    pub activation_code: String,
    /// The region of the node.
    pub region: Region,
    /// What to do if there is a registration already.
    pub existing: Existing,
}

/// What to do with a registration that is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Existing {
    /// Keep it and fail.
    Keep,
    /// Replace it, once the new one is made.
    Replace,
}

/// Why the machine was not registered.
#[derive(Debug, thiserror::Error)]
pub enum RegisterError {
    /// It already is.
    #[error("this machine is registered already, as {node_id} in {}. To register it anew, add --force", directory.display())]
    Registered {
        /// As which node.
        node_id: NodeId,
        /// Where that is kept.
        directory: PathBuf,
    },
    /// The state directory.
    #[error(transparent)]
    State(#[from] StateError),
    /// The control plane said no or nothing.
    #[error("cannot register this machine")]
    Call(#[from] CallError),
}

/// Registers this machine and keeps the result in `state`. An earlier registration stays as it is until then.
///
/// # Errors
/// If the machine is registered already, the control plane refuses, or the result cannot be kept.
pub async fn register(state: &StateDirectory, options: &Options) -> Result<NodeId, RegisterError> {
    let former = match (state.registration(), options.existing) {
        (Ok(Some(former)), Existing::Keep) => {
            let directory = state.path().to_owned();
            return Err(RegisterError::Registered { node_id: former.node_id, directory });
        }
        (Ok(former), _) => former,
        (Err(StateError::Damaged { .. }), Existing::Replace) => None,
        (Err(error), _) => return Err(error.into()),
    };
    let http = Http::new(Dialer::new(state.trust(&options.trust)?, Proxies::from_env()));
    // The server may know the machine again by its fingerprint.
    let fingerprint = former.map_or_else(random::uuid, |former| former.fingerprint);
    let private_key = NodeKey::generate();
    let activation = Activation { id: &options.activation_id, code: &options.activation_code };
    let node_id =
        control_plane::register(&http, &options.endpoint, &activation, fingerprint, &private_key).await?;
    state.replace_registration(&Registration {
        node_id: node_id.clone(),
        region: options.region.clone(),
        endpoint: options.endpoint.to_string(),
        trust: options.trust.clone(),
        fingerprint,
        private_key,
        next_private_key: None,
    })?;
    state.remove_credentials()?;
    Ok(node_id)
}
