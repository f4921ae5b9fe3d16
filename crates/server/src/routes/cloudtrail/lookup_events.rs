//! `LookupEvents`: records that have one attribute, the newest first.

use jiff::Timestamp;
use postern_api::ApiError;
use postern_api::cloudtrail::{
    Event, EventCategory, LookupAttribute as Asked, LookupAttributeKey as Key, LookupEventsInput,
    LookupEventsOutput, Resource, errors,
};
use postern_audit::{FoundEvent, LookupAttribute, LookupCursor, LookupQuery};

use super::trail;
use crate::page_token::Listing;
use crate::routes::call::Call;
use crate::routes::failure;

const PAGE_EVENTS: u32 = 50;

pub(super) async fn lookup_events(call: Call<LookupEventsInput>) -> Result<LookupEventsOutput, ApiError> {
    let _permit = call.authorize([call.check()]).await?;
    let found = trail::of(&call.app)?;
    let input = &call.input;
    let (start, end) = time_range(input)?;
    let attribute = attribute(input.lookup_attributes.as_deref().unwrap_or_default())?;
    if input.event_category == Some(EventCategory::Insight) {
        // Nothing is derived from records here, so there are none.
        return Ok(LookupEventsOutput { events: Some(Vec::new()), next_token: None });
    }
    let asked = (&input.lookup_attributes, input.start_time, input.end_time);
    let listing = Listing::new("LookupEvents", &asked);
    let after = match &input.next_token {
        None => None,
        Some(token) => Some(cursor(&call, &listing, token)?),
    };
    let limit = input.max_results.and_then(|max| u32::try_from(max).ok()).unwrap_or(PAGE_EVENTS);
    let query = LookupQuery { attribute, start, end, after, limit };
    let page = found.lookup(&query).await.map_err(|error| failure::internal(&error))?;
    Ok(LookupEventsOutput {
        events: Some(page.events.into_iter().map(event).collect()),
        next_token: page.next.map(|next| call.app.page_tokens.seal(&listing, &next.to_string())),
    })
}

fn time_range(input: &LookupEventsInput) -> Result<(Option<Timestamp>, Option<Timestamp>), ApiError> {
    let (start, end) = (input.start_time.map(Into::into), input.end_time.map(Into::into));
    if start.zip(end).is_some_and(|(start, end)| start > end) {
        let message = "The start time must not be after the end time.";
        return Err(ApiError::new(errors::INVALID_TIME_RANGE_EXCEPTION, message));
    }
    Ok((start, end))
}

fn attribute(asked: &[Asked]) -> Result<Option<LookupAttribute>, ApiError> {
    let invalid = |message| ApiError::new(errors::INVALID_LOOKUP_ATTRIBUTES_EXCEPTION, message);
    let asked = match asked {
        [] => return Ok(None),
        [one] => one,
        _ => return Err(invalid("Only one lookup attribute may be given.")),
    };
    let value = asked.attribute_value.clone();
    Ok(Some(match asked.attribute_key {
        Key::EventId => LookupAttribute::EventId(value),
        Key::EventName => LookupAttribute::EventName(value),
        Key::ReadOnly => match value.as_str() {
            "true" => LookupAttribute::ReadOnly(true),
            "false" => LookupAttribute::ReadOnly(false),
            _ => return Err(invalid("ReadOnly is true or false.")),
        },
        Key::Username => LookupAttribute::Username(value),
        Key::ResourceType => LookupAttribute::ResourceType(value),
        Key::ResourceName => LookupAttribute::ResourceName(value),
        Key::EventSource => LookupAttribute::EventSource(value),
        Key::AccessKeyId => LookupAttribute::AccessKeyId(value),
        // The model's constraints name all there are.
        Key::Unknown(_) => return Err(invalid("There is no such lookup attribute.")),
    }))
}

fn cursor(call: &Call<LookupEventsInput>, listing: &Listing, token: &str) -> Result<LookupCursor, ApiError> {
    let cursor: Option<String> = call.app.page_tokens.open(listing, token);
    cursor.and_then(|cursor| cursor.parse().ok()).ok_or_else(|| {
        let message = "The specified token is not valid for this lookup.";
        ApiError::new(errors::INVALID_NEXT_TOKEN_EXCEPTION, message)
    })
}

fn event(found: FoundEvent) -> Event {
    let record = found.record;
    let username = record.username().map(str::to_owned);
    let resource = |resource: &postern_audit::Resource| Resource {
        resource_type: Some(resource.kind.clone()),
        resource_name: Some(resource.name().to_owned()),
    };
    Event {
        event_id: Some(record.event_id.to_string()),
        read_only: record.read_only.map(|read_only| read_only.to_string()),
        access_key_id: record.user_identity.access_key_id.clone(),
        event_time: Some(record.event_time.into()),
        username,
        resources: Some(record.resources.iter().map(resource).collect()),
        event_name: Some(record.event_name),
        event_source: Some(record.event_source),
        cloud_trail_event: Some(found.json),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(key: Key, value: &str) -> Asked {
        Asked { attribute_key: key, attribute_value: value.to_owned() }
    }

    #[test]
    fn one_attribute_may_be_given() {
        assert_eq!(attribute(&[]).unwrap(), None);
        let one = attribute(&[asked(Key::ReadOnly, "false")]).unwrap();
        assert_eq!(one, Some(LookupAttribute::ReadOnly(false)));
        for wrong in
            [vec![asked(Key::ReadOnly, "False")], vec![asked(Key::EventName, "a"), asked(Key::Username, "b")]]
        {
            let error = attribute(&wrong).unwrap_err();
            assert_eq!(error.code.name(), "InvalidLookupAttributesException");
        }
    }
}
