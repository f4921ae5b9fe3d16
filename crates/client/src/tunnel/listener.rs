//! What is listened on, on this machine: ports, socket files, and ports for datagrams.
//!
//! A listener outlives sessions: what it accepts waits in a bounded queue until one takes it.

use std::future::poll_fn;
use std::io;
use std::net::{SocketAddr, TcpListener as StdListener, UdpSocket as StdUdpSocket};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::task::{Context, Poll};
use std::time::Duration;

use postern_protocol::tunnel::{Destination, Open};
use postern_tunnel::Socket;
use tokio::net::{TcpListener, TcpStream, UdpSocket, UnixListener, UnixStream};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::{ForwardId, Offered, datagrams, socks};

/// After a connection could not be accepted: there are too many open files, as a rule.
const ACCEPT_PAUSE: Duration = Duration::from_millis(200);
/// Programs that have not said yet where SOCKS shall lead them.
const ASKING_MAX: usize = 256;

/// Where what is accepted leads.
#[derive(Debug, Clone)]
pub enum Lead {
    /// There.
    Fixed(Destination),
    /// Where each program says, by SOCKS.
    Socks,
}

/// Something that is listened on. A socket file is removed with it.
#[derive(Debug)]
pub struct LocalListener {
    bound: Bound,
    file: Option<PathBuf>,
}

#[derive(Debug)]
enum Bound {
    Tcp(TcpListener),
    Unix(UnixListener),
    Udp(UdpSocket),
}

impl LocalListener {
    /// Listens on a port; any that is free for 0.
    ///
    /// # Errors
    /// The port is in use, or the address is not of this machine.
    pub fn port(address: SocketAddr) -> io::Result<Self> {
        let listener = StdListener::bind(address)?;
        listener.set_nonblocking(true)?;
        Ok(Self { bound: Bound::Tcp(TcpListener::from_std(listener)?), file: None })
    }

    /// Makes a socket file, to which only its owner can connect.
    ///
    /// # Errors
    /// There is such a file already, or it cannot be made.
    pub fn socket_file(path: &Path) -> io::Result<Self> {
        let listener = UnixListener::bind(path)?;
        let listener = Self { bound: Bound::Unix(listener), file: Some(path.to_owned()) };
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))?;
        Ok(listener)
    }

    /// Takes datagrams at a port; any that is free for 0.
    ///
    /// # Errors
    /// As of [`Self::port`].
    pub fn datagrams(address: SocketAddr) -> io::Result<Self> {
        let socket = StdUdpSocket::bind(address)?;
        socket.set_nonblocking(true)?;
        Ok(Self { bound: Bound::Udp(UdpSocket::from_std(socket)?), file: None })
    }

    /// Where, if it is a port.
    #[must_use]
    pub fn address(&self) -> Option<SocketAddr> {
        match &self.bound {
            Bound::Tcp(listener) => listener.local_addr().ok(),
            Bound::Udp(socket) => socket.local_addr().ok(),
            Bound::Unix(_) => None,
        }
    }

    /// Offers what it accepts, until it is dropped.
    pub async fn serve(self, forward: ForwardId, lead: Lead, offers: mpsc::Sender<Offered>) {
        match (&self.bound, &lead) {
            (Bound::Tcp(listener), Lead::Fixed(to)) => accept_tcp(listener, forward, to, &offers).await,
            (Bound::Tcp(listener), Lead::Socks) => accept_socks(listener, forward, &offers).await,
            (Bound::Unix(listener), Lead::Fixed(to)) => accept_unix(listener, forward, to, &offers).await,
            (Bound::Udp(socket), Lead::Fixed(to)) => datagrams::serve(socket, forward, to, &offers).await,
            // SOCKS is spoken at ports.
            (Bound::Unix(_) | Bound::Udp(_), Lead::Socks) => {}
        }
    }
}

impl Drop for LocalListener {
    fn drop(&mut self) {
        if let Some(file) = &self.file {
            // Somebody may have been faster.
            let _ = std::fs::remove_file(file);
        }
    }
}

async fn accept_tcp(
    listener: &TcpListener,
    forward: ForwardId,
    to: &Destination,
    offers: &mpsc::Sender<Offered>,
) {
    loop {
        let (stream, source) = accept(|cx| listener.poll_accept(cx)).await;
        let open = Open { destination: to.clone(), source: source.to_string() };
        let offered = Offered { forward, open, socket: stream.into(), answers: None };
        if offers.send(offered).await.is_err() {
            return;
        }
    }
}

