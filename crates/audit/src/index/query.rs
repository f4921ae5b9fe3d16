//! Finding records, as `LookupEvents` does.

use std::fmt;
use std::io;
use std::str::FromStr;

use jiff::Timestamp;
use postern_audit_format::Record;
use postern_audit_format::chain::{Class, Line};
use postern_audit_format::segment::{self, Lines};
use sqlx::{QueryBuilder, Sqlite};

use super::{Index, LookupError, sql, unsql};
use crate::disk;

/// What events can be found by; the number is what the index's rows have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Attribute {
    Any = 0,
    EventId = 1,
    EventName = 2,
    ReadOnly = 3,
    Username = 4,
    ResourceType = 5,
    ResourceName = 6,
    EventSource = 7,
    AccessKeyId = 8,
}

impl Attribute {
    /// Everything that a record can be found by.
    pub(super) fn of(record: &Record) -> Vec<(Self, String)> {
        let mut terms = vec![
            (Self::Any, String::new()),
            (Self::EventId, record.event_id.to_string()),
            (Self::EventName, record.event_name.clone()),
            (Self::EventSource, record.event_source.clone()),
        ];
        let optional = [
            (Self::ReadOnly, record.read_only.map(|read_only| read_only.to_string())),
            (Self::Username, record.username().map(ToOwned::to_owned)),
            (Self::AccessKeyId, record.user_identity.access_key_id.clone()),
        ];
        terms.extend(optional.into_iter().filter_map(|(attribute, value)| Some((attribute, value?))));
        for resource in &record.resources {
            terms.push((Self::ResourceType, resource.kind.clone()));
            terms.push((Self::ResourceName, resource.name().to_owned()));
            terms.push((Self::ResourceName, resource.arn.clone()));
        }
        terms
    }
}

/// What to find, one thing at a time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LookupAttribute {
    /// The record's identifier.
    EventId(String),
    /// The operation or event.
    EventName(String),
    /// Whether the operation only reads.
    ReadOnly(bool),
    /// A user's name, or the session name of a role.
    Username(String),
    /// The type of a resource.
    ResourceType(String),
    /// The name of a resource, or its ARN.
    ResourceName(String),
    /// The service.
    EventSource(String),
    /// The key that signed.
    AccessKeyId(String),
}

impl LookupAttribute {
    fn term(&self) -> (Attribute, String) {
        match self {
            Self::EventId(id) => (Attribute::EventId, id.to_ascii_lowercase()),
            Self::EventName(name) => (Attribute::EventName, name.clone()),
            Self::ReadOnly(read_only) => (Attribute::ReadOnly, read_only.to_string()),
            Self::Username(name) => (Attribute::Username, name.clone()),
            Self::ResourceType(kind) => (Attribute::ResourceType, kind.clone()),
            Self::ResourceName(name) => (Attribute::ResourceName, name.clone()),
            Self::EventSource(source) => (Attribute::EventSource, source.clone()),
            Self::AccessKeyId(id) => (Attribute::AccessKeyId, id.clone()),
        }
    }
}

/// Which events to find; the newest come first.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LookupQuery {
    /// What they have.
    pub attribute: Option<LookupAttribute>,
    /// The earliest time, included; whole seconds count.
    pub start: Option<Timestamp>,
    /// The latest time, included.
    pub end: Option<Timestamp>,
    /// Where the page before ended.
    pub after: Option<LookupCursor>,
    /// At most this many.
    pub limit: u32,
}

/// Where a page ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LookupCursor {
    /// The time of the last event, in seconds since 1970.
    time: i64,
    /// Its number on the chain.
    sequence: u64,
}

impl fmt::Display for LookupCursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.time, self.sequence)
    }
}

/// A text that is no cursor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it is not a cursor of a lookup")]
pub struct ParseCursorError;

impl FromStr for LookupCursor {
    type Err = ParseCursorError;

    fn from_str(text: &str) -> Result<Self, ParseCursorError> {
        let (time, sequence) = text.split_once(':').ok_or(ParseCursorError)?;
        let time = time.parse().map_err(|_| ParseCursorError)?;
        Ok(Self { time, sequence: sequence.parse().map_err(|_| ParseCursorError)? })
    }
}

/// An event that was found.
#[derive(Debug, Clone, PartialEq)]
pub struct FoundEvent {
    /// Its number on the chain.
    pub sequence: u64,
    /// What it is kept as.
    pub class: Class,
    /// The record.
    pub record: Record,
    /// The record as it was written, for `CloudTrailEvent`.
    pub json: String,
}

/// A page of events.
#[derive(Debug, Clone, PartialEq)]
pub struct LookupPage {
    /// The events, the newest first.
    pub events: Vec<FoundEvent>,
    /// `after` of the next page, when there is more.
    pub next: Option<LookupCursor>,
}

