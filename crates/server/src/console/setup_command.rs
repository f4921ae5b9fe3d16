//! `postern-server setup-link`: another link, also while a server runs.

use std::io;

use postern_store::{OpenError, SqliteOptions, SqliteStore};

use super::setup::{SetupLink, SetupLinkError, new_setup_link};
use crate::bootstrap::{self, DataDirectory, DataDirectoryError, MasterKeyError};
use crate::clock::{Clock as _, SystemClock};
use crate::config::{Config, PublicUrl};
use crate::random::SystemRandom;

/// Why no link was made.
#[derive(Debug, thiserror::Error)]
pub enum MakeLinkError {
    /// There is no data directory.
    #[error("the data directory cannot be used")]
    DataDirectory(#[from] DataDirectoryError),
    /// No server was started on it yet.
    #[error("there is no database yet; the first start of the server prints a link")]
    NoDatabase(#[source] io::Error),
    /// There is no master key.
    #[error("the master key cannot be used")]
    MasterKey(#[from] MasterKeyError),
    /// The database cannot be opened.
    #[error("the database cannot be used ({})", .0.remedy())]
    Database(#[from] OpenError),
    /// Nobody needs one, or storage failed.
    #[error(transparent)]
    Link(#[from] SetupLinkError),
}

/// Makes a link in place of the one before. A server that runs knows it at once.
///
/// # Errors
/// [`MakeLinkError`].
pub async fn make_setup_link(config: &Config) -> Result<SetupLink, MakeLinkError> {
    let directory = DataDirectory::beside_a_server(&config.data_dir)?;
    std::fs::metadata(directory.database()).map_err(MakeLinkError::NoDatabase)?;
    let master_key = bootstrap::master_key(&directory, &SystemRandom)?;
    let options =
        SqliteOptions { account: config.account.clone(), ..SqliteOptions::new(directory.database()) };
    let store = SqliteStore::open(&options, master_key).await?;
    let host_name = rustix::system::uname().nodename().to_string_lossy().into_owned();
    let url = config.public_url.clone();
    let url = url.unwrap_or_else(|| PublicUrl::of_listener(config.listen.0, &host_name));
    let made = new_setup_link(&store, &url, SystemClock.now(), &SystemRandom).await;
    store.close().await;
    Ok(made?)
}
