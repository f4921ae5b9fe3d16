//! The cores do no I/O, read no clock, draw no random numbers: time and randomness come in as arguments.

use super::edges::{dependencies, is_named};
use super::repository::{File, Repository};

/// The crates that are cores.
const PURE: [&str; 9] =
    ["documents", "iam", "ids", "log-filter", "protocol", "session-log", "sftp", "sigv4", "timeline"];

/// What a core cannot depend on.
const DEPENDENCIES: [&str; 14] = [
    "async-*",
    "aws-lc-rs",
    "axum*",
    "fastrand",
    "futures*",
    "getrandom",
    "hyper*",
    "libc",
    "mio",
    "rand*",
    "rustix",
    "socket2",
    "sqlx*",
    "tokio*",
];

/// What the source of a core cannot say.
const SOURCE: [(&str, &str); 14] = [
    ("std::env", "the environment"),
    ("std::fs", "files"),
    ("std::net", "sockets"),
    ("std::os", "the operating system"),
    ("std::process", "processes"),
    ("std::thread", "threads"),
    ("SystemTime", "a clock"),
    ("Instant::now", "a clock"),
    ("Timestamp::now", "a clock"),
    ("Zoned::now", "a clock"),
    ("new_v4", "randomness"),
    ("RandomState", "randomness"),
    ("println!", "a terminal"),
    ("tokio::", "a runtime"),
];

/// What source outside some crates cannot say, and why.
const ELSEWHERE: [(&str, &[&str], &str); 4] = [
    ("unsafe {", &["pty"], "pty is the only crate with unsafe code"),
    ("unsafe fn", &["pty"], "pty is the only crate with unsafe code"),
    ("unsafe_code", &["pty"], "pty is the only crate with unsafe code"),
    // The client, the agent and their tunnel listen on this machine, to forward what connects there; `hostile` answers its own
    // dialler.
    (
        "TcpListener",
        &["agent", "client", "tunnel", "server", "cli", "hostile"],
        "only programs and what they forward accept connections",
    ),
];

pub(crate) fn breaches(repository: &Repository) -> Vec<String> {
    let mut breaches = Vec::new();
    for (name, manifest) in repository.manifests() {
        if PURE.contains(&name) {
            for dependency in dependencies(&manifest) {
                if DEPENDENCIES.iter().any(|pattern| is_named(pattern, &dependency)) {
                    breaches
                        .push(format!("crates/{name}/Cargo.toml: a core must not depend on {dependency}"));
                }
            }
            for file in repository.sources_of(name) {
                for (text, what) in SOURCE {
                    breaches.extend(
                        places(file, text).map(|place| format!("{place}: a core must not reach {what}")),
                    );
                }
            }
        }
        for file in repository.sources_of(name) {
            for (text, crates, reason) in ELSEWHERE {
                if !crates.contains(&name) {
                    breaches.extend(places(file, text).map(|place| format!("{place}: {reason}")));
                }
            }
        }
    }
    breaches
}

/// Where the code of a file says `text`; comments may.
fn places<'a>(file: &'a File, text: &'a str) -> impl Iterator<Item = String> + 'a {
    file.lines_before_tests()
        .filter(move |(_, line)| line.split("//").next().unwrap_or_default().contains(text))
        .map(|(number, _)| format!("{}:{number}", file.path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_core_reaches_nothing() {
        let manifest = "[dependencies]\ntokio-util.workspace = true\n";
        let source = "//! Core.\n// SystemTime is not for us.\nfn f(now: Instant) { let t = Instant::now(); }\n\
                      #[cfg(test)]\nmod tests { fn g() { std::fs::read(\"x\"); } }\n";
        let repository = Repository::of(&[
            ("crates/ids/Cargo.toml", manifest),
            ("crates/ids/src/lib.rs", source),
            ("crates/ids/src/lib/tests.rs", "use std::fs;"),
            ("crates/store/Cargo.toml", manifest),
            ("crates/store/src/lib.rs", source),
        ]);
        assert_eq!(
            breaches(&repository),
            [
                "crates/ids/Cargo.toml: a core must not depend on tokio-util",
                "crates/ids/src/lib.rs:3: a core must not reach a clock"
            ]
        );
    }

    #[test]
    fn unsafe_code_has_one_place() {
        let source = "fn f() { unsafe { g() } }";
        let repository = Repository::of(&[
            ("crates/pty/Cargo.toml", ""),
            ("crates/pty/src/lib.rs", source),
            ("crates/agent/Cargo.toml", ""),
            ("crates/agent/src/lib.rs", source),
        ]);
        assert_eq!(
            breaches(&repository),
            ["crates/agent/src/lib.rs:1: pty is the only crate with unsafe code"]
        );
    }
}
