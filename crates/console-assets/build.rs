//! Writes the list of what `npm run build` left in `console/dist`, for `src/lib.rs` to include.

use std::env;
use std::fmt::Write as _;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// What the build of the console compresses beforehand, and how its names end.
const COMPRESSED: [(&str, &str); 2] = [("brotli", "br"), ("gzip", "gz")];

fn main() -> io::Result<()> {
    let dist =
        PathBuf::from(env::var("CARGO_MANIFEST_DIR").map_err(io::Error::other)?).join("../../console/dist");
    // Cargo runs this again and again for a path that is not there. Where the sources cannot be written to, it may.
    let _ = fs::create_dir_all(&dist);
    println!("cargo::rerun-if-changed={}", dist.display());
    println!("cargo::rerun-if-changed=build.rs");
    let mut paths = Vec::new();
    if dist.is_dir() {
        collect(&dist.canonicalize()?, "", &mut paths)?;
    }
    paths.sort();
    let mut code = String::from("&[\n");
    for (name, path) in paths.iter().filter(|(name, _)| !is_compressed(name)) {
        let mut fields = format!("name: {name:?}, identity: include_bytes!({path:?})");
        for (field, extension) in COMPRESSED {
            let beside = format!("{name}.{extension}");
            let value = match paths.iter().find(|(name, _)| *name == beside) {
                Some((_, path)) => format!("Some(include_bytes!({path:?}))"),
                None => "None".to_owned(),
            };
            write!(fields, ", {field}: {value}").map_err(io::Error::other)?;
        }
        writeln!(code, "    File {{ {fields} }},").map_err(io::Error::other)?;
    }
    code.push(']');
    let out = PathBuf::from(env::var("OUT_DIR").map_err(io::Error::other)?);
    fs::write(out.join("files.rs"), code)
}

/// Every file below `directory` by its name in URLs. What begins with a dot is the build's own.
fn collect(directory: &Path, prefix: &str, files: &mut Vec<(String, PathBuf)>) -> io::Result<()> {
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        let Ok(name) = entry.file_name().into_string() else { continue };
        if name.starts_with('.') {
            continue;
        }
        let (name, path) = (format!("{prefix}{name}"), entry.path());
        if path.is_dir() {
            collect(&path, &format!("{name}/"), files)?;
        } else {
            files.push((name, path));
        }
    }
    Ok(())
}

fn is_compressed(name: &str) -> bool {
    COMPRESSED.iter().any(|(_, extension)| name.ends_with(&format!(".{extension}")))
}
