//! Rules of [`ActivationStore`](crate::ActivationStore).

use postern_ids::ActivationId;

use super::samples::activation;
use crate::{ActivationFilter, Page, Store, Tag};

pub(crate) async fn an_activation_is_found_until_it_is_deleted(a: &dyn Store, b: &dyn Store) {
    let mut first = activation(1, 5);
    first.tags = vec![Tag { key: "team".to_owned(), value: "ö \"quoted\"".to_owned() }];
    let mut bare = activation(2, 1);
    bare.description = None;
    bare.default_instance_name = None;
    a.create_activation(&first).await.unwrap();
    a.create_activation(&bare).await.unwrap();
    assert_eq!(b.activation(first.id).await.unwrap(), Some(first.clone()));
    assert_eq!(b.activation(bare.id).await.unwrap(), Some(bare));
    assert!(a.create_activation(&first).await.is_err(), "an identifier is used once");

    assert!(b.delete_activation(first.id).await.unwrap());
    assert!(!a.delete_activation(first.id).await.unwrap());
    assert_eq!(a.activation(first.id).await.unwrap(), None);
}

pub(crate) async fn activations_are_listed_page_by_page_and_filtered(a: &dyn Store, b: &dyn Store) {
    for number in 1..=5 {
        let mut activation = activation(number, 1);
        if number == 4 {
            activation.role = "Other".parse().unwrap();
            activation.default_instance_name = Some("db".to_owned());
        }
        a.create_activation(&activation).await.unwrap();
    }
    let ids = async |filters: &[ActivationFilter], page: Page<ActivationId>| {
        let listed = b.activations(filters, &page).await.unwrap();
        (listed.items.iter().map(|activation| activation.code_hash[0]).collect::<Vec<_>>(), listed.next)
    };
    let (first, next) = ids(&[], Page::first(2)).await;
    assert_eq!(first, [1, 2]);
    let (second, next) = ids(&[], Page { after: next, limit: 3 }).await;
    assert_eq!((second, next), (vec![3, 4, 5], None));

    let id = |number| ActivationId::from_random([number; 16]);
    let cases: [(&[ActivationFilter], &[u8]); 5] = [
        (&[ActivationFilter::Ids(vec![id(2), id(4), id(9)])], &[2, 4]),
        (&[ActivationFilter::Ids(vec![])], &[]),
        (&[ActivationFilter::Roles(vec!["Other".parse().unwrap()])], &[4]),
        (&[ActivationFilter::DefaultInstanceNames(vec!["db".to_owned(), "x".to_owned()])], &[4]),
        (&[ActivationFilter::Ids(vec![id(2)]), ActivationFilter::Roles(vec!["Other".parse().unwrap()])], &[]),
    ];
    for (filters, expected) in cases {
        assert_eq!(ids(filters, Page::first(50)).await.0, expected, "{filters:?}");
    }
}
