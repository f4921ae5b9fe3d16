//! The file server of a session: SFTP over its standard streams, with the rights of the user it runs as.
//!
//! It keeps to no directory and checks nothing itself: whatever the user may do in a shell may be done here, and the
//! kernel decides. It works on one request after the other, and its replies leave together when it would otherwise wait.

mod files;
mod handles;
mod listing;

use std::io::{self, Read, Write};

use postern_sftp::{
    Attributes, DATA_BYTES_MAX, EXTENSIONS, Extended, Extension, HANDLES_MAX, Message, OpenFlags,
    PACKET_BYTES_MAX, Packets, Reply, Request, StatusCode, VERSION,
};

use self::handles::{Directory, Handles};

/// Replies up to this size wait for others.
const REPLIES_BYTES_MAX: usize = 64 * 1024;

/// Serves until `input` ends.
///
/// # Errors
/// A stream failed, or the client does not speak SFTP.
pub fn serve(mut input: impl Read, mut output: impl Write) -> io::Result<()> {
    let mut packets = Packets::default();
    let mut server = Server::default();
    let mut buffer = vec![0; 128 * 1024];
    loop {
        while let Some(packet) = packets.next_packet().map_err(io::Error::other)? {
            server.handle(packet)?;
            if server.replies.len() >= REPLIES_BYTES_MAX {
                output.write_all(&server.replies)?;
                server.replies.clear();
            }
        }
        output.write_all(&server.replies)?;
        output.flush()?;
        server.replies.clear();
        match input.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(count) => packets.push(buffer.get(..count).unwrap_or_default()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

#[derive(Debug, Default)]
struct Server {
    handles: Handles,
    replies: Vec<u8>,
    data: Vec<u8>,
    has_begun: bool,
}

/// Why a request is not done.
#[derive(Debug)]
enum Refusal {
    Io(io::Error),
    Status(StatusCode),
}

impl From<io::Error> for Refusal {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl From<rustix::io::Errno> for Refusal {
    fn from(error: rustix::io::Errno) -> Self {
        Self::Io(error.into())
    }
}

type Done = Result<(), Refusal>;

impl Server {
    fn handle(&mut self, packet: &[u8]) -> io::Result<()> {
        let message = match Message::parse(packet) {
            Ok(message) => message,
            // The request has an id, so the client can be told; the stream is still in step.
            Err(_) if self.has_begun => {
                let id = packet.get(1..5).and_then(|id| id.try_into().ok()).map_or(0, u32::from_be_bytes);
                Reply::status(StatusCode::BadMessage).put(id, &mut self.replies);
                return Ok(());
            }
            Err(error) => return Err(io::Error::other(error)),
        };
        match message {
            Message::Init(_) => {
                self.has_begun = true;
                let extensions =
                    EXTENSIONS.map(|(name, version)| (name.as_bytes(), version.as_bytes())).to_vec();
                Reply::Version { version: VERSION, extensions }.put(0, &mut self.replies);
            }
            Message::Request { .. } if !self.has_begun => {
                return Err(io::Error::other("a request before the first packet"));
            }
            Message::Request { id, request } => self.answer(id, &request),
        }
        Ok(())
    }

    fn answer(&mut self, id: u32, request: &Request<'_>) {
        let refusal = match self.serve(id, request) {
            Ok(()) => return,
            Err(refusal) => refusal,
        };
        let (code, message) = match &refusal {
            Refusal::Status(code) => (*code, code.to_string()),
            Refusal::Io(error) => (status(error), text(error)),
        };
        Reply::Status { code, message: message.as_bytes() }.put(id, &mut self.replies);
    }

    fn reply(&mut self, id: u32, reply: &Reply<'_>) -> Done {
        reply.put(id, &mut self.replies);
        Ok(())
    }

    fn done(&mut self, id: u32) -> Done {
        self.reply(id, &Reply::status(StatusCode::Ok))
    }

    fn serve(&mut self, id: u32, request: &Request<'_>) -> Done {
        match *request {
            Request::Open { path, flags, ref attributes } => self.open(id, path, flags, attributes),
            Request::Opendir { path } => {
                let directory = Directory::open(files::path(path))?;
                let handle = self.handles.insert_directory(directory)?;
                self.reply(id, &Reply::Handle(&handle))
            }
            Request::Close { handle } => {
                self.handles.close(handle)?;
                self.done(id)
            }
            Request::Read { handle, offset, length } => self.read(id, handle, offset, length),
            Request::Write { handle, offset, data } => {
                files::write(self.handles.file(handle)?, data, offset)?;
                self.done(id)
            }
            Request::Readdir { handle } => self.readdir(id, handle),
            Request::Stat { path } => {
                let attributes = files::attributes(&std::fs::metadata(files::path(path))?);
                self.reply(id, &Reply::Attributes(attributes))
            }
            Request::Lstat { path } => {
                let attributes = files::attributes(&std::fs::symlink_metadata(files::path(path))?);
                self.reply(id, &Reply::Attributes(attributes))
            }
            Request::Fstat { handle } => {
                let attributes = files::attributes(&self.handles.file(handle)?.metadata()?);
                self.reply(id, &Reply::Attributes(attributes))
            }
            Request::Realpath { path } => {
                let real = files::real_path(files::path(path))?;
                self.reply(id, &listing::only(&real))
            }
            Request::Readlink { path } => {
                let target = std::fs::read_link(files::path(path))?;
                self.reply(id, &listing::only(&target))
            }
            Request::Extended(ref extension) => self.extended(id, extension),
            ref change => {
                self.change(change)?;
                self.done(id)
            }
        }
    }

    /// What is answered by a status alone.
    fn change(&mut self, request: &Request<'_>) -> Done {
        match *request {
            Request::Setstat { path, ref attributes } => {
                files::set_attributes(files::path(path), attributes)?
            }
            Request::Fsetstat { handle, ref attributes } => {
                files::set_attributes_of_open(self.handles.file(handle)?, attributes)?;
            }
            Request::Remove { path } => std::fs::remove_file(files::path(path))?,
            Request::Mkdir { path, ref attributes } => files::make_directory(files::path(path), attributes)?,
            Request::Rmdir { path } => std::fs::remove_dir(files::path(path))?,
            Request::Rename { from, to } => files::rename_to_new(files::path(from), files::path(to))?,
            Request::Symlink { target, link } => {
                std::os::unix::fs::symlink(files::path(target), files::path(link))?;
            }
            _ => return Err(Refusal::Status(StatusCode::Unsupported)),
        }
        Ok(())
    }

    fn extended(&mut self, id: u32, extension: &Extension<'_>) -> Done {
        match *extension {
            Extension::PosixRename { from, to } => std::fs::rename(files::path(from), files::path(to))?,
            Extension::Hardlink { from, to } => std::fs::hard_link(files::path(from), files::path(to))?,
            Extension::Fsync { handle } => self.handles.file(handle)?.sync_all()?,
            Extension::Statvfs { path } => {
                let facts = files::file_system(files::path(path))?;
                return self.reply(id, &Reply::Extended(Extended::Numbers(&facts)));
            }
            Extension::Limits => {
                let handles = u64::try_from(HANDLES_MAX).unwrap_or(u64::MAX);
                let limits = [PACKET_BYTES_MAX.into(), DATA_BYTES_MAX.into(), DATA_BYTES_MAX.into(), handles];
                return self.reply(id, &Reply::Extended(Extended::Numbers(&limits)));
            }
            Extension::CheckFile { handle, offset, length } => {
                let digest = files::digest(self.handles.file(handle)?, offset, length)?;
                return self.reply(id, &Reply::Extended(Extended::Digest(digest)));
            }
            Extension::Unknown { .. } => return Err(Refusal::Status(StatusCode::Unsupported)),
        }
        self.done(id)
    }

    fn open(&mut self, id: u32, path: &[u8], flags: OpenFlags, attributes: &Attributes) -> Done {
        self.handles.check_room()?;
        let file = files::open(files::path(path), flags, attributes)?;
        let handle = self.handles.insert_file(file)?;
        self.reply(id, &Reply::Handle(&handle))
    }

    fn read(&mut self, id: u32, handle: &[u8], offset: u64, length: u32) -> Done {
        let length = usize::try_from(length.min(DATA_BYTES_MAX)).unwrap_or_default();
        self.data.resize(length, 0);
        let count = files::read(self.handles.file(handle)?, &mut self.data, offset)?;
        if count == 0 && length > 0 {
            return Err(Refusal::Status(StatusCode::Eof));
        }
        Reply::Data(self.data.get(..count).unwrap_or_default()).put(id, &mut self.replies);
        Ok(())
    }

    fn readdir(&mut self, id: u32, handle: &[u8]) -> Done {
        let entries = self.handles.directory(handle)?.next_entries()?;
        if entries.is_empty() {
            return Err(Refusal::Status(StatusCode::Eof));
        }
        let names = entries.iter().map(listing::Entry::name).collect();
        self.reply(id, &Reply::Names(names))
    }
}

/// The code for an error, as OpenSSH's server maps them.
fn status(error: &io::Error) -> StatusCode {
    use rustix::io::Errno;
    match error.raw_os_error().map(Errno::from_raw_os_error) {
        Some(Errno::NOENT | Errno::NOTDIR | Errno::BADF | Errno::LOOP) => StatusCode::NoSuchFile,
        Some(Errno::PERM | Errno::ACCESS | Errno::ROFS) => StatusCode::PermissionDenied,
        Some(Errno::NAMETOOLONG | Errno::INVAL) => StatusCode::BadMessage,
        Some(Errno::NOSYS | Errno::NOTSUP) => StatusCode::Unsupported,
        Some(_) => StatusCode::Failure,
        None => match error.kind() {
            io::ErrorKind::NotFound => StatusCode::NoSuchFile,
            io::ErrorKind::PermissionDenied => StatusCode::PermissionDenied,
            io::ErrorKind::InvalidInput => StatusCode::BadMessage,
            _ => StatusCode::Failure,
        },
    }
}

/// The system's words without the number behind them.
fn text(error: &io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests;
