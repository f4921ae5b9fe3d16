//! The documents that every account has.
//!
//! Names, parameters, types, defaults and patterns are AWS's contract; the texts are ours. One value is not as some
//! descriptions of AWS's documents have it: `localConnectionType` defaults to `unix`, the only value that makes
//! session-manager-plugin listen on a socket file (src/sessionmanagerplugin/session/portsession/).

use std::sync::LazyLock;

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::parameter::Parameter;
use crate::session::SessionDocument;

/// The document of a `StartSession` that names none. The account owns it, once someone has made it.
pub const DEFAULT_SESSION_DOCUMENT_NAME: &str = "SSM-SessionManagerRunShell";

/// A document that Amazon owns on AWS.
#[derive(Debug)]
pub struct AmazonDocument {
    /// The name, without any ARN.
    pub name: &'static str,
    /// What it is for AWS's API.
    pub document_type: DocumentType,
    /// Where it can run.
    pub platforms: &'static [Platform],
    /// The content, JSON.
    pub content: &'static str,
}

/// The types of documents that exist so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DocumentType {
    /// Starts a session.
    Session,
    /// Runs commands.
    Command,
}

impl DocumentType {
    /// AWS's name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Session => "Session",
            Self::Command => "Command",
        }
    }
}

/// A platform of nodes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Platform {
    /// Windows.
    Windows,
    /// Linux.
    Linux,
    /// macOS.
    MacOs,
}

impl Platform {
    /// AWS's name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Windows => "Windows",
            Self::Linux => "Linux",
            Self::MacOs => "MacOS",
        }
    }
}

/// A parameter as `DescribeDocument` shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParameterDescription {
    /// The name.
    pub name: String,
    /// `String` or `StringList`.
    pub parameter_type: &'static str,
    /// What it is for.
    pub description: Option<String>,
    /// The value without an argument, a list as JSON.
    pub default_value: Option<String>,
}

const EVERYWHERE: &[Platform] = &[Platform::Windows, Platform::Linux, Platform::MacOs];

/// A document whose content lies beside this file, under its own name.
macro_rules! amazon_document {
    ($name:literal, $document_type:ident, $platforms:expr) => {
        AmazonDocument {
            name: $name,
            document_type: DocumentType::$document_type,
            platforms: $platforms,
            content: include_str!(concat!("amazon/", $name, ".json")),
        }
    };
}

/// Every document that Amazon owns on AWS and that exists here, by name.
pub static AMAZON_DOCUMENTS: &[AmazonDocument] = &[
    amazon_document!("AWS-PasswordReset", Session, EVERYWHERE),
    amazon_document!("AWS-RunPowerShellScript", Command, EVERYWHERE),
    amazon_document!("AWS-RunShellScript", Command, &[Platform::Linux, Platform::MacOs]),
    amazon_document!("AWS-StartInteractiveCommand", Session, EVERYWHERE),
    amazon_document!("AWS-StartNonInteractiveCommand", Session, EVERYWHERE),
    amazon_document!("AWS-StartPortForwardingSession", Session, EVERYWHERE),
    amazon_document!("AWS-StartPortForwardingSessionToRemoteHost", Session, EVERYWHERE),
    amazon_document!("AWS-StartPortForwardingSessionToSocket", Session, EVERYWHERE),
    amazon_document!("AWS-StartSSHSession", Session, EVERYWHERE),
    amazon_document!("Postern-StartSFTPSession", Session, &[Platform::Linux, Platform::MacOs]),
    amazon_document!("Postern-StartTunnelSession", Session, &[Platform::Linux, Platform::MacOs]),
];

/// The document that carries SFTP to the file server of Postern's agent; the only one that may.
pub const SFTP_DOCUMENT_NAME: &str = "Postern-StartSFTPSession";
/// The document of sessions whose connections lead wherever policies allow, each asked for by itself; the only one that may.
pub const TUNNEL_DOCUMENT_NAME: &str = "Postern-StartTunnelSession";

/// The document of that name.
#[must_use]
pub fn amazon_document(name: &str) -> Option<&'static AmazonDocument> {
    AMAZON_DOCUMENTS.iter().find(|document| document.name == name)
}

/// What [`DEFAULT_SESSION_DOCUMENT_NAME`] stands for until the account makes its own.
#[must_use]
pub fn default_session_document() -> &'static SessionDocument {
    static DOCUMENT: LazyLock<SessionDocument> = LazyLock::new(|| {
        SessionDocument::parse(include_str!("amazon/SSM-SessionManagerRunShell.json"))
            .expect("a test parses the document")
    });
    &DOCUMENT
}

/// What all documents have in common, whatever their type.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Head {
    schema_version: String,
    description: String,
    #[serde(default)]
    parameters: Map<String, Value>,
}

