//! Session documents, schema 1.0.

mod inputs;
mod properties;
mod recording;
mod switch;
mod time_limits;

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::DocumentFormat;
use crate::arguments::{Arguments, InvalidParameters};
use crate::parameter::Parameter;
use crate::substitute;
use inputs::Inputs;

pub use inputs::{Preferences, ShellProfile};
pub use properties::{CommandProperties, Commands, PortProperties, Properties, SFTP_TYPE, TUNNEL_TYPE};
pub use recording::Recording;
pub use time_limits::TimeLimits;

/// The schema version of session documents.
const SCHEMA_VERSION: &str = "1.0";

const FIELDS: &[&str] =
    &["schemaVersion", "description", "sessionType", "inputs", "parameters", "properties"];

/// A session document that has been read: every value that is no reference is one that makes sense.
#[derive(Debug, Clone)]
pub struct SessionDocument {
    /// What it is for.
    pub description: Option<String>,
    /// The kind of session it starts.
    pub session_type: SessionType,
    /// What callers may or must give.
    pub parameters: Vec<Parameter>,
    /// Whether it is recorded although it is encrypted.
    pub recording: Recording,
    inputs: Inputs,
    properties: Value,
    limits: TimeLimits,
}

/// The kinds of sessions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub enum SessionType {
    /// A shell on a terminal.
    #[serde(rename = "Standard_Stream")]
    StandardStream,
    /// One command on a terminal.
    InteractiveCommands,
    /// One command without a terminal.
    NonInteractiveCommands,
    /// A forwarded port.
    Port,
}

impl SessionType {
    /// AWS's name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::StandardStream => "Standard_Stream",
            Self::InteractiveCommands => "InteractiveCommands",
            Self::NonInteractiveCommands => "NonInteractiveCommands",
            Self::Port => "Port",
        }
    }
}

/// A document whose references have been replaced: what a node carries out.
#[derive(Debug, Clone, PartialEq)]
pub struct ResolvedSession {
    /// The kind of session.
    pub session_type: SessionType,
    /// Limits, logging, the user it runs as.
    pub preferences: Preferences,
    /// What to run or where to connect.
    pub properties: Properties,
}

/// Why a text is not a session document: AWS's `InvalidDocumentContent`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DocumentError {
    /// The content is not a JSON object.
    #[error("the document is not a JSON object: {reason}")]
    NotJson {
        /// What the parser said.
        reason: String,
    },
    /// The content is not YAML.
    #[error("the document is not YAML: {reason}")]
    NotYaml {
        /// What the parser said.
        reason: String,
    },
    /// The content is longer than documents are.
    #[error("the document is larger than 65536 bytes")]
    TooLarge,
    /// A schema that session documents do not have.
    #[error("schemaVersion {found:?} is not supported for session documents, only \"1.0\" is")]
    SchemaVersion {
        /// The document's version.
        found: String,
    },
    /// A field that nobody knows, and whose effect would silently be missing.
    #[error("{place} is not a field of session documents")]
    UnknownField {
        /// Its path.
        place: String,
    },
    /// A field with a value that makes no sense.
    #[error("{place}: {reason}")]
    Field {
        /// Its path.
        place: String,
        /// What is wrong with it.
        reason: String,
    },
}

impl DocumentError {
    pub(crate) fn field(place: impl Into<String>, reason: impl Into<String>) -> Self {
        Self::Field { place: place.into(), reason: reason.into() }
    }

