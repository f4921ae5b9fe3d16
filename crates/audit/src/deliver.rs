//! Delivers log files and digests. Each is first staged; the line on the chain that names it is what makes it count;
//! then it is shown. So nothing is delivered twice, or lost, wherever a crash comes between.

use std::collections::BTreeMap;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;
use jiff::Timestamp;
use postern_audit_format::Layout;
use postern_audit_format::chain::{Class, Hash, Line};
use postern_audit_format::delivery::{
    self, Delivery, DeliveryState, DigestDelivery, DigestFile, DigestLogFile, HASH_ALGORITHM, LogFile,
    PreviousDigest, SIGNATURE_ALGORITHM,
};
use postern_audit_format::segment::{self, Lines, TrailName};
use serde::Deserialize;

use crate::appender::Progress;
use crate::disk;
use crate::keys::SigningKey;
use crate::objects::Objects;

/// Bytes of records in a log file before they are compressed. What does not fit goes into the next.
const LOG_FILE_BYTES_MAX: usize = 32 * 1024 * 1024;

/// Delivers what is on the chain.
#[derive(Debug)]
pub(crate) struct Deliverer {
    chain: PathBuf,
    trail: TrailName,
    objects: Objects,
    state: DeliveryState,
    /// Where to read on: a segment and the beginning of a line, once that was looked up.
    at: Option<(u64, u64)>,
}

/// What is staged, and counts when its line is on the chain.
#[derive(Debug)]
pub(crate) struct Staged<B> {
    /// The body of the line.
    pub(crate) body: B,
    /// How far deliveries have come with it.
    pub(crate) state: DeliveryState,
    /// Where to read on.
    at: Option<(u64, u64)>,
    /// The names of the objects, and those in the bucket.
    objects: Vec<(String, String)>,
}

impl Deliverer {
    /// Goes on from where the chain says. What counts but was not shown yet is shown now.
    pub(crate) fn open(
        layout: &Layout,
        trail: &TrailName,
        objects: Objects,
        state: DeliveryState,
    ) -> io::Result<Self> {
        for file in &state.log_files {
            objects.show(&file.hash_value.to_string(), &file.s3_object)?;
        }
        if let Some(digest) = &state.last_digest {
            objects.show(&digest.hash.to_string(), &digest.object)?;
        }
        objects.clear_staging()?;
        Ok(Self { chain: layout.chain(), trail: trail.clone(), objects, state, at: None })
    }

    /// Where the segments are.
    pub(crate) fn chain(&self) -> &Path {
        &self.chain
    }

    /// Segments were written anew: where to read on must be looked up.
    pub(crate) fn look_up_again(&mut self) {
        self.at = None;
    }

    pub(crate) fn state(&self) -> &DeliveryState {
        &self.state
    }

    /// Stages log files with the next records; `None` if there are none. Call again until then.
    pub(crate) fn stage_logs(
        &mut self,
        target: Progress,
        head_sequence: Option<u64>,
        now: Timestamp,
    ) -> io::Result<Option<Staged<Delivery>>> {
        let mut batch = Batch { through: self.state.through, at: self.at, files: BTreeMap::new(), bytes: 0 };
        batch.read(&self.chain, target)?;
        if batch.files.is_empty() {
            self.at = batch.at;
            return Ok(None);
        }
        let mut staged = Vec::new();
        let mut log_files = Vec::new();
        for (class, contents) in batch.files {
            let file = contents.finish();
            let hash_value = Hash::of(&file.bytes);
            let object = gzip(&file.bytes)?;
            let s3_object = delivery::log_file_key(&self.trail, now, &hash_value);
            self.objects.stage(&hash_value.to_string(), &object, &BTreeMap::new())?;
            staged.push((hash_value.to_string(), s3_object.clone()));
            let digest = DigestLogFile {
                s3_bucket: self.objects.bucket().to_owned(),
                s3_object,
                hash_value,
                hash_algorithm: HASH_ALGORITHM.to_owned(),
                newest_event_time: file.newest,
                oldest_event_time: file.oldest,
            };
            log_files.push(LogFile { digest, class, records: file.records, object_hash: Hash::of(&object) });
        }
        let body = Delivery { through: batch.through, head_sequence, log_files };
        let mut state = self.state.clone();
        state.add(&body);
        Ok(Some(Staged { body, state, at: batch.at, objects: staged }))
    }

    /// When the next digest is due.
    pub(crate) fn digest_due(&self, now: Timestamp, interval_s: i64) -> Option<Timestamp> {
        let end = now.as_second().div_euclid(interval_s) * interval_s;
        Timestamp::from_second(end).ok().filter(|end| *end > self.state.digest_start)
    }

