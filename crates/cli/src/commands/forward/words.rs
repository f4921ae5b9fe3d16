//! What is forwarded, in the words of ssh(1): `-L 8080:db.internal:5432` and its like.

mod fields;

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use self::fields::{Field, Fields, HostPort};

/// The options by which forwards are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// `-L`: what connects here leads to where the node connects.
    Local,
    /// `-R`: what connects at the node leads to where this machine connects.
    Remote,
    /// `-D`: SOCKS; each connection says where it leads.
    Dynamic,
    /// `-U`: datagrams, as `-L` for connections.
    Udp,
}

impl Kind {
    /// Of the option's letter; anything else is taken for `-L`, whose forms are told then.
    pub(super) fn of(letter: char) -> Self {
        match letter {
            'R' => Self::Remote,
            'D' => Self::Dynamic,
            'U' => Self::Udp,
            _ => Self::Local,
        }
    }
}

/// One forward, and which node it goes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wanted {
    /// As it was named; the first of the nodes if it was not.
    pub(super) node: Option<String>,
    pub(super) forward: Forward,
}

/// One forward.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Forward {
    Local { listen: Place, to: Destination },
    Remote { listen: HostPort, to: Destination },
    Dynamic { listen: SocketAddr },
    Udp { listen: SocketAddr, to: HostPort },
}

/// What is listened on, on this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
    /// Any port that is free for 0.
    Port(SocketAddr),
    /// A socket file, which is made.
    Socket(PathBuf),
}

/// Where connections lead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Destination {
    Port(HostPort),
    /// A socket file that is there.
    Socket(String),
}

/// What is wrong with a forward, and what to write instead.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{kind} {text}: {wrong}")]
pub(super) struct WordsError {
    kind: Kind,
    text: String,
    wrong: String,
}

/// `BIND:PORT:HOST:PORT`.
const FIELDS_MAX: usize = 4;

impl Wanted {
    /// Reads what follows the option.
    pub(super) fn parse(kind: Kind, text: &str) -> Result<Self, WordsError> {
        let failed = |wrong: String| WordsError { kind, text: text.to_owned(), wrong };
        let (node, rest) = split_node(text);
        let fields = Fields::parse(rest).map_err(failed)?;
        if fields.len() > FIELDS_MAX {
            return Err(failed(
                "it has too many colons; IPv6 addresses stand in brackets, as [fd00::1]".into(),
            ));
        }
        let forward = match kind {
            Kind::Local => local(fields),
            Kind::Remote => remote(fields),
            Kind::Dynamic => dynamic(fields),
            Kind::Udp => udp(fields),
        };
        Ok(Self { node: node.map(ToOwned::to_owned), forward: forward.map_err(failed)? })
    }
}

impl Wanted {
    /// The letter of its option, and what follows that.
    pub(super) fn typed(&self) -> (char, String) {
        let (kind, rest) = match &self.forward {
            Forward::Local { listen, to } => ('L', format!("{listen}:{to}")),
            Forward::Remote { listen, to } => ('R', format!("{listen}:{to}")),
            Forward::Dynamic { listen } => ('D', listen.to_string()),
            Forward::Udp { listen, to } => ('U', format!("{listen}:{to}")),
        };
        match &self.node {
            Some(node) => (kind, format!("{node}/{rest}")),
            None => (kind, rest),
        }
    }
}

/// `NODE/` stands before the rest. What begins with a slash, `./` or `../` is the path of a socket file.
fn split_node(text: &str) -> (Option<&str>, &str) {
    match text.split_once('/') {
        Some((node, rest)) if !matches!(node, "" | "." | "..") && !node.contains([':', '[']) => {
            (Some(node), rest)
        }
        _ => (None, text),
    }
}

const LOCAL_FORMS: &str =
    "write [BIND:]PORT:HOST:PORT, [BIND:]PORT:/NODE.SOCK, /LOCAL.SOCK:HOST:PORT or /LOCAL.SOCK:/NODE.SOCK";

fn local(mut fields: Fields) -> Result<Forward, String> {
    let to = fields.destination(LOCAL_FORMS)?;
    let listen = match fields.take_path() {
        Some(path) => Place::Socket(path.into()),
        None => Place::Port(bind(&mut fields, LOCAL_FORMS)?),
    };
    fields.end(LOCAL_FORMS)?;
    if let Destination::Socket(path) = &to
        && !path.starts_with('/')
    {
        return Err(format!(
            "the path of a socket file at the node must begin with /, and {path:?} does not"
        ));
    }
    Ok(Forward::Local { listen, to })
}

const REMOTE_FORMS: &str = "write [BIND:]PORT:HOST:PORT or [BIND:]PORT:/LOCAL.SOCK";

