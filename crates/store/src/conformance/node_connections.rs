//! Rules of [`NodeConnectionStore`](crate::NodeConnectionStore).

use super::samples::{at, register};
use crate::{CloseReason, LastClose, NodeConnection, NodeConnectionStatus, Store};

const ONLINE: NodeConnectionStatus = NodeConnectionStatus::Online;

pub(crate) async fn what_was_said_last_of_a_node_counts(a: &dyn Store, b: &dyn Store) {
    let (one, other) = (register(a, 1).await, register(a, 2).await);
    let online = NodeConnection { status: ONLINE, since: at(10), last_close: None };
    a.record_node_connections(&[(one.id.clone(), online), (other.id.clone(), online)]).await.unwrap();
    for reason in CloseReason::ALL {
        let last_close = Some(LastClose { reason: *reason, at: at(20) });
        let away = NodeConnection { status: NodeConnectionStatus::Away, since: at(21), last_close };
        b.record_node_connections(&[(one.id.clone(), away)]).await.unwrap();
        let mut found = a.node_connections().await.unwrap();
        found.sort_by(|(left, _), (right, _)| left.as_str().cmp(right.as_str()));
        assert_eq!(found, [(one.id.clone(), away), (other.id.clone(), online)]);
    }
}

pub(crate) async fn of_a_node_that_is_gone_nothing_is_known(a: &dyn Store, b: &dyn Store) {
    let node = register(a, 1).await;
    let online = [(node.id.clone(), NodeConnection { status: ONLINE, since: at(10), last_close: None })];
    a.record_node_connections(&online).await.unwrap();
    b.deregister_node(&node.id).await.unwrap();
    assert_eq!(a.node_connections().await.unwrap(), []);
    a.record_node_connections(&online).await.unwrap();
    assert_eq!(a.node_connections().await.unwrap(), []);
}
