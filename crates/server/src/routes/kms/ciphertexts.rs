//! `Encrypt`, `Decrypt`, `ReEncrypt`.

use std::collections::BTreeMap;

use postern_api::kms::{
    DecryptInput, DecryptOutput, EncryptInput, EncryptOutput, EncryptionAlgorithmSpec, Operation,
    ReEncryptInput, ReEncryptOutput, RecipientInfo, errors,
};
use postern_api::{ApiError, Blob, Request};
use postern_ids::NodeId;

use super::named_key::{By, NamedKey, with_context};
use super::refusal;
use crate::auth::Action;
use crate::kms::{Ciphertext, EncryptionContext};
use crate::routes::call::Call;

/// The part of an encryption context that says which node a session is on.
/// Source: KMS key permissions, "Turn on KMS key encryption of session data", AWS Systems Manager User Guide.
const TARGET_ID: &str = "aws:ssm:TargetId";

pub(super) async fn encrypt(call: Call<EncryptInput>) -> Result<EncryptOutput, ApiError> {
    let input = &call.input;
    let context = context(input.encryption_context.as_ref())?;
    require_symmetric(input.encryption_algorithm.as_ref())?;
    require_no_grants(input.grant_tokens.as_deref())?;
    let named = NamedKey::find(&call, &input.key_id, By::KeyOrAlias, Operation::Encrypt).await?;
    let _permit = call.authorize([with_context(named.check(&call, Operation::Encrypt), &context)]).await?;
    named.require_usable()?;
    refuse_dry_run(input.dry_run)?;
    let encrypted = call.app.kms.encrypt(&named.key, &context, &input.plaintext.0).await;
    Ok(EncryptOutput {
        ciphertext_blob: Some(Blob(encrypted.map_err(refusal::kms)?)),
        key_id: Some(named.arn.into()),
        encryption_algorithm: Some(EncryptionAlgorithmSpec::SymmetricDefault),
    })
}

pub(super) async fn decrypt(call: Call<DecryptInput>) -> Result<DecryptOutput, ApiError> {
    let input = &call.input;
    let context = context(input.encryption_context.as_ref())?;
    require_symmetric(input.encryption_algorithm.as_ref())?;
    require_no_grants(input.grant_tokens.as_deref())?;
    require_no_recipient(input.recipient.as_ref())?;
    let blob = input.ciphertext_blob.as_ref().map(|blob| blob.0.as_slice());
    let source = Source::find(&call, blob, input.key_id.as_deref(), Operation::Decrypt).await?;
    // What a node may decrypt is for itself.
    let node: Option<NodeId> = context.get(TARGET_ID).and_then(|target| target.parse().ok());
    let check = with_context(source.named.check(&call, Operation::Decrypt), &context);
    let _permit = call.authorize([check.about_node(node.as_ref())]).await?;
    let opened = source.open(&call, &context, input.dry_run).await?;
    Ok(DecryptOutput {
        key_id: Some(source.named.arn.into()),
        plaintext: Some(Blob(opened.plain.expose_secret().clone())),
        encryption_algorithm: Some(EncryptionAlgorithmSpec::SymmetricDefault),
        ciphertext_for_recipient: None,
        key_material_id: Some(opened.material.name),
    })
}

pub(super) async fn re_encrypt(call: Call<ReEncryptInput>) -> Result<ReEncryptOutput, ApiError> {
    let input = &call.input;
    let old = context(input.source_encryption_context.as_ref())?;
    let new = context(input.destination_encryption_context.as_ref())?;
    require_symmetric(input.source_encryption_algorithm.as_ref())?;
    require_symmetric(input.destination_encryption_algorithm.as_ref())?;
    require_no_grants(input.grant_tokens.as_deref())?;
    let blob = input.ciphertext_blob.as_ref().map(|blob| blob.0.as_slice());
    let source = Source::find(&call, blob, input.source_key_id.as_deref(), Action::ReEncryptFrom).await?;
    let to = &input.destination_key_id;
    let target = NamedKey::find(&call, to, By::KeyOrAlias, Action::ReEncryptTo).await?;
    let is_same = source.named.key.id == target.key.id;
    let from = with_context(source.named.check(&call, Action::ReEncryptFrom), &old);
    let to = with_context(target.check(&call, Action::ReEncryptTo), &new);
    let checks = [from, to].map(|check| check.with("kms:ReEncryptOnSameKey", is_same));
    let _permit = call.authorize(checks).await?;
    target.require_usable()?;
    let opened = source.open(&call, &old, input.dry_run).await?;
    let encrypted = call.app.kms.encrypt(&target.key, &new, opened.plain.expose_secret()).await;
    Ok(ReEncryptOutput {
        ciphertext_blob: Some(Blob(encrypted.map_err(refusal::kms)?)),
        source_key_id: Some(source.named.arn.into()),
        key_id: Some(target.arn.into()),
        source_encryption_algorithm: Some(EncryptionAlgorithmSpec::SymmetricDefault),
        destination_encryption_algorithm: Some(EncryptionAlgorithmSpec::SymmetricDefault),
        source_key_material_id: Some(opened.material.name),
        destination_key_material_id: Some(target.key.current.name),
    })
}

