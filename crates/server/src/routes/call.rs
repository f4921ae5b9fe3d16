//! One call of an operation: who, what, when, and what to work with.

use std::sync::Arc;

use jiff::Timestamp;
use postern_api::{ApiError, Request, ssm};
use postern_ids::{Arn, NodeId, SessionId};
use postern_store::{ResourceKey, SessionRecord};
use serde::de::DeserializeOwned;

use crate::app::App;
use crate::audit::Entry;
use crate::auth::{Caller, Check, Invocation, Permit, RequestContext};
use crate::inbound::{self, Inbound};
use crate::page_token::Listing;
use crate::routes::failure;

/// One call of the operation whose input `T` is.
pub(crate) struct Call<T> {
    pub(crate) app: Arc<App>,
    pub(crate) caller: Caller,
    pub(crate) input: T,
    /// When the request arrived.
    pub(crate) at: Timestamp,
    /// The state of the identities when the request arrived.
    pub(crate) generation: u64,
    /// What a client that repeats the call sends again.
    pub(crate) invocation: Option<Invocation>,
    pub(crate) context: RequestContext,
    /// What the audit trail will say about it.
    pub(crate) entry: Arc<Entry>,
}

impl<T> Call<T> {
    pub(crate) fn new(app: &Arc<App>, caller: Caller, input: T, inbound: &Inbound) -> Self {
        let invocation = Invocation::new(&caller, inbound.header("amz-sdk-invocation-id"), &inbound.body);
        Self {
            app: Arc::clone(app),
            caller,
            input,
            at: inbound.at,
            generation: inbound.generation,
            invocation,
            context: inbound.context(),
            entry: Arc::clone(&inbound.entry),
        }
    }

    /// The resource name of a node.
    pub(crate) fn node_arn(&self, node: &NodeId) -> Arn {
        Arn::managed_instance(&self.app.region, &self.app.account, node)
    }

    /// Where a listing goes on: at its beginning, or where the page before ended.
    pub(crate) fn page_after<C: DeserializeOwned>(
        &self,
        listing: &Listing,
        next_token: Option<&str>,
    ) -> Result<Option<C>, ApiError> {
        let Some(token) = next_token else { return Ok(None) };
        let cursor = self.app.page_tokens.open(listing, token).ok_or_else(|| {
            let message = "The specified token is not valid for this listing.";
            ApiError::new(ssm::errors::INVALID_NEXT_TOKEN, message)
        })?;
        Ok(Some(cursor))
    }
}

impl<T: Request> Call<T> {
    /// The operation, on no resource.
    pub(crate) fn check(&self) -> Check {
        Check::new(T::OPERATION)
    }

    /// The operation, on a node. Where policies may ask for the node's tags, see [`Self::check_tagged_node`].
    pub(crate) fn check_node(&self, node: &NodeId) -> Check {
        self.check().on(self.node_arn(node)).about_node(Some(node))
    }

    /// The operation, on a node with its tags.
    pub(crate) async fn check_tagged_node(&self, node: &NodeId) -> Result<Check, ApiError> {
        let tags = self.app.store.tags(&ResourceKey::node(node)).await.map_err(failure::store)?;
        Ok(self.check_node(node).with_resource_tags(&tags))
    }

    /// The operation, on a session; `found` is what is known of it.
    pub(crate) fn check_session(&self, session: &SessionId, found: Option<&SessionRecord>) -> Check {
        self.check().on_session(&self.app.region, &self.app.account, session, found)
    }

    /// Leave to do what all of `checks` ask.
    pub(crate) async fn authorize(&self, checks: impl Into<Vec<Check>>) -> Result<Permit, ApiError> {
        self.authorize_by_one_of([checks.into()]).await
    }

    /// Leave to do what all checks of one of the sets ask: the first that is allowed decides.
    pub(crate) async fn authorize_by_one_of(
        &self,
        sets: impl IntoIterator<Item = Vec<Check>>,
    ) -> Result<Permit, ApiError> {
        inbound::permit(&self.app, &self.entry, &self.caller, &self.context, sets).await
    }
}
