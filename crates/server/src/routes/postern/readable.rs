//! Which recordings a caller may read.

use std::collections::HashMap;

use postern_api::ApiError;
use postern_api::postern::Operation;
use postern_ids::NodeId;
use postern_store::{ResourceKey, SessionRecord, Tag};

use crate::auth::Action;
use crate::recordings::check_on;
use crate::routes::call::Call;
use crate::routes::failure;

/// The right to read a recording, which is also that to its lines and commands.
pub(super) fn action() -> Action {
    postern_api::Operation::Postern(Operation::GetSessionRecording).into()
}

/// Asks for the recordings of many sessions; what it has learned of nodes it asks the store once.
pub(super) struct Readable<'c, T> {
    call: &'c Call<T>,
    node_tags: HashMap<NodeId, Vec<Tag>>,
}

impl<'c, T> Readable<'c, T> {
    pub(super) fn new(call: &'c Call<T>) -> Self {
        Self { call, node_tags: HashMap::new() }
    }

    /// Whether the caller may read the recording of a session.
    pub(super) async fn contains(&mut self, session: &SessionRecord) -> Result<bool, ApiError> {
        let call = self.call;
        if !self.node_tags.contains_key(&session.node) {
            let tags =
                call.app.store.tags(&ResourceKey::node(&session.node)).await.map_err(failure::store)?;
            self.node_tags.insert(session.node.clone(), tags);
        }
        let tags = self.node_tags.get(&session.node).map_or(&[][..], Vec::as_slice);
        let check = check_on(&call.app, action(), &session.id, Some(session), tags);
        let reviewed = call.app.authorizer.review(&call.caller, &call.context, [vec![check]]).await;
        Ok(reviewed.map_err(|undecided| failure::internal(&undecided))?.is_ok())
    }
}