/// Where an event is.
#[derive(Debug, Clone, Copy)]
struct Place {
    sequence: u64,
    time: i64,
    segment: u64,
    offset: u64,
}

impl Index {
    /// Finds events. The index is as far as it has been brought.
    pub(crate) async fn lookup(&self, query: &LookupQuery) -> Result<LookupPage, LookupError> {
        match self.find(query).await {
            // Records were removed from this segment, and the index was not told: tell it now.
            Err(Miss::Moved(place)) => {
                self.reindex(place.segment).await?;
                self.find(query).await.map_err(|miss| miss.into_error(self))
            }
            found => found.map_err(|miss| miss.into_error(self)),
        }
    }

    async fn find(&self, query: &LookupQuery) -> Result<LookupPage, Miss> {
        let mut places = self.places(query).await?;
        let limit = usize::try_from(query.limit).expect("32 bits fit");
        let has_more = places.len() > limit;
        places.truncate(limit);
        let next = places
            .last()
            .filter(|_| has_more)
            .map(|place| LookupCursor { time: place.time, sequence: place.sequence });
        let chain = self.chain.clone();
        let read = move || -> Result<Vec<FoundEvent>, Miss> {
            places.iter().map(|place| read(&chain, *place)).collect()
        };
        let events = tokio::task::spawn_blocking(read).await.map_err(io::Error::other)??;
        Ok(LookupPage { events, next })
    }

    async fn places(&self, query: &LookupQuery) -> Result<Vec<Place>, Miss> {
        let (attribute, value) =
            query.attribute.as_ref().map_or((Attribute::Any, String::new()), LookupAttribute::term);
        let mut select: QueryBuilder<Sqlite> = QueryBuilder::new(
            "SELECT sequence, time, segment, offset FROM terms JOIN events USING (sequence) WHERE attribute = ",
        );
        select.push_bind(i64::from(attribute as u8)).push(" AND value = ").push_bind(value);
        if let Some(start) = query.start {
            select.push(" AND time >= ").push_bind(start.as_second());
        }
        if let Some(end) = query.end {
            select.push(" AND time <= ").push_bind(end.as_second());
        }
        if let Some(LookupCursor { time, sequence }) = query.after {
            select.push(" AND (time, sequence) < (").push_bind(time).push(", ");
            select.push_bind(sql(sequence)).push(")");
        }
        select.push(" ORDER BY time DESC, sequence DESC LIMIT ").push_bind(i64::from(query.limit) + 1);
        let rows = select.build().fetch_all(&self.readers).await?;
        let place = |row| -> Result<Place, sqlx::Error> {
            Ok(Place {
                sequence: unsql(row, "sequence")?,
                time: sqlx::Row::try_get(row, "time")?,
                segment: unsql(row, "segment")?,
                offset: unsql(row, "offset")?,
            })
        };
        Ok(rows.iter().map(place).collect::<Result<_, _>>()?)
    }
}

/// Why no event was read.
#[derive(Debug)]
enum Miss {
    /// The line is not where the index says.
    Moved(Place),
    Other(LookupError),
}

impl Miss {
    fn into_error(self, index: &Index) -> LookupError {
        match self {
            Self::Moved(Place { sequence, segment, .. }) => {
                LookupError::Damaged { path: index.chain.join(segment::file_name(segment)), sequence }
            }
            Self::Other(error) => error,
        }
    }
}

impl From<io::Error> for Miss {
    fn from(error: io::Error) -> Self {
        Self::Other(error.into())
    }
}

impl From<sqlx::Error> for Miss {
    fn from(error: sqlx::Error) -> Self {
        Self::Other(error.into())
    }
}

/// Reads an event from the chain.
fn read(chain: &std::path::Path, place: Place) -> Result<FoundEvent, Miss> {
    let path = chain.join(segment::file_name(place.segment));
    let named = |error| disk::named(&path, error);
    let mut lines = match Lines::open(&path, place.offset) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(Miss::Moved(place)),
        lines => lines.map_err(named)?,
    };
    let raw = lines.next_line().map_err(named)?.ok_or(Miss::Moved(place))?;
    let line = Line::parse(raw.bytes).ok().filter(|line| line.sequence == place.sequence);
    let line = line.ok_or(Miss::Moved(place))?;
    let json = line.body.and_then(|body| std::str::from_utf8(body).ok()).ok_or(Miss::Moved(place))?;
    let record = serde_json::from_str(json).map_err(|_| Miss::Moved(place))?;
    let class = line.class.unwrap_or(Class::Write);
    Ok(FoundEvent { sequence: line.sequence, class, record, json: json.to_owned() })
}
