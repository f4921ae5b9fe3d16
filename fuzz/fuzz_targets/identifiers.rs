//! Whatever stands in the path of a channel, an ARN or a role's name is read to something that prints the same, and a
//! session's identifier, which names files, never leads out of their directory.
#![no_main]

use libfuzzer_sys::fuzz_target;
use postern_ids::{Arn, NodeId, RoleName, SessionId, UserName};

fuzz_target!(|text: &str| {
    if let Ok(session) = text.parse::<SessionId>() {
        assert_eq!(session.to_string(), text);
        assert!(!text.contains(['/', '\0']) && !text.starts_with('.'), "{text:?} could name another file");
    }
    if let Ok(node) = text.parse::<NodeId>() {
        assert_eq!(node.to_string(), text);
    }
    if let Ok(arn) = text.parse::<Arn>() {
        assert_eq!(arn.to_string(), text);
    }
    let _ = (text.parse::<RoleName>(), text.parse::<UserName>());
});
