//! The operations of `kms`, one file a kind of thing.

mod aliases;
mod ciphertexts;
mod data_keys;
mod key_metadata;
mod keys;
mod named_key;
mod policies;
mod refusal;
mod rotation;
mod states;
mod tags;

use std::sync::Arc;

use postern_api::ApiError;
use postern_api::kms::Operation;

use postern_store::KmsKey;

use super::call::Call;
use super::{failure, serve_json};
use crate::app::App;
use crate::inbound::Inbound;

/// The key that a session document names, if it is one of this server's.
pub(super) async fn own_key<T>(call: &Call<T>, text: &str) -> Result<Option<KmsKey>, ApiError> {
    let store = &call.app.store;
    let found = match named_key::named(call, text, named_key::By::KeyOrAlias) {
        Ok(named_key::Named::Key(id)) => store.kms_key(&id).await,
        Ok(named_key::Named::Alias(alias)) => store.kms_key_of(&alias).await,
        Err(_) => Ok(None),
    };
    found.map_err(failure::store)
}

pub(super) async fn run(
    app: &Arc<App>,
    operation: Operation,
    inbound: &Inbound,
) -> Result<Vec<u8>, ApiError> {
    match operation {
        Operation::CancelKeyDeletion => serve_json(app, inbound, states::cancel_key_deletion).await,
        Operation::CreateAlias => serve_json(app, inbound, aliases::create_alias).await,
        Operation::CreateKey => serve_json(app, inbound, keys::create_key).await,
        Operation::Decrypt => serve_json(app, inbound, ciphertexts::decrypt).await,
        Operation::DeleteAlias => serve_json(app, inbound, aliases::delete_alias).await,
        Operation::DescribeKey => serve_json(app, inbound, keys::describe_key).await,
        Operation::DisableKey => serve_json(app, inbound, states::disable_key).await,
        Operation::DisableKeyRotation => serve_json(app, inbound, rotation::disable_key_rotation).await,
        Operation::EnableKey => serve_json(app, inbound, states::enable_key).await,
        Operation::EnableKeyRotation => serve_json(app, inbound, rotation::enable_key_rotation).await,
        Operation::Encrypt => serve_json(app, inbound, ciphertexts::encrypt).await,
        Operation::GenerateDataKey => serve_json(app, inbound, data_keys::generate_data_key).await,
        Operation::GenerateDataKeyWithoutPlaintext => {
            serve_json(app, inbound, data_keys::generate_data_key_without_plaintext).await
        }
        Operation::GenerateRandom => serve_json(app, inbound, data_keys::generate_random).await,
        Operation::GetKeyPolicy => serve_json(app, inbound, policies::get_key_policy).await,
        Operation::GetKeyRotationStatus => serve_json(app, inbound, rotation::get_key_rotation_status).await,
        Operation::ListAliases => serve_json(app, inbound, aliases::list_aliases).await,
        Operation::ListKeyPolicies => serve_json(app, inbound, policies::list_key_policies).await,
        Operation::ListKeyRotations => serve_json(app, inbound, rotation::list_key_rotations).await,
        Operation::ListKeys => serve_json(app, inbound, keys::list_keys).await,
        Operation::ListResourceTags => serve_json(app, inbound, tags::list_resource_tags).await,
        Operation::PutKeyPolicy => serve_json(app, inbound, policies::put_key_policy).await,
        Operation::ReEncrypt => serve_json(app, inbound, ciphertexts::re_encrypt).await,
        Operation::RotateKeyOnDemand => serve_json(app, inbound, rotation::rotate_key_on_demand).await,
        Operation::ScheduleKeyDeletion => serve_json(app, inbound, states::schedule_key_deletion).await,
        Operation::TagResource => serve_json(app, inbound, tags::tag_resource).await,
        Operation::UntagResource => serve_json(app, inbound, tags::untag_resource).await,
        Operation::UpdateAlias => serve_json(app, inbound, aliases::update_alias).await,
        Operation::UpdateKeyDescription => serve_json(app, inbound, keys::update_key_description).await,
    }
}
