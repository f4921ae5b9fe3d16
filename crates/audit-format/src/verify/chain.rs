//! The chain itself: every line, its link to the one before, and what is missing.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};

use super::heads::ReadHead;
use super::{Last, Report};
use crate::chain::{Hash, Kind, Line};
use crate::delivery::{Delivery, DeliveryState, DigestDelivery, LogFile};
use crate::key::PublicKey;
use crate::layout::Layout;
use crate::record::Record;
use crate::recorded::RecordedFile;
use crate::segment::{self, FORMAT, Lines, Position, RawLine, SegmentStart, TrailName};
use crate::tombstone::Tombstone;

/// What the rest of a trail is checked against.
#[derive(Debug, Default)]
pub(super) struct Contents {
    pub(super) trail: Option<TrailName>,
    /// The last line, and what came before the first that is there.
    pub(super) last: Option<Position>,
    pub(super) before_first: Option<Position>,
    /// The hashes of the lines that heads are about.
    pub(super) hashes: BTreeMap<u64, Hash>,
    /// The keys, by the lines that name them.
    pub(super) keys: Vec<(u64, PublicKey)>,
    pub(super) deliveries: Vec<Delivered>,
    /// The greatest number of a line that a head was said to be signed for.
    pub(super) head_sequence: Option<u64>,
    pub(super) tombstones: Vec<Tombstone>,
    /// Files of recordings: their parts, and whether each is complete.
    pub(super) recordings: BTreeMap<String, Vec<(RecordedFile, bool)>>,
    /// What was delivered before the first line that is there.
    pub(super) earlier: Option<DeliveryState>,
}

/// What the chain says was delivered.
#[derive(Debug)]
pub(super) enum Delivered {
    Log(LogFile),
    Digest(DigestDelivery),
}

/// A record without its body.
#[derive(Debug)]
struct Stub {
    path: PathBuf,
    line: u64,
    byte: u64,
    sequence: u64,
    class: Option<crate::chain::Class>,
}

struct Walk<'a> {
    report: &'a mut Report,
    contents: Contents,
    heads: BTreeSet<u64>,
    open_intents: BTreeSet<u64>,
    stubs: Vec<Stub>,
    /// The line before; `None` after one that could not be read.
    last: Option<Position>,
    time: jiff::Timestamp,
    delivery: Option<DeliveryState>,
}

/// Checks the chain.
pub(super) fn check(layout: &Layout, heads: &[ReadHead], report: &mut Report) -> io::Result<Contents> {
    let chain = layout.chain();
    let (segments, others) = match segment::list(&chain) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            report.find_in(&chain, "there is no chain");
            return Ok(Contents::default());
        }
        listed => listed?,
    };
    for other in others {
        report.find_in(&other, "this file does not belong to the chain");
    }
    if segments.is_empty() {
        report.find_in(&chain, "there is no chain");
    }
    let mut walk = Walk {
        report,
        contents: Contents::default(),
        heads: heads.iter().map(|read| read.head.sequence).collect(),
        open_intents: BTreeSet::new(),
        stubs: Vec::new(),
        last: None,
        time: jiff::Timestamp::UNIX_EPOCH,
        delivery: None,
    };
    let newest = segments.last().copied();
    for (index, first) in segments.iter().enumerate() {
        walk.segment(&chain.join(segment::file_name(*first)), *first, index == 0, Some(*first) == newest);
    }
    walk.finish(&chain, heads);
    Ok(walk.contents)
}

