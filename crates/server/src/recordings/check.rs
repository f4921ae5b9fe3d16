//! What policies are asked of a recording.

use postern_ids::SessionId;
use postern_store::{ResourceKey, SessionRecord, StoreError, Tag};

use crate::app::App;
use crate::auth::{Action, Check};

/// An action on the recording of a session, which has the session's names and keys, and the tags of its node.
pub(crate) async fn check(
    app: &App,
    action: impl Into<Action>,
    session: &SessionId,
) -> Result<Check, StoreError> {
    let found = app.store.session(session).await?;
    let tags = match &found {
        Some(found) => app.store.tags(&ResourceKey::node(&found.node)).await?,
        None => Vec::new(),
    };
    Ok(check_on(app, action, session, found.as_ref(), &tags))
}

/// The same with what has been looked up.
pub(crate) fn check_on(
    app: &App,
    action: impl Into<Action>,
    session: &SessionId,
    found: Option<&SessionRecord>,
    node_tags: &[Tag],
) -> Check {
    // The session's own keys count more than a tag of the same name.
    Check::new(action).with_resource_tags(node_tags).on_session(&app.region, &app.account, session, found)
}
