//! What is known about one request: condition keys and their values.

use core::net::IpAddr;
use std::borrow::Cow;

/// The condition keys of one request. Names compare without case; a key that is not here is absent.
///
/// Few keys, built once a request and read a handful of times: a list, searched from its start.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Context {
    entries: Vec<(Cow<'static, str>, Value)>,
}

/// What a condition key has: one value, or a list of them (AWS calls such keys multivalued).
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[serde(untagged)]
pub enum Value {
    /// A key of one value.
    Single(String),
    /// A key of several values, also if this request has one or none. An empty list counts as absent.
    Multi(Vec<String>),
}

impl Value {
    /// The values, one or several.
    #[must_use]
    pub fn as_slice(&self) -> &[String] {
        match self {
            Self::Single(value) => std::slice::from_ref(value),
            Self::Multi(values) => values,
        }
    }
}

impl Context {
    /// Nothing is known.
    pub(crate) const EMPTY: Self = Self { entries: Vec::new() };

    /// Nothing is known.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Room for so many keys.
    #[must_use]
    pub fn with_capacity(keys: usize) -> Self {
        Self { entries: Vec::with_capacity(keys) }
    }

    /// With a key more; see [`Context::insert`].
    #[must_use]
    pub fn with(mut self, key: impl Into<Cow<'static, str>>, value: impl Into<Value>) -> Self {
        self.insert(key, value);
        self
    }

    /// Adds a key, in place of one whose name differs only in case.
    pub fn insert(&mut self, key: impl Into<Cow<'static, str>>, value: impl Into<Value>) {
        let (key, value) = (key.into(), value.into());
        match self.entries.iter_mut().find(|(known, _)| known.eq_ignore_ascii_case(&key)) {
            Some((_, known)) => *known = value,
            None => self.entries.push((key, value)),
        }
    }

    /// Adds a key if there is a value for it.
    pub fn insert_some(&mut self, key: impl Into<Cow<'static, str>>, value: Option<impl Into<Value>>) {
        if let Some(value) = value {
            self.insert(key, value);
        }
    }

    /// What is known of a key; nothing if its list is empty.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Value> {
        let (_, value) = self
            .entries
            .iter()
            .find(|(known, _)| known.len() == key.len() && known.eq_ignore_ascii_case(key))?;
        (!value.as_slice().is_empty()).then_some(value)
    }

    /// The value of a key that has one. Policy variables take no other.
    #[must_use]
    pub fn single(&self, key: &str) -> Option<&str> {
        match self.get(key)? {
            Value::Single(value) => Some(value),
            Value::Multi(_) => None,
        }
    }

    /// Every key with its value, in the order in which they were added.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.entries.iter().map(|(key, value)| (key.as_ref(), value))
    }
}

impl From<&str> for Value {
    fn from(value: &str) -> Self {
        Self::Single(value.to_owned())
    }
}

impl From<String> for Value {
    fn from(value: String) -> Self {
        Self::Single(value)
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Single(value.to_string())
    }
}

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Self::Single(value.to_string())
    }
}

/// An IPv4 address in IPv6 clothes, as a socket of both families shows it, becomes IPv4: conditions keep the families
/// apart.
impl From<IpAddr> for Value {
    fn from(address: IpAddr) -> Self {
        Self::Single(address.to_canonical().to_string())
    }
}

/// To seconds, as `aws:CurrentTime` and `aws:TokenIssueTime` are written.
impl From<jiff::Timestamp> for Value {
    fn from(time: jiff::Timestamp) -> Self {
        Self::Single(time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string())
    }
}

impl From<Vec<String>> for Value {
    fn from(values: Vec<String>) -> Self {
        Self::Multi(values)
    }
}

impl From<&[&str]> for Value {
    fn from(values: &[&str]) -> Self {
        Self::Multi(values.iter().map(|&value| value.to_owned()).collect())
    }
}
