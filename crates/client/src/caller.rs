//! Who calls: `GetCallerIdentity` of STS.
//!
//! Source: AWS STS API reference, `GetCallerIdentity`.

use crate::api::{Api, CallError};
use crate::sts::{API_VERSION, Form, element};

const OPERATION: &str = "GetCallerIdentity";

impl Api {
    /// The number of the account that the credentials belong to.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn caller_account(&self) -> Result<String, CallError> {
        let xml = self.query("sts", OPERATION, Form::of(OPERATION, API_VERSION)).await?;
        element(&xml, "Account").ok_or_else(|| CallError::Refused {
            operation: OPERATION,
            code: "NoAccount".to_owned(),
            message: "the answer names no account".to_owned(),
            status: 200,
        })
    }
}
