//! Where a file is, as scp has it.

use std::convert::Infallible;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::PathBuf;

use clap::builder::{OsStringValueParser, TypedValueParser, ValueParser, ValueParserFactory};

/// A path on this machine or on a node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
    Local(PathBuf),
    /// `NODE:PATH`.
    Remote {
        node: String,
        path: Vec<u8>,
    },
}

impl Place {
    /// A colon before the first slash ends the name of a node. `./a:b` is a file of this machine.
    pub(super) fn parse(text: &OsStr) -> Self {
        let bytes = text.as_bytes();
        let end = bytes.iter().position(|byte| matches!(byte, b':' | b'/'));
        match end.and_then(|end| bytes.split_at_checked(end)) {
            Some((node, [b':', path @ ..])) if !node.is_empty() => match std::str::from_utf8(node) {
                Ok(node) => Self::Remote { node: node.to_owned(), path: path.to_vec() },
                // No node is called that.
                Err(_) => Self::local(text),
            },
            _ => Self::local(text),
        }
    }

    fn local(text: &OsStr) -> Self {
        Self::Local(OsString::from_vec(text.as_bytes().to_vec()).into())
    }
}

impl ValueParserFactory for Place {
    type Parser = ValueParser;

    fn value_parser() -> Self::Parser {
        OsStringValueParser::new().try_map(|text| Ok::<_, Infallible>(Self::parse(&text))).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_colon_before_a_slash_names_a_node() {
        let remote = |node: &str, path: &str| Place::Remote { node: node.into(), path: path.into() };
        for (text, expected) in [
            ("mi-1:/etc/hosts", remote("mi-1", "/etc/hosts")),
            ("mi-1:", remote("mi-1", "")),
            ("mi-1:a:b", remote("mi-1", "a:b")),
            ("./a:b", Place::Local("./a:b".into())),
            ("/a:b", Place::Local("/a:b".into())),
            (":a", Place::Local(":a".into())),
            ("a", Place::Local("a".into())),
        ] {
            assert_eq!(Place::parse(text.as_ref()), expected, "{text}");
        }
    }
}
