//! The control socket, over which a running command takes orders, as ssh's ControlPath: a line of JSON each way.

use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixStream as StdStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::ValueEnum;
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::time::{sleep, timeout};

use super::node::Node;
use super::plan::{PlanError, read};
use super::program::Program;
use super::words::{Forward, Kind, Wanted};
use crate::commands::ssh::node::find;
use crate::failure::{FAILED, Failure, SESSION_FAILED, text};
use crate::visible;

/// The longest order, or answer: a few thousand forwards.
const LINE_BYTES_MAX: u64 = 256 * 1024;
/// How long the other end may take to say its line.
const LINE_WITHIN: Duration = Duration::from_secs(5);
/// How long a node may take to begin to listen.
const LISTEN_WITHIN: Duration = Duration::from_secs(15);
/// How long the whole may take.
const ANSWER_WITHIN: Duration = Duration::from_secs(60);
/// After a connection could not be accepted.
const ACCEPT_PAUSE: Duration = Duration::from_millis(200);

/// What a running command can be told to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub(super) enum Do {
    /// Add the forwards that are given
    Forward,
    /// Take them away; their connections go on
    Cancel,
    /// Say what it does
    Check,
    /// End
    Exit,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Order {
    order: Do,
    /// As they are typed, with the letter of their option.
    forwards: Vec<(char, String)>,
}

/// What came of it.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Answer {
    pid: u32,
    nodes: Vec<NodeState>,
    errors: Vec<String>,
}

#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct NodeState {
    node: String,
    /// Whether there is a session.
    connected: bool,
    /// As they can be typed, and where they listen.
    forwards: Vec<(String, Option<String>)>,
}

/// The socket of the running command, removed with it.
pub(super) struct ControlSocket {
    listener: UnixListener,
    path: PathBuf,
}

impl ControlSocket {
    /// Makes it, for its owner alone. What a command left behind that was killed gives way.
    pub(super) fn bind(path: &Path) -> Result<Self, Failure> {
        let failed = |error: io::Error| {
            Failure::new(format!("cannot make the control socket {}: {error}", path.display()))
        };
        let listener = match UnixListener::bind(path) {
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
                match StdStream::connect(path) {
                    Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {}
                    _ => return Err(failed(error).with_hint("another command has it; -O exit ends that")),
                }
                std::fs::remove_file(path).map_err(failed)?;
                UnixListener::bind(path)
            }
            bound => bound,
        };
        let socket = Self { listener: listener.map_err(failed)?, path: path.to_owned() };
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).map_err(failed)?;
        Ok(socket)
    }

    /// Obeys, one order after another.
    pub(super) async fn serve(&self, program: &Program<'_>) {
        loop {
            match self.listener.accept().await {
                // What becomes of who asked is nothing to those whose connections are carried.
                Ok((stream, _)) if is_own(&stream) => drop(answer(stream, program).await),
                Ok(_) => {}
                Err(_) => sleep(ACCEPT_PAUSE).await,
            }
        }
    }
}

impl Drop for ControlSocket {
    fn drop(&mut self) {
        // Somebody may have been faster.
        let _ = std::fs::remove_file(&self.path);
    }
}

/// Whether the other end belongs to the same user: the file may have been seen before it had its mode.
fn is_own(stream: &UnixStream) -> bool {
    let owner = rustix::process::geteuid().as_raw();
    stream.peer_cred().is_ok_and(|credentials| credentials.uid() == owner)
}

async fn answer(mut stream: UnixStream, program: &Program<'_>) -> io::Result<()> {
    let line = timeout(LINE_WITHIN, read_line(&mut stream)).await??;
    let order: Order = serde_json::from_slice(&line)?;
    let errors = obey(&order, program).await.err().unwrap_or_default();
    let answer = Answer { pid: std::process::id(), nodes: program.nodes.iter().map(state).collect(), errors };
    timeout(LINE_WITHIN, write_line(&mut stream, &answer)).await??;
    if order.order == Do::Exit {
        program.leave();
    }
    Ok(())
}

fn state(node: &Node) -> NodeState {
    NodeState { node: node.id.clone(), connected: node.has_session(), forwards: node.forwards() }
}

async fn obey(order: &Order, program: &Program<'_>) -> Result<(), Vec<String>> {
    let words = order.forwards.iter().map(|(letter, text)| (Kind::of(*letter), text.as_str()));
    let wanted = read(words).map_err(|PlanError(errors)| errors)?;
    let mut errors = Vec::new();
    for Wanted { node, forward } in wanted {
        let done = match (program.node(node.as_deref()).await, order.order) {
            (Err(error), _) => Err(error),
            (Ok(node), Do::Forward) => add(program, node, forward).await,
            (Ok(node), Do::Cancel) => cancel(program, node, &forward).await,
            (Ok(_), Do::Check | Do::Exit) => Ok(()),
        };
        errors.extend(done.err());
    }
    if errors.is_empty() { Ok(()) } else { Err(errors) }
}