async fn accept_unix(
    listener: &UnixListener,
    forward: ForwardId,
    to: &Destination,
    offers: &mpsc::Sender<Offered>,
) {
    let owner = rustix::process::geteuid().as_raw();
    loop {
        let (stream, _) = accept(|cx| listener.poll_accept(cx)).await;
        // Between its making and its mode, others may have seen the file.
        if !is_of(&stream, owner) {
            continue;
        }
        let open = Open { destination: to.clone(), source: String::new() };
        let offered = Offered { forward, open, socket: Socket::from(stream), answers: None };
        if offers.send(offered).await.is_err() {
            return;
        }
    }
}

/// Whether the other end belongs to a user.
fn is_of(stream: &UnixStream, owner: u32) -> bool {
    stream.peer_cred().is_ok_and(|credentials| credentials.uid() == owner)
}

async fn accept_socks(listener: &TcpListener, forward: ForwardId, offers: &mpsc::Sender<Offered>) {
    let mut asking = JoinSet::new();
    loop {
        tokio::select! {
            accepted = accept(|cx| listener.poll_accept(cx)), if asking.len() < ASKING_MAX => {
                let (stream, source) = accepted;
                asking.spawn(ask(stream, source, forward, offers.clone()));
            }
            Some(_) = asking.join_next() => {}
        }
    }
}

/// Hears where a program wants to go. It has been answered if nothing comes of it.
async fn ask(mut stream: TcpStream, source: SocketAddr, forward: ForwardId, offers: mpsc::Sender<Offered>) {
    let Ok(Ok(asked)) = timeout(socks::ASK_WITHIN, socks::read(&mut stream)).await else { return };
    let destination = Destination::Tcp { host: asked.host, port: asked.port };
    let open = Open { destination, source: source.to_string() };
    let version = asked.version;
    let offered = Offered {
        forward,
        open,
        socket: stream.into(),
        answers: Some(Box::new(move |outcome| socks::answer(version, outcome.err()))),
    };
    // Nobody takes it when all is over.
    let _ = offers.send(offered).await;
}

/// The next connection. Never gives up: a machine without room has some again later.
async fn accept<T>(mut accept: impl FnMut(&mut Context<'_>) -> Poll<io::Result<T>>) -> T {
    loop {
        match poll_fn(&mut accept).await {
            Ok(accepted) => return accepted,
            Err(_) => sleep(ACCEPT_PAUSE).await,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use postern_protocol::tunnel::{Reason, Refused};
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;

    const ANY: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

    fn to_web() -> Destination {
        Destination::Tcp { host: "web".into(), port: 80 }
    }

    #[tokio::test]
    async fn a_connection_is_offered_with_its_source() {
        let listener = LocalListener::port(ANY).unwrap();
        let place = listener.address().unwrap();
        let (offer, mut offers) = mpsc::channel(1);
        let mut serving = JoinSet::new();
        serving.spawn(listener.serve(ForwardId(7), Lead::Fixed(to_web()), offer));
        let program = TcpStream::connect(place).await.unwrap();
        let Offered { forward, open, answers, .. } = offers.recv().await.unwrap();
        assert_eq!((forward, open.destination), (ForwardId(7), to_web()));
        assert_eq!(open.source, program.local_addr().unwrap().to_string());
        assert!(answers.is_none());
    }

    #[tokio::test]
    async fn socks_says_where_each_connection_leads_and_slow_programs_hold_up_nobody() {
        let listener = LocalListener::port(ANY).unwrap();
        let place = listener.address().unwrap();
        let (offer, mut offers) = mpsc::channel(1);
        let mut serving = JoinSet::new();
        serving.spawn(listener.serve(ForwardId(1), Lead::Socks, offer));
        let _silent = TcpStream::connect(place).await.unwrap();
        let mut program = TcpStream::connect(place).await.unwrap();
        program.write_all(b"\x05\x01\x00\x05\x01\x00\x03\x03web\x00\x50").await.unwrap();
        let offered = offers.recv().await.unwrap();
        assert_eq!(offered.open.destination, to_web());
        let mut agreed = [0; 2];
        program.read_exact(&mut agreed).await.unwrap();
        assert_eq!(agreed, [5, 0]);
        let denied = Refused::new(Reason::Denied, "no");
        let answers = offered.answers.unwrap();
        assert_eq!(answers(Err(&denied))[..2], [5, 2]);
    }

    #[tokio::test]
    async fn a_socket_file_is_its_owners_and_is_removed() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("s");
        let listener = LocalListener::socket_file(&path).unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert!(LocalListener::socket_file(&path).is_err());
        assert!(path.exists(), "the other one's file stays");
        let (offer, mut offers) = mpsc::channel(1);
        let mut serving = JoinSet::new();
        serving.spawn(listener.serve(ForwardId(1), Lead::Fixed(to_web()), offer));
        let _program = UnixStream::connect(&path).await.unwrap();
        assert_eq!(offers.recv().await.unwrap().open.source, "");
        serving.shutdown().await;
        assert!(!path.exists());
    }
}
