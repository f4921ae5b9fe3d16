//! Tags of the six kinds of things that carry them, all alike.

use std::collections::BTreeSet;

use postern_api::iam::{
    self, ListInstanceProfileTagsInput, ListInstanceProfileTagsOutput, ListMFADeviceTagsInput,
    ListMFADeviceTagsOutput, ListOpenIDConnectProviderTagsInput, ListOpenIDConnectProviderTagsOutput,
    ListPolicyTagsInput, ListPolicyTagsOutput, ListRoleTagsInput, ListRoleTagsOutput, ListUserTagsInput,
    ListUserTagsOutput, TagInstanceProfileInput, TagInstanceProfileOutput, TagMFADeviceInput,
    TagMFADeviceOutput, TagOpenIDConnectProviderInput, TagOpenIDConnectProviderOutput, TagPolicyInput,
    TagPolicyOutput, TagRoleInput, TagRoleOutput, TagUserInput, TagUserOutput, UntagInstanceProfileInput,
    UntagInstanceProfileOutput, UntagMFADeviceInput, UntagMFADeviceOutput, UntagOpenIDConnectProviderInput,
    UntagOpenIDConnectProviderOutput, UntagPolicyInput, UntagPolicyOutput, UntagRoleInput, UntagRoleOutput,
    UntagUserInput, UntagUserOutput,
};
use postern_api::{ApiError, Request};
use postern_store::{Tag, TaggedIdentity};

use super::marker::{Asked, Rest};
use super::named::Named;
use super::{instance_profiles, managed_policies, mfa_devices, oidc_providers, refusal, roles, users};
use crate::routes::call::Call;

/// Keys that only AWS's services set.
const RESERVED_PREFIX: &str = "aws:";

/// Checks what the model does not: reserved keys, and keys given twice, which is also to write them differently.
pub(super) fn checked(tags: Option<&[iam::Tag]>) -> Result<Vec<Tag>, ApiError> {
    let mut keys = BTreeSet::new();
    let checked = tags.unwrap_or_default().iter().map(|tag| {
        let key = tag.key.to_lowercase();
        if key.starts_with(RESERVED_PREFIX) {
            return Err(refusal::invalid_input("Tag keys starting with 'aws:' are reserved for system use."));
        }
        if !keys.insert(key) {
            return Err(duplicate());
        }
        Ok(Tag { key: tag.key.clone(), value: tag.value.clone() })
    });
    checked.collect()
}

fn duplicate() -> ApiError {
    refusal::invalid_input("Duplicate tag keys found. Please note that Tag keys are case insensitive.")
}

/// As the API shows them.
pub(super) fn shown(tags: Vec<Tag>) -> Vec<iam::Tag> {
    tags.into_iter().map(|tag| iam::Tag { key: tag.key, value: tag.value }).collect()
}

/// The same within the thing that carries them, where no tags are no element.
pub(super) fn shown_if_any(tags: Vec<Tag>) -> Option<Vec<iam::Tag>> {
    (!tags.is_empty()).then(|| shown(tags))
}

async fn tag<T: Request>(
    call: &Call<T>,
    named: Named<TaggedIdentity>,
    tags: &[iam::Tag],
) -> Result<(), ApiError> {
    let tags = checked(Some(tags))?;
    let named = named.checked_with(|check, _| check.with_request_tags(&tags));
    let (identity, _permit) = named.permitted(call).await?;
    // Of users and roles the store replaces a key that is written differently. To policies the two are one key.
    if !matches!(identity, TaggedIdentity::User(_) | TaggedIdentity::Role(_)) {
        let known = call.app.store.identity_tags(&identity).await.map_err(refusal::identity)?;
        let is_same = |old: &Tag, new: &Tag| old.key != new.key && old.key.eq_ignore_ascii_case(&new.key);
        if known.iter().any(|old| tags.iter().any(|new| is_same(old, new))) {
            return Err(duplicate());
        }
    }
    call.app.store.tag_identity(&identity, &tags).await.map_err(refusal::identity)
}

async fn untag<T: Request>(
    call: &Call<T>,
    named: Named<TaggedIdentity>,
    keys: &[String],
) -> Result<(), ApiError> {
    let named = named.checked_with(|check, _| check.with_tag_keys(keys.to_vec()));
    let (identity, _permit) = named.permitted(call).await?;
    call.app.store.untag_identity(&identity, keys).await.map_err(refusal::identity)
}

async fn list<T: Request>(
    call: &Call<T>,
    named: Named<TaggedIdentity>,
    name: &str,
    marker: Option<&str>,
    items_max: Option<i32>,
) -> Result<(Vec<iam::Tag>, Rest), ApiError> {
    let (identity, _permit) = named.permitted(call).await?;
    let asked = Asked::new(call, &name, marker, items_max)?;
    let tags = call.app.store.identity_tags(&identity).await.map_err(refusal::identity)?;
    let (tags, next) = asked.cut(tags, |tag| tag.key.clone());
    Ok((shown(tags), asked.rest(call, next)))
}

async fn user<T: Request>(call: &Call<T>, name: &str) -> Result<Named<TaggedIdentity>, ApiError> {
    Ok(users::named(call, name).await?.map(|user| TaggedIdentity::User(user.name)))
}

