//! The whole server: put together from its configuration, run until told to stop.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::digest;
use jiff::Timestamp;
use postern_audit::{Retention, Trail, TrailOptions};
use postern_gateway::{Gateway, GatewayConfig};
use postern_logs::{SqliteLogs, SqliteLogsOptions};
use postern_objects::{Vault, VaultError, VaultOptions};
use postern_recording::{Durability, RecordingDirectory};
use postern_s3::{DirectoryObjects, Endpoint, EndpointConfig};
use postern_search::SearchIndex;
use postern_store::{AuthorizationStore as _, OpenError, SqliteOptions, SqliteStore, StoreError};
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::app::App;
use crate::audit::{self, Audit, SessionRecords};
use crate::auth::{Authenticator, Authorizer, Invocations, MfaCodes, Passwords, Remembered, SessionTokens};
use crate::body_budget::BodyBudget;
use crate::bootstrap::{
    self, DataDirectory, DataDirectoryError, Exports, MasterKeyError, Names, ProfileError,
    ServerCertificateError, Start,
};
use crate::clock::{Clock, SystemClock};
use crate::config::{self, Config, ListenAddress, PublicUrl, RecordingStrictness, Tls};
use crate::connection_rights::ConnectionRights;
use crate::console::{self, About, Console, Origins, Passkeys, SetupLink, SetupLinkError};
use crate::disk_reserve::DiskReserve;
use crate::dispatch::Dispatch;
use crate::follow;
use crate::kms::{self, DataKeyOpener, EmbeddedHolder, KeyHolder, Kms, VaultTransit, WrappedHolder};
use crate::logs::{BATCH_BODY_BYTES_MAX, Logs};
use crate::node_uploads::NodeUploads;
use crate::oidc::OidcVerifier;
use crate::page_token::PageTokens;
use crate::random::{Random, SystemRandom};
use crate::rate_limit::RateLimit;
use crate::recordings::{self, Recordings};
use crate::revocation;
use crate::routes::s3::Gate;
use crate::serve::{self, Admissions};
use crate::session_logs::{self, Collectors, SessionLogs, Sinks};
use crate::tls::{self, CurrentCertificate, TlsError};

/// How often it is looked whether the certificate is to be renewed, or was by the operator.
const CERTIFICATE_CHECKED_EVERY: Duration = Duration::from_secs(6 * 60 * 60);
/// How often it is written down when access keys and roles were last used.
const LAST_USES_WRITTEN_EVERY: Duration = Duration::from_secs(10);

/// They may stay for a week; an hour more does no harm.
const OLD_UPLOADS_ENDED_EVERY: Duration = Duration::from_secs(60 * 60);
/// What the key of the objects' files is derived from the master key for.
const OBJECTS_KEY_PURPOSE: &str = "contents of objects";
/// What the trail's signing keys are sealed with.
const AUDIT_KEYS: &str = "audit signing keys";