impl Walk<'_> {
    fn segment(&mut self, path: &Path, first: u64, is_first: bool, is_newest: bool) {
        self.report.checked.segments += 1;
        if let Some(last) = self.last.filter(|last| last.sequence + 1 != first) {
            let (from, to) = (last.sequence + 1, first - 1);
            let what = if first > last.sequence {
                format!("lines {from} to {to} of the chain are missing before this file")
            } else {
                format!(
                    "the file begins with line {first}, but the one before ends with line {}",
                    last.sequence
                )
            };
            self.report.find(path, Some(1), Some(0), what);
            self.last = None;
        }
        let mut lines = match Lines::open(path, 0) {
            Ok(lines) => lines,
            Err(error) => return self.unreadable(path, &error),
        };
        let mut number = 0;
        loop {
            let raw = match lines.next_line() {
                Ok(None) => break,
                Ok(Some(raw)) => raw,
                Err(error) => return self.unreadable(path, &error),
            };
            number += 1;
            if !raw.is_complete && is_newest {
                let bytes = raw.bytes.len();
                self.report.notes.push(format!(
                    "{}: {bytes} bytes behind the last line are not a complete line; a server that runs, or was killed, leaves that",
                    path.display()
                ));
                return;
            }
            let starts = (number == 1).then_some(first);
            self.line(path, number, raw, starts, is_first);
        }
        if number == 0 && !is_newest {
            self.report.find_in(path, "the file is empty");
        }
    }

    fn unreadable(&mut self, path: &Path, error: &io::Error) {
        self.report.find_in(path, format!("the file cannot be read: {error}"));
        self.last = None;
    }

    /// Checks a line. `starts` is the number in the name of the file that begins with it.
    fn line(&mut self, path: &Path, number: u64, raw: RawLine<'_>, starts: Option<u64>, is_first: bool) {
        self.report.checked.lines += 1;
        let line = match Line::parse(raw.bytes) {
            Ok(line) => line,
            Err(error) => {
                let byte = raw.offset + u64::try_from(error.offset).expect("a length fits 64 bits");
                self.report.find(path, Some(number), Some(byte), error.what);
                self.last = None;
                return;
            }
        };
        let broken =
            self.link(&line, starts, is_first).or_else(|| self.meaning(path, number, raw.offset, &line));
        if let Some(what) = broken {
            self.report.find(path, Some(number), Some(raw.offset), what);
        }
        if self.heads.contains(&line.sequence) {
            self.contents.hashes.insert(line.sequence, line.hash);
        }
        self.time = line.time;
        self.last = Some(Position { sequence: line.sequence, hash: line.hash });
        self.contents.last = self.last;
    }

    /// How the line does not follow the one before.
    fn link(&mut self, line: &Line<'_>, starts: Option<u64>, is_first: bool) -> Option<String> {
        let Line { sequence, previous, .. } = *line;
        if let Some(first) = starts.filter(|first| *first != sequence) {
            return Some(format!("the file's name promises line {first}, not {sequence}"));
        }
        if starts.is_some() != (line.kind == Kind::Segment) {
            return Some("a segment begins with a line that says so, and only with one".to_owned());
        }
        match self.last {
            Some(last) if last.sequence + 1 != sequence => {
                Some(format!("line {} of the chain is expected, not {sequence}", last.sequence + 1))
            }
            Some(last) if last.hash != previous => {
                Some(format!("line {sequence} does not follow the line before it: that has another hash"))
            }
            None if starts.is_some() && is_first => {
                self.contents.before_first =
                    Some(Position { sequence: sequence.saturating_sub(1), hash: previous });
                None
            }
            _ => None,
        }
    }

    /// Takes what the line says; the result is what is wrong with it.
    fn meaning(&mut self, path: &Path, number: u64, offset: u64, line: &Line<'_>) -> Option<String> {
        if let Some(intent) = line.completes
            && !self.open_intents.remove(&intent)
        {
            return Some(format!("the intent that it completes, line {intent}, is not open"));
        }
        if line.kind == Kind::Intent {
            self.open_intents.insert(line.sequence);
        }
        let Some(body) = line.body else {
            if !matches!(line.kind, Kind::Record | Kind::Intent) {
                return Some("the body is missing, and this kind of line keeps it".to_owned());
            }
            let (path, sequence) = (path.to_owned(), line.sequence);
            self.stubs.push(Stub { path, line: number, byte: offset, sequence, class: line.class });
            return None;
        };
        if line.kind.is_shown() {
            self.report.checked.records += 1;
        }
        self.body(line, body).unwrap_or_else(|error| Some(format!("the body cannot be read: {error}")))
    }

    fn body(&mut self, line: &Line<'_>, body: &[u8]) -> Result<Option<String>, serde_json::Error> {
        match line.kind {
            Kind::Segment => return Ok(self.start(line.sequence, serde_json::from_slice(body)?)),
            Kind::Key => match PublicKey::parse(body) {
                Ok(key) => self.contents.keys.push((line.sequence, key)),
                Err(error) => return Ok(Some(error.to_string())),
            },
            Kind::Record => self.record(body)?,
            Kind::Tombstone => {
                let tombstone = Tombstone::from_record(&serde_json::from_slice(body)?)?;
                self.contents.tombstones.push(tombstone);
            }
            Kind::Delivery => {
                let delivery: Delivery = serde_json::from_slice(body)?;
                self.contents.head_sequence = self.contents.head_sequence.max(delivery.head_sequence);
                if let Some(state) = &mut self.delivery {
                    state.add(&delivery);
                }
                self.contents.deliveries.extend(delivery.log_files.into_iter().map(Delivered::Log));
            }
            Kind::Digest => {
                let digest: DigestDelivery = serde_json::from_slice(body)?;
                self.contents.head_sequence = self.contents.head_sequence.max(digest.head_sequence);
                if let Some(state) = &mut self.delivery {
                    state.close(digest.end_time, digest.digest.clone());
                }
                self.contents.deliveries.push(Delivered::Digest(digest));
            }
            Kind::Intent => {}
        }
        Ok(None)
    }

    /// Takes the first line of a segment, which repeats what the segments before said.
    fn start(&mut self, sequence: u64, start: SegmentStart) -> Option<String> {
        let SegmentStart { format, trail, open_intents, keys, delivery } = start;
        if format != FORMAT {
            return Some(format!("format {format} of the chain is not known"));
        }
        let Some(before) = &self.delivery else {
            self.contents.trail = Some(trail);
            self.contents.earlier = Some(delivery.clone());
            self.delivery = Some(delivery);
            self.open_intents = open_intents.into_iter().collect();
            self.contents.keys.extend(keys.into_iter().map(|key| (sequence, key)));
            return None;
        };
        if self.contents.trail.as_ref() != Some(&trail) {
            return Some("the segment is of another trail".to_owned());
        }
        let named = self.contents.keys.iter().map(|(_, key)| key);
        if *before != delivery || !keys.iter().eq(named) || !open_intents.iter().eq(&self.open_intents) {
            return Some("what the segment begins with is not what the segments before end with".to_owned());
        }
        None
    }

    /// Keeps what a record says about recordings. Others are not even parsed.
    fn record(&mut self, body: &[u8]) -> Result<(), serde_json::Error> {
        let names = [crate::recorded::SESSION_ENDED, crate::recorded::SESSION_RECORDING_PROGRESS];
        let text = std::str::from_utf8(body).unwrap_or_default();
        if !names.iter().any(|name| text.contains(name)) {
            return Ok(());
        }
        let record: Record = serde_json::from_slice(body)?;
        let Some(files) = RecordedFile::of(&record) else { return Ok(()) };
        let (files, is_final) = files?;
        for file in files {
            self.contents.recordings.entry(file.file.clone()).or_default().push((file, is_final));
        }
        Ok(())
    }

    fn finish(&mut self, chain: &Path, heads: &[ReadHead]) {
        self.missing_beginning(chain);
        for stub in std::mem::take(&mut self.stubs) {
            let is_told =
                self.contents.tombstones.iter().flat_map(|tombstone| &tombstone.records).any(|removed| {
                    Some(removed.class) == stub.class
                        && (removed.first_sequence..=removed.last_sequence).contains(&stub.sequence)
                });
            if is_told {
                self.report.checked.removed_records += 1;
            } else {
                let what =
                    format!("the body of line {} is missing, and no tombstone tells why", stub.sequence);
                self.report.find(&stub.path, Some(stub.line), Some(stub.byte), what);
            }
        }
        if let Some(Position { sequence, hash }) = self.contents.last {
            self.report.last_line = Some(Last { sequence, hash: hash.to_string(), time: self.time });
        }
        let signed = heads.iter().map(|read| read.head.sequence).max().unwrap_or(0);
        let found = self.contents.last.map_or(0, |last| last.sequence);
        if signed > found {
            let what = format!("the chain ends with line {found}, but a head was signed for line {signed}");
            self.report.find_in(chain, what);
        }
        if !self.open_intents.is_empty() {
            let count = self.open_intents.len();
            self.report.notes.push(format!("the outcome of {count} calls is not written yet"));
        }
    }

    /// A chain that does not begin with line 1 has a tombstone that says so.
    fn missing_beginning(&mut self, chain: &Path) {
        let Some(before) = self.contents.before_first.filter(|before| before.sequence > 0) else {
            if self.contents.before_first.is_some_and(|before| before.hash != Hash::ZERO) {
                self.report.find_in(chain, "the first line does not begin the chain: it follows another");
            }
            return;
        };
        let mut removed = self.contents.tombstones.iter().filter_map(|tombstone| tombstone.segments.as_ref());
        let is_told = removed.any(|removed| {
            // Segments that were to be removed may still be there.
            removed.last_sequence > before.sequence
                || (removed.last_sequence == before.sequence && removed.last_hash == before.hash)
        });
        if !is_told {
            let what = format!(
                "lines 1 to {} of the chain are missing, and no tombstone tells why",
                before.sequence
            );
            self.report.find_in(chain, what);
        }
    }
}
