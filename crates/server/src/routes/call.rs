//! One call of an operation: who, what, when, and what to work with.

use std::sync::Arc;

use jiff::Timestamp;
use postern_api::{ApiError, Request, ssm};
use postern_ids::{Arn, NodeId, SessionId};
use serde::de::DeserializeOwned;

use crate::app::App;
use crate::auth::{Action, Caller, Context, Invocation, Permit, authorize};
use crate::inbound::Inbound;
use crate::page_token::Listing;

/// One call of the operation whose input `T` is.
pub(crate) struct Call<T> {
    pub(crate) app: Arc<App>,
    pub(crate) caller: Caller,
    pub(crate) input: T,
    /// When the request arrived.
    pub(crate) at: Timestamp,
    /// What a client that repeats the call sends again.
    pub(crate) invocation: Option<Invocation>,
    request_id: String,
}

impl<T> Call<T> {
    pub(super) fn new(app: &Arc<App>, caller: Caller, input: T, inbound: &Inbound) -> Self {
        let invocation = Invocation::new(&caller, inbound.header("amz-sdk-invocation-id"), &inbound.body);
        Self {
            app: Arc::clone(app),
            caller,
            input,
            at: inbound.at,
            invocation,
            request_id: inbound.request_id.clone(),
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

    /// The resource name of a session.
    pub(crate) fn session_arn(&self, session: &SessionId) -> Arn {
        Arn::session(&self.app.region, &self.app.account, session)
    }
}

impl<T: Request> Call<T> {
    /// Leave to do the operation to `resources`; none for operations that are on no resource.
    pub(crate) fn authorize(&self, resources: &[Arn]) -> Result<Permit, ApiError> {
        self.authorize_on_session(resources, None)
    }

    /// The same for a session, which runs on `session_node`.
    pub(crate) fn authorize_on_session(
        &self,
        resources: &[Arn],
        session_node: Option<&NodeId>,
    ) -> Result<Permit, ApiError> {
        let context = Context { request_id: &self.request_id, session_node };
        authorize(&self.caller, Action::from(T::OPERATION), resources, &context)
            .map_err(|denied| ApiError::from(&denied))
    }
}