fn remote(mut fields: Fields) -> Result<Forward, String> {
    if fields.len() < 2 {
        return Err(format!("SOCKS at the node is not possible; {REMOTE_FORMS}"));
    }
    let to = fields.destination(REMOTE_FORMS)?;
    if fields.take_path().is_some() {
        return Err(format!("at the node only a port can be listened on; {REMOTE_FORMS}"));
    }
    let port = fields.port(REMOTE_FORMS)?;
    let host = match fields.take_text() {
        None => Ipv4Addr::LOCALHOST.to_string(),
        Some(Field { text, .. }) if text.is_empty() || text == "*" => Ipv4Addr::UNSPECIFIED.to_string(),
        Some(Field { text, .. }) => text,
    };
    fields.end(REMOTE_FORMS)?;
    Ok(Forward::Remote { listen: HostPort { host, port }, to })
}

const DYNAMIC_FORMS: &str = "write [BIND:]PORT";

fn dynamic(mut fields: Fields) -> Result<Forward, String> {
    if fields.len() > 2 {
        return Err(format!("each connection says where it leads; {DYNAMIC_FORMS}"));
    }
    let listen = bind(&mut fields, DYNAMIC_FORMS)?;
    fields.end(DYNAMIC_FORMS)?;
    Ok(Forward::Dynamic { listen })
}

const UDP_FORMS: &str = "write [BIND:]PORT:HOST:PORT";

fn udp(mut fields: Fields) -> Result<Forward, String> {
    let Destination::Port(to) = fields.destination(UDP_FORMS)? else {
        return Err(format!("datagrams lead to ports only; {UDP_FORMS}"));
    };
    let listen = bind(&mut fields, UDP_FORMS)?;
    fields.end(UDP_FORMS)?;
    Ok(Forward::Udp { listen, to })
}

/// `[BIND:]PORT`; the loopback address if there is no other.
fn bind(fields: &mut Fields, forms: &str) -> Result<SocketAddr, String> {
    let port = fields.port(forms)?;
    let address = match fields.take_text() {
        None => IpAddr::V4(Ipv4Addr::LOCALHOST),
        Some(Field { text, .. }) if text == "localhost" => IpAddr::V4(Ipv4Addr::LOCALHOST),
        Some(Field { text, .. }) if text.is_empty() || text == "*" => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
        Some(Field { text, .. }) => text.parse().map_err(|_| {
            format!("{text:?} is no address of this machine; write an IP address, localhost, or * for all")
        })?,
    };
    Ok(SocketAddr::new(address, port))
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Local => "-L",
            Self::Remote => "-R",
            Self::Dynamic => "-D",
            Self::Udp => "-U",
        })
    }
}

/// As it can be typed.
impl fmt::Display for Forward {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Local { listen, to } => write!(f, "-L {listen}:{to}"),
            Self::Remote { listen, to } => write!(f, "-R {listen}:{to}"),
            Self::Dynamic { listen } => write!(f, "-D {listen}"),
            Self::Udp { listen, to } => write!(f, "-U {listen}:{to}"),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Port(address) => address.fmt(f),
            Self::Socket(path) => path.display().fmt(f),
        }
    }
}

impl fmt::Display for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Port(to) => to.fmt(f),
            Self::Socket(path) => path.fmt(f),
        }
    }
}

impl Forward {
    /// Whether `asked`, as it was typed, means this one, which listens on `port` where any was asked for.
    pub(super) fn is_meant_by(&self, asked: &Self, port: Option<u16>) -> bool {
        let mut bound = self.clone();
        if let Some(port) = port {
            match &mut bound {
                Self::Local { listen: Place::Port(listen), .. }
                | Self::Dynamic { listen }
                | Self::Udp { listen, .. } => listen.set_port(port),
                Self::Remote { listen, .. } => listen.port = port,
                Self::Local { .. } => {}
            }
        }
        self == asked || bound == *asked
    }

