//! Inputs and outputs as a record shows them: members in lower camel case, and nothing that is secret.
//!
//! Types decide: every [`Secret`] and every [`Blob`] is hidden wherever it stands, so that a new operation needs no line
//! here. Bytes are seeds, keys, ciphertexts and plaintexts, none of which CloudTrail shows. The tables are for what AWS's
//! model does not mark.

use std::fmt;

use postern_api::{Blob, Secret};
use postern_audit::{HIDDEN, HIDDEN_TOKEN};
use serde::ser::{self, Serialize, Serializer};
use serde_json::{Map, Value};

/// Members that are left out though their type does not tell: the tokens of temporary credentials, of which AWS shows
/// some; what is written to logs, and a token that means nothing there.
const LEFT_OUT: [&str; 3] = ["sessionToken", "logEvents", "sequenceToken"];

/// An input or output as an object; `None` if it has no members.
pub(super) fn elements(value: &impl Serialize) -> Option<Value> {
    match value.serialize(Elements) {
        Ok(Element::Value(Value::Object(members))) if members.is_empty() => None,
        Ok(Element::Value(value)) => Some(value),
        Ok(Element::Secret) => Some(HIDDEN.into()),
        // Shapes have text keys and plain values.
        Err(Unwritable(what)) => Some(format!("cannot be shown: {what}").into()),
    }
}

/// `DocumentName` as `documentName`: the first letter alone, as CloudTrail does it.
pub(super) fn lower_camel(name: &str) -> String {
    let mut letters = name.chars();
    letters.next().map(|first| first.to_ascii_lowercase()).into_iter().chain(letters).collect()
}

/// A value, or one that nobody may see.
enum Element {
    Value(Value),
    Secret,
}

impl Element {
    /// In a list or a map.
    fn or_hidden(self) -> Value {
        match self {
            Self::Value(value) => value,
            Self::Secret => HIDDEN.into(),
        }
    }

    /// As the member of a structure; `None`: it is not written.
    fn into_member(self, name: &str) -> Option<Value> {
        match self {
            _ if LEFT_OUT.contains(&name) => None,
            Self::Value(Value::Null) => None,
            Self::Value(value) => Some(value),
            // The two that CloudTrail shows to be hidden; other secrets it does not mention.
            Self::Secret if name == "tokenValue" => Some(HIDDEN_TOKEN.into()),
            Self::Secret if name == "activationCode" => Some(HIDDEN.into()),
            Self::Secret => None,
        }
    }
}

#[derive(Debug)]
struct Unwritable(String);

impl fmt::Display for Unwritable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Unwritable {}

impl ser::Error for Unwritable {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self(message.to_string())
    }
}

struct Elements;

macro_rules! plain {
    ($($method:ident: $type:ty),*) => {
        $(fn $method(self, value: $type) -> Result<Element, Unwritable> {
            Ok(Element::Value(value.into()))
        })*
    };
}

impl Serializer for Elements {
    type Ok = Element;
    type Error = Unwritable;
    type SerializeSeq = List;
    type SerializeTuple = List;
    type SerializeTupleStruct = List;
    type SerializeTupleVariant = ser::Impossible<Element, Unwritable>;
    type SerializeMap = Members;
    type SerializeStruct = Members;
    type SerializeStructVariant = ser::Impossible<Element, Unwritable>;

    plain!(
        serialize_bool: bool, serialize_i8: i8, serialize_i16: i16, serialize_i32: i32, serialize_i64: i64,
        serialize_u8: u8, serialize_u16: u16, serialize_u32: u32, serialize_u64: u64, serialize_f32: f32,
        serialize_f64: f64, serialize_str: &str
    );

    fn serialize_char(self, value: char) -> Result<Element, Unwritable> {
        Ok(Element::Value(value.to_string().into()))
    }

    fn serialize_bytes(self, value: &[u8]) -> Result<Element, Unwritable> {
        Ok(Element::Value(format!("{} bytes", value.len()).into()))
    }

