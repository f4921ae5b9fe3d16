//! A service model as it lies in `crates/api/model`: botocore's form without documentation.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::fs;
use std::marker::PhantomData;
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use serde::{Deserialize, Deserializer, de};

/// What Postern's own models name as their source.
const OWN_SOURCE: &str = "Postern";

/// A service, put together from its extracts.
#[derive(Debug)]
pub(crate) struct Service {
    pub(crate) name: String,
    /// Whose model it is.
    pub(crate) author: &'static str,
    pub(crate) metadata: Metadata,
    pub(crate) operations: BTreeMap<String, Operation>,
    pub(crate) shapes: BTreeMap<String, Shape>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Extract {
    source: String,
    metadata: Option<Metadata>,
    operations: BTreeMap<String, Operation>,
    shapes: BTreeMap<String, Shape>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Metadata {
    pub(crate) api_version: Option<String>,
    pub(crate) endpoint_prefix: String,
    pub(crate) protocol: String,
    pub(crate) signing_name: Option<String>,
    pub(crate) target_prefix: Option<String>,
    pub(crate) xml_namespace: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Operation {
    pub(crate) input: Option<Reference>,
    pub(crate) output: Option<Reference>,
    pub(crate) errors: Vec<Reference>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Reference {
    pub(crate) shape: String,
    pub(crate) location_name: Option<String>,
    pub(crate) result_wrapper: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Shape {
    #[serde(rename = "type")]
    pub(crate) kind: Kind,
    #[serde(default, deserialize_with = "in_order")]
    pub(crate) members: Vec<(String, Reference)>,
    #[serde(default)]
    pub(crate) required: Vec<String>,
    pub(crate) member: Option<Reference>,
    pub(crate) key: Option<Reference>,
    pub(crate) value: Option<Reference>,
    #[serde(default, rename = "enum")]
    pub(crate) values: Vec<String>,
    pub(crate) min: Option<i64>,
    pub(crate) max: Option<i64>,
    pub(crate) pattern: Option<String>,
    #[serde(default)]
    pub(crate) sensitive: bool,
    #[serde(default)]
    pub(crate) flattened: bool,
    #[serde(default)]
    pub(crate) exception: bool,
    #[serde(default)]
    pub(crate) fault: bool,
    pub(crate) error: Option<WireError>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct WireError {
    pub(crate) code: Option<String>,
    pub(crate) http_status_code: Option<u16>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Kind {
    Structure,
    List,
    Map,
    String,
    Integer,
    Long,
    Double,
    Boolean,
    Timestamp,
    Blob,
}

impl Shape {
    /// Whether this is an enumeration.
    pub(crate) fn is_enum(&self) -> bool {
        self.kind == Kind::String && !self.values.is_empty()
    }

    /// The member's name on the wire.
    pub(crate) fn wire_name<'a>(name: &'a str, reference: &'a Reference) -> &'a str {
        reference.location_name.as_deref().unwrap_or(name)
    }

    /// The shapes that this one is made of.
    pub(crate) fn references(&self) -> impl Iterator<Item = &Reference> {
        let parts = [&self.member, &self.key, &self.value];
        self.members.iter().map(|(_, reference)| reference).chain(parts.into_iter().flatten())
    }
}

impl Service {
    /// Reads the extracts. They share one set of shapes; none may say anything twice.
    pub(crate) fn load(directory: &Path, name: &str, extracts: &[&str]) -> Result<Self> {
        let mut author = "AWS";
        let mut metadata = None;
        let mut operations = BTreeMap::new();
        let mut shapes = BTreeMap::new();
        for extract in extracts {
            let path = directory.join(format!("{extract}.json"));
            let text = fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))?;
            let extract: Extract =
                serde_json::from_str(&text).with_context(|| format!("parsing {}", path.display()))?;
            if extract.source == OWN_SOURCE {
                author = "Postern";
            }
            metadata = metadata.or(extract.metadata);
            add(&mut operations, extract.operations)?;
            add(&mut shapes, extract.shapes)?;
        }
        let metadata = metadata.context("no extract has metadata")?;
        let service = Self { name: name.to_owned(), author, metadata, operations, shapes };
        service.check_references()?;
        Ok(service)
    }

    /// The shape of that name, which [`Service::load`] has checked to be there.
    pub(crate) fn shape(&self, name: &str) -> &Shape {
        &self.shapes[name]
    }

    /// Names of the shapes that `roots` reach, themselves included.
    pub(crate) fn reachable<'a>(&'a self, roots: impl Iterator<Item = &'a str>) -> BTreeSet<&'a str> {
        let mut found = BTreeSet::new();
        let mut open: Vec<&str> = roots.collect();
        while let Some(name) = open.pop() {
            if found.insert(name) {
                open.extend(self.shape(name).references().map(|reference| reference.shape.as_str()));
            }
        }
        found
    }

    /// Names of the inputs' shapes.
    pub(crate) fn inputs(&self) -> impl Iterator<Item = &str> {
        self.operations.values().filter_map(|operation| Some(operation.input.as_ref()?.shape.as_str()))
    }

    /// Names of the outputs' shapes.
    pub(crate) fn outputs(&self) -> impl Iterator<Item = &str> {
        self.operations.values().filter_map(|operation| Some(operation.output.as_ref()?.shape.as_str()))
    }

    /// Shapes that are part of an input or an output, without the inputs and outputs themselves.
    pub(crate) fn parts(&self) -> BTreeSet<&str> {
        let mut parts = self.reachable(self.inputs().chain(self.outputs()));
        for end in self.inputs().chain(self.outputs()) {
            parts.remove(end);
        }
        parts
    }

    pub(crate) fn has_enums(&self) -> bool {
        self.parts().into_iter().any(|name| self.shape(name).is_enum())
    }

    pub(crate) fn has_structures(&self) -> bool {
        self.parts().into_iter().any(|name| self.shape(name).kind == Kind::Structure)
    }

    fn check_references(&self) -> Result<()> {
        let of_operations = self
            .operations
            .values()
            .flat_map(|operation| operation.errors.iter().chain(&operation.input).chain(&operation.output));
        for reference in of_operations.chain(self.shapes.values().flat_map(Shape::references)) {
            if !self.shapes.contains_key(&reference.shape) {
                bail!("no shape {}", reference.shape);
            }
        }
        Ok(())
    }
}

fn add<T>(all: &mut BTreeMap<String, T>, more: BTreeMap<String, T>) -> Result<()> {
    for (name, value) in more {
        if all.insert(name.clone(), value).is_some() {
            bail!("{name} is defined twice");
        }
    }
    Ok(())
}

/// Reads a JSON object and keeps the order of its members.
fn in_order<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Vec<(String, T)>, D::Error> {
    struct Pairs<T>(PhantomData<T>);

    impl<'de, T: Deserialize<'de>> de::Visitor<'de> for Pairs<T> {
        type Value = Vec<(String, T)>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object")
        }

        fn visit_map<A: de::MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut pairs = Vec::new();
            while let Some(pair) = map.next_entry()? {
                pairs.push(pair);
            }
            Ok(pairs)
        }
    }

    deserializer.deserialize_map(Pairs(PhantomData))
}
