//! A key as `CreateKey` and `DescribeKey` show it.

use postern_api::kms::{
    CustomerMasterKeySpec, EncryptionAlgorithmSpec, KeyManagerType, KeyMetadata, KeySpec, KeyState,
    KeyUsageType, OriginType,
};
use postern_ids::{AccountId, Arn};
use postern_store::{KmsKey, KmsKeyState};

pub(super) fn shown(account: &AccountId, arn: &Arn, key: &KmsKey) -> KeyMetadata {
    let deletion_date = match key.state {
        KmsKeyState::PendingDeletion { at, .. } => Some(at.into()),
        KmsKeyState::Enabled | KmsKeyState::Disabled => None,
    };
    KeyMetadata {
        aws_account_id: Some(account.to_string()),
        key_id: key.id.to_string(),
        arn: Some(arn.to_string()),
        creation_date: Some(key.created_at.into()),
        enabled: Some(key.state == KmsKeyState::Enabled),
        description: Some(key.description.clone()),
        key_usage: Some(KeyUsageType::EncryptDecrypt),
        key_state: Some(state(key.state)),
        deletion_date,
        valid_to: None,
        origin: Some(OriginType::AwsKms),
        custom_key_store_id: None,
        cloud_hsm_cluster_id: None,
        expiration_model: None,
        key_manager: Some(KeyManagerType::Customer),
        customer_master_key_spec: Some(CustomerMasterKeySpec::SymmetricDefault),
        key_spec: Some(KeySpec::SymmetricDefault),
        encryption_algorithms: Some(vec![EncryptionAlgorithmSpec::SymmetricDefault]),
        signing_algorithms: None,
        key_agreement_algorithms: None,
        encapsulation_algorithms: None,
        multi_region: Some(false),
        multi_region_configuration: None,
        pending_deletion_window_in_days: None,
        mac_algorithms: None,
        xks_key_configuration: None,
        current_key_material_id: Some(key.current.name.clone()),
    }
}

pub(super) fn state(state: KmsKeyState) -> KeyState {
    match state {
        KmsKeyState::Enabled => KeyState::Enabled,
        KmsKeyState::Disabled => KeyState::Disabled,
        KmsKeyState::PendingDeletion { .. } => KeyState::PendingDeletion,
    }
}
