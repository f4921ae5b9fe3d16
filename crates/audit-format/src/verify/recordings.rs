//! Recordings against the hashes that the chain has of them.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::Path;

use aws_lc_rs::digest::{Context, SHA256};

use super::Report;
use super::chain::Contents;
use crate::chain::Hash;
use crate::recorded::RecordedFile;

/// Bytes that are read at once.
const BUFFER_BYTES: usize = 256 * 1024;

/// Checks the files that the chain names, and tells of those that it does not.
pub(super) fn check(directory: &Path, contents: &Contents, report: &mut Report) -> io::Result<()> {
    let removed = contents.tombstones.iter().flat_map(|tombstone| &tombstone.recordings);
    let removed: BTreeMap<&str, &Hash> =
        removed.map(|recording| (recording.name.as_str(), &recording.hash_value)).collect();
    for (name, parts) in &contents.recordings {
        let path = directory.join(name);
        if !is_file_name(name) {
            report.find_in(&path, "this is not the name of a recording");
            continue;
        }
        if let Some(hash) = removed.get(name.as_str())
            && !path.exists()
        {
            report.checked.removed_recordings += 1;
            if parts.iter().any(|(part, is_final)| *is_final && part.sha256 != **hash) {
                report.find_in(&path, "what was removed was not the recording as it was recorded");
            }
            continue;
        }
        report.checked.recordings += 1;
        if let Err(what) = check_file(&path, parts, report) {
            report.find_in(&path, what);
        }
    }
    let mut unknown = 0_u64;
    for entry in fs::read_dir(directory)? {
        let name = entry?.file_name();
        let is_recording = Path::new(&name).extension().is_some_and(|extension| extension == "cast");
        if is_recording && !name.to_str().is_some_and(|name| contents.recordings.contains_key(name)) {
            unknown += 1;
        }
    }
    if unknown > 0 {
        report.notes.push(format!(
            "the chain has no hash of {unknown} recordings: of sessions that have just begun, or from before the trail"
        ));
    }
    Ok(())
}

/// Names that stay in the directory.
fn is_file_name(name: &str) -> bool {
    !name.contains(['/', '\\', '\0']) && !matches!(name, "" | "." | "..")
}

/// Checks each part that the chain has a hash of: a beginning of the file.
fn check_file(path: &Path, parts: &[(RecordedFile, bool)], report: &mut Report) -> Result<(), String> {
    let unreadable = |error: io::Error| match error.kind() {
        io::ErrorKind::NotFound => "the recording is missing".to_owned(),
        _ => format!("the recording cannot be read: {error}"),
    };
    let mut file = File::open(path).map_err(unreadable)?;
    let length = file.metadata().map_err(unreadable)?.len();
    let mut parts: Vec<&(RecordedFile, bool)> = parts.iter().collect();
    parts.sort_by_key(|(part, _)| part.bytes);
    let (mut hash, mut done) = (Context::new(&SHA256), 0);
    for (part, is_final) in parts {
        let missing = feed(&mut file, &mut hash, part.bytes - done).map_err(unreadable)?;
        if missing > 0 {
            return Err(format!("the recording has {length} bytes, but had {}", part.bytes));
        }
        if Hash::from(hash.clone().finish()) != part.sha256 {
            let what = format!("some byte from here to byte {} is not as it was recorded", part.bytes);
            report.find(path, None, Some(done), what);
            return Ok(());
        }
        done = part.bytes;
        if *is_final && length > part.bytes {
            report.find(path, None, Some(part.bytes), "something was added to the recording after its end");
        }
    }
    Ok(())
}

/// Hashes so many bytes; the result is how many are missing.
fn feed(file: &mut File, hash: &mut Context, bytes: u64) -> io::Result<u64> {
    let mut rest = file.take(bytes);
    let mut buffer = vec![0; BUFFER_BYTES];
    loop {
        let length = rest.read(&mut buffer)?;
        if length == 0 {
            return Ok(rest.limit());
        }
        hash.update(&buffer[..length]);
    }
}