/// Why the server does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The data directory cannot be used.
    #[error("the data directory cannot be used")]
    DataDirectory(#[from] DataDirectoryError),
    /// There is no master key.
    #[error("the master key cannot be used")]
    MasterKey(#[from] MasterKeyError),
    /// There is no database.
    #[error("the database cannot be used ({})", .0.remedy())]
    Database(#[from] OpenError),
    /// Something in it cannot be read.
    #[error("the database cannot be read")]
    Store(#[from] StoreError),
    /// The audit trail cannot be written, or is not as it was.
    #[error("the audit trail cannot be used ({})", .0.remedy())]
    Audit(#[from] postern_audit::OpenError),
    /// The objects cannot be used.
    #[error("the objects cannot be used")]
    Objects(#[from] VaultError),
    /// The logs cannot be used.
    #[error("the logs cannot be used")]
    Logs(#[from] postern_logs::OpenError),
    /// The recordings cannot be written.
    #[error("the directory of recordings cannot be used")]
    Recordings(#[source] io::Error),
    /// The search index cannot be made.
    #[error(transparent)]
    SearchIndex(#[from] postern_search::OpenError),
    /// There is no certificate.
    #[error(transparent)]
    Certificate(#[from] ServerCertificateError),
    /// The public URL's host cannot stand in a certificate.
    #[error("the public URL's host cannot stand in a certificate")]
    Names(#[source] rcgen::Error),
    /// TLS cannot be set up.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The port cannot be opened.
    #[error("cannot listen on {address}")]
    Listen {
        /// The address and port.
        address: ListenAddress,
        /// Why.
        source: io::Error,
    },
    /// The administrator or its files cannot be made.
    #[error("cannot provide the administrator's profile")]
    Profile(#[from] ProfileError),
}

/// A server that listens and is about to serve.
pub struct Server {
    app: Arc<App>,
    store: Arc<SqliteStore>,
    logs: Arc<SqliteLogs>,
    listener: TcpListener,
    certificates: Certificates,
    address: SocketAddr,
    exports: Exports,
    setup_link: Option<SetupLink>,
    start: Start,
    retention: Retention,
    recordings_kept: Option<Duration>,
    search_bytes_max: u64,
}

impl Server {
    /// Makes everything ready: data directory, keys, database, sessions that an earlier process left, port,
    /// administrator.
    ///
    /// # Errors
    /// Says what is missing, damaged or in use. What exists is left as it is.
    pub async fn start(config: Config, shutdown: CancellationToken) -> Result<Self, StartError> {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let random: Arc<dyn Random> = Arc::new(SystemRandom);
        let directory = DataDirectory::open(&config.data_dir)?;
        let master_key = bootstrap::master_key(&directory, &*random)?;
        let session_tokens = Arc::new(SessionTokens::new(&master_key));
        let page_tokens = page_tokens(&config, &master_key);
        let audit_key = *master_key.derive(AUDIT_KEYS).expose_secret();
        let audit_directory = directory.audit();
        let is_strict = config.recording.strictness == RecordingStrictness::Durable;
        let mut options =
            SqliteOptions { account: config.account.clone(), ..SqliteOptions::new(directory.database()) };
        if is_strict {
            // A recording that survives a power failure is worth little without its session.
            options.durability = postern_store::Durability::PowerFailure;
        }
        let objects_key = master_key.derive(OBJECTS_KEY_PURPOSE);
        let passkeys_key = master_key.derive(console::PASSKEYS_KEY_PURPOSE);
        let store = Arc::new(SqliteStore::open(&options, master_key).await?);
        let recordings = RecordingDirectory::open(directory.recordings())
            .map_err(StartError::Recordings)?
            .with_durability(if is_strict { Durability::PowerFailure } else { Durability::default() })
            .with_bytes_max(u64::try_from(config.recording.bytes_max).unwrap_or(u64::MAX));
        let recordings = Arc::new(recordings);
        let search = SearchIndex::open(&directory.search_index()).await?;
        let gateway_config = GatewayConfig {
            agent_returns_within: config.sessions.agent_returns_within,
            sessions_max: config.limits.sessions_max,
            recording_vouched_within: config.audit.recording_interval,
        };
        let disk_reserve = DiskReserve::new(config.limits.free_disk_bytes_min);
        let objects = VaultOptions {
            directory: directory.objects(),
            key: objects_key,
            has_room: Arc::new({
                let directory = directory.objects();
                move |bytes| disk_reserve.has_room_for(bytes, &directory)
            }),
        };
        let vault = Vault::open(objects, store.clone()).await?;
        let trail = open_trail(&config, &directory, audit_key, &clock).await?;
        let logs_directory = directory.logs();
        let logs = Arc::new(open_logs(&directory, &clock).await?);
        let session_records = SessionRecords::new(
            trail.clone(),
            config.account.clone(),
            config.region.clone(),
            Arc::clone(&clock),
            Arc::clone(&random),
        );
        let kms = Arc::new(Kms::new(store.clone(), key_holder(&config.kms, &random), Arc::clone(&random)));
        let new_audit = |trail: Option<Trail>| {
            Audit::new(
                trail,
                config.account.clone(),
                config.region.clone(),
                config.audit.unrecorded_reads,
                Arc::clone(&clock),
                Arc::clone(&random),
            )
        };
        let data_keys = DataKeyOpener::new(Arc::clone(&kms), new_audit(trail.clone()));
        let authenticator = Arc::new(Authenticator::new(
            store.clone(),
            Arc::clone(&session_tokens),
            config.account.clone(),
            config.region.clone(),
        ));
        let authorizer =
            Arc::new(Authorizer::new(store.clone(), config.account.clone(), config.region.clone()));
        let connection_rights = ConnectionRights {
            store: store.clone(),
            authenticator: Arc::clone(&authenticator),
            authorizer: Arc::clone(&authorizer),
            account: config.account.clone(),
            region: config.region.clone(),
            document_check: config.sessions.document_check,
            clock: Arc::clone(&clock),
            standings: Remembered::new(store.identity_generation()),
        };
        let gateway = Gateway::new(
            gateway_config,
            store.clone(),
            Arc::clone(&recordings),
            Arc::clone(&clock),
            Arc::new(session_records),
            Arc::new(data_keys),
            Arc::new(connection_rights),
        );

        let host_name = rustix::system::uname().nodename().to_string_lossy().into_owned();
        let url_at = |address| {
            config.public_url.clone().unwrap_or_else(|| PublicUrl::of_listener(address, &host_name))
        };
        let names = Names::new(url_at(config.listen.0).host(), &host_name).map_err(StartError::Names)?;
        let certificates = Certificates::load(directory, config.tls.clone(), names, &*clock, &*random)?;
        let (listener, address) = listen(config.listen).await?;
        let public_url = url_at(address);

        let (exports, start) = bootstrap::profile(
            &certificates.directory,
            &*store,
            &public_url,
            &config.region,
            &config.tls,
            clock.now(),
            &*random,
        )
        .await?;
        let setup_link = setup_link(&store, &public_url, clock.now(), &*random).await?;
        let console = certificates.console(&config, &public_url, Passkeys::new(&public_url, &passkeys_key));
        let restored = gateway.restore().await?;
        if restored > 0 {
            tracing::info!("took up {restored} sessions that an earlier process left");
        }
        let sinks = Sinks::new(&config.session_logs, &config.region, vault.clone(), logs.clone(), &clock);
        let app = App {
            session_logs: SessionLogs::new(
                config.session_logs.clone(),
                sinks,
                Collectors::new(&config.session_logs.collectors, &clock),
            ),
            authenticator,
            authorizer,
            audit: new_audit(trail),
            audit_expire_min_days: config.audit.expire_min_days,
            s3: s3_endpoint(&config, &public_url, audit_directory, vault.clone(), &clock),
            account: config.account,
            region: config.region,
            public_url,
            sessions: config.sessions,
            limits: config.limits,
            store: store.clone(),
            vault,
            logs: Logs::new(logs.clone(), logs_directory),
            gateway,
            recordings: Recordings::new(recordings),
            search,
            kms,
            follow_tickets: follow::Tickets::default(),
            session_tokens,
            mfa_codes: MfaCodes::default(),
            passwords: Passwords::new(&*random),
            oidc: OidcVerifier::new(&config.oidc),
            console,
            started_sessions: Invocations::default(),
            sessions_changed: Notify::new(),
            page_tokens,
            bodies: BodyBudget::new(
                config.limits.held_body_bytes_max,
                config.limits.body_bytes_max.max(BATCH_BODY_BYTES_MAX),
            ),
            unsigned_calls: RateLimit::new(config.limits.unsigned_calls_per_minute_max),
            node_updates: RateLimit::new(config.limits.node_updates_per_minute_max),
            node_uploads: NodeUploads::new(config.limits.node_upload_bytes_per_hour_max),
            disk_reserve,
            clock,
            random,
            tasks: TaskTracker::new(),
            shutdown,
        };
        Ok(Self {
            app: Arc::new(app),
            store,
            logs,
            listener,
            certificates,
            address,
            exports,
            setup_link,
            start,
            retention: config.audit.keep,
            recordings_kept: config.recording.keep,
            search_bytes_max: u64::try_from(config.recording.search_bytes_max).unwrap_or(u64::MAX),
        })
    }

    /// How clients and nodes reach the server.
    #[must_use]
    pub fn public_url(&self) -> &PublicUrl {
        &self.app.public_url
    }

    /// The address and port that it listens on.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What makes `aws` use it.
    #[must_use]
    pub fn exports(&self) -> &Exports {
        &self.exports
    }

    /// What sets the administrator's password, while there is none.
    #[must_use]
    pub fn setup_link(&self) -> Option<&SetupLink> {
        self.setup_link.as_ref()
    }

    /// Whether this start was the first.
    #[must_use]
    pub fn is_first_start(&self) -> bool {
        self.start == Start::First
    }

    /// What its operations work with.
    #[cfg(test)]
    pub(crate) fn app(&self) -> &Arc<App> {
        &self.app
    }

    /// Takes the storage away.
    #[cfg(test)]
    pub(crate) async fn close_store(&self) {
        self.store.close().await;
    }

    /// Serves until the token that it was started with is cancelled, and then until everything open has ended.
    ///
    /// # Errors
    /// If TLS cannot be set up.
    pub async fn run(self) -> Result<(), TlsError> {
        let Self {
            app,
            store,
            logs,
            listener,
            certificates,
            retention,
            recordings_kept,
            search_bytes_max,
            ..
        } = self;
        let (tasks, shutdown) = (app.tasks.clone(), app.shutdown.clone());
        let acceptor = tls::acceptor(Arc::clone(&certificates.current))?;
        tasks.spawn(certificates.keep_fresh(Arc::clone(&app)));
        tasks.spawn(remove_old_records(Arc::clone(&app), retention));
        tasks.spawn(recordings::tend(Arc::clone(&app), recordings_kept));
        tasks.spawn(recordings::index(Arc::clone(&app), search_bytes_max));
        tasks.spawn(session_logs::tend(Arc::clone(&app)));
        tasks.spawn(revocation::run(Arc::clone(&app)));
        tasks.spawn(kms::tend(Arc::clone(&app)));
        tasks.spawn(end_old_uploads(Arc::clone(&app)));
        tasks.spawn(write_last_uses(Arc::clone(&app)));
        let dispatch = Arc::new(Dispatch(Arc::clone(&app)));
        let limits = app.limits;
        let admissions = Admissions::new(limits.connections_max, limits.connections_per_address_max);
        serve::serve(listener, acceptor, admissions, dispatch, tasks.clone(), shutdown).await;
        // The port is closed; sessions stay for the next process, their connections end.
        app.gateway.drain().await;
        tasks.close();
        tasks.wait().await;
        logs.close().await;
        app.search.close().await;
        if let Some(trail) = app.audit.trail() {
            trail.close().await;
        }
        store.close().await;
        Ok(())
    }
}

/// Removes from the audit trail what has been kept long enough; nothing if everything is kept.
async fn remove_old_records(app: Arc<App>, retention: Retention) {
    let Some(trail) = app.audit.trail().filter(|_| retention != Retention::default()) else { return };
    // Who has set the settings is the account itself.
    let by = format!("arn:aws:iam::{}:root", app.account);
    audit::remove_old(trail, retention, &by, audit::REMOVED_EVERY, &app.shutdown).await;
}

/// Writes down when keys and roles were last used, every so often and at the end.
async fn write_last_uses(app: Arc<App>) {
    loop {
        let is_over = tokio::select! {
            () = app.shutdown.cancelled() => true,
            () = tokio::time::sleep(LAST_USES_WRITTEN_EVERY) => false,
        };
        if let Err(error) = app.authenticator.write_last_uses().await {
            let error: &dyn std::error::Error = &error;
            tracing::warn!(error, "cannot write down when keys and roles were last used");
        }
        if is_over {
            return;
        }
    }
}

/// Ends uploads in parts that nobody completes.
async fn end_old_uploads(app: Arc<App>) {
    loop {
        if let Err(error) = app.vault.end_old_uploads(app.clock.now()).await {
            let error: &dyn std::error::Error = &error;
            tracing::warn!(error, "cannot end uploads that nobody completes");
        }
        tokio::select! {
            () = app.shutdown.cancelled() => return,
            () = tokio::time::sleep(OLD_UPLOADS_ENDED_EVERY) => {}
        }
    }
}

/// The certificate that is shown, and where it comes from.
struct Certificates {
    directory: DataDirectory,
    tls: Tls,
    names: Names,
    current: Arc<CurrentCertificate>,
}

impl Certificates {
    fn load(
        directory: DataDirectory,
        tls: Tls,
        names: Names,
        clock: &dyn Clock,
        random: &dyn Random,
    ) -> Result<Self, ServerCertificateError> {
        let first = bootstrap::server_certificate(&directory, &tls, &names, clock.now(), random)?;
        Ok(Self { directory, tls, names, current: Arc::new(CurrentCertificate::new(first)) })
    }

    /// What the console has to know of them.
    fn console(&self, config: &Config, public_url: &PublicUrl, passkeys: Passkeys) -> Console {
        let shown = self.current.leaf();
        let authority = match self.tls {
            Tls::OwnAuthority => tls::read_chain(&self.directory.authority_certificate()).ok(),
            Tls::Operator { .. } => None,
        };
        let authority = authority.and_then(|chain| chain.into_iter().next());
        Console {
            settings: config.console.clone(),
            about: About::new(config, Arc::clone(&self.current)),
            origins: Origins::new(public_url, &shown),
            passkeys,
            sign_ons: console::new_sign_on_limit(),
            authority_sha256: authority.map(|der| hex::encode(digest::digest(&digest::SHA256, &der))),
        }
    }

    /// Shows renewed certificates without a restart.
    async fn keep_fresh(self, app: Arc<App>) {
        loop {
            tokio::select! {
                () = app.shutdown.cancelled() => return,
                () = tokio::time::sleep(CERTIFICATE_CHECKED_EVERY) => {}
            }
            let now = app.clock.now();
            match bootstrap::server_certificate(&self.directory, &self.tls, &self.names, now, &*app.random) {
                Ok(certificate) => self.current.replace(certificate),
                Err(error) => {
                    let error: &dyn std::error::Error = &error;
                    tracing::error!(error, "the server's certificate cannot be renewed; the old one stays");
                }
            }
        }
    }
}

/// A link for the administrator's first password, if it is still to be set.
async fn setup_link(
    store: &SqliteStore,
    url: &PublicUrl,
    now: Timestamp,
    random: &dyn Random,
) -> Result<Option<SetupLink>, StoreError> {
    match console::new_setup_link(store, url, now, random).await {
        Ok(link) => Ok(Some(link)),
        Err(SetupLinkError::HasPassword | SetupLinkError::NoAdministrator) => Ok(None),
        Err(SetupLinkError::Store(error)) => Err(error),
    }
}

/// Opens the trail; it is taken up where an earlier process left it.
fn key_holder(config: &config::Kms, random: &Arc<dyn Random>) -> Box<dyn KeyHolder> {
    let random = Arc::clone(random);
    match &config.vault {
        None => Box::new(EmbeddedHolder::new(random)),
        Some(key) => Box::new(WrappedHolder::new(random, VaultTransit::new(key.clone()))),
    }
}

async fn open_trail(
    config: &Config,
    directory: &DataDirectory,
    sealing_key: [u8; 32],
    clock: &Arc<dyn Clock>,
) -> Result<Option<Trail>, StartError> {
    if config.audit.off_for_benchmark {
        tracing::error!(
            "THERE IS NO AUDIT TRAIL: audit.off_for_benchmark is set. No call is recorded. Never serve anybody so."
        );
        return Ok(None);
    }
    let clock = Arc::clone(clock);
    let options = TrailOptions {
        bucket: config.audit.bucket.clone(),
        head_interval: config.audit.head_interval,
        log_file_interval: config.audit.log_file_interval,
        digest_interval: config.audit.digest_interval,
        ..TrailOptions::new(directory.audit(), config.account.clone(), config.region.clone())
    };
    Ok(Some(Trail::open(options, sealing_key, postern_audit::Clock::new(move || clock.now())).await?))
}

/// Opens the logs; an earlier process may have left what is to be removed.
async fn open_logs(
    directory: &DataDirectory,
    clock: &Arc<dyn Clock>,
) -> Result<SqliteLogs, postern_logs::OpenError> {
    let clock = Arc::clone(clock);
    SqliteLogs::open(SqliteLogsOptions::new(directory.logs()), move || clock.now().as_millisecond()).await
}

/// S3 over the buckets that the trail delivers to, and all that are made.
fn s3_endpoint(
    config: &Config,
    public_url: &PublicUrl,
    audit_directory: PathBuf,
    vault: Vault,
    clock: &Arc<dyn Clock>,
) -> Endpoint {
    let layout = postern_audit::format::Layout::new(audit_directory);
    let store = DirectoryObjects::new(layout.objects(), layout.metadata());
    let endpoint = EndpointConfig {
        region: config.region.to_string(),
        host: public_url.host().to_string(),
        virtual_buckets: vec![config.audit.bucket.clone()],
    };
    let clock = Arc::clone(clock);
    Endpoint::new(endpoint, Arc::new(store), vault, move || clock.now(), Gate)
}

/// Bound to account and region, so that a token of another deployment's past is refused.
fn page_tokens(config: &Config, master_key: &postern_store::MasterKey) -> PageTokens {
    let purpose = format!("page tokens of {} in {}", config.account, config.region);
    PageTokens::new(master_key.derive(&purpose).expose_secret())
}

async fn listen(address: ListenAddress) -> Result<(TcpListener, SocketAddr), StartError> {
    let listen = async || {
        let listener = TcpListener::bind(address.0).await?;
        let bound = listener.local_addr()?;
        Ok((listener, bound))
    };
    listen().await.map_err(|source| StartError::Listen { address, source })
}
