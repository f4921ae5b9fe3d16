//! How keys are written in listings.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use s3s::S3Result;
use s3s::dto::{CommonPrefix, CommonPrefixList, ETag, EncodingType, Object, ObjectStorageClass};

use crate::backend::in_i64;
use crate::errors::invalid_argument;
use crate::listing::KEYS_MAX;
use crate::objects::ObjectInfo;

/// What `encoding-type=url` leaves as it is.
const RESERVED_IN_KEYS: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'/');

/// How keys are written in a listing.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Encoding {
    Plain,
    Url,
}

impl Encoding {
    pub(crate) fn of(asked: Option<&EncodingType>) -> S3Result<Self> {
        match asked.map(EncodingType::as_str) {
            None | Some("") => Ok(Self::Plain),
            Some(EncodingType::URL) => Ok(Self::Url),
            Some(_) => Err(invalid_argument("Invalid Encoding Method specified in Request")),
        }
    }

    pub(crate) fn apply(self, text: &str) -> String {
        match self {
            Self::Plain => text.to_owned(),
            Self::Url => utf8_percent_encode(text, RESERVED_IN_KEYS).to_string(),
        }
    }

    pub(crate) fn objects(self, objects: Vec<ObjectInfo>) -> Vec<Object> {
        let described = |info: ObjectInfo| Object {
            e_tag: Some(ETag::Strong(info.entity_tag)),
            key: Some(self.apply(&info.key)),
            last_modified: Some(info.modified_at.into()),
            size: Some(in_i64(info.size_bytes)),
            storage_class: Some(ObjectStorageClass::from_static(ObjectStorageClass::STANDARD)),
            ..Object::default()
        };
        objects.into_iter().map(described).collect()
    }

    pub(crate) fn prefixes(self, prefixes: &[String]) -> CommonPrefixList {
        prefixes.iter().map(|prefix| CommonPrefix { prefix: Some(self.apply(prefix)) }).collect()
    }
}

pub(crate) fn keys_max(asked: Option<i32>) -> S3Result<usize> {
    let asked = asked.map_or(Ok(KEYS_MAX), usize::try_from);
    asked.map_err(|_| invalid_argument("Argument maxKeys must be an integer between 0 and 2147483647"))
}

/// A token is the last key, in hexadecimal digits so that nobody takes it for one. It gives no access: the listing is
/// authorised each time.
pub(crate) fn token_of_key(key: &str) -> String {
    hex::encode(key)
}

pub(crate) fn key_of_token(token: &str) -> S3Result<String> {
    let invalid = || invalid_argument("The continuation token provided is incorrect");
    let bytes = hex::decode(token).map_err(|_| invalid())?;
    String::from_utf8(bytes).map_err(|_| invalid())
}

pub(crate) fn in_i32(number: usize) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}