async fn add(program: &Program<'_>, node: &Node, forward: Forward) -> Result<(), String> {
    let Forward::Remote { .. } = forward else {
        program.listen(node, forward)?;
        if node.has_session() {
            node.tell_local(&program.show);
        }
        return Ok(());
    };
    let shown = forward.to_string();
    if !node.has_session() {
        return Err(format!("{shown}: there is no session with {} at present", node.id));
    }
    let listens = node.keep_remote(program.next_id(), forward);
    match timeout(LISTEN_WITHIN, listens).await {
        Ok(Ok(Ok(_))) => Ok(()),
        Ok(Ok(Err(why))) => Err(format!("{shown}: {why}")),
        Ok(Err(_)) | Err(_) => Err(format!("{shown}: {} does not answer", node.id)),
    }
}

async fn cancel(program: &Program<'_>, node: &Node, forward: &Forward) -> Result<(), String> {
    if !node.cancel(forward, &program.show) {
        return Err(format!("{forward}: nothing like it is forwarded through {}", node.id));
    }
    // Whoever asked may want to listen there at once.
    tokio::task::yield_now().await;
    Ok(())
}

impl Program<'_> {
    /// The node of that ID or name; the first one without.
    async fn node(&self, name: Option<&str>) -> Result<&Node, String> {
        let id = match name {
            None => return self.nodes.first().ok_or_else(|| "there is no node".to_owned()),
            Some(name) if self.nodes.iter().any(|node| node.id == name) => name.to_owned(),
            Some(name) => find(self.api, name).await.map_err(|failure| failure.text())?,
        };
        let ids = || self.nodes.iter().map(|node| node.id.as_str()).collect::<Vec<_>>().join(", ");
        self.nodes
            .iter()
            .find(|node| node.id == id)
            .ok_or_else(|| format!("{id} is none of its nodes, which are {}", ids()))
    }
}

/// Tells a running command to do something, and what came of it.
pub(super) async fn ask(path: &Path, order: Do, wanted: &[Wanted], is_json: bool) -> Result<u8, Failure> {
    let needs_forwards = matches!(order, Do::Forward | Do::Cancel);
    if needs_forwards == wanted.is_empty() {
        let told = if needs_forwards {
            "-L, -R, -D and -U say which forwards"
        } else {
            "-L, -R, -D and -U mean nothing here"
        };
        return Err(Failure::new(told).with_status(super::USAGE));
    }
    let forwards = wanted.iter().map(Wanted::typed).collect();
    let answer = timeout(ANSWER_WITHIN, exchange(path, &Order { order, forwards }))
        .await
        .map_err(|_| Failure::new("the command there does not answer").with_status(SESSION_FAILED))?;
    let answer = answer.map_err(|error| {
        Failure::new(format!("no command takes orders at {}: {}", path.display(), text(&error)))
            .with_hint("`postern forward … --control PATH` makes the socket")
            .with_status(SESSION_FAILED)
    })?;
    for error in &answer.errors {
        eprintln!("postern: {}", visible::line(error));
    }
    if order == Do::Check {
        tell(&answer, is_json)?;
    }
    Ok(if answer.errors.is_empty() { 0 } else { FAILED })
}

fn tell(answer: &Answer, is_json: bool) -> io::Result<()> {
    use std::io::Write as _;

    let mut out = io::stdout().lock();
    if is_json {
        return writeln!(out, "{}", visible::json(&serde_json::to_string(answer)?));
    }
    writeln!(out, "Process {}", answer.pid)?;
    for NodeState { node, connected, forwards } in &answer.nodes {
        writeln!(out, "{node}: {}", if *connected { "connected" } else { "no session" })?;
        for (forward, address) in forwards {
            let address = address.as_deref().map(|at| format!(" on {at}")).unwrap_or_default();
            writeln!(out, "  {}", visible::line(&format!("{forward}{address}")))?;
        }
    }
    out.flush()
}

async fn exchange(path: &Path, order: &Order) -> io::Result<Answer> {
    let mut stream = UnixStream::connect(path).await?;
    write_line(&mut stream, order).await?;
    Ok(serde_json::from_slice(&read_line(&mut stream).await?)?)
}

async fn read_line(stream: &mut UnixStream) -> io::Result<Vec<u8>> {
    let mut line = Vec::new();
    BufReader::new(stream.take(LINE_BYTES_MAX)).read_until(b'\n', &mut line).await?;
    if line.ends_with(b"\n") { Ok(line) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
}

async fn write_line(stream: &mut UnixStream, line: &impl Serialize) -> io::Result<()> {
    let mut bytes = serde_json::to_vec(line)?;
    bytes.push(b'\n');
    stream.write_all(&bytes).await
}