    /// What the session's document is told of it: `local:tcp:db.internal:5432`. Where SOCKS leads is not known before.
    pub(super) fn declared(&self) -> Option<String> {
        match self {
            Self::Local { to: Destination::Port(to), .. } => Some(format!("local:tcp:{to}")),
            Self::Local { to: Destination::Socket(path), .. } => Some(format!("local:unix:{path}")),
            Self::Remote { listen, .. } => Some(format!("remote:tcp:{listen}")),
            Self::Udp { to, .. } => Some(format!("local:udp:{to}")),
            Self::Dynamic { .. } => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn forward(kind: Kind, text: &str) -> Wanted {
        Wanted::parse(kind, text).unwrap_or_else(|error| panic!("{error}"))
    }

    #[test]
    fn the_forms_of_ssh_are_read_and_written() {
        for (kind, text, written) in [
            (Kind::Local, "8080:db.internal:5432", "-L 127.0.0.1:8080:db.internal:5432"),
            (Kind::Local, "*:8080:db:5432", "-L 0.0.0.0:8080:db:5432"),
            (Kind::Local, ":8080:db:5432", "-L 0.0.0.0:8080:db:5432"),
            (Kind::Local, "localhost:0:[fd00::1]:53", "-L 127.0.0.1:0:[fd00::1]:53"),
            (Kind::Local, "[::1]:8080:[fd00::1]:53", "-L [::1]:8080:[fd00::1]:53"),
            (Kind::Local, "8080:/run/db.sock", "-L 127.0.0.1:8080:/run/db.sock"),
            (Kind::Local, "127.0.0.2:8080:/run/db.sock", "-L 127.0.0.2:8080:/run/db.sock"),
            (Kind::Local, "/tmp/l.sock:db:5432", "-L /tmp/l.sock:db:5432"),
            (Kind::Local, "./l.sock:/run/db.sock", "-L ./l.sock:/run/db.sock"),
            (Kind::Remote, "8080:localhost:80", "-R 127.0.0.1:8080:localhost:80"),
            (Kind::Remote, "*:8080:localhost:80", "-R 0.0.0.0:8080:localhost:80"),
            (Kind::Remote, "[::]:0:/tmp/here.sock", "-R [::]:0:/tmp/here.sock"),
            (Kind::Dynamic, "1080", "-D 127.0.0.1:1080"),
            (Kind::Dynamic, "[::1]:1080", "-D [::1]:1080"),
            (Kind::Udp, "5353:9.9.9.9:53", "-U 127.0.0.1:5353:9.9.9.9:53"),
        ] {
            let wanted = forward(kind, text);
            assert_eq!((&wanted.node, wanted.forward.to_string()), (&None, written.to_owned()), "{text}");
            let again = written.split_once(' ').unwrap().1;
            assert_eq!(forward(kind, again).forward, wanted.forward, "{written}");
            let named = Wanted { node: Some("web".into()), forward: wanted.forward };
            let (letter, typed) = named.typed();
            assert_eq!(forward(Kind::of(letter), &typed), named, "{typed}");
        }
    }

    #[test]
    fn a_node_stands_before_a_slash() {
        for (text, node, rest) in [
            ("web/8080:db:80", Some("web"), "8080:db:80"),
            ("mi-1//tmp/l:db:80", Some("mi-1"), "/tmp/l:db:80"),
            ("mi-1/8080:/run/s", Some("mi-1"), "8080:/run/s"),
            ("8080:/run/s", None, "8080:/run/s"),
            ("../l.sock:db:80", None, "../l.sock:db:80"),
            ("[::1]:80:/run/s", None, "[::1]:80:/run/s"),
        ] {
            assert_eq!(split_node(text), (node, rest), "{text}");
        }
    }

    #[test]
    fn what_is_wrong_is_said_with_what_to_write() {
        for (kind, text, expected) in [
            (Kind::Local, "8080:db", "\"db\" is no port"),
            (Kind::Local, "8080", "write [BIND:]PORT:HOST:PORT"),
            (Kind::Local, "8080:db:99999", "\"99999\" is no port: that is a number up to 65535"),
            (Kind::Local, "8080:db:0", "a port to connect to cannot be 0"),
            (Kind::Local, "8080::80", "the host is missing before \":80\""),
            (Kind::Local, "x:8080:db:80", "\"x\" is no address of this machine"),
            (Kind::Local, "8080:fd00::1:80", "IPv6 addresses stand in brackets"),
            (Kind::Local, "8080:[fd00::1:80", "the bracket"),
            (Kind::Local, "8080:[fd00::1]80", "a colon is missing behind"),
            (Kind::Local, "8080:[db]:80", "\"db\" is no IPv6 address"),
            (Kind::Local, "8080:./s", "must begin with /"),
            (Kind::Local, "8080:a b:80", "\"a b\" is no host"),
            (Kind::Remote, "8080", "SOCKS at the node is not possible"),
            (Kind::Remote, "/run/s:localhost:80", "at the node only a port can be listened on"),
            (Kind::Dynamic, "8080:db:80", "write [BIND:]PORT"),
            (Kind::Udp, "53:/run/s", "datagrams lead to ports only"),
            (Kind::Udp, "", "nothing is given"),
        ] {
            let error = Wanted::parse(kind, text).unwrap_err().to_string();
            assert!(error.contains(expected), "{kind} {text}: {error}");
            assert!(error.starts_with(&format!("{kind} {text}: ")), "{error}");
        }
    }

    #[test]
    fn destinations_are_declared() {
        for (kind, text, expected) in [
            (Kind::Local, "8080:db.internal:5432", Some("local:tcp:db.internal:5432")),
            (Kind::Local, "8080:/run/x.sock", Some("local:unix:/run/x.sock")),
            (Kind::Remote, "8080:localhost:80", Some("remote:tcp:127.0.0.1:8080")),
            (Kind::Udp, "53:[fd00::1]:53", Some("local:udp:[fd00::1]:53")),
            (Kind::Dynamic, "1080", None),
        ] {
            assert_eq!(forward(kind, text).forward.declared().as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn a_forward_is_known_by_its_words_and_by_its_port() {
        let any = forward(Kind::Local, "0:db:80").forward;
        assert!(any.is_meant_by(&any, Some(4711)));
        assert!(any.is_meant_by(&forward(Kind::Local, "4711:db:80").forward, Some(4711)));
        assert!(!any.is_meant_by(&forward(Kind::Local, "4712:db:80").forward, Some(4711)));
        assert!(!any.is_meant_by(&forward(Kind::Local, "4711:db:81").forward, Some(4711)));
    }
}
