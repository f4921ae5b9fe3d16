//! Terminals, pipes and files that this process inherited, used without blocking and without changing them.
//!
//! `O_NONBLOCK` belongs to the open file, which the user's shell shares; setting it would break the shell. So a
//! descriptor is read or written only when `poll` says that it will not block, or through an open file of our own.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{FileType, Mode, OFlags};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

/// An inherited descriptor, or our own opening of the same file.
#[derive(Debug)]
pub(crate) enum Descriptor {
    /// Waits in epoll. If `own`, the open file is ours and does not block.
    Waiting { fd: AsyncFd<OwnedFd>, own: bool },
    /// Regular files and `/dev/null` cannot be waited for and never block.
    Immediate(OwnedFd),
}

impl Descriptor {
    /// For reading.
    pub(crate) fn reading(fd: BorrowedFd<'_>) -> io::Result<Self> {
        Self::new(fd.try_clone_to_owned()?, false, Interest::READABLE)
    }

    /// For writing. A terminal or a pipe is opened anew if the system allows, which saves a call for each write.
    pub(crate) fn writing(fd: BorrowedFd<'_>) -> io::Result<Self> {
        match reopen(fd) {
            Some(own) => Self::new(own, true, Interest::WRITABLE),
            None => Self::new(fd.try_clone_to_owned()?, false, Interest::WRITABLE),
        }
    }

    fn new(fd: OwnedFd, own: bool, interest: Interest) -> io::Result<Self> {
        let spare = fd.try_clone()?;
        #[expect(
            deprecated,
            reason = "the new name is unsafe, for types whose descriptor may change; OwnedFd's cannot"
        )]
        let waiting = AsyncFd::with_interest(fd, interest);
        match waiting {
            Ok(fd) => Ok(Self::Waiting { fd, own }),
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Ok(Self::Immediate(spare)),
            Err(error) => Err(error),
        }
    }

    /// Runs `operation` when it does not block. Safe to drop at any time.
    pub(crate) async fn when_ready<T>(
        &self,
        interest: Interest,
        mut operation: impl FnMut(BorrowedFd<'_>, Own) -> rustix::io::Result<T>,
    ) -> io::Result<T> {
        let (fd, own) = match self {
            Self::Immediate(fd) => {
                // Lets everything else have its turn between two blocks of a large file.
                tokio::task::yield_now().await;
                return retry_interrupted(|| operation(fd.as_fd(), Own::Yes)).map_err(Into::into);
            }
            Self::Waiting { fd, own } => (fd, *own),
        };
        loop {
            let mut guard = fd.ready(interest).await?;
            let blocks = !own && !is_ready(fd.as_fd(), interest)?;
            if !blocks {
                let own = if own { Own::Yes } else { Own::Shared };
                match retry_interrupted(|| operation(fd.as_fd(), own)) {
                    Err(rustix::io::Errno::AGAIN) => {}
                    result => return result.map_err(Into::into),
                }
            }
            guard.clear_ready();
        }
    }
}

/// Whether an operation may ask for as much as it likes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Own {
    /// It takes or gives what there is room for.
    Yes,
    /// More than a page may block.
    Shared,
}

fn retry_interrupted<T>(mut operation: impl FnMut() -> rustix::io::Result<T>) -> rustix::io::Result<T> {
    loop {
        match operation() {
            Err(rustix::io::Errno::INTR) => {}
            result => return result,
        }
    }
}

fn is_ready(fd: BorrowedFd<'_>, interest: Interest) -> io::Result<bool> {
    let flags = if interest.is_writable() { PollFlags::OUT } else { PollFlags::IN };
    let mut fds = [PollFd::from_borrowed_fd(fd, flags)];
    let none = Timespec { tv_sec: 0, tv_nsec: 0 };
    let ready = retry_interrupted(|| poll(&mut fds, Some(&none)))?;
    Ok(ready > 0)
}

/// Opens the terminal or pipe behind `fd` for writing without blocking. Works on Linux only.
fn reopen(fd: BorrowedFd<'_>) -> Option<OwnedFd> {
    use std::os::fd::AsRawFd;
    let kind = FileType::from_raw_mode(rustix::fs::fstat(fd).ok()?.st_mode);
    if !matches!(kind, FileType::CharacterDevice | FileType::Fifo) {
        return None;
    }
    let flags = OFlags::WRONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    rustix::fs::open(format!("/proc/self/fd/{}", fd.as_raw_fd()), flags, Mode::empty()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn files_and_dev_null_do_not_wait() {
        let file = tempfile::tempfile().unwrap();
        assert!(matches!(Descriptor::reading(file.as_fd()).unwrap(), Descriptor::Immediate(_)));
        let null = std::fs::OpenOptions::new().write(true).open("/dev/null").unwrap();
        let null = Descriptor::writing(null.as_fd()).unwrap();
        let written = null.when_ready(Interest::WRITABLE, |fd, _| rustix::io::write(fd, b"x")).await;
        assert_eq!(written.unwrap(), 1);
    }

    #[tokio::test]
    async fn a_pipe_is_left_as_it_was() {
        let (reader, writer) = std::io::pipe().unwrap();
        let output = Descriptor::writing(writer.as_fd()).unwrap();
        let input = Descriptor::reading(reader.as_fd()).unwrap();
        output.when_ready(Interest::WRITABLE, |fd, _| rustix::io::write(fd, b"hello")).await.unwrap();
        let mut buffer = [0; 16];
        let read =
            input.when_ready(Interest::READABLE, |fd, _| rustix::io::read(fd, &mut buffer)).await.unwrap();
        assert_eq!(&buffer[..read], b"hello");
        for fd in [reader.as_fd(), writer.as_fd()] {
            assert!(!rustix::fs::fcntl_getfl(fd).unwrap().contains(OFlags::NONBLOCK));
        }
    }
}
