//! Rules of [`NodeStore`](crate::NodeStore).

use futures_util::future::join_all;
use postern_ids::{ActivationId, NodeId, RoleName};

use super::samples::{activation, at, end, node_id, register, registration, session, start};
use super::tags::tag;
use crate::{
    Deregistered, Node, NodeFilter, NodeInfo, Page, PlatformType, RegisterError, ReplacePublicKeyError,
    ResourceKey, Store,
};

pub(crate) async fn a_node_takes_after_its_activation(a: &dyn Store, b: &dyn Store) {
    let mut activation = activation(1, 2);
    activation.tags = vec![tag("team", "web")];
    a.create_activation(&activation).await.unwrap();
    let wanted = registration(&activation, 1);
    let node = a.register_node(&wanted).await.unwrap();
    assert_eq!(
        node,
        Node {
            id: wanted.id,
            activation_id: Some(activation.id),
            role: activation.role.clone(),
            name: activation.default_instance_name.clone(),
            fingerprint: wanted.fingerprint,
            public_key_der: wanted.public_key_der,
            public_key_since: at(10),
            previous_public_key_der: None,
            registered_at: at(10),
            info: NodeInfo::default(),
            last_ping_at: None,
        }
    );
    assert_eq!(b.node(&node.id).await.unwrap(), Some(node.clone()));
    assert_eq!(b.node(&node_id(9)).await.unwrap(), None);
    assert_eq!(b.tags(&ResourceKey::node(&node.id)).await.unwrap(), activation.tags);
    assert_eq!(b.activation(activation.id).await.unwrap().unwrap().registrations_count, 1);

    a.delete_activation(activation.id).await.unwrap();
    assert_eq!(b.node(&node.id).await.unwrap(), Some(node), "nodes stay when their activation goes");
}

pub(crate) async fn an_unusable_activation_registers_nobody(a: &dyn Store, b: &dyn Store) {
    let activation = activation(1, 1);
    let unknown = a.register_node(&registration(&activation, 1)).await;
    assert!(matches!(unknown, Err(RegisterError::ActivationUnknown)));

    a.create_activation(&activation).await.unwrap();
    let mut late = registration(&activation, 1);
    late.at = activation.expires_at;
    let expired = b.register_node(&late).await;
    assert!(matches!(expired, Err(RegisterError::ActivationExpired { expired_at }) if expired_at == late.at));

    a.register_node(&registration(&activation, 1)).await.unwrap();
    let exhausted = b.register_node(&registration(&activation, 2)).await;
    assert!(matches!(exhausted, Err(RegisterError::LimitReached { limit: 1 })));
    assert_eq!(a.node(&node_id(2)).await.unwrap(), None);
}

pub(crate) async fn never_more_nodes_register_than_allowed(a: &dyn Store, b: &dyn Store) {
    let activation = activation(1, 5);
    a.create_activation(&activation).await.unwrap();
    let attempts = (1..=20).map(async |number| {
        let store = if number % 2 == 0 { a } else { b };
        store.register_node(&registration(&activation, number)).await
    });
    let results = join_all(attempts).await;
    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 5);
    for result in results {
        assert!(matches!(result, Ok(_) | Err(RegisterError::LimitReached { limit: 5 })), "{result:?}");
    }
    assert_eq!(a.nodes(&[], &Page::first(50)).await.unwrap().items.len(), 5);
    assert_eq!(a.activation(activation.id).await.unwrap().unwrap().registrations_count, 5);
}

pub(crate) async fn a_key_belongs_to_one_node(a: &dyn Store, b: &dyn Store) {
    let activation = activation(1, 5);
    a.create_activation(&activation).await.unwrap();
    a.register_node(&registration(&activation, 1)).await.unwrap();
    let mut copy = registration(&activation, 2);
    copy.public_key_der = registration(&activation, 1).public_key_der;
    let refused = b.register_node(&copy).await;
    assert!(matches!(refused, Err(RegisterError::PublicKeyInUse { node }) if node == node_id(1)));
    assert_eq!(b.activation(activation.id).await.unwrap().unwrap().registrations_count, 1);
}

