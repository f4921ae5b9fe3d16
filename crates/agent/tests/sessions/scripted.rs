//! A control plane of a few lines that does what a test says: it answers every call with yes and hands over the websockets.

use std::io::Cursor;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_websockets::{ServerBuilder, WebSocketStream};

/// Long enough for anything here on a busy machine.
const LIMIT: Duration = Duration::from_secs(60);

pub(crate) trait Io: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Io for T {}

pub(crate) type Socket = WebSocketStream<Box<dyn Io>>;

/// See the [module's documentation](self).
pub(crate) struct ControlPlane {
    pub(crate) address: SocketAddr,
    websockets: mpsc::Receiver<(String, Socket)>,
    _tasks: JoinSet<()>,
}

impl ControlPlane {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (sender, websockets) = mpsc::channel(16);
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                connections.spawn(serve(stream, sender.clone()));
            }
        });
        Self { address, websockets, _tasks: tasks }
    }

    /// The next websocket that the agent opens, with its path, after its first frame.
    pub(crate) async fn websocket(&mut self) -> (String, Socket) {
        limited(self.websockets.recv()).await.expect("the listener lives as long as this")
    }
}

pub(crate) async fn limited<T>(work: impl Future<Output = T>) -> T {
    tokio::time::timeout(LIMIT, work).await.expect("what is waited for happens in time")
}

async fn serve(stream: TcpStream, websockets: mpsc::Sender<(String, Socket)>) {
    let mut stream = BufReader::new(stream);
    loop {
        let Some((head, body_bytes)) = read_head(&mut stream).await else { return };
        let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
        if head.contains("websocket") {
            let (reader, writer) = tokio::io::split(stream);
            let replayed = tokio::io::join(Cursor::new(head.into_bytes()).chain(reader), writer);
            let boxed: Box<dyn Io> = Box::new(replayed);
            if let Ok((_, socket)) = ServerBuilder::new().accept(boxed).await {
                let _ = websockets.send((path, socket)).await;
            }
            return;
        }
        let mut body = vec![0; body_bytes];
        if stream.read_exact(&mut body).await.is_err() {
            return;
        }
        let (status, answer) = answer(&head, &path);
        let answer = format!("HTTP/1.1 {status} OK\r\ncontent-length: {}\r\n\r\n{answer}", answer.len());
        if stream.write_all(answer.as_bytes()).await.is_err() {
            return;
        }
    }
}

async fn read_head(stream: &mut BufReader<TcpStream>) -> Option<(String, usize)> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.ok()?);
    }
    let head = String::from_utf8(head).ok()?;
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "))
        .and_then(|value| value.parse().ok());
    Some((head, length.unwrap_or(0)))
}

fn answer(head: &str, path: &str) -> (u16, String) {
    if path.starts_with("/v1/") {
        return (
            201,
            "<X><MessageSchemaVersion>1.0</MessageSchemaVersion><TokenValue>token</TokenValue></X>"
                .to_owned(),
        );
    }
    let target = |operation: &str| head.contains(&format!("AmazonSSM.{operation}"));
    let body = if target("RegisterManagedInstance") {
        r#"{"InstanceId":"mi-0123456789abcdef0"}"#.to_owned()
    } else if target("RequestManagedInstanceRoleToken") {
        let year_2100 = 4_102_444_800_u64;
        format!(
            r#"{{"AccessKeyId":"ASIA","SecretAccessKey":"s","SessionToken":"t","TokenExpirationDate":{year_2100}.5,"UpdateKeyPair":false}}"#
        )
    } else {
        "{}".to_owned()
    };
    (200, body)
}
