//! Why the control channel of a node closed is known, also to the next process.

use postern_store::{CloseReason, NodeConnection, NodeConnectionStatus, NodeConnectionStore};

use super::*;

impl World {
    fn connection(&self) -> NodeConnection {
        self.gateway.node_connection(&self.node).unwrap()
    }

    async fn wait_for_close(&self, reason: CloseReason) {
        eventually(|| {
            let known = self.gateway.node_connection(&self.node);
            known.and_then(|known| known.last_close).is_some_and(|close| close.reason == reason)
        })
        .await;
    }
}

#[tokio::test]
async fn why_a_channel_closed_is_told_and_since_when() {
    let mut world = World::new().await;
    assert_eq!(world.gateway.node_connection(&world.node), None, "it never had one");
    let before = SystemClock.now();
    let older = world.connect_node().await;
    let online = world.connection();
    assert_eq!((online.status, online.last_close), (NodeConnectionStatus::Online, None));
    assert!(online.since >= before);

    let newer = world.connect_node().await;
    world.wait_for_close(CloseReason::Replaced).await;
    assert_eq!(world.connection().status, NodeConnectionStatus::Online);
    drop(older);

    drop(newer);
    world.wait_for_close(CloseReason::Closed).await;
    let away = world.connection();
    assert_eq!(away.status, NodeConnectionStatus::Away);
    assert_eq!(away.since, away.last_close.unwrap().at);
}

#[tokio::test]
async fn a_node_whose_token_is_not_good_is_refused() {
    let mut world = World::new().await;
    let (io, gateway, node) = world.pipe();
    world.channels.spawn(async move { gateway.serve_control_channel(io.1, node).await });
    let mut end = End::new(io.0, Role::Agent);
    end.socket.send(Message::text(r#"{"TokenValue": "made up"}"#)).await.unwrap();
    world.channels.join_next().await.unwrap().unwrap();
    assert_eq!(world.connection().last_close.unwrap().reason, CloseReason::Refused);
}

#[tokio::test]
async fn the_next_process_knows_it_too() {
    let mut world = World::new().await;
    let _control = world.connect_node().await;
    // In order: what was open is written down as closed by the server.
    world.gateway.drain().await;
    let stored = world.store.node_connections().await.unwrap();
    assert_eq!(stored[0].1.last_close.unwrap().reason, CloseReason::ServerStopped);
    world.restart().await;
    assert_eq!(world.connection(), stored[0].1);

    // Killed: the next process finds what was open, and counts from its own start.
    let online = NodeConnection {
        status: NodeConnectionStatus::Online,
        since: jiff::Timestamp::UNIX_EPOCH,
        last_close: None,
    };
    world.store.record_node_connections(&[(world.node.clone(), online)]).await.unwrap();
    let gateway = open_gateway(&world.directory, &world.store, &world.book, world.durability).await;
    let found = gateway.node_connection(&world.node).unwrap();
    assert_eq!(found.status, NodeConnectionStatus::Away);
    assert_eq!(found.last_close.unwrap().reason, CloseReason::ServerStopped);
    assert!(found.since > online.since);
    gateway.drain().await;
}

#[tokio::test]
async fn a_node_that_is_deregistered_leaves_nothing_behind() {
    let mut world = World::new().await;
    let _control = world.connect_node().await;
    world.gateway.deregister_node(&world.node);
    assert_eq!(world.gateway.node_connection(&world.node), None);
    world.channels.join_next().await.unwrap().unwrap();
    assert_eq!(world.gateway.node_connection(&world.node), None);
}
