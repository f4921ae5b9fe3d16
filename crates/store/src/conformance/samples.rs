//! Things to store.

use jiff::Timestamp;
use postern_ids::{ActivationId, Arn, IamPath, NodeId, SessionId};

use crate::{
    AccessType, Activation, ChannelSide, EndStatus, Node, Registration, SessionEnd, SessionRecord,
    SessionStatus, Store, TokenGrant, TokenHash, TokenScope,
};

/// The point in time `seconds` after the tests' beginning.
pub(crate) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + seconds).unwrap()
}

pub(crate) fn node_id(number: u8) -> NodeId {
    format!("mi-{number:017x}").parse().unwrap()
}

pub(crate) fn activation(number: u8, limit: u32) -> Activation {
    Activation {
        id: ActivationId::from_random([number; 16]),
        code_hash: [number; 32],
        description: Some("rack 4".to_owned()),
        default_instance_name: Some("web".to_owned()),
        role: "PosternNode".parse().unwrap(),
        registration_limit: limit,
        registrations_count: 0,
        expires_at: at(1000),
        created_at: at(0),
        tags: Vec::new(),
    }
}

pub(crate) fn registration(activation: &Activation, number: u8) -> Registration {
    Registration {
        id: node_id(number),
        activation_id: activation.id,
        fingerprint: format!("fingerprint-{number}"),
        public_key_der: vec![number; 294],
        at: at(10),
    }
}

/// Registers node `number` with an activation of its own.
pub(crate) async fn register(store: &dyn Store, number: u8) -> Node {
    let activation = activation(number, 1);
    store.create_activation(&activation).await.unwrap();
    store.register_node(&registration(&activation, number)).await.unwrap()
}

pub(crate) fn session(name: &str, node: &NodeId, started_at: Timestamp) -> SessionRecord {
    SessionRecord {
        id: name.parse().unwrap(),
        node: node.clone(),
        owner_arn: owner("alice"),
        owner_user_id: "AIDAAAAAAAAAAAAAAAAAA".to_owned(),
        document_name: "SSM-SessionManagerRunShell".to_owned(),
        session_type: "Standard_Stream".to_owned(),
        reason: Some("looking at a full disk".to_owned()),
        access_type: AccessType::Standard,
        status: SessionStatus::Connecting,
        status_since: started_at,
        started_at,
        ended_at: None,
        end_reason: None,
        details: None,
        exit_code: None,
        parameters: serde_json::json!({"command": ["df -h"]}),
        max_session_duration_minutes: Some(60),
        idle_timeout_minutes: 20,
        client_ip: Some("192.0.2.7".to_owned()),
        authority: Some(serde_json::json!({"principal": "alice"})),
    }
}

pub(crate) fn owner(name: &str) -> Arn {
    Arn::user(&"111122223333".parse().unwrap(), &IamPath::root(), &name.parse().unwrap())
}

/// Stores a session on a registered node, with a token of its own.
pub(crate) async fn start(store: &dyn Store, session: &SessionRecord) {
    let name = session.id.as_str().as_bytes();
    let mut hash = [0xff; 32];
    hash[..name.len().min(32)].copy_from_slice(&name[..name.len().min(32)]);
    let token = data_token(hash, &session.id, ChannelSide::Client, at(1_000_000));
    store.create_session(session, &token).await.unwrap();
}

pub(crate) fn data_token(
    hash: [u8; 32],
    session: &SessionId,
    side: ChannelSide,
    expires_at: Timestamp,
) -> TokenGrant {
    TokenGrant {
        hash: TokenHash(hash),
        scope: TokenScope::DataChannel { session: session.clone(), side },
        expires_at,
    }
}

pub(crate) fn end(reason: &str, at: Timestamp) -> SessionEnd {
    SessionEnd {
        status: EndStatus::Terminated,
        reason: reason.to_owned(),
        details: Some("in words".to_owned()),
        exit_code: Some(3),
        at,
    }
}
