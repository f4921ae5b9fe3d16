//! JSON payloads: written with AWS's exact keys, read with keys in any case, as Go's decoder does.

use std::fmt::Display;

use bytes::Bytes;
use serde::de::value::{MapDeserializer, SeqDeserializer};
use serde::de::{DeserializeOwned, Deserializer, IntoDeserializer, Visitor};
use serde::{Serialize, forward_to_deserialize_any};
use serde_json::Value;

/// Why a payload could not be read. Says nothing of the payload's content, which may be secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct PayloadError(String);

impl PayloadError {
    pub(crate) fn new(message: impl Display) -> Self {
        Self(message.to_string())
    }
}

impl serde::de::Error for PayloadError {
    fn custom<T: Display>(message: T) -> Self {
        Self::new(message)
    }
}

/// The payload of messages that have nothing to say: AWS's agent dislikes an empty one.
pub(crate) const EMPTY: Bytes = Bytes::from_static(b"{}");

/// Reads a `T` from JSON text whose keys may have any case. Unknown keys are ignored, and `null` is as good as absent.
pub(crate) fn decode<T: DeserializeOwned>(json: &[u8]) -> Result<T, PayloadError> {
    let value = serde_json::from_slice(json).map_err(PayloadError::new)?;
    decode_value(value)
}

/// As [`decode`], from JSON that was parsed already.
pub(crate) fn decode_value<T: DeserializeOwned>(value: Value) -> Result<T, PayloadError> {
    T::deserialize(AnyCase(value))
}

/// Writes `payload` as AWS's programs do: no spaces, keys in the order of the struct.
pub(crate) fn encode<T: Serialize>(payload: &T) -> Bytes {
    serde_json::to_vec(payload).expect("payloads have text keys and no failing serializers").into()
}

/// Gives payload types `from_json` and `to_json`.
macro_rules! json_payload {
    ($($name:ident),+ $(,)?) => {$(
        impl $name {
            /// Reads the payload. Keys may have any case; unknown ones are ignored.
            ///
            /// # Errors
            /// It is not JSON, or not of this form.
            pub fn from_json(json: &[u8]) -> Result<Self, crate::PayloadError> {
                crate::json::decode(json)
            }

            /// Writes the payload with AWS's keys in AWS's order.
            #[must_use]
            pub fn to_json(&self) -> bytes::Bytes {
                crate::json::encode(self)
            }
        }
    )+};
}
pub(crate) use json_payload;

/// JSON inside a string inside JSON, as AWS's tasks carry it. For `#[serde(with = ..)]`.
pub(crate) mod text {
    use serde::de::{DeserializeOwned, Error as _};
    use serde::ser::Error as _;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(crate) fn serialize<T: Serialize, S: Serializer>(value: &T, to: S) -> Result<S::Ok, S::Error> {
        serde_json::to_string(value).map_err(S::Error::custom)?.serialize(to)
    }

    pub(crate) fn deserialize<'de, T: DeserializeOwned, D: Deserializer<'de>>(
        from: D,
    ) -> Result<T, D::Error> {
        let text = String::deserialize(from)?;
        super::decode(text.as_bytes()).map_err(D::Error::custom)
    }
}

/// A deserializer that finds the fields of structs whatever the case of the keys. Maps keep their keys.
struct AnyCase(Value);

impl<'de> IntoDeserializer<'de, PayloadError> for AnyCase {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

impl<'de> Deserializer<'de> for AnyCase {
    type Error = PayloadError;

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, PayloadError> {
        let Value::Object(entries) = self.0 else {
            return Err(PayloadError::new("an object was expected"));
        };
        let mut found: Vec<Option<Value>> = vec![None; fields.len()];
        for (key, value) in entries {
            let field = fields.iter().position(|field| field.eq_ignore_ascii_case(&key));
            if let Some(field) = field.filter(|_| !value.is_null()) {
                found[field] = Some(value);
            }
        }
        let found = fields.iter().zip(found).filter_map(|(field, value)| Some((*field, AnyCase(value?))));
        visitor.visit_map(MapDeserializer::new(found))
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, PayloadError> {
        self.0.deserialize_any(visitor).map_err(PayloadError::new)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, PayloadError> {
        match self.0 {
            Value::Array(items) => visitor.visit_seq(SeqDeserializer::new(items.into_iter().map(AnyCase))),
            other => AnyCase(other).deserialize_any(visitor),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, PayloadError> {
        if self.0.is_null() { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, PayloadError> {
        visitor.visit_newtype_struct(self)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct
        tuple tuple_struct map enum identifier ignored_any
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize, PartialEq, Default)]
    #[serde(rename_all = "PascalCase", default)]
    struct Inner {
        some_name: u32,
    }

    #[derive(Debug, Deserialize, PartialEq, Default)]
    #[serde(rename_all = "PascalCase", default)]
    struct Outer {
        list: Vec<Inner>,
        one: Option<Inner>,
        free: Value,
    }

    #[test]
    fn keys_match_in_any_case_but_free_content_is_kept() {
        let json =
            br#"{"LIST":[{"someName":1},{"SOMENAME":2}],"one":{"somename":3},"fReE":{"aB":null},"x":[]}"#;
        let outer: Outer = decode(json).unwrap();
        let free = serde_json::json!({"aB": null});
        let list = vec![Inner { some_name: 1 }, Inner { some_name: 2 }];
        assert_eq!(outer, Outer { list, one: Some(Inner { some_name: 3 }), free });
    }

    #[test]
    fn null_is_as_good_as_absent_and_the_last_of_equal_keys_wins() {
        let outer: Outer = decode(br#"{"List":null,"One":{"SomeName":1},"one":{"SomeName":2}}"#).unwrap();
        assert_eq!(outer, Outer { one: Some(Inner { some_name: 2 }), ..Outer::default() });
    }

    #[test]
    fn wrong_types_and_deep_nesting_are_errors() {
        let deep = "[".repeat(100_000);
        for wrong in ["", "[", "{\"List\":3}", "{\"List\":[3]}", "3", "[]", deep.as_str()] {
            assert!(decode::<Outer>(wrong.as_bytes()).is_err(), "{wrong:.20}");
        }
    }
}
