//! The journal of a whole session, cut anywhere, and what it does not follow.

use proptest::prelude::*;

use super::*;
use crate::{Attributes, Extended, Extension, OpenFlags, Owner, Reply, Times};

fn requests(requests: &[Request<'_>]) -> Vec<u8> {
    let mut stream = Vec::new();
    Message::Init(3).put(&mut stream);
    for (id, request) in (1..).zip(requests) {
        Message::Request { id, request: request.clone() }.put(&mut stream);
    }
    stream
}

fn replies(replies: &[(u32, Reply<'_>)]) -> Vec<u8> {
    let mut stream = Vec::new();
    Reply::Version { version: 3, extensions: vec![] }.put(0, &mut stream);
    for (id, reply) in replies {
        reply.put(*id, &mut stream);
    }
    stream
}

fn ok(id: u32) -> (u32, Reply<'static>) {
    (id, Reply::status(StatusCode::Ok))
}

const NONE: Attributes = Attributes { size: None, owner: None, mode: None, times: None };

/// A file written, one read, and some names changed.
fn session() -> (Vec<u8>, Vec<u8>) {
    let data = vec![b'x'; 40_000];
    let mode = Attributes { mode: Some(0o100_600), ..NONE };
    let write = OpenFlags::WRITE | OpenFlags::CREATE | OpenFlags::EXCLUSIVE;
    let times = Attributes { times: Some(Times { accessed: 1, modified: 2 }), ..NONE };
    let owner = Attributes { owner: Some(Owner { uid: 1, gid: 2 }), size: Some(3), ..NONE };
    let requests = requests(&[
        Request::Open { path: b"/up\n.part", flags: write, attributes: mode },
        Request::Write { handle: b"h1", offset: 0, data: &data },
        Request::Write { handle: b"h1", offset: 40_000, data: &data },
        Request::Fsetstat { handle: b"h1", attributes: times },
        Request::Close { handle: b"h1" },
        Request::Extended(Extension::PosixRename { from: b"/up\n.part", to: b"/up" }),
        Request::Open { path: b"down", flags: OpenFlags::READ, attributes: NONE },
        Request::Read { handle: b"h2", offset: 0, length: 32_768 },
        Request::Read { handle: b"h2", offset: 100, length: 32_768 },
        Request::Close { handle: b"h2" },
        Request::Lstat { path: b"down" },
        Request::Remove { path: b"/etc/passwd" },
        Request::Mkdir { path: b"d", attributes: NONE },
        Request::Setstat { path: b"d", attributes: owner },
        Request::Symlink { target: b"t", link: b"l" },
        Request::Open { path: b"shadow", flags: OpenFlags::READ, attributes: NONE },
        Request::Opendir { path: b"." },
        Request::Open { path: b"left", flags: OpenFlags::READ, attributes: NONE },
    ]);
    let replies = replies(&[
        (1, Reply::Handle(b"h1")),
        ok(2),
        (3, Reply::status(StatusCode::Failure)),
        ok(4),
        ok(5),
        ok(6),
        (7, Reply::Handle(b"h2")),
        (8, Reply::Data(&data[..100])),
        (9, Reply::status(StatusCode::Eof)),
        ok(10),
        (11, Reply::Attributes(NONE)),
        (12, Reply::status(StatusCode::PermissionDenied)),
        ok(13),
        ok(14),
        ok(15),
        (16, Reply::status(StatusCode::NoSuchFile)),
        (17, Reply::Handle(b"d")),
        (18, Reply::Handle(b"h3")),
    ]);
    (requests, replies)
}

fn lines_of(cut: impl Fn(&[u8]) -> Vec<Vec<u8>>) -> Vec<String> {
    let (requests, replies) = session();
    let (mut journal, mut lines) = (Journal::default(), Vec::new());
    for piece in cut(&requests) {
        journal.client(&piece, &mut lines).unwrap();
    }
    for piece in cut(&replies) {
        journal.node(&piece, &mut lines).unwrap();
    }
    journal.finish(&mut lines);
    lines
}

#[test]
fn each_file_has_its_lines() {
    insta::assert_snapshot!(lines_of(|stream| vec![stream.to_vec()]).join("\n"), @r#"
    open "/up\n.part" to write, made if missing, must be new, mode 0600
    set time 2 of an open file
    rename "/up\n.part" to "/up"
    open "down" to read
    remove "/etc/passwd"
    make directory "d"
    set size 3, owner 1:2 of "d"
    make link "l" to "t"
    open "shadow" to read
    open "left" to read
    close "/up\n.part": 40000 bytes written
    close "down": 100 bytes read
    failed: remove "/etc/passwd": permission denied
    failed: open "shadow" to read: no such file or directory
    close "left": 0 bytes read; the session ended before it was closed
    "#);
}

proptest! {
    #[test]
    fn it_is_the_same_however_the_stream_is_cut(size in 1_usize..5000) {
        let whole = lines_of(|stream| vec![stream.to_vec()]);
        prop_assert_eq!(lines_of(|stream| stream.chunks(size).map(<[u8]>::to_vec).collect()), whole);
    }
}

fn refused(stream: &[u8]) -> NotUnderstood {
    Journal::default().client(stream, &mut Vec::new()).unwrap_err()
}

#[test]
fn what_is_not_sftp_is_not_followed() {
    assert_eq!(refused(b"SSH-2.0-OpenSSH_10.0\r\n"), WireError::Length(0x5353_482d).into());
    let mut early = Vec::new();
    Message::Request { id: 1, request: Request::Remove { path: b"x" } }.put(&mut early);
    assert_eq!(refused(&early), NotUnderstood::Beginning);
    let long = requests(&[Request::Remove { path: &[b'x'; 20_000] }]);
    assert!(matches!(refused(&long), NotUnderstood::Wire(WireError::Length(_))));
    let unknown = [requests(&[]), vec![0, 0, 0, 5, 99, 0, 0, 0, 1]].concat();
    assert_eq!(refused(&unknown), WireError::Type(99).into());
}

#[test]
fn a_write_whose_lengths_disagree_is_not_followed() {
    let mut stream = requests(&[Request::Write { handle: b"h", offset: 0, data: b"abc" }]);
    let at = stream.len() - 4;
    stream[at] = 1;
    assert_eq!(refused(&stream), WireError::Short("data").into());
}

#[test]
fn numbers_and_amounts_are_limited() {
    let mut twice = requests(&[Request::Stat { path: b"x" }]);
    Message::Request { id: 1, request: Request::Stat { path: b"y" } }.put(&mut twice);
    assert_eq!(refused(&twice), NotUnderstood::Ambiguous);
    let many = vec![Request::Stat { path: b"x" }; PENDING_MAX + 1];
    assert_eq!(refused(&requests(&many)), NotUnderstood::TooMany("requests"));
    let path = vec![b'x'; 4000];
    let large = vec![Request::Remove { path: &path }; PENDING_BYTES_MAX / 4000 + 1];
    assert_eq!(refused(&requests(&large)), NotUnderstood::TooMany("requests"));
}

#[test]
fn a_digest_survives_its_reply() {
    let mut stream = Vec::new();
    Reply::Extended(Extended::Digest([7; 32])).put(9, &mut stream);
    let (id, reply) = Reply::parse(&stream[4..]).unwrap();
    let Reply::Extended(extended) = reply else { panic!("{reply:?}") };
    assert_eq!((id, extended.digest()), (9, Ok([7; 32])));
}
