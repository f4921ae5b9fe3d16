//! The path of a channel names a node or a session, which names nothing else when it is written into a path again; a
//! session's identifier, which names files, never leads out of their directory.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use postern_server::serve::Channel;

pub(crate) fn run(path: &[u8]) {
    let Ok(path) = std::str::from_utf8(path) else { return };
    let Ok(channel) = Channel::parse(path) else { return };
    let (kind, name) = match &channel {
        Channel::Control(node) => ("control", node.as_str()),
        Channel::Data(session) => ("data", session.as_str()),
    };
    assert!(!name.contains(['/', '\\', '\0']) && !name.starts_with('.'), "{name:?} could name another file");
    let again = format!("/v1/{kind}-channel/{}", utf8_percent_encode(name, NON_ALPHANUMERIC));
    assert_eq!(Channel::parse(&again).as_ref(), Ok(&channel), "{again}");
}

pub(crate) fn seeds() -> Vec<Vec<u8>> {
    crate::seeds_of(&[
        "/v1/control-channel/mi-0123456789abcdef0",
        "/v1/data-channel/alice-0123456789abcdef0",
        "/v1/data-channel/a%40b.example-0123456789abcdef0",
        "/v1/data-channel/%2e%2e%2f",
    ])
}
