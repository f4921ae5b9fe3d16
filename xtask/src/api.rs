//! Generates the Rust types of operations: of AWS's from the extracts of AWS's service models, of Postern's own from
//! a model in the same form.
//!
//! To add an operation of AWS's: one line in `xtask/model/operations.txt`, then `xtask/model/extract.py`, then
//! `cargo xtask api`. Those of Postern's are written into `crates/api/model/postern.json` by hand.

mod errors;
mod files;
mod model;
mod names;
mod operations;
mod patterns;
mod routing;
mod shapes;
mod types;
mod typescript;

use std::path::Path;

use anyhow::{Context as _, Result, bail};

use files::File;
use model::Service;

/// The services, each with the extracts that make it up.
const SERVICES: [(&str, &[&str]); 8] = [
    ("cloudtrail", &["cloudtrail"]),
    ("ec2messages", &["ec2messages"]),
    ("iam", &["iam"]),
    ("kms", &["kms"]),
    ("logs", &["logs"]),
    ("postern", &["postern"]),
    ("ssm", &["ssm", "ssm-agent"]),
    ("sts", &["sts"]),
];

/// Writes the generated files and removes those that are no longer generated.
pub(crate) fn write(root: &Path) -> Result<()> {
    for (source, generated) in generate(root)? {
        files::write(&root.join(source), &generated)?;
    }
    Ok(())
}

/// Fails if [`write`] would change a file.
pub(crate) fn check(root: &Path) -> Result<()> {
    let mut stale = Vec::new();
    for (source, generated) in generate(root)? {
        stale.extend(files::stale(&root.join(source), &generated)?);
    }
    if !stale.is_empty() {
        bail!("not what `cargo xtask api` writes: {}", stale.join(", "));
    }
    Ok(())
}

/// The generated files, by the directory that holds their `generated`.
fn generate(root: &Path) -> Result<[(&'static str, Vec<File>); 2]> {
    let services = services(root)?;
    Ok([("crates/api/src", rust(&services)?), ("console/src/api", typescript::files(&services)?)])
}

fn services(root: &Path) -> Result<Vec<Service>> {
    let directory = root.join("crates/api/model");
    let load = |(name, extracts): (&str, &[&str])| {
        Service::load(&directory, name, extracts).with_context(|| format!("service {name}"))
    };
    SERVICES.into_iter().map(load).collect()
}

fn rust(services: &[Service]) -> Result<Vec<File>> {
    let mut files = vec![routing::file(services)];
    for service in services {
        let name = &service.name;
        let parts = [
            ("", service_module(service)),
            ("/enums", types::enums(service)?),
            ("/errors", errors::module(service)),
            ("/operations", operations::module(service)?),
            ("/shapes", shapes::module(service)?),
            ("/structures", types::structures(service)?),
        ];
        for (part, text) in parts {
            if !text.is_empty() {
                files.push(File::new(format!("generated/{name}{part}.rs"), text));
            }
        }
    }
    files.into_iter().map(File::formatted).collect()
}

/// The module of one service: its parts, under one name.
fn service_module(service: &Service) -> String {
    let mut text = format!("//! The operations of `{}`.\n\n", service.name);
    if service.has_enums() {
        text += "mod enums;\n";
    }
    text += "pub mod errors;\nmod operations;\nmod shapes;\n";
    if service.has_structures() {
        text += "mod structures;\n";
    }
    text += "\n";
    if service.has_enums() {
        text += "pub use enums::*;\n";
    }
    text += "pub use operations::*;\n";
    if service.has_structures() {
        text += "pub use structures::*;\n";
    }
    text
}
