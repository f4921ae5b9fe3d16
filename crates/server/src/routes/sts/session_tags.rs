//! Session tags: what a session is known by, and what of it the sessions further along a chain inherit.
//!
//! Source: "Pass session tags in AWS STS", IAM User Guide.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use postern_api::ApiError;
use postern_store::Tag;

use super::credentials::invalid;
use crate::auth::TokenFacts;

/// Tags of one session, those inherited included.
const TAGS_MAX: usize = 50;
const KEY_CHARS_MAX: usize = 128;
const VALUE_CHARS_MAX: usize = 256;
/// Keys and names that begin so are AWS's own.
pub(super) const RESERVED_PREFIX: &str = "aws:";

/// The tags of a session that is asked for.
#[derive(Debug, Default)]
pub(super) struct SessionTags {
    /// Those that the request gives.
    pub(super) given: Vec<Tag>,
    /// The keys that it wants inherited.
    pub(super) given_transitive: Vec<String>,
    /// All, with those of the caller's session that are inherited.
    pub(super) all: BTreeMap<String, String>,
    /// The keys of those that will be inherited.
    pub(super) transitive: BTreeSet<String>,
}

impl SessionTags {
    pub(super) fn new(
        given: Vec<Tag>,
        transitive: Vec<String>,
        caller: Option<&TokenFacts>,
    ) -> Result<Self, ApiError> {
        let mut tags = Self { given_transitive: transitive.clone(), ..Self::default() };
        if let Some(facts) = caller {
            let inherited = facts.tags.iter().filter(|(key, _)| facts.transitive_tag_keys.contains(*key));
            tags.all.extend(inherited.map(|(key, value)| (key.clone(), value.clone())));
            tags.transitive.extend(tags.all.keys().cloned());
        }
        let inherited: HashSet<String> = tags.all.keys().map(|key| folded(key)).collect();
        let mut keys = HashSet::new();
        for tag in &given {
            check(tag)?;
            if inherited.contains(&folded(&tag.key)) {
                return Err(invalid(
                    "One of the specified transitive tag keys can't be set because it conflicts with a transitive tag key from the calling session.",
                ));
            }
            if !keys.insert(folded(&tag.key)) {
                return Err(invalid(
                    "Duplicate tag keys found. Please note that Tag keys are case insensitive.",
                ));
            }
            tags.all.insert(tag.key.clone(), tag.value.clone());
        }
        for key in transitive {
            let named = given.iter().find(|tag| folded(&tag.key) == folded(&key)).ok_or_else(|| {
                invalid("The specified transitive tag key must be included in the requested tags.")
            })?;
            tags.transitive.insert(named.key.clone());
        }
        if tags.all.len() > TAGS_MAX {
            return Err(invalid(format!("A session can have at most {TAGS_MAX} tags.")));
        }
        tags.given = given;
        Ok(tags)
    }
}

fn check(tag: &Tag) -> Result<(), ApiError> {
    let is_allowed = |c: char| c.is_alphanumeric() || c.is_whitespace() || "_.:/=+-@".contains(c);
    let key_length = tag.key.chars().count();
    if !(1..=KEY_CHARS_MAX).contains(&key_length) || !tag.key.chars().all(is_allowed) {
        return Err(invalid(format!("The tag key {:?} is not valid.", tag.key)));
    }
    if tag.value.chars().count() > VALUE_CHARS_MAX || !tag.value.chars().all(is_allowed) {
        return Err(invalid(format!("The value of the tag {:?} is not valid.", tag.key)));
    }
    if folded(&tag.key).starts_with(RESERVED_PREFIX) {
        return Err(invalid(format!(
            "The tag key {:?} begins with the reserved {RESERVED_PREFIX}.",
            tag.key
        )));
    }
    Ok(())
}

/// Keys that differ only in case are one key.
fn folded(key: &str) -> String {
    key.to_lowercase()
}

#[cfg(test)]
mod tests {
    use jiff::{SignedDuration, Timestamp};

    use super::*;

    fn tags(pairs: &[(&str, &str)]) -> Vec<Tag> {
        let tag = |(key, value): &(&str, &str)| Tag { key: (*key).to_owned(), value: (*value).to_owned() };
        pairs.iter().map(tag).collect()
    }

    fn keys(keys: &[&str]) -> Vec<String> {
        keys.iter().map(|key| (*key).to_owned()).collect()
    }

    fn caller() -> TokenFacts {
        TokenFacts {
            tags: [("Team", "ops"), ("Stage", "test")].map(|(k, v)| (k.to_owned(), v.to_owned())).into(),
            transitive_tag_keys: ["Team".to_owned()].into(),
            ..TokenFacts::new(Timestamp::UNIX_EPOCH, SignedDuration::from_hours(1))
        }
    }

    #[test]
    fn transitive_tags_are_inherited_and_stay_so() {
        let session = SessionTags::new(tags(&[("Cost", "7")]), Vec::new(), Some(&caller())).unwrap();
        assert_eq!(session.all.keys().collect::<Vec<_>>(), ["Cost", "Team"]);
        assert_eq!(session.transitive.iter().collect::<Vec<_>>(), ["Team"]);
        // A tag that was not transitive is gone, and may be given anew.
        assert!(SessionTags::new(tags(&[("Stage", "prod")]), Vec::new(), Some(&caller())).is_ok());
        assert_eq!(SessionTags::new(Vec::new(), Vec::new(), None).unwrap().all.len(), 0);
    }

    #[test]
    fn what_is_wrong_with_tags_is_told() {
        let long_key = "k".repeat(129);
        let long_value = "v".repeat(257);
        type Pairs<'a> = &'a [(&'a str, &'a str)];
        let cases: [(Pairs<'_>, &[&str], &str); 9] = [
            (&[("team", "x")], &[], "conflicts with a transitive tag key"),
            (&[("a", "1"), ("A", "2")], &[], "Duplicate tag keys"),
            (&[("a", "1")], &["b"], "must be included"),
            (&[("", "1")], &[], "not valid"),
            (&[("a*", "1")], &[], "not valid"),
            (&[("a", "1*")], &[], "not valid"),
            (&[("aws:a", "1")], &[], "reserved"),
            (&[(&long_key, "1")], &[], "not valid"),
            (&[("a", &long_value)], &[], "not valid"),
        ];
        for (given, transitive, expected) in cases {
            let refused = SessionTags::new(tags(given), keys(transitive), Some(&caller())).unwrap_err();
            assert!(refused.to_string().contains(expected), "{given:?}: {refused}");
        }
        let many: Vec<Tag> =
            (0..50).map(|number| Tag { key: format!("k{number}"), value: String::new() }).collect();
        assert!(SessionTags::new(many.clone(), Vec::new(), None).is_ok());
        assert!(SessionTags::new(many, Vec::new(), Some(&caller())).is_err());
    }
}
