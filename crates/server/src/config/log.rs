//! Section `log`: what is logged, and how.

use std::str::FromStr;

use tracing_subscriber::EnvFilter;

use super::reader::Reader;

/// What is logged, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Log {
    /// One line an event for people, or one JSON object.
    pub format: LogFormat,
    /// Directives such as `info,postern_server=debug`.
    pub filter: String,
}

/// The form of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// For programs.
    Json,
}

/// A text known to be valid directives.
struct Filter(String);

impl Log {
    pub(super) fn read(reader: &mut Reader) -> Self {
        Self {
            format: reader.parsed("log.format").unwrap_or_default(),
            filter: reader.parsed("log.filter").map_or_else(|| "info".to_owned(), |Filter(text)| text),
        }
    }
}

impl FromStr for LogFormat {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "text" => Ok(Self::Text),
            "json" => Ok(Self::Json),
            _ => Err(format!("{text:?} is neither \"text\" nor \"json\"")),
        }
    }
}

impl FromStr for Filter {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.parse::<EnvFilter>() {
            Ok(_) => Ok(Self(text.to_owned())),
            Err(error) => Err(format!("{text:?} is not a list of log directives: {error}")),
        }
    }
}
