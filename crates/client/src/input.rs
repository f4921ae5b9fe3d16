//! What the user types, or what is piped into the session.

use std::io;
use std::os::fd::BorrowedFd;

use bytes::Bytes;
use tokio::io::Interest;

use crate::descriptor::Descriptor;

/// The most that is read at once: the largest message that we send.
const READ_BYTES_MAX: usize = 32 * 1024;

/// Standard input.
#[derive(Debug)]
pub(crate) struct Input {
    descriptor: Descriptor,
    buffer: Box<[u8]>,
}

impl Input {
    pub(crate) fn new(fd: BorrowedFd<'_>) -> io::Result<Self> {
        Ok(Self { descriptor: Descriptor::reading(fd)?, buffer: vec![0; READ_BYTES_MAX].into() })
    }

    /// What there is, at least one byte; empty at the end. A terminal that is gone has ended. Nothing is lost
    /// when this is dropped.
    pub(crate) async fn read(&mut self) -> io::Result<Bytes> {
        let buffer = &mut self.buffer;
        let read =
            self.descriptor.when_ready(Interest::READABLE, |fd, _| rustix::io::read(fd, &mut **buffer)).await;
        match read {
            Ok(length) => Ok(Bytes::copy_from_slice(&self.buffer[..length])),
            Err(error) if error.raw_os_error() == Some(rustix::io::Errno::IO.raw_os_error()) => {
                Ok(Bytes::new())
            }
            Err(error) => Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;
    use std::os::fd::AsFd;

    #[tokio::test]
    async fn a_pipe_is_read_to_its_end() {
        let (reader, mut writer) = std::io::pipe().unwrap();
        let mut input = Input::new(reader.as_fd()).unwrap();
        writer.write_all(b"ls\n").unwrap();
        assert_eq!(input.read().await.unwrap(), "ls\n");
        drop(writer);
        assert!(input.read().await.unwrap().is_empty());
    }

    #[tokio::test]
    async fn a_file_is_read_to_its_end() {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(&[b'x'; READ_BYTES_MAX + 1]).unwrap();
        std::io::Seek::rewind(&mut file).unwrap();
        let mut input = Input::new(file.as_fd()).unwrap();
        assert_eq!(input.read().await.unwrap().len(), READ_BYTES_MAX);
        assert_eq!(input.read().await.unwrap().len(), 1);
        assert!(input.read().await.unwrap().is_empty());
    }
}
