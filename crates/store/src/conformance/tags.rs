//! Rules of [`TagStore`](crate::TagStore).

use super::samples::{node_id, register};
use crate::{AddTagsError, ResourceKey, ResourceType, Store, Tag};

pub(crate) fn tag(key: &str, value: &str) -> Tag {
    Tag { key: key.to_owned(), value: value.to_owned() }
}

fn parameter(name: &str) -> ResourceKey {
    ResourceKey { resource_type: ResourceType::Parameter, id: name.to_owned() }
}

pub(crate) async fn tags_are_merged_by_key(a: &dyn Store, b: &dyn Store) {
    let resource = parameter("One");
    a.add_tags(&resource, &[tag("b", "1"), tag("a", "1")], 50).await.unwrap();
    a.add_tags(&resource, &[tag("b", "2"), tag("c", "")], 50).await.unwrap();
    assert_eq!(b.tags(&resource).await.unwrap(), [tag("a", "1"), tag("b", "2"), tag("c", "")]);

    b.remove_tags(&resource, &["a".to_owned(), "never there".to_owned()]).await.unwrap();
    assert_eq!(a.tags(&resource).await.unwrap(), [tag("b", "2"), tag("c", "")]);
    assert_eq!(a.tags(&parameter("Other")).await.unwrap(), []);
    let document = ResourceKey { resource_type: ResourceType::Document, ..resource };
    assert_eq!(a.tags(&document).await.unwrap(), []);
}

pub(crate) async fn too_many_tags_change_nothing(a: &dyn Store, b: &dyn Store) {
    let resource = parameter("One");
    a.add_tags(&resource, &[tag("a", "1"), tag("b", "1")], 3).await.unwrap();
    let refused = a.add_tags(&resource, &[tag("a", "2"), tag("c", "2"), tag("d", "2")], 3).await;
    assert!(matches!(refused, Err(AddTagsError::TooMany { limit: 3 })));
    assert_eq!(b.tags(&resource).await.unwrap(), [tag("a", "1"), tag("b", "1")]);
    b.add_tags(&resource, &[tag("a", "2"), tag("b", "2"), tag("c", "2")], 3).await.unwrap();
}

pub(crate) async fn an_unknown_node_gets_no_tags(a: &dyn Store, b: &dyn Store) {
    let refused = a.add_tags(&ResourceKey::node(&node_id(1)), &[tag("a", "1")], 50).await;
    assert!(matches!(refused, Err(AddTagsError::ResourceUnknown)));
    let node = register(a, 1).await;
    b.add_tags(&ResourceKey::node(&node.id), &[tag("a", "1")], 50).await.unwrap();
    assert_eq!(a.tags(&ResourceKey::node(&node.id)).await.unwrap(), [tag("a", "1")]);
}