    pub(crate) fn json(place: impl Into<String>, error: &serde_json::Error) -> Self {
        Self::field(place, error.to_string())
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Content {
    schema_version: String,
    description: Option<String>,
    session_type: SessionType,
    inputs: Option<Value>,
    parameters: Option<Map<String, Value>>,
    #[serde(default)]
    properties: Value,
}

impl SessionDocument {
    /// Reads a document in JSON that someone wrote, under AWS's limits.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub fn parse(content: &str) -> Result<Self, DocumentError> {
        Self::read(&DocumentFormat::Json.read(content)?, TimeLimits::AWS)
    }

    /// Reads a document that someone wrote. A field that this version does not know is refused, as is one that another
    /// makes idle: it would be a preference that silently has no effect.
    ///
    /// # Errors
    /// Says which field, and why.
    pub fn read(content: &Value, limits: TimeLimits) -> Result<Self, DocumentError> {
        let document = Self::with_limits(content, limits)?;
        let inputs = &content["inputs"];
        let unknown = unknown_field("", content, FIELDS)
            .or_else(|| unknown_field("inputs.", inputs, inputs::FIELDS))
            .or_else(|| unknown_field("inputs.shellProfile.", &inputs["shellProfile"], inputs::SHELL_FIELDS))
            .or_else(|| document.parameters.iter().find_map(Parameter::unknown_field))
            .or_else(|| properties::unknown_field(document.session_type, &content["properties"]));
        if let Some(place) = unknown {
            return Err(DocumentError::UnknownField { place });
        }
        document.inputs.check(document.session_type)?;
        properties::check_written(document.session_type, &document.properties)?;
        Ok(document)
    }

    /// Reads a document that a server sent. Its newer fields are ignored, as AWS's agent does.
    ///
    /// # Errors
    /// Says which field, and why.
    pub fn received(content: &Value) -> Result<Self, DocumentError> {
        Self::with_limits(content, TimeLimits::NONE)
    }

    fn with_limits(content: &Value, limits: TimeLimits) -> Result<Self, DocumentError> {
        if !content.is_object() {
            return Err(DocumentError::NotJson { reason: "it is some other JSON value".to_owned() });
        }
        let content =
            Content::deserialize(content).map_err(|error| DocumentError::json("document", &error))?;
        if content.schema_version != SCHEMA_VERSION {
            return Err(DocumentError::SchemaVersion { found: content.schema_version });
        }
        let recording = Recording::read(content.inputs.as_ref())?;
        let inputs = Inputs::read(content.inputs.as_ref(), limits)?;
        properties::check(content.session_type, &content.properties)?;
        Ok(Self {
            description: content.description,
            session_type: content.session_type,
            parameters: Parameter::read_all(&content.parameters.unwrap_or_default())?,
            recording,
            inputs,
            properties: content.properties,
            limits,
        })
    }

    /// Holds a caller's arguments to the parameters; defaults stand for what was not given.
    ///
    /// # Errors
    /// AWS's `InvalidParameters`, with AWS's texts where they are known.
    pub fn arguments(&self, given: &BTreeMap<String, Vec<String>>) -> Result<Arguments, InvalidParameters> {
        Arguments::check(&self.parameters, given)
    }

    /// Puts arguments into the places that ask for them; a parameter without argument takes its default.
    ///
    /// # Errors
    /// If a field makes no sense with these arguments, such as a timeout of no digits.
    pub fn resolve(&self, arguments: &Map<String, Value>) -> Result<ResolvedSession, DocumentError> {
        let mut all: Map<String, Value> = self
            .parameters
            .iter()
            .filter_map(|parameter| Some((parameter.name.clone(), parameter.default.clone()?)))
            .collect();
        all.extend(arguments.clone());
        let inputs = self.inputs.substituted(&all);
        let properties = substitute(&self.properties, &all);
        Ok(ResolvedSession {
            session_type: self.session_type,
            preferences: Inputs::read(Some(&inputs), self.limits)?.resolved(self.limits)?,
            properties: properties::resolved(self.session_type, &properties)?,
        })
    }

    /// The document as a node is sent it: references in place, every preference there, because AWS's agent takes
    /// an absent one for `false` or empty.
    #[must_use]
    pub fn to_content(&self) -> Value {
        json!({
            "schemaVersion": SCHEMA_VERSION,
            "description": self.description.as_deref().unwrap_or_default(),
            "sessionType": self.session_type.as_str(),
            "inputs": self.inputs.to_value(),
            "parameters": Parameter::definitions(&self.parameters),
            "properties": self.properties,
        })
    }
}

fn unknown_field(prefix: &str, value: &Value, fields: &[&str]) -> Option<String> {
    let unknown = value.as_object()?.keys().find(|name| !fields.contains(&name.as_str()))?;
    Some(format!("{prefix}{unknown}"))
}

#[cfg(test)]
mod tests;
