//! Rules of [`SessionStore`](crate::SessionStore) about tokens.

use futures_util::future::join_all;

use super::samples::{at, data_token, end, node_id, register, session};
use crate::{ChannelSide, Store, TokenGrant, TokenHash, TokenScope};

fn control_token(number: u8) -> TokenGrant {
    TokenGrant {
        hash: TokenHash([number; 32]),
        scope: TokenScope::ControlChannel { node: node_id(number) },
        expires_at: at(60),
    }
}

pub(crate) async fn a_token_opens_its_channel_once(a: &dyn Store, b: &dyn Store) {
    let node = register(a, 1).await;
    let session = session("one", &node.id, at(20));
    let client = data_token([7; 32], &session.id, ChannelSide::Client, at(80));
    let agent = data_token([8; 32], &session.id, ChannelSide::Agent, at(80));
    a.create_session(&session, &client).await.unwrap();
    assert!(a.issue_token(&agent, at(20)).await.unwrap());
    assert!(a.issue_token(&control_token(1), at(20)).await.unwrap());
    for grant in [client, agent, control_token(1)] {
        assert_eq!(b.redeem_token(&grant.hash, at(30)).await.unwrap(), Some(grant.scope));
        assert_eq!(a.redeem_token(&grant.hash, at(30)).await.unwrap(), None, "once");
    }
    assert_eq!(a.redeem_token(&TokenHash([9; 32]), at(30)).await.unwrap(), None);
}

pub(crate) async fn one_of_many_redeemers_wins(a: &dyn Store, b: &dyn Store) {
    register(a, 1).await;
    a.issue_token(&control_token(1), at(20)).await.unwrap();
    let attempts = (0..20).map(async |number| {
        let store = if number % 2 == 0 { a } else { b };
        store.redeem_token(&TokenHash([1; 32]), at(30)).await.unwrap()
    });
    assert_eq!(join_all(attempts).await.into_iter().flatten().count(), 1);
}

pub(crate) async fn a_token_expires(a: &dyn Store, b: &dyn Store) {
    register(a, 1).await;
    register(a, 2).await;
    a.issue_token(&control_token(1), at(20)).await.unwrap();
    assert_eq!(b.redeem_token(&TokenHash([1; 32]), at(60)).await.unwrap(), None);
    a.issue_token(&TokenGrant { expires_at: at(99), ..control_token(2) }, at(60)).await.unwrap();
    assert_eq!(b.redeem_token(&TokenHash([1; 32]), at(30)).await.unwrap(), None, "forgotten");
    assert!(b.redeem_token(&TokenHash([2; 32]), at(98)).await.unwrap().is_some());
}

pub(crate) async fn an_ended_session_has_no_tokens(a: &dyn Store, b: &dyn Store) {
    let node = register(a, 1).await;
    let session = session("one", &node.id, at(20));
    let client = data_token([7; 32], &session.id, ChannelSide::Client, at(80));
    let agent = data_token([8; 32], &session.id, ChannelSide::Agent, at(80));
    a.create_session(&session, &client).await.unwrap();
    b.finish_session(&session.id, &end("user", at(25))).await.unwrap();
    assert!(!a.issue_token(&agent, at(26)).await.unwrap());
    for grant in [client, agent] {
        assert_eq!(a.redeem_token(&grant.hash, at(30)).await.unwrap(), None);
    }
}

pub(crate) async fn a_gone_node_has_no_tokens(a: &dyn Store, b: &dyn Store) {
    register(a, 1).await;
    a.issue_token(&control_token(1), at(20)).await.unwrap();
    b.deregister_node(&node_id(1)).await.unwrap();
    assert_eq!(a.redeem_token(&TokenHash([1; 32]), at(30)).await.unwrap(), None);
    assert!(!a.issue_token(&control_token(1), at(30)).await.unwrap());
}
