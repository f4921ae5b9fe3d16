//! Rules of [`SettingStore`](crate::SettingStore).

use crate::{Secret, Store};

pub(crate) async fn the_last_setting_counts(a: &dyn Store, b: &dyn Store) {
    assert_eq!(a.setting("region").await.unwrap(), None);
    a.put_setting("region", b"us-east-1").await.unwrap();
    b.put_setting("region", b"home-lab").await.unwrap();
    assert_eq!(a.setting("region").await.unwrap().as_deref(), Some(b"home-lab".as_slice()));
}

pub(crate) async fn secret_settings_have_their_own_names(a: &dyn Store, b: &dyn Store) {
    a.put_setting("key", b"clear").await.unwrap();
    assert_eq!(b.secret_setting("key").await.unwrap(), None);
    a.put_secret_setting("key", &Secret::new(b"first".to_vec())).await.unwrap();
    a.put_secret_setting("key", &Secret::new(b"second".to_vec())).await.unwrap();
    assert_eq!(b.secret_setting("key").await.unwrap(), Some(Secret::new(b"second".to_vec())));
    assert_eq!(b.setting("key").await.unwrap().as_deref(), Some(b"clear".as_slice()));
}
