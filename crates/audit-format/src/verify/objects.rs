//! Log and digest files: each as the chain names it, and nothing else.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;

use super::Report;
use super::chain::{Contents, Delivered};
use super::heads::Believed;
use crate::chain::Hash;
use crate::delivery::{DigestDelivery, DigestFile, DigestLogFile, LogFile, PreviousDigest, digest_metadata};
use crate::key;
use crate::layout::Layout;

/// No log file is longer when it is not compressed; what decompresses to more was not written here.
const CONTENTS_BYTES_MAX: u64 = 1024 * 1024 * 1024;

/// The files that were there before the chain was read, by their paths below the directory of all buckets.
#[derive(Debug, Default)]
pub(super) struct Present {
    objects: BTreeSet<String>,
    metadata: BTreeSet<String>,
}

/// Lists the files.
pub(super) fn list(layout: &Layout) -> io::Result<Present> {
    Ok(Present { objects: walk(&layout.objects())?, metadata: walk(&layout.metadata())? })
}

fn walk(root: &Path) -> io::Result<BTreeSet<String>> {
    let mut found = BTreeSet::new();
    let mut directories = vec![root.to_owned()];
    while let Some(directory) = directories.pop() {
        let entries = match fs::read_dir(&directory) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            entries => entries?,
        };
        for entry in entries {
            let entry = entry?;
            if entry.file_type()?.is_dir() {
                directories.push(entry.path());
            } else if let Ok(name) = entry.path().strip_prefix(root) {
                found.insert(name.to_string_lossy().into_owned());
            }
        }
    }
    Ok(found)
}

/// Checks the files.
pub(super) fn check(
    layout: &Layout,
    present: &Present,
    contents: &Contents,
    keys: &Believed,
    report: &mut Report,
) {
    let removed = contents.tombstones.iter().flat_map(|tombstone| &tombstone.objects);
    let mut check = Check {
        objects: layout.objects(),
        metadata: layout.metadata(),
        removed: removed.map(|file| (file.name.as_str(), file.hash_value)).collect(),
        named: BTreeSet::new(),
        keys,
        account: contents.trail.as_ref().map(|trail| trail.account_id.to_string()).unwrap_or_default(),
        since: contents.earlier.as_ref().map(|earlier| earlier.log_files.clone()).unwrap_or_default(),
        previous: contents.earlier.as_ref().and_then(|earlier| earlier.last_digest.clone()),
        report,
    };
    for delivered in &contents.deliveries {
        match delivered {
            Delivered::Log(file) => check.log_file(file),
            Delivered::Digest(digest) => check.digest(digest),
        }
    }
    // Of what was delivered before the first line that is there, only the names are known, and not all.
    if contents.before_first.is_none_or(|before| before.sequence == 0) {
        let named = std::mem::take(&mut check.named);
        for name in present.objects.difference(&named) {
            check.report.find_in(&check.objects.join(name), "the chain does not name this file");
        }
        let metadata = named.iter().map(|name| format!("{name}.json")).collect();
        for name in present.metadata.difference(&metadata) {
            check.report.find_in(&check.metadata.join(name), "the chain does not name this file");
        }
    }
}

struct Check<'a> {
    objects: PathBuf,
    metadata: PathBuf,
    removed: BTreeMap<&'a str, Hash>,
    named: BTreeSet<String>,
    keys: &'a Believed,
    account: String,
    /// Log files that no digest has named yet.
    since: Vec<DigestLogFile>,
    previous: Option<PreviousDigest>,
    report: &'a mut Report,
}

impl Check<'_> {
    fn log_file(&mut self, file: &LogFile) {
        let LogFile { digest, object_hash, .. } = file;
        self.since.push(digest.clone());
        let name = format!("{}/{}", digest.s3_bucket, digest.s3_object);
        let path = self.objects.join(&name);
        let is_removed = self.removed.get(digest.s3_object.as_str()) == Some(&digest.hash_value);
        self.named.insert(name);
        if is_removed && !path.exists() {
            return;
        }
        self.report.checked.log_files += 1;
        if let Err(what) = read(&path, object_hash, &digest.hash_value) {
            self.report.find_in(&path, what);
        }
    }

    fn digest(&mut self, delivered: &DigestDelivery) {
        let DigestDelivery { digest, object_hash, .. } = delivered;
        let name = format!("{}/{}", digest.bucket, digest.object);
        let path = self.objects.join(&name);
        self.named.insert(name.clone());
        self.report.checked.digests += 1;
        let since = std::mem::take(&mut self.since);
        let previous = self.previous.replace(digest.clone());
        let read = read(&path, object_hash, &digest.hash);
        let wrong = read.and_then(|contents| self.contents(&contents, delivered, &since, previous.as_ref()));
        if let Err(what) = wrong {
            self.report.find_in(&path, what);
        }
        let path = self.metadata.join(format!("{name}.json"));
        let expected = serde_json::to_vec(&digest_metadata(&digest.signature)).unwrap_or_default();
        match fs::read(&path) {
            Ok(found) if found == expected => {}
            Ok(_) => self.report.find_in(&path, "the signature is not the one on the chain"),
            Err(error) => self.report.find_in(&path, format!("the signature cannot be read: {error}")),
        }
    }

    /// What a digest says.
    fn contents(
        &self,
        contents: &[u8],
        delivered: &DigestDelivery,
        since: &[DigestLogFile],
        previous: Option<&PreviousDigest>,
    ) -> Result<(), String> {
        let DigestDelivery { digest, end_time, fingerprint, .. } = delivered;
        let file: DigestFile = serde_json::from_slice(contents)
            .map_err(|error| format!("the digest cannot be read: {error}"))?;
        if file.digest_s3_object != digest.object
            || file.digest_s3_bucket != digest.bucket
            || file.digest_end_time != *end_time
            || file.digest_public_key_fingerprint != *fingerprint
            || file.aws_account_id != self.account
        {
            return Err("the digest is not the one that the chain names".to_owned());
        }
        let says = (file.previous_digest_s3_object.as_deref(), file.previous_digest_hash_value);
        let was = (previous.map(|previous| previous.object.as_str()), previous.map(|previous| previous.hash));
        if says != was
            || file.previous_digest_signature.as_deref()
                != previous.map(|previous| previous.signature.as_str())
        {
            return Err("the digest does not follow the one before".to_owned());
        }
        if file.log_files != since {
            return Err("the digest does not name the log files that were delivered".to_owned());
        }
        let Some(der) = self.keys.get(fingerprint) else {
            return Err(format!("the digest is signed with key {fingerprint}, which nobody vouches for"));
        };
        if !key::verifies(der, &file.text_to_sign(&digest.hash), &digest.signature) {
            return Err("the signature does not fit the digest".to_owned());
        }
        Ok(())
    }
}

/// Reads an object, and checks it both as it is stored and as it reads.
fn read(path: &Path, object_hash: &Hash, hash: &Hash) -> Result<Vec<u8>, String> {
    let object = fs::read(path).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => "the file is missing".to_owned(),
        _ => format!("the file cannot be read: {error}"),
    })?;
    if Hash::of(&object) != *object_hash {
        return Err("the file is not as it was delivered".to_owned());
    }
    let mut contents = Vec::new();
    MultiGzDecoder::new(object.as_slice())
        .take(CONTENTS_BYTES_MAX)
        .read_to_end(&mut contents)
        .map_err(|error| format!("the file cannot be decompressed: {error}"))?;
    if Hash::of(&contents) != *hash {
        return Err("the contents are not as they were delivered".to_owned());
    }
    Ok(contents)
}
