//! What this side listens on: a port of this machine only, or a socket file.

use std::io;
use std::net::{Ipv4Addr, TcpListener as StdListener};
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use postern_tunnel::Socket;
use serde_json::Value;
use tokio::net::{TcpListener, UnixListener};

use crate::outcome::SessionError;

/// What to listen on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Local {
    /// A port of this machine; any that is free for 0.
    Port(u16),
    /// A socket file, which is made.
    Socket(PathBuf),
}

impl Local {
    /// As the properties of a port session say.
    pub(crate) fn of(properties: &Value) -> Result<Self, SessionError> {
        let text = |name: &str| properties.get(name).and_then(Value::as_str).unwrap_or_default();
        if text("localConnectionType") == "unix" {
            return Ok(Self::Socket(text("localUnixSocket").into()));
        }
        match text("localPortNumber") {
            "" => Ok(Self::Port(0)),
            port => port.parse().map(Self::Port).map_err(|_| SessionError::LocalPort(port.to_owned())),
        }
    }
}

enum Bound {
    Tcp(TcpListener),
    Unix(UnixListener),
}

/// See the [module's documentation](self). A socket file is removed with it.
pub(crate) struct Listener {
    bound: Bound,
    place: String,
    file: Option<PathBuf>,
}

impl Listener {
    pub(crate) fn bind(local: &Local) -> Result<Self, SessionError> {
        match local {
            Local::Port(port) => {
                let failed = |source| SessionError::Listen { place: format!("localhost:{port}"), source };
                let (listener, port) = bind_port(*port).map_err(failed)?;
                Ok(Self { bound: Bound::Tcp(listener), place: format!("Port {port}"), file: None })
            }
            Local::Socket(path) => {
                let shown = path.display().to_string();
                let failed = |source| SessionError::Listen { place: shown.clone(), source };
                let listener = UnixListener::bind(path).map_err(failed)?;
                let place = format!("Unix socket {shown}");
                let bound = Self { bound: Bound::Unix(listener), place, file: Some(path.clone()) };
                // Who may use the session's owner's right is the owner alone.
                std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).map_err(failed)?;
                Ok(bound)
            }
        }
    }

    /// Where, for people.
    pub(crate) fn place(&self) -> &str {
        &self.place
    }

    /// The next connection, and who made it, if there is a word for that. Safe to drop at any time.
    pub(crate) async fn accept(&self) -> io::Result<(Socket, String)> {
        match &self.bound {
            Bound::Tcp(listener) => {
                listener.accept().await.map(|(stream, source)| (stream.into(), source.to_string()))
            }
            Bound::Unix(listener) => {
                listener.accept().await.map(|(stream, _)| (stream.into(), String::new()))
            }
        }
    }
}

/// On the loopback address alone, as AWS's plugin does.
fn bind_port(port: u16) -> io::Result<(TcpListener, u16)> {
    let listener = StdListener::bind((Ipv4Addr::LOCALHOST, port))?;
    listener.set_nonblocking(true)?;
    let port = listener.local_addr()?.port();
    Ok((TcpListener::from_std(listener)?, port))
}

impl Drop for Listener {
    fn drop(&mut self) {
        if let Some(file) = &self.file {
            // Somebody may have been faster.
            let _ = std::fs::remove_file(file);
        }
    }
}
