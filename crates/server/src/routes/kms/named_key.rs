//! The key that a request names, and what policies are asked about it.

use postern_api::{ApiError, Request};
use postern_iam::Value;
use postern_ids::{Arn, KmsAlias, KmsKeyId};
use postern_store::{KmsKey, KmsKeyState};

use super::refusal;
use crate::auth::{Action, Check, Permit};
use crate::kms::EncryptionContext;
use crate::routes::call::Call;
use crate::routes::failure;

/// How a request may name a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum By {
    /// By its identifier or ARN only.
    Key,
    /// By an alias or the ARN of one, too.
    KeyOrAlias,
}

/// A key that there is, as the request named it.
pub(super) struct NamedKey {
    pub(super) key: KmsKey,
    pub(super) arn: Arn,
    alias: Option<KmsAlias>,
}

/// What a text names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Named {
    Key(KmsKeyId),
    Alias(KmsAlias),
}

impl NamedKey {
    /// The key that `text` names. Whoever may not ask about it is not told whether there is one.
    pub(super) async fn find<T: Request>(
        call: &Call<T>,
        text: &str,
        by: By,
        action: impl Into<Action>,
    ) -> Result<Self, ApiError> {
        match named(call, text, by)? {
            Named::Key(id) => Self::of_id(call, &id, action).await,
            Named::Alias(alias) => {
                let arn = Arn::kms_alias(&call.app.region, &call.app.account, &alias);
                let found = call.app.store.kms_key_of(&alias).await.map_err(failure::store)?;
                match found {
                    Some(key) => Ok(Self::new(call, key, Some(alias))),
                    None => {
                        let _permit = call.authorize([Check::new(action).on(arn.clone())]).await?;
                        Err(refusal::alias_unknown(&arn))
                    }
                }
            }
        }
    }

    /// The same of an identifier.
    pub(super) async fn of_id<T: Request>(
        call: &Call<T>,
        id: &KmsKeyId,
        action: impl Into<Action>,
    ) -> Result<Self, ApiError> {
        match call.app.store.kms_key(id).await.map_err(failure::store)? {
            Some(key) => Ok(Self::new(call, key, None)),
            None => {
                let arn = Arn::kms_key(&call.app.region, &call.app.account, id);
                let _permit = call.authorize([Check::new(action).on(arn.clone())]).await?;
                Err(refusal::key_unknown(&arn))
            }
        }
    }

    fn new<T>(call: &Call<T>, key: KmsKey, alias: Option<KmsAlias>) -> Self {
        let arn = Arn::kms_key(&call.app.region, &call.app.account, &key.id);
        Self { key, arn, alias }
    }

    /// What policies are asked: the key's own, and those of the caller.
    ///
    /// Source of the keys: "Condition keys for AWS KMS", AWS KMS Developer Guide.
    pub(super) fn check<T>(&self, call: &Call<T>, action: impl Into<Action>) -> Check {
        let aliases = self.key.aliases.iter().map(ToString::to_string).collect();
        let check = about_spec(call, Check::new(action).on(self.arn.clone()))
            .with_key_policy(self.key.policy.clone())
            .with_kms_tags(&self.key.tags)
            .with_all("kms:ResourceAliases", aliases);
        match &self.alias {
            Some(alias) => check.with("kms:RequestAlias", alias.as_str()),
            None => check,
        }
    }

    /// Leave for the operation of the call.
    pub(super) async fn permitted<T: Request>(&self, call: &Call<T>) -> Result<Permit, ApiError> {
        call.authorize([self.check(call, Action::from(T::OPERATION))]).await
    }

    /// Refuses a key that is disabled or waits for its deletion.
    pub(super) fn require_usable(&self) -> Result<(), ApiError> {
        refusal::unusable(&self.arn, self.key.state).map_or(Ok(()), Err)
    }

    /// Refuses a key that waits for its deletion.
    pub(super) fn require_staying(&self) -> Result<(), ApiError> {
        match self.key.state {
            KmsKeyState::PendingDeletion { .. } => Err(refusal::pending_deletion(&self.arn)),
            KmsKeyState::Enabled | KmsKeyState::Disabled => Ok(()),
        }
    }
}

/// What every key here is, as policies ask for it.
pub(super) fn about_spec<T>(call: &Call<T>, check: Check) -> Check {
    check
        .with("kms:CallerAccount", call.app.account.as_str())
        .with("kms:KeySpec", "SYMMETRIC_DEFAULT")
        .with("kms:KeyUsage", "ENCRYPT_DECRYPT")
        .with("kms:KeyOrigin", "AWS_KMS")
        .with("kms:MultiRegion", false)
}

/// With what a call that encrypts or decrypts says of itself.
pub(super) fn with_context(check: Check, context: &EncryptionContext) -> Check {
    let names = context.iter().map(|(name, _)| name.to_owned()).collect();
    let check = context.iter().fold(check, |check, (name, value)| {
        check.with(format!("kms:EncryptionContext:{name}"), Value::from(value))
    });
    check.with_all("kms:EncryptionContextKeys", names).with("kms:EncryptionAlgorithm", "SYMMETRIC_DEFAULT")
}

/// What a text names.
pub(super) fn named<T>(call: &Call<T>, text: &str, by: By) -> Result<Named, ApiError> {
    let invalid = || refusal::not_found(format!("Invalid keyId '{text:.256}'"));
    let own = format!("arn:aws:kms:{}:{}:", call.app.region, call.app.account);
    let name = match text.strip_prefix(&own) {
        Some(resource) if resource.starts_with("alias/") => resource,
        Some(resource) => resource.strip_prefix("key/").ok_or_else(invalid)?,
        None => text,
    };
    let alias = || name.parse().map(Named::Alias).ok().filter(|_| by == By::KeyOrAlias);
    name.parse().map(Named::Key).ok().or_else(alias).ok_or_else(invalid)
}
