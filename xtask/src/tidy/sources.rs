//! How source files look from outside: their first line, their names, no sleeping tests.

use super::repository::{File, Repository};

/// Names that say nothing of what a module knows.
const EMPTY_NAMES: [&str; 6] = ["common.rs", "helpers.rs", "manager.rs", "misc.rs", "util.rs", "utils.rs"];

pub(crate) fn breaches(repository: &Repository) -> Vec<String> {
    repository.rust().flat_map(breaches_of).collect()
}

fn breaches_of(file: &File) -> Vec<String> {
    let path = &file.path;
    let name = path.rsplit('/').next().unwrap_or(path);
    let mut breaches = Vec::new();
    if !file.text.starts_with("//! ") {
        breaches.push(format!("{path}: a module begins with a `//!` line that says what it knows"));
    }
    if name == "mod.rs" {
        breaches.push(format!("{path}: name the file after the module, beside its directory"));
    }
    if EMPTY_NAMES.contains(&name) {
        breaches.push(format!("{path}: name a module for what it knows"));
    }
    for (number, line) in file.text.lines().enumerate().map(|(index, line)| (index + 1, line.trim_start())) {
        if line.starts_with("#[ignore") {
            breaches.push(format!("{path}:{number}: a test that does not run tells nothing"));
        }
        if line.starts_with("#[allow(") && !line.contains("reason") && line.ends_with(")]") {
            breaches.push(format!("{path}:{number}: say why: `#[expect(…, reason = \"…\")]`"));
        }
    }
    breaches
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_rule_bites() {
        let cases = [
            ("crates/a/src/lib.rs", "//! Fine.\n", 0),
            ("crates/a/src/lib.rs", "use std::fmt;\n", 1),
            ("crates/a/src/b/mod.rs", "//! Fine.\n", 1),
            ("crates/a/src/utils.rs", "//! Fine.\n", 1),
            ("crates/a/src/lib.rs", "//! Fine.\n    #[ignore = \"slow\"]\n", 1),
            ("crates/a/src/lib.rs", "//! Fine.\n#[allow(dead_code)]\n", 1),
            ("crates/a/src/lib.rs", "//! Fine.\n#[allow(dead_code, reason = \"soon\")]\n", 0),
            ("docs/a.md", "no code", 0),
        ];
        for (path, text, count) in cases {
            let found = breaches(&Repository::of(&[(path, text)]));
            assert_eq!(found.len(), count, "{path} {text}: {found:?}");
        }
    }
}
