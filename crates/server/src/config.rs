//! What the operator wants, from flags, environment and a file, as types that cannot be wrong.
//!
//! [`typed`] gathers what was typed and where it came from; the sections below say what it means. Reading goes
//! on after a mistake, so that all of them are reported at once, before a port opens.

mod audit;
mod collectors;
mod console;
mod files;
mod flags;
mod kms;
mod limits;
mod listen;
mod log;
mod mistakes;
mod oidc;
mod public_url;
mod reader;
mod recording;
mod session_logs;
mod sessions;
mod single_sign_on;
mod tls;
mod typed;

use std::path::PathBuf;

use postern_ids::{AccountId, Region};

pub use audit::{Audit, UnrecordedReads};
pub use collectors::{Collectors, Otlp, Syslog, Webhook};
pub use console::Console;
pub use flags::{Command, Flags};
pub use kms::{Kms, VaultKey};
pub use limits::Limits;
pub use listen::ListenAddress;
pub use log::{Log, LogFormat};
pub use mistakes::{Mistake, Mistakes};
pub use oidc::Oidc;
pub use public_url::{PublicUrl, PublicUrlError};
pub use recording::{Recording, RecordingStrictness};
pub use session_logs::{ExternalSink, SessionLogs};
pub use sessions::{DocumentCheck, Revocation, Sessions};
pub use single_sign_on::{RoleMapping, SignOnProvider};
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
    /// The trail of every call.
    pub audit: Audit,
    /// How sessions are recorded.
    pub recording: Recording,
    /// How the logs of sessions are written.
    pub session_logs: SessionLogs,
    /// Where the material of encryption keys rests.
    pub kms: Kms,
    /// Rules of sessions.
    pub sessions: Sessions,
    /// Signing in with a browser.
    pub console: Console,
    /// How identity providers outside are reached.
    pub oidc: Oidc,
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
        let config = Self::take(&mut reader);
        reader.finish().map(|()| config)
    }

    /// The same, and looks whether what it names can be used: the data directory, the certificate and its key.
    ///
    /// # Errors
    /// Every mistake found, each with the place it came from.
    pub fn read_and_look(
        flags: &Flags,
        environment: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, Mistakes> {
        let mut reader = Reader::new(Typed::gather(flags, environment));
        let config = Self::take(&mut reader);
        files::check_data_dir(&mut reader, &config.data_dir);
        files::check_tls(&mut reader, &config.tls);
        reader.finish().map(|()| config)
    }

    fn take(reader: &mut Reader) -> Self {
        Self {
            data_dir: reader.path("data_dir").unwrap_or_else(|| DATA_DIR_DEFAULT.into()),
            listen: reader.parsed("listen").unwrap_or_default(),
            public_url: reader.parsed("public_url"),
            account: reader.parsed("account").unwrap_or_default(),
            region: reader.parsed("region").unwrap_or_else(region_default),
            tls: Tls::read(reader),
            audit: Audit::read(reader),
            recording: Recording::read(reader),
            session_logs: SessionLogs::read(reader),
            kms: Kms::read(reader),
            sessions: Sessions::read(reader),
            console: Console::read(reader),
            oidc: Oidc::read(reader),
            limits: Limits::read(reader),
            log: Log::read(reader),
        }
    }

    /// The defaults, with everything kept under `data_dir` and a port of the system's choice on loopback.
    #[must_use]
    pub fn for_tests(data_dir: PathBuf) -> Self {
        let flags = Flags {
            data_dir: Some(data_dir),
            listen: Some("127.0.0.1:0".to_owned()),
            public_url: None,
            config: None,
            command: None,
        };
        Self::read(&flags, []).expect("the defaults are valid")
    }
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
        assert_eq!(config.sessions.document_check, DocumentCheck::Always);
        assert_eq!(config.sessions.revocation, Revocation::Immediate);
    }

    #[test]
    fn unrecorded_reads_are_refused_unless_the_operator_says_otherwise() {
        let unrecorded_reads = |setting: &str| {
            let (_directory, path) = file(&format!("[audit]\n{setting}\n"));
            let flags = Flags { config: Some(path), ..Flags::default() };
            Config::read(&flags, []).map(|config| config.audit.unrecorded_reads)
        };
        assert_eq!(unrecorded_reads("").unwrap(), UnrecordedReads::Refuse);
        assert_eq!(unrecorded_reads("unrecorded_reads = \"refuse\"").unwrap(), UnrecordedReads::Refuse);
        assert_eq!(unrecorded_reads("unrecorded_reads = \"answer\"").unwrap(), UnrecordedReads::Answer);
        for wrong in ["\"Answer\"", "\"\"", "true", "1"] {
            let mistakes = unrecorded_reads(&format!("unrecorded_reads = {wrong}")).unwrap_err().to_string();
            assert!(mistakes.contains("audit.unrecorded_reads"), "{wrong}: {mistakes}");
            assert!(mistakes.contains("is neither \"refuse\" nor \"answer\""), "{wrong}: {mistakes}");
        }
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
    fn a_setting_that_is_wrong_is_not_missing_too() {
        let environment = variables(&[
            ("POSTERN_SESSION_LOGS_WEBHOOK_URL", "no URL"),
            ("POSTERN_SESSION_LOGS_WEBHOOK_SECRET_FILE", "/s"),
            ("POSTERN_SESSION_LOGS_SYSLOG_ADDRESS", "no-port"),
            ("POSTERN_SESSION_LOGS_SYSLOG_CA_CERTIFICATES", "/ca"),
        ]);
        let text = Config::read(&Flags::default(), environment).unwrap_err().to_string();
        assert!(text.starts_with("2 mistakes in the configuration"), "{text}");
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

    #[test]
    fn what_cannot_be_used_is_reported_together_with_what_cannot_be_read() {
        let directory = tempfile::tempdir().unwrap();
        let path = |name: &str| directory.path().join(name).display().to_string();
        std::fs::write(path("file"), "no directory, and no key").unwrap();
        let data_dir = path("file/data");
        let look = |more: &[(&str, &str)]| {
            let mut all = variables(&[("POSTERN_DATA_DIR", &data_dir)]);
            all.extend(variables(more));
            Config::read_and_look(&Flags::default(), all).map(|_| ()).unwrap_err().to_string()
        };
        let text = look(&[
            ("POSTERN_REGION", "!"),
            ("POSTERN_TLS_CERTIFICATE", &path("nowhere.pem")),
            ("POSTERN_TLS_PRIVATE_KEY", &path("file")),
        ]);
        for part in [
            "4 mistakes",
            "region:",
            "data_dir:",
            "file is not a directory (from the environment variable POSTERN_DATA_DIR)",
            "nowhere.pem holds no usable certificate",
            "file holds no usable private key",
            "(from the environment variable POSTERN_TLS_PRIVATE_KEY)",
        ] {
            assert!(text.contains(part), "{part:?} is not in:\n{text}");
        }
    }

    #[test]
    fn a_key_of_another_certificate_is_a_mistake() {
        let directory = tempfile::tempdir().unwrap();
        let path = |name: &str| directory.path().join(name);
        for name in ["one", "other"] {
            let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
            std::fs::write(path(&format!("{name}.pem")), made.cert.pem()).unwrap();
            std::fs::write(path(&format!("{name}.key")), made.signing_key.serialize_pem()).unwrap();
        }
        let look = |certificate: &str, private_key: &str| {
            let text = |name| path(name).display().to_string();
            let environment = [
                ("POSTERN_DATA_DIR".to_owned(), text("data")),
                ("POSTERN_TLS_CERTIFICATE".to_owned(), text(certificate)),
                ("POSTERN_TLS_PRIVATE_KEY".to_owned(), text(private_key)),
            ];
            Config::read_and_look(&Flags::default(), environment)
        };
        assert!(look("one.pem", "one.key").is_ok());
        let text = look("one.pem", "other.key").unwrap_err().to_string();
        assert!(text.starts_with("1 mistake") && text.contains("do not fit together"), "{text}");
        assert!(!path("data").exists(), "looking makes nothing");
    }
}
