//! File descriptors that the runtime watches.

use std::io;
use std::os::fd::OwnedFd;
use std::task::{Context, Poll, ready};

use rustix::fs::OFlags;
use rustix::io::Errno;
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

/// Hands `fd` to the runtime, in whose context this must be called.
pub(crate) fn watch(fd: OwnedFd) -> io::Result<AsyncFd<OwnedFd>> {
    let flags = rustix::fs::fcntl_getfl(&fd)?;
    rustix::fs::fcntl_setfl(&fd, flags | OFlags::NONBLOCK)?;
    // SAFETY: the descriptor is owned, hence open and not changed, for as long as the `AsyncFd` that takes it lives.
    Ok(unsafe { AsyncFd::register(fd) }?)
}

/// Reads what there is now: `None` if nothing, 0 at the end.
pub(crate) fn try_read(fd: &AsyncFd<OwnedFd>, buffer: &mut [u8]) -> io::Result<Option<usize>> {
    // Remembers that there was nothing, so that the next wait does not try again first.
    or_nothing(fd.try_io(Interest::READABLE, |fd| read_once(fd, buffer)))
}

/// As [`try_read`], but asks the kernel even if the runtime has not heard of anything yet.
pub(crate) fn read_now(fd: &AsyncFd<OwnedFd>, buffer: &mut [u8]) -> io::Result<Option<usize>> {
    or_nothing(read_once(fd.get_ref(), buffer))
}

fn read_once(fd: &OwnedFd, buffer: &mut [u8]) -> io::Result<usize> {
    loop {
        return match rustix::io::read(fd, &mut *buffer) {
            Ok(count) => Ok(count),
            Err(Errno::INTR) => continue,
            // How Linux says that no program has a terminal open any more; pipes never do.
            Err(Errno::IO) => Ok(0),
            Err(error) => Err(error.into()),
        };
    }
}

fn or_nothing(read: io::Result<usize>) -> io::Result<Option<usize>> {
    match read {
        Ok(count) => Ok(Some(count)),
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(None),
        Err(error) => Err(error),
    }
}

/// Waits until there is something to read, then as [`try_read`]. Cancelling loses nothing.
pub(crate) async fn read(fd: &AsyncFd<OwnedFd>, buffer: &mut [u8]) -> io::Result<usize> {
    loop {
        // Dropped at once: `try_read` sees to the readiness.
        drop(fd.readable().await?);
        if let Some(count) = try_read(fd, buffer)? {
            return Ok(count);
        }
    }
}

/// As [`read`]. Whoever asked last is woken.
pub(crate) fn poll_read(
    fd: &AsyncFd<OwnedFd>,
    cx: &mut Context<'_>,
    buffer: &mut [u8],
) -> Poll<io::Result<usize>> {
    loop {
        let mut guard = ready!(fd.poll_read_ready(cx))?;
        if let Ok(read) = guard.try_io(|fd| read_once(fd.get_ref(), buffer)) {
            return Poll::Ready(read);
        }
    }
}

/// As [`write`]. Whoever asked last is woken.
pub(crate) fn poll_write(
    fd: &AsyncFd<OwnedFd>,
    cx: &mut Context<'_>,
    bytes: &[u8],
) -> Poll<io::Result<usize>> {
    loop {
        let mut guard = ready!(fd.poll_write_ready(cx))?;
        match rustix::io::write(fd.get_ref(), bytes) {
            Ok(count) => return Poll::Ready(Ok(count)),
            Err(Errno::AGAIN) => guard.clear_ready(),
            Err(Errno::INTR) => {}
            Err(error) => return Poll::Ready(Err(error.into())),
        }
    }
}

/// Waits for room and writes the beginning of `bytes`; returns how many. Cancelling loses nothing.
pub(crate) async fn write(fd: &AsyncFd<OwnedFd>, bytes: &[u8]) -> io::Result<usize> {
    loop {
        let mut guard = fd.writable().await?;
        match rustix::io::write(fd.get_ref(), bytes) {
            Ok(count) => return Ok(count),
            Err(Errno::AGAIN) => guard.clear_ready(),
            Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}