pub(crate) async fn a_key_is_replaced_at_once(a: &dyn Store, b: &dyn Store) {
    let node = register(a, 1).await;
    let other = register(a, 2).await;
    for _ in 0..2 {
        b.replace_public_key(&node.id, b"new", at(20)).await.unwrap();
        let replaced = a.node(&node.id).await.unwrap().unwrap();
        assert_eq!(replaced.public_key_der, b"new");
        assert_eq!(replaced.previous_public_key_der.as_ref(), Some(&node.public_key_der));
        assert_eq!(replaced.public_key_since, at(20));
    }
    let taken = b.replace_public_key(&node.id, &other.public_key_der, at(30)).await;
    assert!(matches!(taken, Err(ReplacePublicKeyError::PublicKeyInUse { node }) if node == other.id));
    let unknown = b.replace_public_key(&node_id(9), b"another", at(30)).await;
    assert!(matches!(unknown, Err(ReplacePublicKeyError::NodeUnknown)));
}

pub(crate) async fn a_node_is_given_another_role(a: &dyn Store, b: &dyn Store) {
    let activation = activation(1, 2);
    a.create_activation(&activation).await.unwrap();
    let node = a.register_node(&registration(&activation, 1)).await.unwrap();
    let other = a.register_node(&registration(&activation, 2)).await.unwrap();
    let role: RoleName = "Other".parse().unwrap();
    assert!(a.set_node_role(&node.id, &role).await.unwrap());
    assert_eq!(b.node(&node.id).await.unwrap(), Some(Node { role: role.clone(), ..node }));
    assert_eq!(b.node(&other.id).await.unwrap(), Some(other));
    assert!(!a.set_node_role(&node_id(9), &role).await.unwrap());
}

pub(crate) async fn a_ping_changes_only_what_it_says(a: &dyn Store, b: &dyn Store) {
    let node = register(a, 1).await;
    let full = NodeInfo {
        agent_name: Some("postern-agent".to_owned()),
        agent_version: Some("3.3.4000.0".to_owned()),
        agent_status: Some("Active".to_owned()),
        platform_type: Some(PlatformType::Linux),
        platform_name: Some("Debian GNU/Linux".to_owned()),
        platform_version: Some("13".to_owned()),
        computer_name: Some("web-1.example.com".to_owned()),
        ip_address: Some("2001:db8::7".to_owned()),
        connection_channel: Some("ssmmessages".to_owned()),
    };
    assert!(a.record_ping(&node.id, &full, at(20)).await.unwrap());
    let brief = NodeInfo { agent_version: Some("3.3.4001.0".to_owned()), ..NodeInfo::default() };
    assert!(b.record_ping(&node.id, &brief, at(30)).await.unwrap());
    assert!(b.record_ping(&node.id, &NodeInfo::default(), at(25)).await.unwrap());
    let pinged = a.node(&node.id).await.unwrap().unwrap();
    assert_eq!(pinged.info, NodeInfo { agent_version: brief.agent_version, ..full.clone() });
    assert_eq!(pinged.last_ping_at, Some(at(30)));
    assert!(!a.record_ping(&node_id(9), &full, at(20)).await.unwrap());
}

/// The numbers of the listed nodes, and where the next page begins.
async fn listed(store: &dyn Store, filters: &[NodeFilter], page: Page<NodeId>) -> (Vec<u8>, Option<NodeId>) {
    let listed = store.nodes(filters, &page).await.unwrap();
    (listed.items.iter().map(|node| node.public_key_der[0]).collect(), listed.next)
}

pub(crate) async fn nodes_are_listed_page_by_page(a: &dyn Store, b: &dyn Store) {
    assert_eq!(listed(b, &[], Page::first(2)).await, (vec![], None));
    for number in [3, 1, 5, 2, 4] {
        register(a, number).await;
    }
    let (first, next) = listed(b, &[], Page::first(2)).await;
    assert_eq!(first, [1, 2]);
    a.deregister_node(&node_id(2)).await.unwrap();
    register(a, 0).await;
    let (second, next) = listed(b, &[], Page { after: next, limit: 2 }).await;
    assert_eq!(second, [3, 4], "what comes or goes on earlier pages shifts nothing");
    let (third, next) = listed(b, &[], Page { after: next, limit: 1 }).await;
    assert_eq!((third, next), (vec![5], None));
}