async fn role<T: Request>(call: &Call<T>, name: &str) -> Result<Named<TaggedIdentity>, ApiError> {
    Ok(roles::named(call, name).await?.map(|role| TaggedIdentity::Role(role.name)))
}

async fn policy<T: Request>(call: &Call<T>, arn: &str) -> Result<Named<TaggedIdentity>, ApiError> {
    Ok(managed_policies::named_own(call, arn).await?.map(|policy| TaggedIdentity::Policy(policy.arn)))
}

async fn instance_profile<T: Request>(call: &Call<T>, name: &str) -> Result<Named<TaggedIdentity>, ApiError> {
    let named = instance_profiles::named(call, name).await?;
    Ok(named.map(|profile| TaggedIdentity::InstanceProfile(profile.name)))
}

async fn mfa_device<T: Request>(call: &Call<T>, serial: &str) -> Result<Named<TaggedIdentity>, ApiError> {
    Ok(mfa_devices::named(call, serial).await?.map(|device| TaggedIdentity::MfaDevice(device.serial)))
}

async fn oidc_provider<T: Request>(call: &Call<T>, arn: &str) -> Result<Named<TaggedIdentity>, ApiError> {
    let named = oidc_providers::named(call, arn).await?;
    Ok(named.map(|provider| TaggedIdentity::OidcProvider(provider.issuer)))
}

/// The three operations of one kind of thing, which `$name` in their inputs names.
macro_rules! operations {
    ($find:ident by $name:ident:
     $tag:ident($tag_input:ident) -> $tag_output:ident,
     $untag:ident($untag_input:ident) -> $untag_output:ident,
     $list:ident($list_input:ident) -> $list_output:ident) => {
        pub(super) async fn $tag(call: Call<$tag_input>) -> Result<$tag_output, ApiError> {
            tag(&call, $find(&call, &call.input.$name).await?, &call.input.tags).await?;
            Ok($tag_output {})
        }

        pub(super) async fn $untag(call: Call<$untag_input>) -> Result<$untag_output, ApiError> {
            untag(&call, $find(&call, &call.input.$name).await?, &call.input.tag_keys).await?;
            Ok($untag_output {})
        }

        pub(super) async fn $list(call: Call<$list_input>) -> Result<$list_output, ApiError> {
            let named = $find(&call, &call.input.$name).await?;
            let (marker, items_max) = (call.input.marker.as_deref(), call.input.max_items);
            let (tags, rest) = list(&call, named, &call.input.$name, marker, items_max).await?;
            Ok($list_output { tags, is_truncated: rest.is_truncated, marker: rest.marker })
        }
    };
}

operations!(user by user_name:
    tag_user(TagUserInput) -> TagUserOutput,
    untag_user(UntagUserInput) -> UntagUserOutput,
    list_user_tags(ListUserTagsInput) -> ListUserTagsOutput);
operations!(role by role_name:
    tag_role(TagRoleInput) -> TagRoleOutput,
    untag_role(UntagRoleInput) -> UntagRoleOutput,
    list_role_tags(ListRoleTagsInput) -> ListRoleTagsOutput);
operations!(policy by policy_arn:
    tag_policy(TagPolicyInput) -> TagPolicyOutput,
    untag_policy(UntagPolicyInput) -> UntagPolicyOutput,
    list_policy_tags(ListPolicyTagsInput) -> ListPolicyTagsOutput);
operations!(instance_profile by instance_profile_name:
    tag_instance_profile(TagInstanceProfileInput) -> TagInstanceProfileOutput,
    untag_instance_profile(UntagInstanceProfileInput) -> UntagInstanceProfileOutput,
    list_instance_profile_tags(ListInstanceProfileTagsInput) -> ListInstanceProfileTagsOutput);
operations!(mfa_device by serial_number:
    tag_mfa_device(TagMFADeviceInput) -> TagMFADeviceOutput,
    untag_mfa_device(UntagMFADeviceInput) -> UntagMFADeviceOutput,
    list_mfa_device_tags(ListMFADeviceTagsInput) -> ListMFADeviceTagsOutput);
operations!(oidc_provider by open_id_connect_provider_arn:
    tag_oidc_provider(TagOpenIDConnectProviderInput) -> TagOpenIDConnectProviderOutput,
    untag_oidc_provider(UntagOpenIDConnectProviderInput) -> UntagOpenIDConnectProviderOutput,
    list_oidc_provider_tags(ListOpenIDConnectProviderTagsInput) -> ListOpenIDConnectProviderTagsOutput);

#[cfg(test)]
mod tests {
    use super::*;

    fn tag(key: &str) -> iam::Tag {
        iam::Tag { key: key.to_owned(), value: String::new() }
    }

    #[test]
    fn reserved_and_repeated_keys_are_refused() {
        assert_eq!(checked(None).unwrap(), []);
        assert!(checked(Some(&[tag("env"), tag("aw")])).is_ok());
        for wrong in [[tag("aws:x"), tag("a")], [tag("AWS:x"), tag("a")], [tag("env"), tag("ENV")]] {
            assert_eq!(checked(Some(&wrong)).unwrap_err().code.name(), "InvalidInput", "{wrong:?}");
        }
    }
}
