//! File descriptors that the runtime watches.

use std::io;
use std::os::fd::OwnedFd;

use rustix::fs::OFlags;
use rustix::io::Errno;
use tokio::io::unix::AsyncFd;

/// Hands `fd` to the runtime, in whose context this must be called.
pub(crate) fn watch(fd: OwnedFd) -> io::Result<AsyncFd<OwnedFd>> {
    let flags = rustix::fs::fcntl_getfl(&fd)?;
    rustix::fs::fcntl_setfl(&fd, flags | OFlags::NONBLOCK)?;
    // SAFETY: the descriptor is owned, hence open and not changed, for as long as the `AsyncFd` that takes it lives.
    Ok(unsafe { AsyncFd::register(fd) }?)
}

/// Reads what there is now: `None` if nothing, 0 at the end.
pub(crate) fn read_now(fd: &OwnedFd, buffer: &mut [u8]) -> io::Result<Option<usize>> {
    loop {
        return match rustix::io::read(fd, &mut *buffer) {
            Ok(count) => Ok(Some(count)),
            Err(Errno::AGAIN) => Ok(None),
            Err(Errno::INTR) => continue,
            // How Linux says that no program has a terminal open any more; pipes never do.
            Err(Errno::IO) => Ok(Some(0)),
            Err(error) => Err(error.into()),
        };
    }
}

/// Waits until there is something to read, then as [`read_now`]. Cancelling loses nothing.
pub(crate) async fn read(fd: &AsyncFd<OwnedFd>, buffer: &mut [u8]) -> io::Result<usize> {
    loop {
        let mut guard = fd.readable().await?;
        match read_now(fd.get_ref(), buffer)? {
            Some(count) => return Ok(count),
            None => guard.clear_ready(),
        }
    }
}