    /// Stages the digest that ends at a time.
    pub(crate) fn stage_digest(
        &self,
        end: Timestamp,
        head_sequence: Option<u64>,
        key: &SigningKey,
    ) -> io::Result<Staged<DigestDelivery>> {
        let previous = self.state.last_digest.clone();
        let (bucket, object) = (self.objects.bucket().to_owned(), delivery::digest_key(&self.trail, end));
        let fingerprint = key.public().fingerprint.clone();
        let file = DigestFile {
            aws_account_id: self.trail.account_id.to_string(),
            digest_start_time: self.state.digest_start,
            digest_end_time: end,
            digest_s3_bucket: bucket.clone(),
            digest_s3_object: object.clone(),
            digest_public_key_fingerprint: fingerprint.clone(),
            digest_signature_algorithm: SIGNATURE_ALGORITHM.to_owned(),
            newest_event_time: self.state.log_files.iter().map(|file| file.newest_event_time).max(),
            oldest_event_time: self.state.log_files.iter().map(|file| file.oldest_event_time).min(),
            previous_digest_s3_bucket: previous.as_ref().map(|previous| previous.bucket.clone()),
            previous_digest_s3_object: previous.as_ref().map(|previous| previous.object.clone()),
            previous_digest_hash_value: previous.as_ref().map(|previous| previous.hash),
            previous_digest_hash_algorithm: previous.as_ref().map(|_| HASH_ALGORITHM.to_owned()),
            previous_digest_signature: previous.map(|previous| previous.signature),
            log_files: self.state.log_files.clone(),
        };
        let contents = serde_json::to_vec(&file).map_err(io::Error::other)?;
        let hash = Hash::of(&contents);
        let signature = key.sign(&file.text_to_sign(&hash));
        let metadata = delivery::digest_metadata(&signature);
        let compressed = gzip(&contents)?;
        self.objects.stage(&hash.to_string(), &compressed, &metadata)?;
        let digest = PreviousDigest { bucket, object: object.clone(), hash, signature };
        let mut state = self.state.clone();
        state.close(end, digest.clone());
        let object_hash = Hash::of(&compressed);
        let body = DigestDelivery { digest, head_sequence, end_time: end, fingerprint, object_hash };
        Ok(Staged { body, state, at: self.at, objects: vec![(hash.to_string(), object)] })
    }

    /// Shows what was staged; its line is on the chain.
    pub(crate) fn show<B>(&mut self, staged: Staged<B>) -> io::Result<()> {
        self.state = staged.state;
        self.at = staged.at;
        staged.objects.iter().try_for_each(|(id, key)| self.objects.show(id, key))
    }
}

/// Records that are collected for log files.
#[derive(Debug)]
struct Batch {
    through: u64,
    at: Option<(u64, u64)>,
    files: BTreeMap<Class, Contents>,
    bytes: usize,
}

impl Batch {
    /// Collects what comes after `through`, up to a log file's length.
    fn read(&mut self, chain: &Path, target: Progress) -> io::Result<()> {
        let (segments, _) = segment::list(chain).map_err(|error| disk::named(chain, error))?;
        let (start, mut offset) = match self.at {
            Some(at) => at,
            None => (segments.iter().rev().copied().find(|first| *first <= self.through + 1).unwrap_or(0), 0),
        };
        for first in segments.into_iter().filter(|first| *first >= start && *first <= target.segment) {
            if first > start {
                offset = 0;
            }
            let path = chain.join(segment::file_name(first));
            let mut lines = Lines::open(&path, offset).map_err(|error| disk::named(&path, error))?;
            if first == target.segment {
                lines = lines.until(target.segment_bytes);
            }
            while let Some(raw) = lines.next_line().map_err(|error| disk::named(&path, error))? {
                let line = Line::parse(raw.bytes).map_err(|error| {
                    let text = format!("{}, byte {}: {error}", path.display(), raw.offset);
                    io::Error::new(io::ErrorKind::InvalidData, text)
                })?;
                self.take(&line)?;
                self.at = Some((first, lines.offset()));
                if self.bytes >= LOG_FILE_BYTES_MAX {
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    fn take(&mut self, line: &Line<'_>) -> io::Result<()> {
        if line.sequence <= self.through {
            return Ok(());
        }
        self.through = line.sequence;
        let Some(body) = line.body.filter(|_| line.kind.is_shown()) else { return Ok(()) };
        let EventTime { event_time } = serde_json::from_slice(body).map_err(|error| {
            io::Error::new(
                io::ErrorKind::InvalidData,
                format!("line {} of the chain: {error}", line.sequence),
            )
        })?;
        self.bytes += body.len() + 1;
        self.files.entry(line.class.unwrap_or(Class::Write)).or_default().push(body, event_time);
        Ok(())
    }
}

/// What is needed of a record.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct EventTime {
    event_time: Timestamp,
}

/// A log file while it grows.
#[derive(Debug, Default)]
struct Contents {
    bytes: Vec<u8>,
    records: u64,
    times: Option<(Timestamp, Timestamp)>,
}

/// A log file.
struct Finished {
    bytes: Vec<u8>,
    records: u64,
    oldest: Timestamp,
    newest: Timestamp,
}

impl Contents {
    fn push(&mut self, record: &[u8], at: Timestamp) {
        self.bytes.extend_from_slice(if self.records == 0 { b"{\"Records\":[" } else { b"," });
        self.bytes.extend_from_slice(record);
        self.records += 1;
        let (oldest, newest) = self.times.unwrap_or((at, at));
        self.times = Some((oldest.min(at), newest.max(at)));
    }

    fn finish(mut self) -> Finished {
        self.bytes.extend_from_slice(b"]}");
        let (oldest, newest) = self.times.unwrap_or_default();
        Finished { bytes: self.bytes, records: self.records, oldest, newest }
    }
}

fn gzip(contents: &[u8]) -> io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::new(6));
    encoder.write_all(contents)?;
    encoder.finish()
}
