//! Where connections that the node accepted lead, from this machine.

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use postern_protocol::tunnel::{Accepted, Listen, Open, Reason, Refused, StreamId};
use postern_tunnel::{Connected, Far, Listening, Opening, Socket};
use tokio::net::{TcpStream, UnixStream};
use tokio::time::timeout;

/// How long connecting may take.
const CONNECT_WITHIN: Duration = Duration::from_secs(10);

/// Where to connect to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// A port of a host that this machine reaches.
    Port {
        /// A name or an address.
        host: String,
        /// Its port.
        port: u16,
    },
    /// A socket file of this machine.
    Socket(PathBuf),
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Port { host, port } if host.contains(':') => write!(f, "[{host}]:{port}"),
            Self::Port { host, port } => write!(f, "{host}:{port}"),
            Self::Socket(path) => path.display().fmt(f),
        }
    }
}

/// Where each of the node's listeners leads. The session's task and the engine, which it drives, share it.
#[derive(Debug, Clone, Default)]
pub(super) struct Targets(Arc<Mutex<BTreeMap<StreamId, Target>>>);

impl Targets {
    pub(super) fn insert(&self, listener: StreamId, target: Target) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(listener, target);
    }

    pub(super) fn remove(&self, listener: StreamId) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&listener);
    }

    pub(super) fn find(&self, listener: StreamId) -> Option<Target> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&listener).cloned()
    }
}

impl Far for Targets {
    fn connect(&mut self, _: &Open) -> Opening {
        Box::pin(async { Err(Refused::new(Reason::Denied, "this end opens nothing that it is asked for")) })
    }

    fn accept(&mut self, listener: StreamId, _: &Accepted) -> Opening {
        let target = self.find(listener);
        Box::pin(async move {
            let target =
                target.ok_or_else(|| Refused::new(Reason::Denied, "nothing is listened for any more"))?;
            match timeout(CONNECT_WITHIN, connect(&target)).await {
                Ok(Ok(socket)) => Ok(Connected { socket, address: target.to_string() }),
                Ok(Err(error)) => {
                    Err(Refused::new(reason(&error), format!("cannot connect to {target}: {error}")))
                }
                Err(_) => Err(Refused::new(Reason::TimedOut, format!("{target} does not answer"))),
            }
        })
    }

    fn listen(&mut self, _: &Listen) -> Listening {
        Box::pin(async { Err(Refused::new(Reason::Denied, "this end listens for nobody")) })
    }
}

async fn connect(target: &Target) -> io::Result<Socket> {
    Ok(match target {
        Target::Port { host, port } => TcpStream::connect((host.as_str(), *port)).await?.into(),
        Target::Socket(path) => UnixStream::connect(path).await?.into(),
    })
}

fn reason(error: &io::Error) -> Reason {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => Reason::RefusedByPeer,
        io::ErrorKind::TimedOut => Reason::TimedOut,
        io::ErrorKind::NetworkUnreachable | io::ErrorKind::HostUnreachable => Reason::Unreachable,
        io::ErrorKind::NotFound => Reason::NotFound,
        _ => Reason::Failed,
    }
}
