//! The fields of a forward: texts, numbers and paths between colons.

use std::fmt;
use std::net::Ipv6Addr;

use super::Destination;

/// A port of a host that somebody else looks up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) struct HostPort {
    pub(in super::super) host: String,
    pub(in super::super) port: u16,
}

impl fmt::Display for HostPort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.host.contains(':') {
            true => write!(f, "[{}]:{}", self.host, self.port),
            false => write!(f, "{}:{}", self.host, self.port),
        }
    }
}

/// What stands between two colons.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Field {
    /// Without its brackets.
    pub(super) text: String,
    /// An IPv6 address.
    is_bracketed: bool,
}

impl Field {
    fn is_path(&self) -> bool {
        !self.is_bracketed && self.text.contains('/')
    }
}

/// All fields, which are taken from the end: what is there may be missing at the beginning only.
#[derive(Debug)]
pub(super) struct Fields(Vec<Field>);

impl Fields {
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        if text.is_empty() {
            return Err("nothing is given".to_owned());
        }
        let mut fields = Vec::new();
        let mut rest = Some(text);
        while let Some(text) = rest {
            let (field, behind) = match text.strip_prefix('[') {
                Some(inside) => bracketed(inside)?,
                None => plain(text),
            };
            fields.push(field);
            rest = behind;
        }
        Ok(Self(fields))
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// The last field, if it is a path.
    pub(super) fn take_path(&mut self) -> Option<String> {
        self.0.pop_if(|field| field.is_path()).map(|field| field.text)
    }

    /// The last field, if it is none.
    pub(super) fn take_text(&mut self) -> Option<Field> {
        self.0.pop_if(|field| !field.is_path())
    }

    /// The last field, a port.
    pub(super) fn port(&mut self, forms: &str) -> Result<u16, String> {
        let field = self.0.pop().ok_or_else(|| format!("something is missing; {forms}"))?;
        let text = &field.text;
        if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(format!("{text:?} is no port; {forms}"));
        }
        text.parse().map_err(|_| format!("{text:?} is no port: that is a number up to 65535"))
    }

    /// The last field, if it is a path, or the last two.
    pub(super) fn destination(&mut self, forms: &str) -> Result<Destination, String> {
        if let Some(path) = self.take_path() {
            return Ok(Destination::Socket(path));
        }
        let port = self.port(forms)?;
        if port == 0 {
            return Err("a port to connect to cannot be 0".to_owned());
        }
        let host = self.0.pop().ok_or_else(|| format!("something is missing; {forms}"))?;
        if host.text.is_empty() {
            return Err(format!("the host is missing before \":{port}\""));
        }
        if !is_host(&host) {
            return Err(format!("{:?} is no host; {forms}", host.text));
        }
        Ok(Destination::Port(HostPort { host: host.text, port }))
    }

    /// Nothing is left.
    pub(super) fn end(&self, forms: &str) -> Result<(), String> {
        match self.0.last() {
            None => Ok(()),
            Some(field) => Err(format!("{:?} is too much; {forms}", field.text)),
        }
    }
}

fn is_host(field: &Field) -> bool {
    field.is_bracketed
        || field.text.chars().all(|character| character.is_alphanumeric() || "._-%".contains(character))
}

/// What stands before the next colon, and behind it.
fn plain(text: &str) -> (Field, Option<&str>) {
    let (field, rest) = match text.split_once(':') {
        Some((field, rest)) => (field, Some(rest)),
        None => (text, None),
    };
    (Field { text: field.to_owned(), is_bracketed: false }, rest)
}

/// An IPv6 address whose opening bracket is gone.
fn bracketed(text: &str) -> Result<(Field, Option<&str>), String> {
    let (inside, behind) =
        text.split_once(']').ok_or_else(|| format!("the bracket before {text:?} is not closed"))?;
    let without_zone = inside.split_once('%').map_or(inside, |(address, _)| address);
    if without_zone.parse::<Ipv6Addr>().is_err() {
        return Err(format!("{inside:?} is no IPv6 address; nothing else stands in brackets"));
    }
    let rest = match behind.strip_prefix(':') {
        Some(rest) => Some(rest),
        None if behind.is_empty() => None,
        None => return Err(format!("a colon is missing behind [{inside}]")),
    };
    Ok((Field { text: inside.to_owned(), is_bracketed: true }, rest))
}
