//! Connections to endpoints: TCP, through a proxy if need be, then TLS.

use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rustls::ClientConfig;
use rustls_pki_types::ServerName;
use tokio_rustls::TlsConnector;

use crate::connect::{AddressFilter, connect};
use crate::endpoint::Endpoint;
use crate::error::{DialError, Step};
use crate::proxy::Proxies;
use crate::stream::Stream;
use crate::trust::Trust;

/// How long each step may take.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Resolving and connecting.
    pub connect: Duration,
    /// The answer of a proxy.
    pub proxy: Duration,
    /// The TLS handshake.
    pub tls: Duration,
    /// A whole request and answer, and the upgrade to a websocket.
    pub request: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            proxy: Duration::from_secs(10),
            tls: Duration::from_secs(10),
            request: Duration::from_secs(30),
        }
    }
}

impl Limits {
    /// Runs one step, and gives up when its time is over.
    pub(crate) async fn apply<T>(
        &self,
        step: Step,
        host: &str,
        work: impl Future<Output = Result<T, DialError>>,
    ) -> Result<T, DialError> {
        let limit = match step {
            Step::Connect => self.connect,
            Step::Proxy => self.proxy,
            Step::Tls => self.tls,
            Step::Request | Step::Upgrade => self.request,
        };
        let timed_out = |_| DialError::TimedOut { host: host.to_owned(), step, limit };
        tokio::time::timeout(limit, work).await.map_err(timed_out)?
    }
}

/// Makes connections to endpoints.
#[derive(Debug)]
pub struct Dialer {
    trust: Trust,
    proxies: Proxies,
    limits: Limits,
    may_reach: AddressFilter,
    /// Made for the first TLS connection; it also remembers sessions for quicker handshakes.
    tls: Mutex<Option<Arc<ClientConfig>>>,
}

impl Dialer {
    /// Connects as `trust` and `proxies` say, within the default [`Limits`].
    #[must_use]
    pub fn new(trust: Trust, proxies: Proxies) -> Self {
        Self { trust, proxies, limits: Limits::default(), may_reach: |_| true, tls: Mutex::new(None) }
    }

    /// Connects only to addresses that `may_reach` admits, whatever name leads to them. Where a proxy does the connecting, it
    /// does the resolving too, and nothing is known of the address.
    #[must_use]
    pub fn with_address_filter(mut self, may_reach: AddressFilter) -> Self {
        self.may_reach = may_reach;
        self
    }

    /// With other time limits.
    #[must_use]
    pub fn with_limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    pub(crate) fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Opens a connection to `endpoint`.
    ///
    /// # Errors
    /// Any [`DialError`] up to [`DialError::Tls`], or [`DialError::TimedOut`].
    pub async fn connect(&self, endpoint: &Endpoint) -> Result<Stream, DialError> {
        let host = endpoint.authority();
        let tcp = match self.proxies.proxy_for(endpoint)? {
            None => {
                let connecting = connect(endpoint.host(), endpoint.port(), self.may_reach);
                self.limits.apply(Step::Connect, host, connecting).await?
            }
            Some(proxy) => {
                let name = proxy.name();
                let mut tcp = self
                    .limits
                    .apply(Step::Connect, &name, connect(&proxy.host, proxy.port, |_| true))
                    .await?;
                self.limits.apply(Step::Proxy, &name, proxy.connect(&mut tcp, endpoint)).await?;
                tcp
            }
        };
        if !endpoint.is_tls() {
            return Ok(Stream::Plain(tcp));
        }
        let name = ServerName::try_from(endpoint.host().to_owned()).map_err(|_| DialError::Url {
            url: endpoint.to_string(),
            problem: "the host name is not valid",
        })?;
        let connector = TlsConnector::from(self.tls()?);
        let handshake = async {
            connector
                .connect(name, tcp)
                .await
                .map_err(|source| DialError::Tls { host: host.to_owned(), source })
        };
        Ok(Stream::Tls(Box::new(self.limits.apply(Step::Tls, host, handshake).await?)))
    }

    fn tls(&self) -> Result<Arc<ClientConfig>, DialError> {
        let mut tls = self.tls.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(config) = &*tls {
            return Ok(config.clone());
        }
        let config = Arc::new(self.trust.client_config().map_err(DialError::Trust)?);
        Ok(tls.insert(config).clone())
    }
}
