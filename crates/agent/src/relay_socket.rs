//! A socket file, joined to the standard streams of a process that runs as a session's user: the agent itself, who may open
//! anything, opens none.
//!
//! First it says in one byte whether there is a connection: [`CONNECTED`], or a number of [`failure`]. Then data goes both
//! ways, and either ends of its own.

use std::fs::File;
use std::io::{self, Write as _};
use std::net::Shutdown;
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::path::Path;

use postern_protocol::tunnel::Reason;
use rustix::fs::{Mode, OFlags};

/// There is a connection, and data follows.
pub(crate) const CONNECTED: u8 = 0;

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
            io::copy(&mut reader, &mut output).map(drop)
        });
        let mut writer = socket;
        let sent = io::copy(&mut input, &mut writer);
        drop(input);
        // Fails if the other side is gone, which whoever reads from it knows.
        let _ = socket.shutdown(Shutdown::Write);
        let received = incoming.join().unwrap_or_else(|_| Err(io::ErrorKind::Other.into()));
        sent.map(drop).and(received)
    })
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;
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
    fn failures_are_told_apart() {
        use io::ErrorKind::{ConnectionRefused, NotFound, OutOfMemory, PermissionDenied};
        let reasons = [NotFound, PermissionDenied, ConnectionRefused, OutOfMemory]
            .map(|kind| failure(code(&kind.into())).0);
        assert_eq!(reasons, [Reason::NotFound, Reason::Forbidden, Reason::RefusedByPeer, Reason::Failed]);
    }
}
