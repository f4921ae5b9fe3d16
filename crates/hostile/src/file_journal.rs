//! What a session does with files is told the same however its stream is cut, without a character that drives a terminal;
//! and what the gateway follows, the node's server reads the same way.

use postern_sftp::{Attributes, Extension, Journal, Message, NotUnderstood, OpenFlags, Packets, Request};

pub(crate) fn run(input: &[u8]) {
    let whole = journal(input, input.len().max(1));
    for size in [1, 3, 64] {
        assert_eq!(journal(input, size), whole, "in pieces of {size}");
    }
    let (outcome, lines) = whole;
    for line in lines {
        assert!(!line.chars().any(char::is_control), "{line:?}");
    }
    if outcome.is_ok() {
        let mut packets = Packets::default();
        packets.push(input);
        while let Some(packet) = packets.next_packet().expect("the journal took its length") {
            Message::parse(packet).expect("the journal understood it");
        }
    }
}

/// What comes of a stream that is the client's and the node's at once.
fn journal(input: &[u8], size: usize) -> (Result<(), NotUnderstood>, Vec<String>) {
    let (mut journal, mut lines) = (Journal::default(), Vec::new());
    let outcome = input.chunks(size).try_for_each(|piece| journal.client(piece, &mut lines));
    let (mut of_node, mut told) = (Journal::default(), Vec::new());
    // A node may send anything; nothing may come of it but an end.
    let _ = of_node.client(&seed(&[Request::Remove { path: b"x" }]), &mut told);
    let _ = input.chunks(size).try_for_each(|piece| of_node.node(piece, &mut told));
    of_node.finish(&mut told);
    journal.finish(&mut lines);
    lines.extend(told);
    (outcome, lines)
}

fn seed(requests: &[Request<'_>]) -> Vec<u8> {
    let mut stream = Vec::new();
    Message::Init(3).put(&mut stream);
    for (id, request) in (1..).zip(requests) {
        Message::Request { id, request: request.clone() }.put(&mut stream);
    }
    stream
}

pub(crate) fn seeds() -> Vec<Vec<u8>> {
    let none = Attributes::default();
    let write = OpenFlags::WRITE | OpenFlags::CREATE;
    vec![
        seed(&[
            Request::Open { path: b"/a", flags: write, attributes: none },
            Request::Write { handle: b"h", offset: 0, data: b"hello" },
            Request::Close { handle: b"h" },
            Request::Extended(Extension::PosixRename { from: b"/a", to: b"/b" }),
        ]),
        seed(&[
            Request::Open { path: b"b", flags: OpenFlags::READ, attributes: none },
            Request::Read { handle: b"h", offset: 0, length: 32_768 },
            Request::Extended(Extension::CheckFile { handle: b"h", offset: 0, length: 0 }),
            Request::Opendir { path: b"." },
            Request::Readdir { handle: b"d" },
        ]),
        seed(&[
            Request::Mkdir { path: b"d", attributes: Attributes { mode: Some(0o755), ..none } },
            Request::Setstat { path: b"d", attributes: Attributes { size: Some(1), ..none } },
            Request::Symlink { target: b"t", link: b"l" },
            Request::Remove { path: b"\x1b]0;x\x07" },
            Request::Rmdir { path: b"d" },
            Request::Rename { from: b"x", to: b"y" },
        ]),
    ]
}
