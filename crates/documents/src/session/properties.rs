//! `properties`: what a session runs, or where it connects.
//!
//! Sources: agent/session/contracts/model.go and agent/session/plugins/ of aws/amazon-ssm-agent.

use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::switch::Switch;
use super::{DocumentError, SessionType, unknown_field as unknown_in};
use crate::substitute::has_reference;

const PLATFORMS: &[&str] = &["windows", "linux", "macos"];
const COMMAND_FIELDS: &[&str] = &["commands", "runAsElevated"];
const SEPARATE_FIELDS: &[&str] =
    &["commands", "runAsElevated", "separateOutputStream", "stdOutSeparatorPrefix", "stdErrSeparatorPrefix"];
const PORT_FIELDS: &[&str] = &[
    "portNumber",
    "type",
    "localPortNumber",
    "localConnectionType",
    "localUnixSocket",
    "host",
    "destinations",
];

/// The agent takes no longer prefix, and none with other characters.
const SEPARATOR_PREFIX_MAX: usize = 30;

/// The `type` of a port session that leads to the file server of Postern's agent instead of a port. Only that agent knows it;
/// AWS's finds no port and says so.
pub const SFTP_TYPE: &str = "SFTP";

/// The `type` of a port session that leads to no port of its own: its client asks for each connection by itself. Only Postern's
/// agent knows it.
pub const TUNNEL_TYPE: &str = "Tunnel";

/// The type of a port session whose client listens on a port of its own.
const FORWARDING_TYPE: &str = "LocalPortForwarding";

/// What a node does in a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Properties {
    /// A shell or a command, by platform.
    Commands(CommandProperties),
    /// A connection.
    Port(PortProperties),
}

/// A command for each platform; a platform without one gets its shell.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CommandProperties {
    /// On Windows.
    pub windows: Option<Commands>,
    /// On Linux.
    pub linux: Option<Commands>,
    /// On macOS.
    pub macos: Option<Commands>,
}

/// A command and how to run it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Commands {
    /// The command line; empty for the shell itself.
    pub commands: String,
    /// Whether it runs as root (Windows: as SYSTEM).
    pub run_as_elevated: bool,
    /// Whether standard error goes its own way.
    pub separate_output_stream: bool,
    /// What stands before standard output.
    pub stdout_separator_prefix: String,
    /// What stands before standard error.
    pub stderr_separator_prefix: String,
}

/// Where a port session connects. All are texts, because the plugin reads them as texts.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct PortProperties {
    /// The port that the node connects to.
    pub port_number: String,
    /// `LocalPortForwarding`, [`SFTP_TYPE`], [`TUNNEL_TYPE`], or empty for a plain stream as SSH wants it.
    #[serde(rename = "type")]
    pub forwarding_type: String,
    /// The host that the node connects to; empty for itself.
    pub host: String,
    /// The port that the client listens on; empty or `0` for any.
    pub local_port_number: String,
    /// `unix` if the client listens on a socket file.
    pub local_connection_type: String,
    /// That file.
    pub local_unix_socket: String,
    /// Of [`TUNNEL_TYPE`]: what the client said that it will ask for, each as `direction:protocol:host:port`, or
    /// `local:unix:/path`.
    #[serde(deserialize_with = "texts")]
    pub destinations: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PlatformCommands {
    windows: Option<CommandsSource>,
    linux: Option<CommandsSource>,
    macos: Option<CommandsSource>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct CommandsSource {
    commands: Option<Lines>,
    run_as_elevated: Option<Switch>,
    separate_output_stream: Option<Switch>,
    std_out_separator_prefix: Option<String>,
    std_err_separator_prefix: Option<String>,
}

/// A command line, or several.
#[derive(Deserialize)]
#[serde(untagged)]
enum Lines {
    One(String),
    Many(Vec<String>),
}

/// Refuses properties that no argument could make sensible.
pub(super) fn check(session_type: SessionType, properties: &Value) -> Result<(), DocumentError> {
    if session_type == SessionType::Port {
        let port = read_port(properties)?;
        if port.port_number.is_empty() && ![SFTP_TYPE, TUNNEL_TYPE].contains(&&*port.forwarding_type) {
            return Err(DocumentError::field("properties.portNumber", "a port session needs one"));
        }
        return Ok(());
    }
    let read = read_commands(properties)?;
    for (platform, source) in read.platforms() {
        let place = |field: &str| format!("properties.{platform}.{field}");
        if let Some(switch) = &source.run_as_elevated {
            switch.check(&place("runAsElevated"))?;
        }
        if let Some(switch) = &source.separate_output_stream {
            switch.check(&place("separateOutputStream"))?;
        }
        for (field, prefix) in source.prefixes() {
            if !has_reference(prefix) {
                check_prefix(&place(field), prefix)?;
            }
        }
    }
    if session_type != SessionType::StandardStream
        && read.platforms().all(|(_, source)| source.command_line().is_empty())
    {
        return Err(DocumentError::field("properties", format!("{} needs commands", session_type.as_str())));
    }
    Ok(())
}

/// What whoever writes a document is told, and whoever receives one is not.
pub(super) fn check_written(session_type: SessionType, properties: &Value) -> Result<(), DocumentError> {
    if session_type != SessionType::Port {
        return Ok(());
    }
    let port = read_port(properties)?;
    let is_known = |text: &str, form: fn(&str) -> bool| has_reference(text) || form(text);
    if !is_known(&port.forwarding_type, |text| ["", FORWARDING_TYPE, SFTP_TYPE, TUNNEL_TYPE].contains(&text))
    {
        let reason =
            format!("{:.80?} is no type of port session; write \"{FORWARDING_TYPE}\"", port.forwarding_type);
        return Err(DocumentError::field("properties.type", reason));
    }
    let numbers = [("portNumber", &port.port_number, 1), ("localPortNumber", &port.local_port_number, 0)];
    for (name, text, least) in numbers {
        let is_port = text.is_empty() || text.parse::<u16>().is_ok_and(|port| port >= least);
        if !has_reference(text) && !is_port {
            let reason = format!("{text:.80?} is not the number of a port from {least} to 65535");
            return Err(DocumentError::field(format!("properties.{name}"), reason));
        }
    }
    Ok(())
}

/// The properties, once references have been replaced.
pub(super) fn resolved(session_type: SessionType, properties: &Value) -> Result<Properties, DocumentError> {
    if session_type == SessionType::Port {
        return read_port(properties).map(Properties::Port);
    }
    let read = read_commands(properties)?;
    let resolve = |platform, source: Option<CommandsSource>| {
        source.map(|source: CommandsSource| source.resolved(platform)).transpose()
    };
    Ok(Properties::Commands(CommandProperties {
        windows: resolve("windows", read.windows)?,
        linux: resolve("linux", read.linux)?,
        macos: resolve("macos", read.macos)?,
    }))
}

/// A field that this version does not know.
pub(super) fn unknown_field(session_type: SessionType, properties: &Value) -> Option<String> {
    let of_platform = match session_type {
        SessionType::Port => return unknown_in("properties.", properties, PORT_FIELDS),
        SessionType::NonInteractiveCommands => SEPARATE_FIELDS,
        SessionType::StandardStream | SessionType::InteractiveCommands => COMMAND_FIELDS,
    };
    unknown_in("properties.", properties, PLATFORMS).or_else(|| {
        PLATFORMS.iter().find_map(|platform| {
            unknown_in(&format!("properties.{platform}."), properties.get(platform)?, of_platform)
        })
    })
}

/// A list, or what stands in its place until there are arguments.
fn texts<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Texts {
        List(Vec<String>),
        Reference(String),
    }
    match Texts::deserialize(deserializer)? {
        Texts::List(list) => Ok(list),
        Texts::Reference(text) if has_reference(&text) => Ok(Vec::new()),
        Texts::Reference(text) => {
            Err(serde::de::Error::custom(format!("{text:.80?} is not a list of texts")))
        }
    }
}

