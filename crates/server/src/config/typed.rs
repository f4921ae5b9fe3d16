//! What was typed: texts by setting, each with the place it came from. Nothing is interpreted here.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use super::flags::Flags;
use super::mistakes::Mistake;

/// Where a text was typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// On the command line.
    Flag(&'static str),
    /// In the environment.
    Variable(String),
    /// In the configuration file.
    File {
        /// The file.
        path: PathBuf,
        /// The dotted key within it.
        key: String,
    },
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag(name) => write!(f, "the flag {name}"),
            Self::Variable(name) => write!(f, "the environment variable {name}"),
            Self::File { path, key } => write!(f, "{}, key `{key}`", path.display()),
        }
    }
}

/// A text and where it was typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Given {
    pub(super) text: String,
    pub(super) source: Source,
}

/// Tables of the file whose keys the operator chooses, or that hold more than texts. They come from nowhere else.
const TABLES: [&str; 1] = ["console.oidc"];

/// Everything that was typed.
#[derive(Debug, Default)]
pub(super) struct Typed {
    flags: BTreeMap<&'static str, Given>,
    variables: BTreeMap<String, String>,
    file: BTreeMap<String, Given>,
    /// Those of [`TABLES`], as the file has them.
    tables: BTreeMap<String, (toml::Table, Source)>,
    /// What could not even be read.
    pub(super) mistakes: Vec<Mistake>,
}

impl Typed {
    /// Collects the layers; the file is the one that the flag or `POSTERN_CONFIG` names.
    pub(super) fn gather(flags: &Flags, environment: impl IntoIterator<Item = (String, String)>) -> Self {
        let mut typed = Self::default();
        typed.add_flag(
            "data_dir",
            "--data-dir",
            flags.data_dir.as_ref().map(|path| path.display().to_string()),
        );
        typed.add_flag("listen", "--listen", flags.listen.clone());
        typed.add_flag("public_url", "--public-url", flags.public_url.clone());
        typed.add_flag("config", "--config", flags.config.as_ref().map(|path| path.display().to_string()));
        typed.variables = environment.into_iter().filter(|(name, _)| name.starts_with("POSTERN_")).collect();
        if let Some(given) = typed.take("config") {
            typed.add_file(Path::new(&given.text), given.source);
        }
        typed
    }

    /// What was typed for `setting` in the place that counts most, removing it everywhere.
    pub(super) fn take(&mut self, setting: &'static str) -> Option<Given> {
        let from_file = self.file.remove(setting);
        let name = variable_name(setting);
        let from_environment = self
            .variables
            .remove(&name)
            .filter(|text| !text.is_empty())
            .map(|text| Given { text, source: Source::Variable(name) });
        self.flags.remove(setting).or(from_environment).or(from_file)
    }

    /// A table of [`TABLES`], and where it is.
    pub(super) fn take_table(&mut self, setting: &'static str) -> Option<(toml::Table, Source)> {
        self.tables.remove(setting)
    }

    /// The file's keys that nobody took.
    pub(super) fn unknown(self) -> impl Iterator<Item = Mistake> {
        self.file.into_iter().map(|(setting, given)| Mistake {
            setting,
            problem: "no such setting".to_owned(),
            source: Some(given.source),
        })
    }

    fn add_flag(&mut self, setting: &'static str, flag: &'static str, text: Option<String>) {
        if let Some(text) = text {
            self.flags.insert(setting, Given { text, source: Source::Flag(flag) });
        }
    }

    fn add_file(&mut self, path: &Path, named_by: Source) {
        let mistake = |problem: String, source| Mistake { setting: "config".to_owned(), problem, source };
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) => {
                let problem = format!("{} cannot be read: {error}", path.display());
                self.mistakes.push(mistake(problem, Some(named_by)));
                return;
            }
        };
        match text.parse::<toml::Table>() {
            Ok(table) => self.add_table(path, "", table),
            Err(error) => {
                let line = error
                    .span()
                    .map_or(1, |span| 1 + text[..span.start.min(text.len())].matches('\n').count());
                let problem = format!("{}, line {line}: {}", path.display(), error.message());
                self.mistakes.push(mistake(problem, None));
            }
        }
    }

    fn add_table(&mut self, path: &Path, prefix: &str, table: toml::Table) {
        for (name, value) in table {
            let key = format!("{prefix}{name}");
            let source = Source::File { path: path.to_owned(), key: key.clone() };
            let text = match value {
                toml::Value::Table(inner) if TABLES.contains(&key.as_str()) => {
                    self.tables.insert(key, (inner, source));
                    continue;
                }
                toml::Value::Table(inner) => {
                    self.add_table(path, &format!("{key}."), inner);
                    continue;
                }
                toml::Value::String(text) => text,
                toml::Value::Integer(number) => number.to_string(),
                toml::Value::Boolean(truth) => truth.to_string(),
                toml::Value::Float(_) | toml::Value::Datetime(_) | toml::Value::Array(_) => {
                    let problem = "must be a text, a whole number, true or false".to_owned();
                    self.mistakes.push(Mistake { setting: key, problem, source: Some(source) });
                    continue;
                }
            };
            self.file.insert(key, Given { text, source });
        }
    }
}

/// `limits.connections_max` is `POSTERN_LIMITS_CONNECTIONS_MAX` in the environment.
fn variable_name(setting: &str) -> String {
    format!("POSTERN_{}", setting.replace('.', "_").to_ascii_uppercase())
}