pub(crate) async fn nodes_are_filtered(a: &dyn Store, b: &dyn Store) {
    for number in 1..=4 {
        let node = register(a, number).await;
        let (platform, version) =
            if number == 3 { (PlatformType::Windows, "2.0.0.0") } else { (PlatformType::Linux, "1.0.0.0") };
        let info = NodeInfo {
            platform_type: Some(platform),
            agent_version: Some(version.to_owned()),
            ..NodeInfo::default()
        };
        a.record_ping(&node.id, &info, at(20)).await.unwrap();
        let resource = ResourceKey::node(&node.id);
        a.add_tags(&resource, &[tag("n", &number.to_string()), tag("%", "x")], 50).await.unwrap();
    }
    register(a, 5).await;
    let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
    let tagged = |key: &str, values: &[&str]| NodeFilter::Tag { key: key.to_owned(), values: texts(values) };
    let cases: [(Vec<NodeFilter>, &[u8]); 12] = [
        (vec![NodeFilter::Ids(vec![node_id(4), node_id(2), node_id(9)])], &[2, 4]),
        (vec![NodeFilter::Ids(vec![])], &[]),
        (vec![NodeFilter::PlatformTypes(vec![PlatformType::Windows])], &[3]),
        (vec![NodeFilter::PlatformTypes(vec![PlatformType::Windows, PlatformType::Linux])], &[1, 2, 3, 4]),
        (vec![NodeFilter::Activations(vec![ActivationId::from_random([2; 16])])], &[2]),
        (vec![NodeFilter::Roles(vec!["PosternNode".parse().unwrap()])], &[1, 2, 3, 4, 5]),
        (vec![NodeFilter::Roles(vec!["Other".parse().unwrap()])], &[]),
        (vec![NodeFilter::AgentVersions(texts(&["2.0.0.0", "3"]))], &[3]),
        (vec![NodeFilter::TagKeys(texts(&["n", "m"]))], &[1, 2, 3, 4]),
        (vec![tagged("n", &["1", "4", "7"])], &[1, 4]),
        (vec![tagged("%", &["x"]), tagged("n", &["2"])], &[2]),
        (vec![NodeFilter::Ids(vec![node_id(3)]), NodeFilter::PlatformTypes(vec![PlatformType::Linux])], &[]),
    ];
    for (filters, expected) in cases {
        assert_eq!(listed(b, &filters, Page::first(50)).await.0, expected, "{filters:?}");
    }
}

pub(crate) async fn a_deregistered_node_leaves_only_its_sessions(a: &dyn Store, b: &dyn Store) {
    let node = register(a, 1).await;
    let other = register(a, 2).await;
    let resource = ResourceKey::node(&node.id);
    a.add_tags(&resource, &[tag("a", "1")], 50).await.unwrap();
    let (live, ended, elsewhere) = (
        session("live", &node.id, at(20)),
        session("ended", &node.id, at(21)),
        session("else", &other.id, at(22)),
    );
    for session in [&live, &ended, &elsewhere] {
        start(a, session).await;
    }
    a.finish_session(&ended.id, &end("user", at(30))).await.unwrap();

    let left = b.deregister_node(&node.id).await.unwrap();
    assert_eq!(left, Some(Deregistered { live_sessions: vec![live.id.clone()] }));
    assert_eq!(a.deregister_node(&node.id).await.unwrap(), None);
    assert_eq!(a.node(&node.id).await.unwrap(), None);
    assert_eq!(a.tags(&resource).await.unwrap(), []);
    assert!(a.session(&ended.id).await.unwrap().is_some());
    assert!(a.finish_session(&live.id, &end("agent-lost", at(40))).await.unwrap());
    assert!(a.node(&other.id).await.unwrap().is_some());
}