    fn serialize_none(self) -> Result<Element, Unwritable> {
        self.serialize_unit()
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<Element, Unwritable> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<Element, Unwritable> {
        Ok(Element::Value(Value::Null))
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<Element, Unwritable> {
        self.serialize_unit()
    }

    fn serialize_unit_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
    ) -> Result<Element, Unwritable> {
        self.serialize_str(variant)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        value: &T,
    ) -> Result<Element, Unwritable> {
        if [Secret::TYPE_NAME, Blob::TYPE_NAME].contains(&name) {
            Ok(Element::Secret)
        } else {
            value.serialize(self)
        }
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<Element, Unwritable> {
        let mut members = Members::new(Naming::Structure);
        members.insert(variant, value)?;
        Ok(members.finish())
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<List, Unwritable> {
        Ok(List(Vec::new()))
    }

    fn serialize_tuple(self, _: usize) -> Result<List, Unwritable> {
        Ok(List(Vec::new()))
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<List, Unwritable> {
        Ok(List(Vec::new()))
    }

    fn serialize_tuple_variant(
        self,
        name: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTupleVariant, Unwritable> {
        Err(Unwritable(format!("{name} is an enumeration with values")))
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Members, Unwritable> {
        Ok(Members::new(Naming::Map))
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Members, Unwritable> {
        Ok(Members::new(Naming::Structure))
    }

    fn serialize_struct_variant(
        self,
        name: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeStructVariant, Unwritable> {
        Err(Unwritable(format!("{name} is an enumeration with values")))
    }
}

struct List(Vec<Value>);

impl List {
    fn push<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Unwritable> {
        self.0.push(value.serialize(Elements)?.or_hidden());
        Ok(())
    }
}

macro_rules! list {
    ($($trait:ident::$method:ident),*) => {
        $(impl ser::$trait for List {
            type Ok = Element;
            type Error = Unwritable;

            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Unwritable> {
                self.push(value)
            }

            fn end(self) -> Result<Element, Unwritable> {
                Ok(Element::Value(self.0.into()))
            }
        })*
    };
}

list!(
    SerializeSeq::serialize_element,
    SerializeTuple::serialize_element,
    SerializeTupleStruct::serialize_field
);

/// Whose names they are: the model's, which are changed, or the caller's.
#[derive(Clone, Copy)]
enum Naming {
    Structure,
    Map,
}

struct Members {
    naming: Naming,
    members: Map<String, Value>,
    key: String,
}

impl Members {
    fn new(naming: Naming) -> Self {
        Self { naming, members: Map::new(), key: String::new() }
    }

    fn insert<T: Serialize + ?Sized>(&mut self, name: &str, value: &T) -> Result<(), Unwritable> {
        let element = value.serialize(Elements)?;
        match self.naming {
            Naming::Structure => {
                let name = lower_camel(name);
                if let Some(value) = element.into_member(&name) {
                    self.members.insert(name, value);
                }
            }
            Naming::Map => {
                self.members.insert(name.to_owned(), element.or_hidden());
            }
        }
        Ok(())
    }

    fn finish(self) -> Element {
        Element::Value(Value::Object(self.members))
    }
}

impl ser::SerializeStruct for Members {
    type Ok = Element;
    type Error = Unwritable;

    fn serialize_field<T: Serialize + ?Sized>(
        &mut self,
        name: &'static str,
        value: &T,
    ) -> Result<(), Unwritable> {
        self.insert(name, value)
    }

    fn end(self) -> Result<Element, Unwritable> {
        Ok(self.finish())
    }
}

impl ser::SerializeMap for Members {
    type Ok = Element;
    type Error = Unwritable;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Unwritable> {
        self.key = match key.serialize(Elements)?.or_hidden() {
            Value::String(text) => text,
            other => other.to_string(),
        };
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Unwritable> {
        let key = std::mem::take(&mut self.key);
        self.insert(&key, value)
    }

    fn end(self) -> Result<Element, Unwritable> {
        Ok(self.finish())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use postern_api::kms::EncryptInput;
    use postern_api::ssm::{CreateActivationOutput, StartSessionInput, StartSessionOutput};
    use postern_api::sts::{AssumeRoleOutput, Credentials};
    use serde_json::json;

    use super::*;

    #[test]
    fn members_are_in_lower_camel_case_and_keys_of_maps_are_not() {
        let input = StartSessionInput {
            target: "mi-0123456789abcdef0".into(),
            document_name: Some("AWS-StartPortForwardingSession".into()),
            reason: None,
            parameters: Some(BTreeMap::from([
                ("portNumber".into(), vec!["80".into()]),
                ("Key".into(), vec![]),
            ])),
        };
        assert_eq!(
            elements(&input),
            Some(json!({
                "target": "mi-0123456789abcdef0",
                "documentName": "AWS-StartPortForwardingSession",
                "parameters": {"Key": [], "portNumber": ["80"]}
            }))
        );
    }

    #[test]
    fn secrets_are_hidden_or_left_out() {
        let started = StartSessionOutput {
            session_id: Some("admin-1".into()),
            token_value: Some("hunter2".into()),
            stream_url: Some("wss://x".into()),
        };
        assert_eq!(
            elements(&started),
            Some(json!({"sessionId": "admin-1", "tokenValue": HIDDEN_TOKEN, "streamUrl": "wss://x"}))
        );
        let created = CreateActivationOutput {
            activation_id: Some("id".into()),
            activation_code: Some("hunter2".into()),
        };
        assert_eq!(elements(&created), Some(json!({"activationId": "id", "activationCode": HIDDEN})));
        let credentials = Credentials {
            access_key_id: "ASIA".into(),
            secret_access_key: "hunter2".into(),
            session_token: "hunter2".into(),
            expiration: jiff::Timestamp::UNIX_EPOCH.into(),
        };
        let encrypted = EncryptInput {
            key_id: "alias/a".into(),
            plaintext: Blob(b"hunter2".to_vec()),
            encryption_context: Some(BTreeMap::from([("Tenant".into(), "blue".into())])),
            grant_tokens: None,
            encryption_algorithm: None,
            dry_run: None,
        };
        let shown = json!({"keyId": "alias/a", "encryptionContext": {"Tenant": "blue"}});
        assert_eq!(elements(&encrypted), Some(shown));
        let assumed = AssumeRoleOutput { credentials: Some(credentials), ..AssumeRoleOutput::default() };
        let shown = elements(&assumed).unwrap().to_string();
        assert!(shown.contains("ASIA") && !shown.contains("hunter2"), "{shown}");
    }

    #[test]
    fn an_output_without_members_is_null() {
        assert_eq!(elements(&AssumeRoleOutput::default()), None);
    }
}
