//! Data keys: random bytes, in clear and encrypted with a key, for whoever encrypts by itself.

use postern_api::kms::{
    DataKeySpec, GenerateDataKeyInput, GenerateDataKeyOutput, GenerateDataKeyWithoutPlaintextInput,
    GenerateDataKeyWithoutPlaintextOutput, GenerateRandomInput, GenerateRandomOutput,
};
use postern_api::{ApiError, Blob, Request};
use postern_store::Secret;

use super::ciphertexts::{context, refuse_dry_run, require_no_grants, require_no_recipient};
use super::named_key::{By, NamedKey, with_context};
use super::refusal;
use crate::auth::Action;
use crate::kms::EncryptionContext;
use crate::routes::call::Call;

/// A data key that was made.
struct DataKey {
    plain: Secret<Vec<u8>>,
    encrypted: Vec<u8>,
    named: NamedKey,
}

pub(super) async fn generate_data_key(
    call: Call<GenerateDataKeyInput>,
) -> Result<GenerateDataKeyOutput, ApiError> {
    let input = &call.input;
    let context = context(input.encryption_context.as_ref())?;
    require_no_grants(input.grant_tokens.as_deref())?;
    require_no_recipient(input.recipient.as_ref())?;
    let length = length(input.key_spec.as_ref(), input.number_of_bytes)?;
    let made = generate(&call, &input.key_id, &context, length, input.dry_run).await?;
    Ok(GenerateDataKeyOutput {
        ciphertext_blob: Some(Blob(made.encrypted)),
        plaintext: Some(Blob(made.plain.expose_secret().clone())),
        key_id: Some(made.named.arn.into()),
        ciphertext_for_recipient: None,
        key_material_id: Some(made.named.key.current.name),
    })
}

pub(super) async fn generate_data_key_without_plaintext(
    call: Call<GenerateDataKeyWithoutPlaintextInput>,
) -> Result<GenerateDataKeyWithoutPlaintextOutput, ApiError> {
    let input = &call.input;
    let context = context(input.encryption_context.as_ref())?;
    require_no_grants(input.grant_tokens.as_deref())?;
    let length = length(input.key_spec.as_ref(), input.number_of_bytes)?;
    let made = generate(&call, &input.key_id, &context, length, input.dry_run).await?;
    Ok(GenerateDataKeyWithoutPlaintextOutput {
        ciphertext_blob: Some(Blob(made.encrypted)),
        key_id: Some(made.named.arn.into()),
        key_material_id: Some(made.named.key.current.name),
    })
}

pub(super) async fn generate_random(
    call: Call<GenerateRandomInput>,
) -> Result<GenerateRandomOutput, ApiError> {
    let input = &call.input;
    require_no_recipient(input.recipient.as_ref())?;
    if input.custom_key_store_id.is_some() {
        return Err(refusal::unsupported("There are no custom key stores."));
    }
    let missing = || refusal::validation("NumberOfBytes is required.");
    let length = input.number_of_bytes.and_then(|bytes| usize::try_from(bytes).ok()).ok_or_else(missing)?;
    let _permit = call.authorize([call.check()]).await?;
    Ok(GenerateRandomOutput { plaintext: Some(Blob(random(&call, length))), ciphertext_for_recipient: None })
}

async fn generate<T: Request>(
    call: &Call<T>,
    key_id: &str,
    context: &EncryptionContext,
    length: usize,
    dry_run: Option<bool>,
) -> Result<DataKey, ApiError> {
    let action = Action::from(T::OPERATION);
    let named = NamedKey::find(call, key_id, By::KeyOrAlias, action).await?;
    let _permit = call.authorize([with_context(named.check(call, action), context)]).await?;
    named.require_usable()?;
    refuse_dry_run(dry_run)?;
    let plain = Secret::new(random(call, length));
    let encrypted = call.app.kms.encrypt(&named.key, context, plain.expose_secret()).await;
    Ok(DataKey { plain, encrypted: encrypted.map_err(refusal::kms)?, named })
}

fn random<T>(call: &Call<T>, length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    call.app.random.fill(&mut bytes);
    bytes
}

/// How long a data key is to be, which is said in exactly one of two ways.
fn length(spec: Option<&DataKeySpec>, bytes: Option<i32>) -> Result<usize, ApiError> {
    match (spec, bytes.map(usize::try_from)) {
        (Some(DataKeySpec::Aes256), None) => Ok(32),
        (Some(DataKeySpec::Aes128), None) => Ok(16),
        (None, Some(Ok(bytes))) => Ok(bytes),
        _ => Err(refusal::validation("Please specify either number of bytes or key spec.")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_length_is_said_once() {
        assert_eq!(length(Some(&DataKeySpec::Aes256), None).unwrap(), 32);
        assert_eq!(length(Some(&DataKeySpec::Aes128), None).unwrap(), 16);
        assert_eq!(length(None, Some(64)).unwrap(), 64);
        for (spec, bytes) in [(None, None), (Some(DataKeySpec::Aes256), Some(32)), (None, Some(-1))] {
            assert_eq!(length(spec.as_ref(), bytes).unwrap_err().code.name(), "ValidationException");
        }
    }
}
