//! What a call names: something to ask the authorizer about, whether it exists or not.

use postern_api::{ApiError, Request};

use crate::auth::{Check, Permit};
use crate::routes::call::Call;

/// A thing that a call names. What it is, or that it does not exist, is told only to who may do the operation to it.
pub(super) struct Named<E> {
    check: Check,
    found: Result<E, ApiError>,
}

impl<E> Named<E> {
    /// `check` is the operation on the thing, `found` the thing or the refusal that says it does not exist.
    pub(super) fn new(check: Check, found: Result<E, ApiError>) -> Self {
        Self { check, found }
    }

    /// With more for policies to ask for.
    pub(super) fn checked_with(self, add: impl FnOnce(Check, Option<&E>) -> Check) -> Self {
        Self { check: add(self.check, self.found.as_ref().ok()), found: self.found }
    }

    /// Another view of it.
    pub(super) fn map<F>(self, view: impl FnOnce(E) -> F) -> Named<F> {
        Named { check: self.check, found: self.found.map(view) }
    }

    /// Another view of it, which not every such thing has.
    pub(super) fn and_then<F>(self, view: impl FnOnce(E) -> Result<F, ApiError>) -> Named<F> {
        Named { check: self.check, found: self.found.and_then(view) }
    }

    /// The thing, if the caller may do the operation to it.
    pub(super) async fn permitted<T: Request>(self, call: &Call<T>) -> Result<(E, Permit), ApiError> {
        self.permitted_with(call, Vec::new()).await
    }

    /// The same for an operation that needs leave for more than the thing.
    pub(super) async fn permitted_with<T: Request>(
        self,
        call: &Call<T>,
        others: Vec<Check>,
    ) -> Result<(E, Permit), ApiError> {
        let mut checks = vec![self.check];
        checks.extend(others);
        let permit = call.authorize(checks).await?;
        Ok((self.found?, permit))
    }
}
