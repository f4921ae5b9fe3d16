//! From texts to types, going on after each mistake.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use serde::de::DeserializeOwned;

use super::mistakes::{Mistake, Mistakes};
use super::typed::{Given, Source, Typed};

/// Hands out settings as types and remembers what was wrong.
pub(super) struct Reader {
    typed: Typed,
    /// Where what was handed out was typed.
    sources: BTreeMap<&'static str, Source>,
    mistakes: Vec<Mistake>,
}

impl Reader {
    pub(super) fn new(mut typed: Typed) -> Self {
        let mistakes = std::mem::take(&mut typed.mistakes);
        Self { typed, sources: BTreeMap::new(), mistakes }
    }

    /// A setting whose type parses itself and says in its error what was expected.
    pub(super) fn parsed<T>(&mut self, setting: &'static str) -> Option<T>
    where
        T: FromStr,
        T::Err: Display,
    {
        self.read(setting, |text| text.parse().map_err(|error: T::Err| error.to_string()))
    }

    /// A file or directory.
    pub(super) fn path(&mut self, setting: &'static str) -> Option<PathBuf> {
        self.read(setting, |text| match text {
            "" => Err("must not be empty".to_owned()),
            path => Ok(PathBuf::from(path)),
        })
    }

    /// A whole number within `bounds`.
    pub(super) fn number(
        &mut self,
        setting: &'static str,
        bounds: std::ops::RangeInclusive<usize>,
    ) -> Option<usize> {
        self.read(setting, |text| {
            let number = text.parse().map_err(|_| format!("{text:?} is not a number"))?;
            if bounds.contains(&number) {
                return Ok(number);
            }
            Err(format!("{number} is not between {} and {}", bounds.start(), bounds.end()))
        })
    }

    /// A time such as `30s` or `2m`, above zero and at most `longest`.
    pub(super) fn duration(&mut self, setting: &'static str, longest: Duration) -> Option<Duration> {
        self.read(setting, |text| {
            text.parse::<jiff::SignedDuration>()
                .ok()
                .and_then(|signed| Duration::try_from(signed).ok())
                .filter(|duration| !duration.is_zero() && *duration <= longest)
                .ok_or_else(|| format!("{text:?} is not a time such as 30s, at most {}s", longest.as_secs()))
        })
    }

    /// A whole number of days, after which something is removed.
    pub(super) fn days(&mut self, setting: &'static str) -> Option<Duration> {
        let days = self.number(setting, 1..=36_500)?;
        Some(Duration::from_secs(24 * 60 * 60 * u64::try_from(days).unwrap_or(u64::MAX)))
    }

    /// `true` or `false`.
    pub(super) fn truth(&mut self, setting: &'static str) -> Option<bool> {
        self.read(setting, |text| text.parse().map_err(|_| format!("{text:?} is neither true nor false")))
    }

    /// What each key of a table holds. Mistakes name the key behind `setting`.
    pub(super) fn table<T: DeserializeOwned>(&mut self, setting: &'static str) -> BTreeMap<String, T> {
        let Some((table, source)) = self.typed.take_table(setting) else { return BTreeMap::new() };
        let mut read = BTreeMap::new();
        for (key, value) in table {
            match value.try_into() {
                Ok(value) => drop(read.insert(key, value)),
                Err(error) => self.wrong(format!("{setting}.{key}"), error.message().to_owned(), &source),
            }
        }
        read
    }

    /// Notes what is wrong with a part of a table.
    pub(super) fn wrong_in_table(&mut self, setting: String, problem: String) {
        self.mistakes.push(Mistake { setting, problem, source: None });
    }

    fn wrong(&mut self, setting: String, problem: String, source: &Source) {
        self.mistakes.push(Mistake { setting, problem, source: Some(source.clone()) });
    }

    /// Notes that `setting` is missing because of what `because_of` says. One that is there and wrong is not missing.
    pub(super) fn missing(&mut self, setting: &'static str, because_of: &str) {
        if self.mistakes.iter().any(|mistake| mistake.setting == setting) {
            return;
        }
        let problem = format!("missing, {because_of}");
        self.mistakes.push(Mistake { setting: setting.to_owned(), problem, source: None });
    }

    /// Notes that what `setting` names cannot be used.
    pub(super) fn unusable(&mut self, setting: &'static str, problem: String) {
        let source = self.sources.get(setting).cloned();
        self.mistakes.push(Mistake { setting: setting.to_owned(), problem, source });
    }

    /// All mistakes, those of settings that nobody knows included.
    pub(super) fn finish(mut self) -> Result<(), Mistakes> {
        self.mistakes.extend(self.typed.unknown());
        if self.mistakes.is_empty() { Ok(()) } else { Err(Mistakes(self.mistakes)) }
    }

    fn read<T>(&mut self, setting: &'static str, parse: impl FnOnce(&str) -> Result<T, String>) -> Option<T> {
        let Given { text, source } = self.typed.take(setting)?;
        match parse(&text) {
            Ok(value) => {
                self.sources.insert(setting, source);
                Some(value)
            }
            Err(problem) => {
                let setting = setting.to_owned();
                self.mistakes.push(Mistake { setting, problem, source: Some(source) });
                None
            }
        }
    }
}
