//! The server over pipes in memory, with files of a temporary directory.

use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::path::Path;

use aws_lc_rs::digest::{SHA256, digest};
use postern_sftp::Times;

use super::*;

/// Asks everything at once, as a client that pipelines does, and gives the packets of the replies.
fn replies(requests: &[Request<'_>]) -> Vec<Vec<u8>> {
    let mut stream = Vec::new();
    Message::Init(3).put(&mut stream);
    for (id, request) in (1..).zip(requests) {
        Message::Request { id, request: request.clone() }.put(&mut stream);
    }
    let mut output = Vec::new();
    serve(&stream[..], &mut output).unwrap();
    let mut packets = Packets::default();
    packets.push(&output);
    let all: Vec<Vec<u8>> =
        std::iter::from_fn(|| packets.next_packet().unwrap().map(<[u8]>::to_vec)).collect();
    assert_eq!(all.len(), requests.len() + 1, "one reply to each, and the version");
    all[1..].to_vec()
}

fn codes(requests: &[Request<'_>]) -> Vec<StatusCode> {
    let code = |packet: &Vec<u8>| match Reply::parse(packet).unwrap().1 {
        Reply::Status { code, .. } => code,
        _ => StatusCode::Ok,
    };
    replies(requests).iter().map(code).collect()
}

/// A conversation, in which requests depend on replies.
struct Client(Server);

impl Client {
    fn new() -> Self {
        Self(Server { has_begun: true, ..Server::default() })
    }

    fn ask(&mut self, request: Request<'_>) -> Vec<u8> {
        let mut packet = Vec::new();
        Message::Request { id: 7, request }.put(&mut packet);
        self.0.handle(&packet[4..]).unwrap();
        std::mem::take(&mut self.0.replies).split_off(4)
    }

    fn code(&mut self, request: Request<'_>) -> StatusCode {
        match Reply::parse(&self.ask(request)).unwrap() {
            (7, Reply::Status { code, .. }) => code,
            other => panic!("{other:?}"),
        }
    }

    fn handle(&mut self, request: Request<'_>) -> Vec<u8> {
        match Reply::parse(&self.ask(request)).unwrap() {
            (7, Reply::Handle(handle)) => handle.to_vec(),
            other => panic!("{other:?}"),
        }
    }

    fn open(&mut self, path: &Path, flags: OpenFlags) -> Vec<u8> {
        let path = bytes(path);
        self.handle(Request::Open { path: &path, flags, attributes: Attributes::default() })
    }
}

fn bytes(path: &Path) -> Vec<u8> {
    use std::os::unix::ffi::OsStrExt as _;
    path.as_os_str().as_bytes().to_vec()
}

#[test]
fn a_file_is_written_read_compared_and_named() {
    let directory = tempfile::tempdir().unwrap();
    let (part, name) = (directory.path().join(".a.part"), directory.path().join("a"));
    let mut client = Client::new();
    let handle =
        client.open(&part, OpenFlags::READ | OpenFlags::WRITE | OpenFlags::CREATE | OpenFlags::EXCLUSIVE);
    for (offset, data) in [(0, &b"hello "[..]), (6, b"world")] {
        assert_eq!(client.code(Request::Write { handle: &handle, offset, data }), StatusCode::Ok);
    }
    let read = client.ask(Request::Read { handle: &handle, offset: 4, length: 100 });
    assert_eq!(Reply::parse(&read).unwrap().1, Reply::Data(b"o world"));
    assert_eq!(client.code(Request::Read { handle: &handle, offset: 11, length: 1 }), StatusCode::Eof);
    for (offset, length, text) in [(0, 0, &b"hello world"[..]), (6, 3, b"wor"), (0, 99, b"hello world")] {
        let reply = client.ask(Request::Extended(Extension::CheckFile { handle: &handle, offset, length }));
        let Reply::Extended(extended) = Reply::parse(&reply).unwrap().1 else { panic!("{reply:?}") };
        assert_eq!(extended.digest().unwrap()[..], *digest(&SHA256, text).as_ref());
    }
    let times = Attributes {
        mode: Some(0o640),
        times: Some(Times { accessed: 1000, modified: 2000 }),
        ..Attributes::default()
    };
    assert_eq!(client.code(Request::Fsetstat { handle: &handle, attributes: times }), StatusCode::Ok);
    assert_eq!(client.code(Request::Close { handle: &handle }), StatusCode::Ok);
    assert_eq!(client.code(Request::Close { handle: &handle }), StatusCode::Failure);
    let (from, to) = (bytes(&part), bytes(&name));
    std::fs::write(&name, "old").unwrap();
    assert_eq!(client.code(Request::Rename { from: &from, to: &to }), StatusCode::Failure, "it exists");
    let replace = Request::Extended(Extension::PosixRename { from: &from, to: &to });
    assert_eq!(client.code(replace), StatusCode::Ok);
    assert_eq!(std::fs::read_to_string(&name).unwrap(), "hello world");
    let metadata = std::fs::metadata(&name).unwrap();
    assert_eq!((metadata.permissions().mode() & 0o777, metadata.mtime()), (0o640, 2000));
}

#[test]
fn a_directory_is_listed_to_its_end() {
    let directory = tempfile::tempdir().unwrap();
    for number in 0..250 {
        std::fs::write(directory.path().join(format!("f{number}")), "x").unwrap();
    }
    symlink("nowhere", directory.path().join("link")).unwrap();
    let mut client = Client::new();
    let handle = client.handle(Request::Opendir { path: &bytes(directory.path()) });
    let mut names = Vec::new();
    loop {
        let packet = client.ask(Request::Readdir { handle: &handle });
        match Reply::parse(&packet).unwrap().1 {
            Reply::Names(some) => names.extend(some.iter().map(|name| {
                assert!(name.long_name.ends_with(name.name));
                (name.name.to_vec(), name.attributes.kind())
            })),
            Reply::Status { code: StatusCode::Eof, .. } => break,
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(names.len(), 251);
    assert!(names.contains(&(b"link".to_vec(), Some(postern_sftp::FileKind::Symlink))));
}

#[test]
fn errors_are_those_of_the_system() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("file");
    std::fs::write(&file, "x").unwrap();
    let (file, missing) = (bytes(&file), bytes(&directory.path().join("missing")));
    let below = [&file[..], b"/x"].concat();
    let long = vec![b'x'; 5000];
    let mkdir = |path| Request::Mkdir { path, attributes: Attributes::default() };
    let cases: [(Request<'_>, StatusCode); 10] = [
        (Request::Stat { path: &file }, StatusCode::Ok),
        (Request::Stat { path: &missing }, StatusCode::NoSuchFile),
        (Request::Stat { path: &below }, StatusCode::NoSuchFile),
        (Request::Remove { path: &missing }, StatusCode::NoSuchFile),
        (Request::Stat { path: &long }, StatusCode::BadMessage),
        (Request::Stat { path: b"a\0b" }, StatusCode::BadMessage),
        (mkdir(&file), StatusCode::Failure),
        (Request::Rmdir { path: &file }, StatusCode::NoSuchFile),
        (Request::Read { handle: b"guess", offset: 0, length: 1 }, StatusCode::Failure),
        (Request::Extended(Extension::Unknown { name: b"x@y" }), StatusCode::Unsupported),
    ];
    let (requests, expected): (Vec<_>, Vec<_>) = cases.into_iter().unzip();
    assert_eq!(codes(&requests), expected);
}

#[test]
fn pipes_are_no_files() {
    let directory = tempfile::tempdir().unwrap();
    let pipe = directory.path().join("pipe");
    let mode = rustix::fs::Mode::from_raw_mode(0o600);
    rustix::fs::mknodat(rustix::fs::CWD, &pipe, rustix::fs::FileType::Fifo, mode, 0).unwrap();
    let path = bytes(&pipe);
    let open = |flags| Request::Open { path: &path, flags, attributes: Attributes::default() };
    // Neither waits for the other end.
    assert_eq!(codes(&[open(OpenFlags::READ), open(OpenFlags::WRITE)]), [StatusCode::Failure; 2]);
}

#[test]
fn handles_are_limited() {
    let directory = tempfile::tempdir().unwrap();
    let path = bytes(directory.path());
    let many = vec![Request::Opendir { path: &path }; HANDLES_MAX + 1];
    let codes = codes(&many);
    assert!(codes[..HANDLES_MAX].iter().all(|code| *code == StatusCode::Ok));
    assert_eq!(codes[HANDLES_MAX], StatusCode::Failure);
}

#[test]
fn paths_begin_where_the_server_runs() {
    let here = bytes(&std::env::current_dir().unwrap().canonicalize().unwrap());
    let mut client = Client::new();
    for path in [&b"."[..], b""] {
        let packet = client.ask(Request::Realpath { path });
        let Reply::Names(names) = Reply::parse(&packet).unwrap().1 else { panic!() };
        assert_eq!(names[0].name, here);
    }
    let packet = client.ask(Request::Realpath { path: b"not-there" });
    let Reply::Names(names) = Reply::parse(&packet).unwrap().1 else { panic!() };
    assert_eq!(names[0].name, [&here[..], b"/not-there"].concat());
}

#[test]
fn who_does_not_begin_with_a_version_is_not_served() {
    let mut early = Vec::new();
    Message::Request { id: 1, request: Request::Stat { path: b"." } }.put(&mut early);
    for input in [&early[..], b"SSH-2.0-x\r\n"] {
        assert!(serve(input, &mut Vec::new()).is_err());
    }
}
