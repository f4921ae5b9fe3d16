//! What the operator wants, from flags, environment and a file, as types that cannot be wrong.
//!
//! [`typed`] gathers what was typed and where it came from; the sections below say what it means. Reading goes
//! on after a mistake, so that all of them are reported at once, before a port opens.

mod flags;
mod limits;
mod listen;
mod log;
mod mistakes;
mod public_url;
mod reader;
mod recording;
mod sessions;
mod tls;
mod typed;

use std::path::PathBuf;

use postern_ids::{AccountId, Region};

pub use flags::Flags;
pub use limits::Limits;
pub use listen::ListenAddress;
pub use log::{Log, LogFormat};
pub use mistakes::{Mistake, Mistakes};
pub use public_url::{PublicUrl, PublicUrlError};
pub use recording::{Recording, RecordingStrictness};
pub use sessions::Sessions;
pub use tls::Tls;

use reader::Reader;
use typed::Typed;

/// Where data lives unless the operator says otherwise.
const DATA_DIR_DEFAULT: &str = "/var/lib/postern";

/// The whole configuration.
#[derive(Debug, Clone)]
pub struct Config {
    /// Everything that must survive a restart.
    pub data_dir: PathBuf,
    /// The one port.
    pub listen: ListenAddress,
    /// How clients and nodes reach the port; taken from the bound address when absent.
    pub public_url: Option<PublicUrl>,
    /// The account that the deployment answers for.
    pub account: AccountId,
    /// The region that the deployment answers for.
    pub region: Region,
    /// Whose certificate is shown.
    pub tls: Tls,
    /// How sessions are recorded.
    pub recording: Recording,
    /// Rules of sessions.
    pub sessions: Sessions,
    /// Bounds on what peers may use.
    pub limits: Limits,
    /// What is logged, and how.
    pub log: Log,
}

impl Config {
    /// Reads `flags`, then the variables of `environment` named `POSTERN_…`, then the file that either names.
    ///
    /// # Errors
    /// Every mistake found, each with the place it came from.
    pub fn read(
        flags: &Flags,
        environment: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, Mistakes> {
        let mut reader = Reader::new(Typed::gather(flags, environment));
        let data_dir = reader.path("data_dir").unwrap_or_else(|| DATA_DIR_DEFAULT.into());
        let listen = reader.parsed("listen").unwrap_or_default();
        let public_url = reader.parsed("public_url");
        let account = reader.parsed("account").unwrap_or_else(account_default);
        let region = reader.parsed("region").unwrap_or_else(region_default);
        let tls = Tls::read(&mut reader);
        let recording = Recording::read(&mut reader);
        let sessions = Sessions::read(&mut reader);
        let limits = Limits::read(&mut reader);
        let log = Log::read(&mut reader);
        reader.finish()?;
        Ok(Self { data_dir, listen, public_url, account, region, tls, recording, sessions, limits, log })
    }

    /// The defaults, with everything kept under `data_dir` and a port of the system's choice on loopback.
    #[must_use]
    pub fn for_tests(data_dir: PathBuf) -> Self {
        let flags = Flags {
            data_dir: Some(data_dir),
            listen: Some("127.0.0.1:0".to_owned()),
            public_url: None,
            config: None,
        };
        Self::read(&flags, []).expect("the defaults are valid")
    }
}

fn account_default() -> AccountId {
    "000000000000".parse().expect("twelve digits")
}

fn region_default() -> Region {
    "us-east-1".parse().expect("a region of AWS")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variables(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    fn file(text: &str) -> (tempfile::TempDir, PathBuf) {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("postern.toml");
        std::fs::write(&path, text).unwrap();
        (directory, path)
    }

    #[test]
    fn nothing_typed_gives_the_defaults() {
        let config = Config::read(&Flags::default(), []).unwrap();
        assert_eq!(config.account.as_str(), "000000000000");
        assert_eq!(config.region.as_str(), "us-east-1");
        assert_eq!(config.listen.to_string(), "0.0.0.0:8443");
        assert!(matches!(config.tls, Tls::OwnAuthority));
        assert!(config.sessions.allow_unsigned_data_channels);
    }

    #[test]
    fn a_flag_beats_a_variable_and_a_variable_beats_the_file() {
        let (_directory, path) =
            file("listen = \"127.0.0.1:1\"\nregion = \"file\"\naccount = \"111122223333\"\n");
        let flags = Flags { config: Some(path), listen: Some("127.0.0.1:3".into()), ..Flags::default() };
        let environment = variables(&[("POSTERN_LISTEN", "127.0.0.1:2"), ("POSTERN_REGION", "variable")]);
        let config = Config::read(&flags, environment).unwrap();
        assert_eq!(config.listen.to_string(), "127.0.0.1:3");
        assert_eq!(config.region.as_str(), "variable");
        assert_eq!(config.account.as_str(), "111122223333");
    }

    #[test]
    fn every_mistake_is_reported_with_its_place() {
        let (_directory, path) = file(concat!(
            "account = 12\n",
            "recrding = \"on\"\n",
            "[tls]\ncertificate = \"/nowhere/cert.pem\"\n",
            "[limits]\nconnections_max = \"many\"\ncolour = 1\n",
        ));
        let flags = Flags { config: Some(path.clone()), ..Flags::default() };
        let environment = variables(&[("POSTERN_LISTEN", "8443"), ("POSTERN_PUBLIC_URL", "http://x")]);
        let text = Config::read(&flags, environment).unwrap_err().to_string();
        for part in [
            "account: \"12\" is not an account ID (12 digits)".to_owned(),
            format!("from {}, key `account`", path.display()),
            "recrding: no such setting".to_owned(),
            "limits.colour: no such setting".to_owned(),
            "limits.connections_max: \"many\" is not a number".to_owned(),
            "tls.private_key: missing".to_owned(),
            "from the environment variable POSTERN_LISTEN".to_owned(),
            "from the environment variable POSTERN_PUBLIC_URL".to_owned(),
        ] {
            assert!(text.contains(&part), "{part:?} is not in:\n{text}");
        }
        assert!(text.starts_with("7 mistakes in the configuration"), "{text}");
    }

    #[test]
    fn a_file_that_is_not_toml_or_not_there_is_a_mistake() {
        let (_directory, path) = file("listen = \n");
        let text =
            Config::read(&Flags { config: Some(path), ..Flags::default() }, []).unwrap_err().to_string();
        assert!(text.contains("line 1"), "{text}");
        let environment = variables(&[("POSTERN_CONFIG", "/nowhere/postern.toml")]);
        let text = Config::read(&Flags::default(), environment).unwrap_err().to_string();
        assert!(text.contains("/nowhere/postern.toml") && text.contains("POSTERN_CONFIG"), "{text}");
    }
}