/// A ciphertext and the key that is to open it: the one that the request names, or else the one that the ciphertext
/// does.
struct Source<'a> {
    named: NamedKey,
    /// Nothing: it is none of ours.
    ciphertext: Option<Ciphertext<'a>>,
}

impl<'a> Source<'a> {
    async fn find<T: Request>(
        call: &Call<T>,
        blob: Option<&'a [u8]>,
        key_id: Option<&str>,
        action: impl Into<Action>,
    ) -> Result<Self, ApiError> {
        let missing = || refusal::validation("The ciphertext is missing: CiphertextBlob must not be null.");
        let ciphertext = Ciphertext::parse(blob.ok_or_else(missing)?);
        let named = match (key_id, &ciphertext) {
            (Some(key_id), _) => NamedKey::find(call, key_id, By::KeyOrAlias, action).await?,
            (None, Some(ciphertext)) => NamedKey::of_id(call, &ciphertext.key, action).await?,
            // It names no key, so that there is nothing to be asked about.
            (None, None) => return Err(refusal::invalid_ciphertext()),
        };
        Ok(Self { named, ciphertext })
    }

    async fn open<T>(
        &self,
        call: &Call<T>,
        context: &EncryptionContext,
        dry_run: Option<bool>,
    ) -> Result<crate::kms::Opened, ApiError> {
        self.named.require_usable()?;
        let ciphertext = self.ciphertext.as_ref().ok_or_else(refusal::invalid_ciphertext)?;
        if ciphertext.key != self.named.key.id {
            let message =
                "The key ID in the request does not identify a CMK that can perform this operation.";
            return Err(ApiError::new(errors::INCORRECT_KEY_EXCEPTION, message));
        }
        refuse_dry_run(dry_run)?;
        call.app.kms.decrypt(ciphertext, context).await.map_err(refusal::kms)
    }
}

pub(super) fn context(pairs: Option<&BTreeMap<String, String>>) -> Result<EncryptionContext, ApiError> {
    EncryptionContext::new(pairs).map_err(|error| refusal::validation(error.to_string()))
}

fn require_symmetric(algorithm: Option<&EncryptionAlgorithmSpec>) -> Result<(), ApiError> {
    if algorithm.is_none_or(|algorithm| *algorithm == EncryptionAlgorithmSpec::SymmetricDefault) {
        return Ok(());
    }
    let message = "The key is symmetric: its encryption algorithm is SYMMETRIC_DEFAULT.";
    Err(ApiError::new(errors::INVALID_KEY_USAGE_EXCEPTION, message))
}

/// There are no grants, so no token is of one.
pub(super) fn require_no_grants(tokens: Option<&[String]>) -> Result<(), ApiError> {
    if tokens.is_none_or(<[String]>::is_empty) {
        return Ok(());
    }
    Err(ApiError::new(errors::INVALID_GRANT_TOKEN_EXCEPTION, "There are no grants here."))
}

pub(super) fn require_no_recipient(recipient: Option<&RecipientInfo>) -> Result<(), ApiError> {
    match recipient {
        None => Ok(()),
        Some(_) => Err(refusal::unsupported("Nothing is encrypted for an attested recipient here.")),
    }
}

/// Ends a call that was only to find out whether it would succeed.
pub(super) fn refuse_dry_run(dry_run: Option<bool>) -> Result<(), ApiError> {
    if dry_run != Some(true) {
        return Ok(());
    }
    let message = "The request would have succeeded, but the DryRun option is set.";
    Err(ApiError::new(errors::DRY_RUN_OPERATION_EXCEPTION, message))
}
