//! Identifiers in paths, ARNs and inputs are read to something that prints the same.

use postern_ids::{Arn, NodeId, RoleName, SessionId, UserName};

pub(crate) fn run(text: &[u8]) {
    let Ok(text) = std::str::from_utf8(text) else { return };
    if let Ok(session) = text.parse::<SessionId>() {
        assert_eq!(session.to_string(), text);
    }
    if let Ok(node) = text.parse::<NodeId>() {
        assert_eq!(node.to_string(), text);
    }
    if let Ok(arn) = text.parse::<Arn>() {
        assert_eq!(arn.to_string(), text);
    }
    if let Ok(role) = text.parse::<RoleName>() {
        assert_eq!(role.to_string(), text);
    }
    if let Ok(user) = text.parse::<UserName>() {
        assert_eq!(user.to_string(), text);
    }
}

pub(crate) fn seeds() -> Vec<Vec<u8>> {
    crate::seeds_of(&[
        "alice-0123456789abcdef0",
        "mi-0123456789abcdef0",
        "arn:aws:ssm:us-east-1:111122223333:managed-instance/mi-0123456789abcdef0",
        "arn:aws:sts::111122223333:assumed-role/PosternNode/mi-0123456789abcdef0",
        "alice.b+c@example",
    ])
}