impl AmazonDocument {
    /// The only version there is: default and latest.
    pub const VERSION: &'static str = "1";
    /// The owner that AWS's API shows.
    pub const OWNER: &'static str = "Amazon";

    /// The session document; `None` if it is of another type.
    #[must_use]
    pub fn session(&self) -> Option<SessionDocument> {
        let is_session = self.document_type == DocumentType::Session;
        is_session.then(|| SessionDocument::parse(self.content).expect("a test parses the document"))
    }

    /// The version of the schema that the content follows.
    #[must_use]
    pub fn schema_version(&self) -> String {
        self.head().schema_version
    }

    /// What it is for.
    #[must_use]
    pub fn description(&self) -> String {
        self.head().description
    }

    /// What callers may or must give.
    #[must_use]
    pub fn parameters(&self) -> Vec<ParameterDescription> {
        let parameters = Parameter::read_all(&self.head().parameters).expect("a test reads the parameters");
        parameters.into_iter().map(ParameterDescription::from).collect()
    }

    fn head(&self) -> Head {
        serde_json::from_str(self.content).expect("a test reads the head")
    }
}

impl From<Parameter> for ParameterDescription {
    fn from(parameter: Parameter) -> Self {
        let text = |value: Value| match value {
            Value::String(text) => text,
            other => other.to_string(),
        };
        Self {
            name: parameter.name,
            parameter_type: parameter.parameter_type.as_str(),
            description: parameter.description,
            default_value: parameter.default.map(text),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Properties, SessionType};
    use std::collections::BTreeMap;

    #[test]
    fn every_document_reads() {
        for document in AMAZON_DOCUMENTS {
            let name = document.name;
            assert!(!document.description().is_empty(), "{name}");
            assert!(document.parameters().iter().all(|parameter| parameter.description.is_some()), "{name}");
            match document.document_type {
                DocumentType::Session => {
                    assert_eq!(document.schema_version(), "1.0", "{name}");
                    assert!(document.session().is_some(), "{name}");
                }
                DocumentType::Command => assert_eq!(document.schema_version(), "2.2", "{name}"),
            }
        }
        assert_eq!(default_session_document().session_type, SessionType::StandardStream);
        assert!(AMAZON_DOCUMENTS.is_sorted_by_key(|document| document.name));
    }

    #[test]
    fn parameters_are_awss() {
        let mut table = String::new();
        for document in AMAZON_DOCUMENTS {
            for parameter in document.parameters() {
                let default =
                    parameter.default_value.map_or("required".to_owned(), |value| format!("{value:?}"));
                table +=
                    &format!("{} {} {} {default}\n", document.name, parameter.name, parameter.parameter_type);
            }
        }
        insta::assert_snapshot!(table, @r#"
        AWS-PasswordReset username String required
        AWS-RunPowerShellScript commands StringList required
        AWS-RunPowerShellScript workingDirectory String ""
        AWS-RunPowerShellScript executionTimeout String "3600"
        AWS-RunShellScript commands StringList required
        AWS-RunShellScript workingDirectory String ""
        AWS-RunShellScript executionTimeout String "3600"
        AWS-StartInteractiveCommand command String required
        AWS-StartNonInteractiveCommand command String required
        AWS-StartNonInteractiveCommand separateOutputStream String "false"
        AWS-StartNonInteractiveCommand stdOutSeparatorPrefix String ""
        AWS-StartNonInteractiveCommand stdErrSeparatorPrefix String ""
        AWS-StartPortForwardingSession portNumber String "80"
        AWS-StartPortForwardingSession localPortNumber String "0"
        AWS-StartPortForwardingSessionToRemoteHost portNumber String "80"
        AWS-StartPortForwardingSessionToRemoteHost localPortNumber String "0"
        AWS-StartPortForwardingSessionToRemoteHost host String "localhost"
        AWS-StartPortForwardingSessionToSocket portNumber String "80"
        AWS-StartPortForwardingSessionToSocket localConnectionType String "unix"
        AWS-StartPortForwardingSessionToSocket localUnixSocket String ""
        AWS-StartSSHSession portNumber String "22"
        Postern-StartTunnelSession destinations StringList "[]"
        "#);
    }

    #[test]
    fn forwarding_to_a_remote_host() {
        let document =
            amazon_document("AWS-StartPortForwardingSessionToRemoteHost").unwrap().session().unwrap();
        let given = BTreeMap::from([
            ("host".to_owned(), vec!["db.internal".to_owned()]),
            ("portNumber".to_owned(), vec!["5432".to_owned()]),
        ]);
        let arguments = document.arguments(&given).unwrap();
        let resolved = document.resolve(arguments.as_map()).unwrap();
        let Properties::Port(port) = resolved.properties else { panic!("not a port session") };
        assert_eq!((port.host.as_str(), port.port_number.as_str()), ("db.internal", "5432"));
        assert_eq!(
            (port.forwarding_type.as_str(), port.local_port_number.as_str()),
            ("LocalPortForwarding", "0")
        );
    }

    #[test]
    fn a_tunnel_says_where_it_will_lead() {
        let document = amazon_document(TUNNEL_DOCUMENT_NAME).unwrap().session().unwrap();
        let destinations = |given: &[&str]| {
            let given = given.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
            let given =
                if given.is_empty() { BTreeMap::new() } else { [("destinations".to_owned(), given)].into() };
            let arguments = document.arguments(&given).map_err(|error| error.to_string())?;
            let resolved = document.resolve(arguments.as_map()).map_err(|error| error.to_string())?;
            let Properties::Port(port) = resolved.properties else { panic!("not a port session") };
            assert_eq!(port.forwarding_type, crate::TUNNEL_TYPE);
            Ok::<_, String>(port.destinations)
        };
        assert_eq!(destinations(&[]), Ok(Vec::new()));
        let two = ["local:tcp:db.internal:5432", "local:unix:/run/x.sock"];
        assert_eq!(destinations(&two), Ok(two.map(str::to_owned).to_vec()));
        assert!(destinations(&["local:tcp:db.internal:5432"; 64]).is_ok());
        assert!(destinations(&["local:tcp:db.internal:5432"; 65]).is_err());
    }

    #[test]
    fn patterns_hold_arguments() {
        let cases = [
            ("AWS-StartSSHSession", "portNumber", "22", true),
            ("AWS-StartSSHSession", "portNumber", "65535", true),
            ("AWS-StartSSHSession", "portNumber", "65536", false),
            ("AWS-StartSSHSession", "portNumber", "0", false),
            ("AWS-StartSSHSession", "portNumber", "", false),
            ("AWS-StartSSHSession", "portNumber", "22;id", false),
            ("AWS-StartPortForwardingSession", "localPortNumber", "0", true),
            ("AWS-StartPortForwardingSession", "localPortNumber", "-1", false),
            ("AWS-StartPortForwardingSessionToRemoteHost", "host", "10.0.0.1", true),
            ("AWS-StartPortForwardingSessionToRemoteHost", "host", "::1", true),
            ("AWS-StartPortForwardingSessionToRemoteHost", "host", "ab", false),
            ("AWS-StartPortForwardingSessionToRemoteHost", "host", "a`id`", false),
            ("AWS-StartPortForwardingSessionToRemoteHost", "host", "a\"bc", false),
            ("Postern-StartTunnelSession", "destinations", "local:tcp:db.internal:5432", true),
            ("Postern-StartTunnelSession", "destinations", "remote:tcp:127.0.0.1:0", true),
            ("Postern-StartTunnelSession", "destinations", "local:udp:[fd00::1]:53", true),
            ("Postern-StartTunnelSession", "destinations", "local:unix:/run/x.sock", true),
            ("Postern-StartTunnelSession", "destinations", "local:unix:run/x.sock", false),
            ("Postern-StartTunnelSession", "destinations", "remote:udp:127.0.0.1:53", false),
            ("Postern-StartTunnelSession", "destinations", "remote:unix:/run/x.sock", false),
            ("Postern-StartTunnelSession", "destinations", "db.internal:5432", false),
            ("Postern-StartTunnelSession", "destinations", "local:tcp:a b:1", false),
            ("Postern-StartTunnelSession", "destinations", "local:tcp:fd00::1:53", false),
        ];
        for (name, parameter, value, is_allowed) in cases {
            let document = amazon_document(name).unwrap().session().unwrap();
            let given = BTreeMap::from([(parameter.to_owned(), vec![value.to_owned()])]);
            assert_eq!(document.arguments(&given).is_ok(), is_allowed, "{name} {parameter}={value}");
        }
    }

    #[test]
    fn a_command_becomes_the_command_line() {
        let document = amazon_document("AWS-StartNonInteractiveCommand").unwrap().session().unwrap();
        let given = BTreeMap::from([
            ("command".to_owned(), vec!["uname -a".to_owned()]),
            ("separateOutputStream".to_owned(), vec!["true".to_owned()]),
        ]);
        let arguments = document.arguments(&given).unwrap();
        let Properties::Commands(commands) = document.resolve(arguments.as_map()).unwrap().properties else {
            panic!("not a command session")
        };
        let linux = commands.linux.unwrap();
        assert_eq!(linux.commands, "uname -a");
        assert!(linux.separate_output_stream && !linux.run_as_elevated);
    }
}
