//! Removing what has been kept long enough: said on the chain first, then done.
//!
//! Of old records the bodies are removed, and their lines stay, so that the chain can be followed. Whole segments are
//! removed only from the beginning of the chain, when nothing in them has to be kept. The last segment stays as it is.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use postern_audit_format::chain::{Class, Kind, Line};
use postern_audit_format::delivery::{Delivery, DigestDelivery, LogFile, PreviousDigest};
use postern_audit_format::segment::{self, Lines};
use postern_audit_format::tombstone::{
    ENTRIES_MAX, EVENT_NAME, RemovedFile, RemovedRecords, RemovedSegments, Tombstone,
};

use crate::appender::News;
use crate::disk;
use crate::event;
use crate::index::LookupError;
use crate::tend::{TendError, Tender};

/// How long the records of each class are kept; `None`: for ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Retention {
    /// Calls that change something, sign-ins, and what happens in sessions.
    pub write: Option<Duration>,
    /// Calls that read.
    pub read: Option<Duration>,
    /// What nodes say of their own accord.
    pub node: Option<Duration>,
    /// Work with data.
    pub data: Option<Duration>,
}

impl Retention {
    fn of(&self, class: Class) -> Option<Duration> {
        match class {
            Class::Write => self.write,
            Class::Read => self.read,
            Class::Node => self.node,
            Class::Data => self.data,
        }
    }
}

/// What was removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Removed {
    /// Segments, with all that was in them.
    pub segments: u64,
    /// Records in segments that stay.
    pub records: u64,
    /// Log and digest files.
    pub objects: u64,
}

/// Why not everything was removed.
#[derive(Debug, thiserror::Error)]
pub enum RetentionError {
    /// The trail cannot be read or written.
    #[error("cannot remove what is old from the audit trail")]
    Trail(#[from] TendError),
    /// The index cannot be told.
    #[error("cannot remove what is old from the index of the audit trail")]
    Index(#[from] LookupError),
}

/// What is to be removed, and then was.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    pub(crate) removed: Removed,
    /// Segments that go.
    pub(crate) segments: Vec<u64>,
    /// Segments that lose bodies, and of which classes.
    pub(crate) thinned: BTreeMap<u64, Vec<Class>>,
    beginning: Option<RemovedSegments>,
    records: Vec<RemovedRecords>,
    objects: Vec<RemovedFile>,
}

/// A class in a segment.
#[derive(Debug)]
struct Share {
    first: u64,
    last: u64,
    count: u64,
    newest: Timestamp,
}

/// A segment that was looked through.
#[derive(Debug, Default)]
struct Content {
    shares: BTreeMap<Class, Share>,
    newest: Timestamp,
    last: Option<(u64, postern_audit_format::chain::Hash)>,
    shown: u64,
    /// Bodies of intents, by their lines, and the lines that are completed.
    intents: Vec<u64>,
    logs: Vec<LogFile>,
    digests: Vec<PreviousDigest>,
}

impl Tender {
    /// Removes what has been kept longer than it must be.
    pub(crate) fn apply_retention(
        &mut self,
        retention: &Retention,
        by: &str,
        reason: &str,
    ) -> Result<Plan, TendError> {
        let now = self.clock.now();
        // Whatever goes has been delivered, and a head vouches for it.
        self.deliver_logs(now)?;
        self.sign_head(now)?;
        let plan = self.plan(retention, now)?;
        for tombstone in plan.tombstones(by, reason) {
            let record = event::event(&self.options.trail, now, EVENT_NAME, tombstone.to_details());
            self.append_of(Kind::Tombstone, Some(Class::Write), &record, News::None)?;
        }
        self.remove(&plan)?;
        self.deliverer.look_up_again();
        Ok(plan)
    }

    /// What [`apply_retention`](Self::apply_retention) would remove of what has been delivered.
    pub(crate) fn foresee_retention(&self, retention: &Retention) -> Result<Removed, TendError> {
        Ok(self.plan(retention, self.clock.now())?.removed)
    }

    fn plan(&self, retention: &Retention, now: Timestamp) -> io::Result<Plan> {
        let chain = self.deliverer.chain();
        let progress = *self.progress.borrow();
        let (segments, _) = segment::list(chain)?;
        let cutoff = |class| retention.of(class).and_then(|kept| now.checked_sub(kept).ok());
        // Nothing of a segment has to be kept if it is older than what every class must have.
        let oldest = Class::ALL.iter().map(|class| cutoff(*class)).min().flatten();
        let mut plan = Plan::default();
        let mut is_beginning = true;
        let mut logs: Vec<(LogFile, bool)> = Vec::new();
        for first in segments.iter().copied().filter(|first| *first <= progress.segment) {
            let end = (first == progress.segment).then_some(progress.segment_bytes);
            let mut content = Content::read(&chain.join(segment::file_name(first)), end)?;
            let is_last = first == progress.segment;
            let has_open = content.intents.iter().any(|intent| self.is_open(*intent));
            is_beginning &= !is_last && !has_open && oldest.is_some_and(|oldest| content.newest < oldest);
            logs.extend(content.logs.drain(..).map(|log| (log, is_beginning)));
            if is_beginning {
                plan.take_segment(first, &segments, &content);
            } else if !is_last && !has_open {
                plan.thin_segment(first, &content, cutoff);
            }
        }
        let unsealed = &self.deliverer.state().log_files;
        for (log, is_named_no_more) in logs {
            let is_old = cutoff(log.class).is_some_and(|cutoff| log.digest.newest_event_time < cutoff);
            if (is_old || is_named_no_more) && !unsealed.contains(&log.digest) {
                plan.take_object(log.digest.s3_object, log.digest.hash_value, self)?;
            }
        }
        Ok(plan)
    }

