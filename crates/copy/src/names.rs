//! Names and paths: where a copy goes, and what it is called meanwhile.

use aws_lc_rs::digest::{SHA256, digest};

/// The longest name that systems have.
const NAME_BYTES_MAX: usize = 255;

/// Whether `name`, as a node lists it, is the name of one file in a directory.
pub(crate) fn is_name(name: &[u8]) -> bool {
    !matches!(name, b"" | b"." | b"..") && !name.iter().any(|byte| matches!(byte, b'/' | 0))
}

/// The last name of a path; `None` of a path that ends in none, such as `..`.
pub(crate) fn last_name(path: &[u8]) -> Option<&[u8]> {
    let path = trimmed(path);
    let name = path.rsplit(|byte| *byte == b'/').next()?;
    is_name(name).then_some(name)
}

/// `directory/name`.
pub(crate) fn join(directory: &[u8], name: &[u8]) -> Vec<u8> {
    match directory {
        b"" | b"." => name.to_vec(),
        _ if directory.ends_with(b"/") => [directory, name].concat(),
        _ => [directory, b"/", name].concat(),
    }
}

/// What a file is called until all of it is there: hidden, beside its place, and the same the next time.
pub(crate) fn partial_name(name: &[u8]) -> Vec<u8> {
    let partial = [b".", name, b".part"].concat();
    if partial.len() <= NAME_BYTES_MAX {
        return partial;
    }
    let digits: String =
        digest(&SHA256, name).as_ref().iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    format!(".{digits}.part").into_bytes()
}

/// The same for a path.
pub(crate) fn partial_path(path: &[u8]) -> Vec<u8> {
    match path.iter().rposition(|byte| *byte == b'/') {
        Some(slash) => {
            let (directory, name) = path.split_at(slash + 1);
            [directory, &partial_name(name)].concat()
        }
        None => partial_name(path),
    }
}

/// A path as the node takes it: what begins in the home directory is relative.
pub(crate) fn from_home(path: &[u8]) -> Vec<u8> {
    match path {
        b"" | b"~" => b".".to_vec(),
        [b'~', b'/', rest @ ..] if rest.iter().all(|byte| *byte == b'/') => b".".to_vec(),
        [b'~', b'/', rest @ ..] => {
            let start = rest.iter().position(|byte| *byte != b'/').unwrap_or_default();
            rest[start..].to_vec()
        }
        path => path.to_vec(),
    }
}

fn trimmed(path: &[u8]) -> &[u8] {
    let end = path.iter().rposition(|byte| *byte != b'/').map_or(0, |at| at + 1);
    &path[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_are_names() {
        for name in [&b""[..], b".", b"..", b"/", b"a/b", b"../x", b"/etc/passwd", b"a\0b"] {
            assert!(!is_name(name), "{name:?}");
        }
        for name in [&b"a"[..], b"...", b".ssh", b"a b", b"\xff\x1b[31m", b"-rf"] {
            assert!(is_name(name), "{name:?}");
        }
    }

    #[test]
    fn last_names() {
        for (path, name) in [
            (&b"a"[..], Some(&b"a"[..])),
            (b"/a/b", Some(b"b")),
            (b"a/b//", Some(b"b")),
            (b"/", None),
            (b"a/..", None),
            (b".", None),
            (b"", None),
        ] {
            assert_eq!(last_name(path), name, "{path:?}");
        }
    }

    #[test]
    fn partial_names_are_hidden_and_not_too_long() {
        assert_eq!(partial_path(b"/a/b.txt"), b"/a/.b.txt.part");
        assert_eq!(partial_path(b"b"), b".b.part");
        let long = partial_name(&[b'x'; 255]);
        assert!(long.len() < 50 && long != partial_name(&[b'y'; 255]));
    }

    #[test]
    fn home_is_where_paths_begin() {
        for (path, expected) in [
            (&b""[..], &b"."[..]),
            (b"~", b"."),
            (b"~/", b"."),
            (b"~//a", b"a"),
            (b"~a", b"~a"),
            (b"/x", b"/x"),
            (b"x/~", b"x/~"),
        ] {
            assert_eq!(from_home(path), expected);
        }
    }
}
