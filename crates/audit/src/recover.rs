//! Opening the chain: what the last writer left is checked, its torn end is cut, and its open intents are found.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use postern_audit_format::Layout;
use postern_audit_format::chain::{Class, Kind, Line};
use postern_audit_format::delivery::{Delivery, DeliveryState, DigestDelivery};
use postern_audit_format::head::Head;
use postern_audit_format::key::PublicKey;
use postern_audit_format::segment::{self, FORMAT, Lines, Position, SegmentStart, TrailName};

use crate::appender::{IntentState, OpenIntent, Progress, segment_line};
use crate::disk::{self, ChainFiles, Disk as _};
use crate::error::OpenError;
use crate::unknown::Cause;

/// What a writer needs to go on.
#[derive(Debug)]
pub(crate) struct Recovered {
    pub(crate) disk: ChainFiles,
    pub(crate) progress: Progress,
    /// When the last segment began.
    pub(crate) segment_began: Timestamp,
    pub(crate) open: BTreeMap<u64, OpenIntent>,
    pub(crate) delivery: DeliveryState,
    /// The keys that the chain names.
    pub(crate) keys: Vec<PublicKey>,
    /// Bytes behind the last complete line that were cut off.
    pub(crate) torn_bytes: u64,
}

/// Opens the chain, or begins one. `last_head` is what was signed last.
pub(crate) fn recover(
    layout: &Layout,
    trail: &TrailName,
    last_head: Option<&Head>,
    now: Timestamp,
) -> Result<Recovered, OpenError> {
    let chain = layout.chain();
    let (mut segments, _) = segment::list(&chain).map_err(|error| disk::named(&chain, error))?;
    let mut torn_bytes = 0;
    while let Some(first) = segments.pop() {
        let path = chain.join(segment::file_name(first));
        let mut reading = Reading::new(path.clone(), first, last_head.map(Head::position));
        reading.read()?;
        torn_bytes += reading.torn_bytes;
        let Some(start) = &reading.start else {
            // The last writer did not get as far as the segment's first line.
            fs::remove_file(&path).map_err(|error| disk::named(&path, error))?;
            disk::sync_directory(&chain)?;
            continue;
        };
        if start.format != FORMAT {
            let what = format!("format {} of the chain is not known", start.format);
            return Err(OpenError::Damaged { path, line: 1, byte: 0, what });
        }
        if start.trail != *trail {
            return Err(OpenError::OtherTrail { path, found: text(&start.trail), expected: text(trail) });
        }
        check_head(&reading, &chain)?;
        let mut disk = ChainFiles::open(&chain, first)?;
        if reading.torn_bytes > 0 {
            disk.truncate(reading.end)?;
        }
        return reading.into_recovered(disk, &chain, &segments, torn_bytes);
    }
    if let Some(head) = last_head {
        return Err(OpenError::Truncated { path: chain, found: 0, signed: head.sequence });
    }
    begin(&chain, trail, now)
}

fn text(trail: &TrailName) -> String {
    format!("{}/{}/{}", trail.account_id, trail.region, trail.name)
}

/// Begins a chain.
fn begin(chain: &Path, trail: &TrailName, now: Timestamp) -> Result<Recovered, OpenError> {
    let start = SegmentStart {
        format: FORMAT,
        trail: trail.clone(),
        open_intents: Vec::new(),
        keys: Vec::new(),
        delivery: DeliveryState::beginning(now),
    };
    let (line, position) = segment_line(&start, Position::START, now);
    let disk = ChainFiles::create(chain, position.sequence, &line)?;
    let segment_bytes = u64::try_from(line.len()).expect("a length fits 64 bits");
    let progress = Progress { position, segment: position.sequence, segment_bytes };
    let SegmentStart { delivery, keys, .. } = start;
    Ok(Recovered { disk, progress, segment_began: now, open: BTreeMap::new(), delivery, keys, torn_bytes: 0 })
}

/// The line that the last head vouches for must be there.
fn check_head(reading: &Reading, chain: &Path) -> Result<(), OpenError> {
    let Some(head) = reading.head else { return Ok(()) };
    if reading.position.sequence < head.sequence {
        let (found, signed) = (reading.position.sequence, head.sequence);
        return Err(OpenError::Truncated { path: chain.to_owned(), found, signed });
    }
    Ok(())
}

/// A segment while it is read.
#[derive(Debug)]
struct Reading {
    path: PathBuf,
    first: u64,
    /// The line that the last signed head vouches for.
    head: Option<Position>,
    start: Option<SegmentStart>,
    began: Timestamp,
    position: Position,
    lines: u64,
    /// Where the last complete line ends.
    end: u64,
    torn_bytes: u64,
    /// Intents of this segment.
    intents: BTreeMap<u64, (Option<Class>, Vec<u8>)>,
    delivery: DeliveryState,
    keys: Vec<PublicKey>,
    /// Intents of earlier segments.
    earlier: Vec<u64>,
}

impl Reading {
    fn new(path: PathBuf, first: u64, head: Option<Position>) -> Self {
        Self {
            path,
            first,
            head,
            start: None,
            began: Timestamp::UNIX_EPOCH,
            position: Position::START,
            lines: 0,
            end: 0,
            torn_bytes: 0,
            intents: BTreeMap::new(),
            delivery: DeliveryState::beginning(Timestamp::UNIX_EPOCH),
            keys: Vec::new(),
            earlier: Vec::new(),
        }
    }

