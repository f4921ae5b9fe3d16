//! Rules of [`DocumentStore`](crate::DocumentStore).

use super::samples::at;
use super::tags::tag;
use crate::{
    AddTagsError, DocumentError, DocumentQuotas, NewDocument, NewDocumentVersion, Page, ResourceKey, Store,
    VersionChoice,
};

fn version(content: &str, name: Option<&str>, second: i64) -> NewDocumentVersion {
    NewDocumentVersion {
        version_name: name.map(str::to_owned),
        display_name: None,
        format: "JSON".to_owned(),
        content: content.to_owned(),
        at: at(second),
    }
}

fn new(name: &str) -> NewDocument {
    NewDocument {
        name: name.to_owned(),
        document_type: "Session".to_owned(),
        target_type: None,
        first: version("one", Some("first"), 1),
        tags: vec![tag("team", "web")],
    }
}

fn quotas() -> DocumentQuotas {
    DocumentQuotas::default()
}

async fn numbers(store: &dyn Store, name: &str) -> Vec<u32> {
    let page = store.document_versions(name, &Page::first(100)).await.unwrap();
    page.items.iter().map(|version| version.version).collect()
}

pub(crate) async fn a_document_is_created_once(a: &dyn Store, b: &dyn Store) {
    let created = a.create_document(&new("One"), quotas()).await.unwrap();
    assert_eq!((created.default_version, created.latest_version, created.created_at), (1, 1, at(1)));
    assert_eq!(b.document("One").await.unwrap(), Some(created.clone()));
    assert_eq!(b.document("one").await.unwrap(), None);
    let refused = b.create_document(&new("One"), quotas()).await;
    assert!(matches!(refused, Err(DocumentError::Exists)));
    b.create_document(&new("Another"), quotas()).await.unwrap();
    let listed = a.documents().await.unwrap();
    let names: Vec<&str> = listed.iter().map(|(document, _)| document.name.as_str()).collect();
    assert_eq!(names, ["Another", "One"]);
    assert_eq!(listed.iter().find(|(document, _)| document.name == "One").unwrap().1.content, "one");
    assert_eq!(a.tags(&ResourceKey::document("One")).await.unwrap(), [tag("team", "web")]);
}

pub(crate) async fn versions_are_added_chosen_and_deleted(a: &dyn Store, b: &dyn Store) {
    a.create_document(&new("One"), quotas()).await.unwrap();
    let (document, added) =
        a.add_document_version("One", Some(1), &version("two", Some("second"), 2), quotas()).await.unwrap();
    assert_eq!((document.default_version, document.latest_version, added.version), (1, 2, 2));
    a.add_document_version("One", None, &version("three", None, 3), quotas()).await.unwrap();
    let content = async |choice| {
        let found = b.document_version("One", &choice).await.unwrap().unwrap().1;
        found.map(|version| version.content)
    };
    for (choice, expected) in [
        (VersionChoice::Default, Some("one")),
        (VersionChoice::Latest, Some("three")),
        (VersionChoice::Number(2), Some("two")),
        (VersionChoice::Named("second".to_owned()), Some("two")),
        (VersionChoice::Number(4), None),
        (VersionChoice::Named("fourth".to_owned()), None),
    ] {
        assert_eq!(content(choice.clone()).await.as_deref(), expected, "{choice:?}");
    }
    assert_eq!(numbers(b, "One").await, [3, 2, 1]);
    let first = b.document_versions("One", &Page::first(2)).await.unwrap();
    assert_eq!(first.next, Some(2));
    let rest = b.document_versions("One", &Page { after: first.next, limit: 2 }).await.unwrap();
    assert_eq!((rest.items.len(), rest.next), (1, None));

    let refused = b.delete_document_version("One", &VersionChoice::Number(1)).await;
    assert!(matches!(refused, Err(DocumentError::IsDefault)));
    assert_eq!(b.set_default_document_version("One", 2).await.unwrap().content, "two");
    assert_eq!(a.document("One").await.unwrap().unwrap().default_version, 2);
    b.delete_document_version("One", &VersionChoice::Latest).await.unwrap();
    b.delete_document_version("One", &VersionChoice::Named("first".to_owned())).await.unwrap();
    assert_eq!(numbers(a, "One").await, [2]);
    let (_, again) =
        a.add_document_version("One", Some(2), &version("three", None, 4), quotas()).await.unwrap();
    assert_eq!(again.version, 4, "a number does not come again");
    b.delete_document_version("One", &VersionChoice::Number(4)).await.unwrap();
    b.delete_document_version("One", &VersionChoice::Number(2)).await.unwrap();
    assert_eq!(a.document("One").await.unwrap(), None);
}

pub(crate) async fn a_version_that_makes_no_sense_changes_nothing(a: &dyn Store, b: &dyn Store) {
    a.create_document(&new("One"), quotas()).await.unwrap();
    let add = async |base, version: NewDocumentVersion| {
        b.add_document_version("One", base, &version, quotas()).await.map(|_| ())
    };
    assert!(matches!(add(None, version("one", None, 2)).await, Err(DocumentError::SameContent)));
    assert!(matches!(
        add(Some(2), version("two", None, 2)).await,
        Err(DocumentError::NotLatest { latest: 1 })
    ));
    let taken = add(None, version("two", Some("first"), 2)).await;
    assert!(matches!(taken, Err(DocumentError::VersionNameTaken)));
    let unknown = b.add_document_version("Two", None, &version("two", None, 2), quotas()).await;
    assert!(matches!(unknown, Err(DocumentError::Unknown)));
    let default = b.set_default_document_version("One", 2).await;
    assert!(matches!(default, Err(DocumentError::VersionUnknown)));
    let gone = b.delete_document_version("One", &VersionChoice::Number(2)).await;
    assert!(matches!(gone, Err(DocumentError::VersionUnknown)));
    assert!(matches!(b.delete_document("Two").await, Err(DocumentError::Unknown)));
    assert_eq!(numbers(a, "One").await, [1]);
}

pub(crate) async fn there_are_so_many_documents_and_versions(a: &dyn Store, b: &dyn Store) {
    let few = DocumentQuotas { documents: 1, versions: 2 };
    a.create_document(&new("One"), few).await.unwrap();
    let refused = b.create_document(&new("Two"), few).await;
    assert!(matches!(refused, Err(DocumentError::TooMany { limit: 1 })));
    b.add_document_version("One", None, &version("two", None, 2), few).await.unwrap();
    let refused = a.add_document_version("One", None, &version("three", None, 3), few).await;
    assert!(matches!(refused, Err(DocumentError::TooManyVersions { limit: 2 })));
}

pub(crate) async fn a_document_takes_its_tags_with_it(a: &dyn Store, b: &dyn Store) {
    let resource = ResourceKey::document("One");
    let refused = a.add_tags(&resource, &[tag("a", "1")], 50).await;
    assert!(matches!(refused, Err(AddTagsError::ResourceUnknown)));
    a.create_document(&new("One"), quotas()).await.unwrap();
    b.add_tags(&resource, &[tag("a", "1")], 50).await.unwrap();
    assert_eq!(a.tags(&resource).await.unwrap(), [tag("a", "1"), tag("team", "web")]);
    b.delete_document("One").await.unwrap();
    assert_eq!(a.tags(&resource).await.unwrap(), []);
    assert_eq!(a.document("One").await.unwrap(), None);
}
