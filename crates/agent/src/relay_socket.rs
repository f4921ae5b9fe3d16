//! A socket file, joined to the standard streams of a process that runs as a session's user: the agent itself, who may open
//! anything, opens none.
//!
//! First it says in one byte whether there is a connection: [`CONNECTED`], or a number of [`failure`]. Then data goes both
//! ways, and either ends of its own.

use std::fs::File;
use std::io::{self, Read, Write};
use std::net::Shutdown;
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::path::Path;

use postern_protocol::tunnel::Reason;
use rustix::fs::{Mode, OFlags};

/// There is a connection, and data follows.
pub(crate) const CONNECTED: u8 = 0;

/// What a pipe holds.
const COPIED_BYTES: usize = 64 * 1024;

const NOT_FOUND: u8 = 1;
const FORBIDDEN: u8 = 2;
const REFUSED: u8 = 3;
const FAILED: u8 = 4;

/// What the byte means that is not [`CONNECTED`]: for programs, and for people.
pub(crate) fn failure(byte: u8) -> (Reason, &'static str) {
    match byte {
        NOT_FOUND => (Reason::NotFound, "there is no such socket file"),
        FORBIDDEN => (Reason::Forbidden, "the session's user may not open it"),
        REFUSED => (Reason::RefusedByPeer, "nobody listens there"),
        _ => (Reason::Failed, "it cannot be connected to"),
    }
}

fn code(error: &io::Error) -> u8 {
    match error.kind() {
        io::ErrorKind::NotFound => NOT_FOUND,
        io::ErrorKind::PermissionDenied => FORBIDDEN,
        io::ErrorKind::ConnectionRefused => REFUSED,
        _ => FAILED,
    }
}

/// Joins them until both directions have ended.
///
/// # Errors
/// There is no connection, which the other end knows, or a stream failed.
pub fn relay(path: &Path) -> io::Result<()> {
    let mut output = File::from(io::stdout().as_fd().try_clone_to_owned()?);
    let socket = match UnixStream::connect(path) {
        Ok(socket) => socket,
        Err(error) => {
            output.write_all(&[code(&error)])?;
            return Err(error);
        }
    };
    output.write_all(&[CONNECTED])?;
    let input = File::from(io::stdin().as_fd().try_clone_to_owned()?);
    // Each stream is to end when its copy is closed, so there must be no other.
    let nothing = rustix::fs::open("/dev/null", OFlags::RDWR | OFlags::CLOEXEC, Mode::empty())?;
    rustix::stdio::dup2_stdin(&nothing)?;
    rustix::stdio::dup2_stdout(&nothing)?;
    join(input, output, &socket)
}

fn join(mut input: File, mut output: File, socket: &UnixStream) -> io::Result<()> {
    std::thread::scope(|scope| {
        let incoming = scope.spawn(move || {
            let mut reader = socket;
            copy(&mut reader, &mut output)
        });
        let mut writer = socket;
        let sent = copy(&mut input, &mut writer);
        drop(input);
        // Fails if the other side is gone, which whoever reads from it knows.
        let _ = socket.shutdown(Shutdown::Write);
        let received = incoming.join().unwrap_or_else(|_| Err(io::ErrorKind::Other.into()));
        sent.and(received)
    })
}

/// Not `io::copy`: that splices pipes and sockets, and Linux keeps a pipe locked while a splice waits for the socket. The agent,
/// at the other end of the pipe, would wait for that lock however little it wants to wait, with all its sessions.
fn copy(reader: &mut impl Read, writer: &mut impl Write) -> io::Result<()> {
    let mut buffer = vec![0; COPIED_BYTES];
    loop {
        match reader.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(count) => writer.write_all(buffer.get(..count).unwrap_or_default())?,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixListener;

    use super::*;

    fn pipe() -> (File, File) {
        let (reader, writer) = rustix::pipe::pipe().unwrap();
        (reader.into(), writer.into())
    }

    #[test]
    fn either_direction_ends_of_its_own() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("x.sock");
        let listener = UnixListener::bind(&path).unwrap();
        let ((input, mut to), (mut from, output)) = (pipe(), pipe());
        let socket = UnixStream::connect(&path).unwrap();
        let relaying = std::thread::spawn(move || join(input, output, &socket));
        let (mut far, _) = listener.accept().unwrap();
        to.write_all(b"question").unwrap();
        drop(to);
        let mut text = String::new();
        far.read_to_string(&mut text).unwrap();
        far.write_all(b"answer").unwrap();
        drop(far);
        from.read_to_string(&mut text).unwrap();
        assert_eq!(text, "questionanswer");
        relaying.join().unwrap().unwrap();
    }

    #[test]
    fn whoever_reads_without_waiting_does_not_wait_while_the_socket_says_nothing() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("x.sock");
        let listener = UnixListener::bind(&path).unwrap();
        let ((input, to), (mut from, output)) = (pipe(), pipe());
        let socket = UnixStream::connect(&path).unwrap();
        std::thread::spawn(move || join(input, output, &socket));
        let (mut far, _) = listener.accept().unwrap();
        far.write_all(b"x").unwrap();
        from.read_exact(&mut [0]).unwrap();
        rustix::fs::fcntl_setfl(&from, OFlags::NONBLOCK).unwrap();
        let (done, is_done) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            for _ in 0..10_000 {
                std::thread::yield_now();
                let nothing = from.read(&mut [0]).unwrap_err();
                assert_eq!(nothing.kind(), io::ErrorKind::WouldBlock);
            }
            done.send(()).unwrap();
        });
        is_done.recv_timeout(std::time::Duration::from_secs(20)).unwrap();
        drop((to, far));
    }

    #[test]
    fn failures_are_told_apart() {
        use io::ErrorKind::{ConnectionRefused, NotFound, OutOfMemory, PermissionDenied};
        let reasons = [NotFound, PermissionDenied, ConnectionRefused, OutOfMemory]
            .map(|kind| failure(code(&kind.into())).0);
        assert_eq!(reasons, [Reason::NotFound, Reason::Forbidden, Reason::RefusedByPeer, Reason::Failed]);
    }
}