    fn read(&mut self) -> Result<(), OpenError> {
        let path = self.path.clone();
        let mut lines = Lines::open(&path, 0).map_err(|error| disk::named(&path, error))?;
        while let Some(raw) = lines.next_line().map_err(|error| disk::named(&path, error))? {
            let read = match Line::parse(raw.bytes) {
                _ if !raw.is_complete => break,
                Ok(line) => self.take(&line),
                Err(error) => Err((error.offset, error.what.to_owned())),
            };
            if let Err((offset, what)) = read {
                if self.is_torn_from(self.end)? {
                    break;
                }
                let byte = raw.offset + u64::try_from(offset).expect("a length fits 64 bits");
                return Err(OpenError::Damaged { path, line: self.lines + 1, byte, what });
            }
            self.lines += 1;
            self.end = lines.offset();
        }
        let length = fs::metadata(&path).map_err(|error| disk::named(&path, error))?.len();
        self.torn_bytes = length.saturating_sub(self.end);
        Ok(())
    }

    /// Whether what follows is not damage, but what a power failure leaves of a batch that never counted: blocks that
    /// were not written read as zeros, which no line contains.
    fn is_torn_from(&self, offset: u64) -> Result<bool, OpenError> {
        let named = |error| disk::named(&self.path, error);
        let mut file = fs::File::open(&self.path).map_err(named)?;
        io::Seek::seek(&mut file, io::SeekFrom::Start(offset)).map_err(named)?;
        let mut rest = Vec::new();
        io::Read::read_to_end(&mut file, &mut rest).map_err(named)?;
        Ok(rest.contains(&0))
    }

    fn take(&mut self, line: &Line<'_>) -> Result<(), (usize, String)> {
        let expected = if self.lines == 0 { self.first } else { self.position.sequence + 1 };
        if line.sequence != expected {
            return Err((0, format!("line {expected} of the chain is missing")));
        }
        if self.lines > 0 && line.previous != self.position.hash {
            return Err((0, "the line does not follow the one before".to_owned()));
        }
        if (line.kind == Kind::Segment) != (self.lines == 0) {
            return Err((0, "a segment begins with a line that says so, and only with one".to_owned()));
        }
        if self.head.is_some_and(|head| head.sequence == line.sequence && head.hash != line.hash) {
            return Err((0, "the line is not the one that a head was signed for".to_owned()));
        }
        self.note(line).map_err(|error| (0, format!("the body cannot be read: {error}")))?;
        self.position = Position { sequence: line.sequence, hash: line.hash };
        Ok(())
    }

    /// Keeps what a writer must know.
    fn note(&mut self, line: &Line<'_>) -> Result<(), serde_json::Error> {
        if let Some(completed) = line.completes {
            self.intents.remove(&completed);
            self.earlier.retain(|earlier| *earlier != completed);
        }
        let Some(body) = line.body else { return Ok(()) };
        match line.kind {
            Kind::Segment => {
                let start: SegmentStart = serde_json::from_slice(body)?;
                self.earlier.clone_from(&start.open_intents);
                self.delivery.clone_from(&start.delivery);
                self.keys.clone_from(&start.keys);
                self.start = Some(start);
                self.began = line.time;
            }
            Kind::Intent => {
                self.intents.insert(line.sequence, (line.class, body.to_owned()));
            }
            Kind::Delivery => {
                let delivery: Delivery = serde_json::from_slice(body)?;
                self.delivery.add(&delivery);
            }
            Kind::Digest => {
                let digest: DigestDelivery = serde_json::from_slice(body)?;
                self.delivery.close(digest.end_time, digest.digest);
            }
            Kind::Key => {
                self.keys.push(serde_json::from_slice(body)?);
            }
            Kind::Record | Kind::Tombstone => {}
        }
        Ok(())
    }

    fn into_recovered(
        mut self,
        disk: ChainFiles,
        chain: &Path,
        segments: &[u64],
        torn_bytes: u64,
    ) -> Result<Recovered, OpenError> {
        for intent in std::mem::take(&mut self.earlier) {
            let found = find(chain, segments, intent)?;
            self.intents.insert(intent, found);
        }
        let state = || IntentState::Abandoned(Cause::ServerStopped);
        let open = std::mem::take(&mut self.intents)
            .into_iter()
            .map(|(sequence, (class, body))| (sequence, OpenIntent { class, body, state: state() }))
            .collect();
        let progress = Progress { position: self.position, segment: self.first, segment_bytes: self.end };
        let Self { began: segment_began, delivery, keys, .. } = self;
        Ok(Recovered { disk, progress, segment_began, open, delivery, keys, torn_bytes })
    }
}

/// Reads an intent of an earlier segment.
fn find(chain: &Path, segments: &[u64], intent: u64) -> Result<(Option<Class>, Vec<u8>), OpenError> {
    let missing = |path: PathBuf| OpenError::Damaged {
        path,
        line: 1,
        byte: 0,
        what: format!("line {intent} of the chain, an intent without outcome, is missing"),
    };
    let first = segments.iter().rev().find(|first| **first <= intent).copied();
    let Some(first) = first else { return Err(missing(chain.to_owned())) };
    let path = chain.join(segment::file_name(first));
    let named = |error| disk::named(&path, error);
    let mut lines = Lines::open(&path, 0).map_err(named)?;
    while let Some(raw) = lines.next_line().map_err(named)? {
        if let Ok(Line { sequence, class, body: Some(body), .. }) = Line::parse(raw.bytes)
            && sequence == intent
        {
            return Ok((class, body.to_owned()));
        }
    }
    Err(missing(path))
}
