//! Both ends of a session, joined in memory, with real sockets outside.

use std::future::poll_fn;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use bytes::Bytes;
use postern_protocol::tunnel::{
    Accepted, Destination, Listen, Open, Reason, Refused, StreamId, TUNNEL_MESSAGE_BYTES,
};
use postern_tunnel::{Bound, Connected, Far, Happened, Listening, Opening, Socket, Streams};
use tokio::net::{TcpListener, TcpSocket, TcpStream, UdpSocket, UnixStream};
use tokio::time::timeout;

/// What any test may take.
const SOON: Duration = Duration::from_secs(30);

/// Connects wherever it is asked to, and what the node accepted to one address.
pub(crate) struct Anywhere(pub(crate) Option<SocketAddr>);

impl Far for Anywhere {
    fn connect(&mut self, open: &Open) -> Opening {
        let destination = open.destination.clone();
        Box::pin(async move { connect(&destination).await.map_err(|error| refused(&error)) })
    }

    fn accept(&mut self, _: StreamId, _: &Accepted) -> Opening {
        let to = self.0;
        Box::pin(async move {
            let to = to.ok_or_else(|| Refused::new(Reason::Forbidden, "nowhere"))?;
            let stream = TcpStream::connect(to).await.map_err(|error| refused(&error))?;
            Ok(Connected { socket: stream.into(), address: to.to_string() })
        })
    }

    fn listen(&mut self, listen: &Listen) -> Listening {
        let port = listen.port;
        Box::pin(async move {
            let listener = TcpListener::bind(("127.0.0.1", port)).await.map_err(|error| refused(&error))?;
            let address = listener.local_addr().map_err(|error| refused(&error))?.to_string();
            Ok(Bound { listener, address })
        })
    }
}

async fn connect(to: &Destination) -> std::io::Result<Connected> {
    let socket: Socket = match to {
        Destination::Tcp { host, port } => TcpStream::connect((host.as_str(), *port)).await?.into(),
        Destination::Unix { path } => UnixStream::connect(path).await?.into(),
        Destination::Udp { host, port } => {
            let socket = UdpSocket::bind("127.0.0.1:0").await?;
            socket.connect((host.as_str(), *port)).await?;
            socket.into()
        }
    };
    Ok(Connected { socket, address: to.to_string() })
}

fn refused(error: &std::io::Error) -> Refused {
    let reason = match error.kind() {
        std::io::ErrorKind::ConnectionRefused => Reason::RefusedByPeer,
        std::io::ErrorKind::AddrInUse => Reason::InUse,
        _ => Reason::Failed,
    };
    Refused::new(reason, error.to_string())
}

pub(crate) fn tcp(address: SocketAddr) -> Open {
    let destination = Destination::Tcp { host: address.ip().to_string(), port: address.port() };
    Open { destination, source: String::new() }
}

pub(crate) fn udp(address: SocketAddr) -> Open {
    let destination = Destination::Udp { host: address.ip().to_string(), port: address.port() };
    Open { destination, source: String::new() }
}

/// Two ends of a connection.
pub(crate) async fn pair() -> (TcpStream, TcpStream) {
    let listener = listener();
    let (dialled, accepted) =
        tokio::join!(TcpStream::connect(listener.local_addr().unwrap()), listener.accept());
    (dialled.unwrap(), accepted.unwrap().0)
}

/// For connections of which the kernel takes little that nobody reads: left alone, it takes up to 32 MiB.
fn listener() -> TcpListener {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(256 * 1024).unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    socket.listen(16).unwrap()
}

/// A session.
pub(crate) struct Joined {
    pub(crate) client: Streams,
    pub(crate) node: Streams,
    /// What happened at either end, other than messages.
    pub(crate) at_client: Vec<Happened>,
    pub(crate) at_node: Vec<Happened>,
}

impl Joined {
    pub(crate) fn new() -> Self {
        Self::leading_to(None)
    }

    /// What the node's listeners accept leads to `to`.
    pub(crate) fn leading_to(to: Option<SocketAddr>) -> Self {
        Self {
            client: Streams::of_client(Box::new(Anywhere(to))),
            node: Streams::of_node(Box::new(Anywhere(None))),
            at_client: Vec::new(),
            at_node: Vec::new(),
        }
    }

    pub(crate) fn open(&mut self, open: Open, socket: impl Into<Socket>) -> StreamId {
        self.client.open(open, socket.into(), None, Instant::now()).unwrap()
    }

    /// Opens a stream to a new listener's other end, and gives both programs' connections.
    pub(crate) async fn connect(&mut self) -> (StreamId, TcpStream, TcpStream) {
        let listener = listener();
        let (program, socket) = pair().await;
        let id = self.open(tcp(listener.local_addr().unwrap()), socket);
        let (far, _) = self.carry(listener.accept()).await.unwrap();
        (id, program, far)
    }

    /// Carries messages between the two until `done` is.
    pub(crate) async fn carry<T>(&mut self, done: impl Future<Output = T>) -> T {
        let mut done = std::pin::pin!(timeout(SOON, done));
        loop {
            let room = Some(TUNNEL_MESSAGE_BYTES);
            let (is_client, happened) = tokio::select! {
                result = &mut done => return result.expect("nothing comes of it"),
                happened = poll_fn(|cx| self.client.poll(cx, room)) => (true, happened),
                happened = poll_fn(|cx| self.node.poll(cx, room)) => (false, happened),
            };
            match (happened, is_client) {
                (Happened::Message(message), true) => deliver(&mut self.node, message),
                (Happened::Message(message), false) => deliver(&mut self.client, message),
                (Happened::Moved, _) => {}
                (happened, true) => self.at_client.push(happened),
                (happened, false) => self.at_node.push(happened),
            }
        }
    }

    /// Carries on until nothing has happened for a while.
    pub(crate) async fn settle(&mut self) {
        loop {
            let before =
                (self.at_client.len(), self.at_node.len(), self.client.traffic(), self.node.traffic());
            self.carry(tokio::time::sleep(Duration::from_millis(100))).await;
            let after =
                (self.at_client.len(), self.at_node.len(), self.client.traffic(), self.node.traffic());
            if before == after {
                return;
            }
        }
    }

    /// Carries on until it has happened at the client.
    pub(crate) async fn until_client(&mut self, is_it: impl Fn(&Happened) -> bool) -> &Happened {
        while !self.at_client.iter().any(&is_it) {
            self.carry(tokio::time::sleep(Duration::from_millis(5))).await;
        }
        self.at_client.iter().find(|happened| is_it(happened)).unwrap()
    }

    /// Both ends have nothing left.
    pub(crate) async fn until_closed(&mut self) {
        let before = Instant::now();
        while self.client.count() + self.node.count() > 0 {
            assert!(before.elapsed() < SOON, "{:?} {:?}", self.client, self.node);
            self.carry(tokio::time::sleep(Duration::from_millis(5))).await;
        }
    }
}

fn deliver(to: &mut Streams, message: Bytes) {
    assert!(message.len() <= TUNNEL_MESSAGE_BYTES);
    to.receive(message, Instant::now()).unwrap();
}