    fn is_open(&self, intent: u64) -> bool {
        self.open_intents.lock().is_ok_and(|open| open.contains(&intent))
    }

    fn remove(&self, plan: &Plan) -> io::Result<()> {
        for object in &plan.objects {
            self.objects.remove(&object.name)?;
        }
        let chain = self.deliverer.chain();
        for (first, classes) in &plan.thinned {
            thin(&chain.join(segment::file_name(*first)), classes)?;
        }
        // The oldest first, so that what is left hangs together at any moment.
        for first in &plan.segments {
            disk::remove_if_there(&chain.join(segment::file_name(*first)))?;
            disk::sync_directory(chain)?;
        }
        Ok(())
    }
}

impl Plan {
    fn take_segment(&mut self, first: u64, segments: &[u64], content: &Content) {
        let Some((last_sequence, last_hash)) = content.last else { return };
        self.segments.push(first);
        self.removed.segments += 1;
        let first_sequence = segments.first().copied().unwrap_or(first);
        let records = self.beginning.as_ref().map_or(0, |before| before.records) + content.shown;
        self.beginning = Some(RemovedSegments { first_sequence, last_sequence, last_hash, records });
        // Digests that the chain no longer names could not be told from others.
        let digests = content.digests.iter();
        self.objects.extend(
            digests.map(|digest| RemovedFile { name: digest.object.clone(), hash_value: digest.hash }),
        );
    }

    fn thin_segment(&mut self, first: u64, content: &Content, cutoff: impl Fn(Class) -> Option<Timestamp>) {
        for (class, share) in &content.shares {
            if cutoff(*class).is_none_or(|cutoff| share.newest >= cutoff) {
                continue;
            }
            self.thinned.entry(first).or_default().push(*class);
            self.removed.records += share.count;
            let (class, first_sequence, last_sequence) = (*class, share.first, share.last);
            self.records.push(RemovedRecords { class, first_sequence, last_sequence, count: share.count });
        }
    }

    fn take_object(
        &mut self,
        name: String,
        hash_value: postern_audit_format::chain::Hash,
        tender: &Tender,
    ) -> io::Result<()> {
        if tender.objects.open(&name)?.is_some() {
            self.objects.push(RemovedFile { name, hash_value });
            self.removed.objects += 1;
        }
        Ok(())
    }

    /// What the chain says about it, in as many records as it takes.
    fn tombstones(&self, by: &str, reason: &str) -> Vec<Tombstone> {
        let empty = || Tombstone { by: by.to_owned(), reason: reason.to_owned(), ..Tombstone::default() };
        let beginning =
            self.beginning.clone().map(|segments| Tombstone { segments: Some(segments), ..empty() });
        let records = self.records.chunks(ENTRIES_MAX);
        let records = records.map(|records| Tombstone { records: records.to_owned(), ..empty() });
        let objects = self.objects.chunks(ENTRIES_MAX);
        let objects = objects.map(|objects| Tombstone { objects: objects.to_owned(), ..empty() });
        beginning.into_iter().chain(records).chain(objects).collect()
    }
}

impl Content {
    fn read(path: &Path, end: Option<u64>) -> io::Result<Self> {
        let mut content = Self::default();
        let mut lines = Lines::open(path, 0).map_err(|error| disk::named(path, error))?;
        if let Some(end) = end {
            lines = lines.until(end);
        }
        while let Some(raw) = lines.next_line().map_err(|error| disk::named(path, error))? {
            let invalid = |what: &dyn std::fmt::Display| {
                let text = format!("{}, byte {}: {what}", path.display(), raw.offset);
                io::Error::new(io::ErrorKind::InvalidData, text)
            };
            let line = Line::parse(raw.bytes).map_err(|error| invalid(&error))?;
            content.take(&line).map_err(|error| invalid(&error))?;
        }
        Ok(content)
    }

    fn take(&mut self, line: &Line<'_>) -> Result<(), serde_json::Error> {
        self.last = Some((line.sequence, line.hash));
        self.newest = self.newest.max(line.time);
        let Some(body) = line.body else { return Ok(()) };
        self.shown += u64::from(line.kind.is_shown());
        match line.kind {
            Kind::Delivery => self.logs.extend(serde_json::from_slice::<Delivery>(body)?.log_files),
            Kind::Digest => self.digests.push(serde_json::from_slice::<DigestDelivery>(body)?.digest),
            Kind::Intent => self.intents.push(line.sequence),
            Kind::Segment | Kind::Key | Kind::Record | Kind::Tombstone => {}
        }
        if let (Kind::Record | Kind::Intent, Some(class)) = (line.kind, line.class) {
            let (first, newest) = (line.sequence, line.time);
            let share = self.shares.entry(class).or_insert(Share { first, last: first, count: 0, newest });
            share.last = line.sequence;
            share.count += 1;
            share.newest = share.newest.max(line.time);
        }
        Ok(())
    }
}

/// Writes a segment anew without the bodies of some classes.
fn thin(path: &PathBuf, classes: &[Class]) -> io::Result<()> {
    let contents = fs::read(path).map_err(|error| disk::named(path, error))?;
    let mut kept = Vec::with_capacity(contents.len());
    for bytes in contents.split_inclusive(|byte| *byte == b'\n') {
        let line = Line::parse(bytes.strip_suffix(b"\n").unwrap_or(bytes));
        match line {
            Ok(line)
                if matches!(line.kind, Kind::Record | Kind::Intent)
                    && line.class.is_some_and(|class| classes.contains(&class)) =>
            {
                line.write_stub(&mut kept);
            }
            // What cannot be read stays as it is, for whoever looks into it.
            _ => kept.extend_from_slice(bytes),
        }
    }
    disk::write_aside(path, &kept)?;
    disk::put_in_place(path)
}
