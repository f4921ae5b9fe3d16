//! The files that the rules look at.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

/// Directories that hold what tools made or fetched; `.gitignore` names them too.
const NOT_OURS: [&str; 9] = [
    ".git",
    ".pytest_cache",
    ".tools",
    ".venv",
    "__pycache__",
    "artifacts",
    "corpus",
    "node_modules",
    "target",
];

/// Lock files name what their tools want to name.
const LOCK_FILES: [&str; 3] = ["Cargo.lock", "package-lock.json", "uv.lock"];

/// Every text file of the repository.
#[derive(Debug, Default)]
pub(crate) struct Repository {
    pub(crate) files: Vec<File>,
}

/// A text file.
#[derive(Debug)]
pub(crate) struct File {
    /// Its path below the root, with `/` between the parts.
    pub(crate) path: String,
    pub(crate) text: String,
}

impl Repository {
    pub(crate) fn read(root: &Path) -> Result<Self> {
        let mut repository = Self::default();
        let mut directories = vec![root.to_owned()];
        while let Some(directory) = directories.pop() {
            let entries =
                fs::read_dir(&directory).with_context(|| format!("reading {}", directory.display()))?;
            for entry in entries {
                let path = entry?.path();
                let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
                if path.is_symlink()
                    || NOT_OURS.contains(&name.as_str())
                    || LOCK_FILES.contains(&name.as_str())
                {
                    continue;
                }
                if path.is_dir() {
                    directories.push(path);
                } else if let Ok(text) = fs::read_to_string(&path) {
                    repository.files.push(File { path: below(root, &path), text });
                }
            }
        }
        repository.files.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(repository)
    }

    /// The files of Rust source.
    pub(crate) fn rust(&self) -> impl Iterator<Item = &File> {
        self.files.iter().filter(|file| file.path.ends_with(".rs"))
    }

    /// The source files of a crate, without its tests, benches and examples.
    pub(crate) fn sources_of(&self, name: &str) -> impl Iterator<Item = &File> {
        let prefix = format!("crates/{name}/src/");
        self.rust().filter(move |file| file.path.starts_with(&prefix) && !file.is_test())
    }

    /// Each crate below `crates/` with its parsed manifest.
    pub(crate) fn manifests(&self) -> impl Iterator<Item = (&str, toml::Table)> {
        self.files.iter().filter_map(|file| {
            let name = file.path.strip_prefix("crates/")?.strip_suffix("/Cargo.toml")?;
            Some((name, file.text.parse().unwrap_or_default()))
        })
    }

    /// A repository of a few files, for the tests of the rules.
    #[cfg(test)]
    pub(crate) fn of(files: &[(&str, &str)]) -> Self {
        let file = |(path, text): &(&str, &str)| File { path: (*path).to_owned(), text: (*text).to_owned() };
        Self { files: files.iter().map(file).collect() }
    }
}

impl File {
    fn is_test(&self) -> bool {
        self.path.ends_with("/tests.rs") || self.path.contains("/tests/")
    }

    /// The lines before the tests, numbered from 1. Tests stand last in a file.
    pub(crate) fn lines_before_tests(&self) -> impl Iterator<Item = (usize, &str)> {
        self.text.lines().enumerate().map(|(index, line)| (index + 1, line)).take_while(|(_, line)| {
            !(line.trim_start().starts_with("#[cfg(test)]")
                || line.trim_start().starts_with("#[cfg(all(test"))
        })
    }
}

fn below(root: &Path, path: &Path) -> String {
    let below: PathBuf = path.strip_prefix(root).unwrap_or(path).to_owned();
    below.components().map(|part| part.as_os_str().to_string_lossy()).collect::<Vec<_>>().join("/")
}