fn read_port(properties: &Value) -> Result<PortProperties, DocumentError> {
    PortProperties::deserialize(properties).map_err(|error| DocumentError::json("properties", &error))
}

fn read_commands(properties: &Value) -> Result<PlatformCommands, DocumentError> {
    if properties.is_null() {
        return Ok(PlatformCommands { windows: None, linux: None, macos: None });
    }
    PlatformCommands::deserialize(properties).map_err(|error| DocumentError::json("properties", &error))
}

impl PlatformCommands {
    fn platforms(&self) -> impl Iterator<Item = (&'static str, &CommandsSource)> {
        [("windows", &self.windows), ("linux", &self.linux), ("macos", &self.macos)]
            .into_iter()
            .filter_map(|(platform, source)| Some((platform, source.as_ref()?)))
    }
}

impl CommandsSource {
    fn command_line(&self) -> String {
        match &self.commands {
            None => String::new(),
            Some(Lines::One(line)) => line.clone(),
            Some(Lines::Many(lines)) => lines.join("\n"),
        }
    }

    fn prefixes(&self) -> impl Iterator<Item = (&'static str, &str)> {
        [
            ("stdOutSeparatorPrefix", &self.std_out_separator_prefix),
            ("stdErrSeparatorPrefix", &self.std_err_separator_prefix),
        ]
        .into_iter()
        .filter_map(|(field, prefix)| Some((field, prefix.as_deref()?)))
    }

    fn resolved(self, platform: &str) -> Result<Commands, DocumentError> {
        let place = |field: &str| format!("properties.{platform}.{field}");
        for (field, prefix) in self.prefixes() {
            check_prefix(&place(field), prefix)?;
        }
        let switch = |field: &str, switch: &Option<Switch>| {
            switch.as_ref().map_or(Ok(false), |switch| switch.resolved(&place(field)))
        };
        Ok(Commands {
            commands: self.command_line(),
            run_as_elevated: switch("runAsElevated", &self.run_as_elevated)?,
            separate_output_stream: switch("separateOutputStream", &self.separate_output_stream)?,
            stdout_separator_prefix: self.std_out_separator_prefix.unwrap_or_default(),
            stderr_separator_prefix: self.std_err_separator_prefix.unwrap_or_default(),
        })
    }
}

fn check_prefix(place: &str, prefix: &str) -> Result<(), DocumentError> {
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"\r\n_:-".contains(&byte);
    if prefix.len() > SEPARATOR_PREFIX_MAX || !prefix.bytes().all(is_allowed) {
        let reason = format!(
            "{prefix:?} is not at most {SEPARATOR_PREFIX_MAX} letters, digits, _, :, - and line ends"
        );
        return Err(DocumentError::field(place, reason));
    }
    Ok(())
}
