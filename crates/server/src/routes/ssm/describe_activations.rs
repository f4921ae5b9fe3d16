//! `DescribeActivations`: what may register, never with which code.

use postern_api::ApiError;
use postern_api::ssm::{
    self, DescribeActivationsFilter, DescribeActivationsFilterKeys, DescribeActivationsInput,
    DescribeActivationsOutput, errors,
};
use postern_ids::ActivationId;
use postern_store::{Activation, ActivationFilter, Page};

use super::tag;
use crate::page_token::Listing;
use crate::routes::call::Call;
use crate::routes::failure;

const RESULTS_DEFAULT: u32 = 50;

pub(super) async fn describe_activations(
    call: Call<DescribeActivationsInput>,
) -> Result<DescribeActivationsOutput, ApiError> {
    let given = call.input.filters.as_deref().unwrap_or_default();
    let filters = given.iter().map(filter).collect::<Result<Vec<_>, _>>()?;
    let _permit = call.authorize([call.check()]).await?;
    let listing = Listing::new("DescribeActivations", &given);
    let after: Option<ActivationId> = call.page_after(&listing, call.input.next_token.as_deref())?;
    let limit = call.input.max_results.and_then(|count| u32::try_from(count).ok()).unwrap_or(RESULTS_DEFAULT);
    let page = Page { after, limit };
    let found = call.app.store.activations(&filters, &page).await.map_err(failure::store)?;
    Ok(DescribeActivationsOutput {
        activation_list: Some(found.items.into_iter().map(|item| shown(item, call.at)).collect()),
        next_token: found.next.map(|cursor| call.app.page_tokens.seal(&listing, &cursor)),
    })
}

fn filter(given: &DescribeActivationsFilter) -> Result<ActivationFilter, ApiError> {
    let values = given.filter_values.clone().unwrap_or_default();
    Ok(match given.filter_key {
        // What is no identifier at all matches nothing.
        Some(DescribeActivationsFilterKeys::ActivationIds) => {
            ActivationFilter::Ids(values.iter().filter_map(|value| value.parse().ok()).collect())
        }
        Some(DescribeActivationsFilterKeys::DefaultInstanceName) => {
            ActivationFilter::DefaultInstanceNames(values)
        }
        Some(DescribeActivationsFilterKeys::IamRole) => {
            ActivationFilter::Roles(values.iter().filter_map(|value| value.parse().ok()).collect())
        }
        Some(DescribeActivationsFilterKeys::Unknown(_)) | None => {
            return Err(ApiError::new(errors::INVALID_FILTER, "The filter has no key that is known."));
        }
    })
}

fn shown(activation: Activation, now: jiff::Timestamp) -> ssm::Activation {
    let count = |count: u32| i32::try_from(count).unwrap_or(i32::MAX);
    ssm::Activation {
        activation_id: Some(activation.id.to_string()),
        description: activation.description,
        default_instance_name: activation.default_instance_name,
        iam_role: Some(activation.role.to_string()),
        registration_limit: Some(count(activation.registration_limit)),
        registrations_count: Some(count(activation.registrations_count)),
        expiration_date: Some(activation.expires_at.into()),
        expired: Some(activation.expires_at <= now),
        created_date: Some(activation.created_at.into()),
        tags: Some(tag::shown(activation.tags)),
    }
}
