//! `Marker` and `MaxItems`: which part of a listing a call asks for.

use postern_api::{ApiError, CommonError, Request};
use postern_store::Page;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::page_token::Listing;
use crate::routes::call::Call;

/// Items of a page when the call says nothing. Source: IAM API Reference, `MaxItems`.
const ITEMS_DEFAULT: u32 = 100;

/// The page that a call asks for, and what is needed to tell where the next one begins.
pub(super) struct Asked<C> {
    listing: Listing,
    pub(super) page: Page<C>,
}

/// `IsTruncated` and `Marker` of an answer.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Rest {
    pub(super) is_truncated: Option<bool>,
    pub(super) marker: Option<String>,
}

impl<C: Serialize + DeserializeOwned> Asked<C> {
    /// The page of the call's operation with these `filters`, which are everything in its input but the two members
    /// that choose the page.
    pub(super) fn new<T: Request>(
        call: &Call<T>,
        filters: &impl Serialize,
        marker: Option<&str>,
        items_max: Option<i32>,
    ) -> Result<Self, ApiError> {
        let listing = Listing::new(T::OPERATION.name(), filters);
        let after = match marker {
            None => None,
            Some(marker) => Some(call.app.page_tokens.open(&listing, marker).ok_or_else(|| {
                ApiError::new(CommonError::Validation, "Invalid Marker: it is not of this listing.")
            })?),
        };
        let limit = items_max.and_then(|count| u32::try_from(count).ok()).unwrap_or(ITEMS_DEFAULT);
        Ok(Self { listing, page: Page { after, limit } })
    }

    /// What the answer says of the pages behind this one.
    pub(super) fn rest<T>(&self, call: &Call<T>, next: Option<C>) -> Rest {
        Rest {
            is_truncated: Some(next.is_some()),
            marker: next.map(|cursor| call.app.page_tokens.seal(&self.listing, &cursor)),
        }
    }
}

impl<C: Ord> Asked<C> {
    /// The page of a listing that is read as a whole. Items come in the order of their keys, which are all different.
    pub(super) fn cut<I>(&self, items: Vec<I>, key: impl Fn(&I) -> C) -> (Vec<I>, Option<C>) {
        cut(items, key, &self.page)
    }
}

fn cut<I, C: Ord>(mut items: Vec<I>, key: impl Fn(&I) -> C, page: &Page<C>) -> (Vec<I>, Option<C>) {
    items.sort_by_cached_key(&key);
    if let Some(after) = &page.after {
        items.retain(|item| key(item) > *after);
    }
    let limit = usize::try_from(page.limit).unwrap_or(usize::MAX);
    let is_truncated = items.len() > limit;
    items.truncate(limit);
    let next = is_truncated.then(|| items.last().map(key)).flatten();
    (items, next)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_of_a_whole_listing_hold_each_item_once() {
        let items = vec![3, 1, 5, 2, 4];
        for limit in 1..=6 {
            let mut page = Page::first(limit);
            let mut seen = Vec::new();
            loop {
                let (found, next) = cut(items.clone(), |item| *item, &page);
                assert!(found.len() <= limit as usize);
                seen.extend(found);
                let Some(next) = next else { break };
                page.after = Some(next);
            }
            assert_eq!(seen, [1, 2, 3, 4, 5], "{limit}");
        }
    }

    #[test]
    fn an_item_that_went_away_hides_no_other() {
        let (found, next) = cut(vec!["a", "c"], |item| *item, &Page { after: Some("b"), limit: 1 });
        assert_eq!((found, next), (vec!["c"], None));
    }
}
