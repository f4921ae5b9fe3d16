//! Which crate may depend on which: dependencies point one way, from programs to engines to cores.

use super::repository::Repository;

/// Every crate with the crates of ours that it may depend on. A new crate gets a line here.
const EDGES: &[(&str, &[&str])] = &[
    ("agent", &["api", "cipher", "dial", "documents", "ids", "protocol", "pty", "sftp", "sigv4", "tunnel"]),
    ("api", &[]),
    ("audit", &["audit-format", "ids", "private-files"]),
    ("audit-format", &["ids"]),
    ("cipher", &["protocol"]),
    ("cli", &["api", "audit-format", "client", "copy", "dial", "ids", "recording", "timeline"]),
    ("client", &["api", "cipher", "dial", "ids", "protocol", "sigv4", "tunnel"]),
    ("console-assets", &[]),
    ("copy", &["sftp"]),
    ("dial", &["sigv4"]),
    ("documents", &["ids"]),
    ("gateway", &["cipher", "documents", "ids", "protocol", "recording", "sftp", "store"]),
    (
        "hostile",
        &[
            "api",
            "dial",
            "iam",
            "ids",
            "log-filter",
            "protocol",
            "server",
            "sftp",
            "sigv4",
            "store",
            "timeline",
            "tunnel",
            "webauthn",
        ],
    ),
    ("iam", &[]),
    ("ids", &[]),
    ("log-filter", &[]),
    ("logs", &["log-filter"]),
    ("objects", &["store"]),
    ("private-files", &[]),
    ("protocol", &["ids"]),
    ("pty", &[]),
    ("recording", &["ids", "private-files"]),
    ("s3", &["objects", "sigv4", "store"]),
    ("search", &["ids", "recording", "timeline"]),
    ("session-log", &["ids"]),
    ("sftp", &[]),
    (
        "server",
        &[
            "api",
            "audit",
            "console-assets",
            "dial",
            "documents",
            "gateway",
            "iam",
            "ids",
            "log-filter",
            "logs",
            "objects",
            "recording",
            "s3",
            "search",
            "session-log",
            "sigv4",
            "store",
            "timeline",
            "webauthn",
        ],
    ),
    ("sigv4", &[]),
    ("store", &["ids"]),
    ("timeline", &[]),
    ("tunnel", &["protocol"]),
    ("webauthn", &[]),
];

/// Dependencies from outside that a crate must not have, and why. A name that ends in `*` stands for all that begin
/// with what comes before.
const BARRED: &[(&str, &[&str], &str)] = &[
    ("agent", &["sqlx*", "axum*"], "an agent is small: no database, no web server"),
    ("api", &["axum*", "hyper*", "sqlx*", "tokio*"], "shapes and their wire forms need no I/O"),
    ("audit", &["axum*", "http", "hyper*"], "it answers no requests"),
    ("audit-format", &["axum*", "http", "hyper*", "sqlx*", "tokio*"], "whoever verifies needs files only"),
    ("cli", &["sqlx*", "axum*"], "the server is reached through its API"),
    ("client", &["sqlx*", "axum*"], "the server is reached through its API"),
    ("dial", &["axum*", "sqlx*"], "it opens connections and accepts none"),
    ("gateway", &["axum*", "sqlx*"], "routes are the server's, SQL is the store's"),
    ("logs", &["axum*", "http", "hyper*"], "it answers no requests"),
    ("recording", &["axum*", "http", "hyper*", "sqlx*", "tokio*"], "it writes files"),
    ("s3", &["axum*", "sqlx*"], "it serves what a store gives it"),
    ("search", &["axum*", "http", "hyper*"], "it answers no requests"),
    ("store", &["axum*", "http", "hyper*"], "it answers no requests"),
    (
        "webauthn",
        &["axum*", "http", "hyper*", "sqlx*", "tokio*"],
        "what it checks, others receive and remember",
    ),
];

pub(crate) fn breaches(repository: &Repository) -> Vec<String> {
    let mut breaches = Vec::new();
    for (name, manifest) in repository.manifests() {
        let place = format!("crates/{name}/Cargo.toml");
        let Some((_, allowed)) = EDGES.iter().find(|(crate_name, _)| *crate_name == name) else {
            breaches
                .push(format!("{place}: xtask/src/tidy/edges.rs does not say what this crate may depend on"));
            continue;
        };
        for dependency in dependencies(&manifest) {
            if let Some(ours) = dependency.strip_prefix("postern-")
                && !allowed.contains(&ours)
            {
                breaches.push(format!("{place}: {name} must not depend on {ours}"));
            }
            for (crate_name, barred, reason) in BARRED {
                if *crate_name == name && barred.iter().any(|pattern| is_named(pattern, &dependency)) {
                    breaches.push(format!("{place}: {name} must not depend on {dependency}: {reason}"));
                }
            }
        }
        // `pty` has lints of its own, because it is the crate that may be `unsafe`.
        let has_lints = manifest.get("lints").and_then(|lints| lints.get("workspace")).is_some();
        if !has_lints && name != "pty" {
            breaches.push(format!("{place}: lacks `[lints] workspace = true`"));
        }
    }
    breaches
}

/// What a crate depends on when it is built for use; its tests may depend on anything.
pub(crate) fn dependencies(manifest: &toml::Table) -> Vec<String> {
    let tables = |table: &toml::Table| -> Vec<String> {
        let kinds =
            ["dependencies", "build-dependencies"].into_iter().filter_map(|kind| table.get(kind)?.as_table());
        kinds.flat_map(|dependencies| dependencies.keys().cloned()).collect()
    };
    let targets = manifest.get("target").and_then(toml::Value::as_table);
    let of_targets = targets.into_iter().flat_map(toml::Table::values).filter_map(toml::Value::as_table);
    tables(manifest).into_iter().chain(of_targets.flat_map(tables)).collect()
}

pub(crate) fn is_named(pattern: &str, dependency: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(prefix) => dependency.starts_with(prefix),
        None => dependency == pattern,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn breaches_of(name: &str, manifest: &str) -> Vec<String> {
        breaches(&Repository::of(&[(&format!("crates/{name}/Cargo.toml"), manifest)]))
    }

    #[test]
    fn edges_are_kept() {
        let lints = "[lints]\nworkspace = true\n";
        let cases = [
            ("api", "[dependencies]\nserde = \"1\"\n", 0),
            ("api", "[dependencies]\npostern-ids.workspace = true\n", 1),
            ("agent", "[target.'cfg(unix)'.dependencies]\npostern-server.workspace = true\n", 1),
            ("agent", "[dev-dependencies]\npostern-server.workspace = true\n", 0),
            ("store", "[dependencies]\nhyper-util.workspace = true\n", 1),
            ("server", "[dependencies]\naxum.workspace = true\npostern-store.workspace = true\n", 0),
            ("novelty", "", 1),
        ];
        for (name, manifest, count) in cases {
            let found = breaches_of(name, &format!("{manifest}{lints}"));
            assert_eq!(found.len(), count, "{name} {manifest}: {found:?}");
        }
        assert_eq!(breaches_of("api", "[dependencies]\n").len(), 1);
    }
}
