//! Every call becomes a record on the trail, and the record is durable before the answer leaves.
//!
//! [`Audit::entry`] begins the record of a call, the steps of the call add what they find out, [`Audit::begin`] puts
//! the intent of a call that changes something on the trail before it does, and [`Audit::close`] writes what became
//! of it. A call whose record cannot be written is not answered.

mod elements;
mod entry;
mod follow_events;
mod identity;
mod key_events;
mod operation;
mod removed_recordings;
mod resource;
mod retention;
mod routine;
mod session_events;
mod session_log_events;
mod sign_in_event;

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use http::header::{HOST, USER_AGENT};
use http::request::Parts;
use jiff::Timestamp;
use postern_api::{ApiError, CommonError};
use postern_audit::{Record, TlsDetails, Trail, TrailError, UserIdentity};
use postern_ids::{AccessKeyId, AccountId, NodeId, Region};
use postern_sigv4::Authorization;

use crate::clock::Clock;
use crate::config::UnrecordedReads;
use crate::random::Random;
use crate::rate_limit::{RateLimit, network};
use crate::serve::TlsFacts;

pub(crate) use entry::{Entry, Failure, described_decision};
pub(crate) use key_events::KeyEvent;
pub(crate) use operation::Described;
pub(crate) use retention::{REMOVED_EVERY, remove_old};
pub(crate) use session_events::{SessionRecords, cast_name};

pub(crate) use sign_in_event::SignInEvent;

use entry::{What, Who};
use routine::{Routine, Verdict};

/// Records of calls that nobody signed for, from one address in a minute. Beyond that they are counted, so that
/// strangers cannot fill the disk.
const STRANGERS_PER_MINUTE_MAX: usize = 120;

/// Writes what calls there were.
pub(crate) struct Audit {
    /// `None`: a benchmark measures what the trail costs.
    trail: Option<Trail>,
    account: AccountId,
    region: Region,
    unrecorded_reads: UnrecordedReads,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    routine: Routine,
    strangers: RateLimit<IpAddr>,
    strangers_not_recorded: AtomicU64,
}

/// A call that cannot be put on the trail.
#[derive(Debug, thiserror::Error)]
#[error("the audit trail cannot be written")]
pub(crate) struct Unrecorded(#[from] TrailError);

impl From<Unrecorded> for ApiError {
    fn from(unrecorded: Unrecorded) -> Self {
        let error: &dyn std::error::Error = &unrecorded;
        tracing::error!(error, "a call is refused because the audit trail cannot be written");
        Self::new(CommonError::Internal, "An error occurred on the server side.")
    }
}

impl Audit {
    pub(crate) fn new(
        trail: Option<Trail>,
        account: AccountId,
        region: Region,
        unrecorded_reads: UnrecordedReads,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
    ) -> Self {
        Self {
            trail,
            account,
            region,
            unrecorded_reads,
            clock,
            random,
            routine: Routine::default(),
            strangers: RateLimit::new(STRANGERS_PER_MINUTE_MAX),
            strangers_not_recorded: AtomicU64::new(0),
        }
    }

    /// The trail, for those who read it.
    pub(crate) fn trail(&self) -> Option<&Trail> {
        self.trail.as_ref()
    }

    /// Begins the record of a request that has arrived.
    pub(crate) fn entry(&self, parts: &Parts, peer: SocketAddr, request_id: &str, at: Timestamp) -> Entry {
        let identity = identity::of_stranger(claimed_access_key(parts));
        let mut record = self.record(at, identity);
        record.source_ip_address = peer.ip().to_canonical().to_string();
        record.user_agent = text(parts, USER_AGENT.as_str());
        record.request_id = Some(request_id.to_owned());
        record.tls_details = parts.extensions.get::<TlsFacts>().map(|tls| TlsDetails {
            tls_version: Some(tls.version.to_string()),
            cipher_suite: Some(tls.cipher_suite.to_string()),
            client_provided_host_header: text(parts, HOST.as_str())
                .or_else(|| parts.uri.authority().map(ToString::to_string)),
        });
        Entry::new(record, self.account.clone())
    }

    /// Puts on the trail that the call is about to change something. To be called when it may, before it does.
    ///
    /// # Errors
    /// [`Unrecorded`]: nothing may be done.
    pub(crate) async fn begin(&self, entry: &Entry) -> Result<(), Unrecorded> {
        let Some(trail) = &self.trail else { return Ok(()) };
        let (class, record) = {
            let mut draft = entry.draft();
            if !draft.needs_intent() {
                return Ok(());
            }
            draft.is_begun = true;
            (draft.class(), draft.record.clone())
        };
        let pending = trail.begin(class, record).await?;
        entry.draft().pending = Some(pending);
        Ok(())
    }

    /// Writes how the call ended. It must not be answered before.
    ///
    /// # Errors
    /// [`Unrecorded`]: it must not be answered at all.
    pub(crate) async fn close(
        &self,
        entry: &Entry,
        peer: IpAddr,
        failure: Option<Failure>,
    ) -> Result<(), Unrecorded> {
        let Some(trail) = &self.trail else { return Ok(()) };
        let (pending, class, record, only_reads, routine) = {
            let mut draft = entry.draft();
            if matches!(draft.what, What::Nothing) {
                return Ok(());
            }
            draft.end(self.clock.now(), failure);
            let routine = match (&draft.who, draft.what) {
                (Who::Node(node), What::Known(described)) if draft.is_routine() => {
                    Some((node.clone(), described.name))
                }
                _ => None,
            };
            // What a stranger could change something with has begun its record.
            let is_flood = draft.who == Who::Stranger && draft.pending.is_none();
            if is_flood && !self.is_stranger_recorded(peer, &mut draft.record) {
                return Ok(());
            }
            draft.check_intent();
            let only_reads = draft.only_reads();
            (draft.pending.take(), draft.class(), draft.record.clone(), only_reads, routine)
        };
        let written = match (pending, routine) {
            (Some(pending), _) => trail.complete(pending, record).await,
            (None, Some((node, operation))) => self.write_routine(trail, &node, operation, record).await,
            (None, None) => trail.write(class, record).await,
        };
        match written {
            Err(error) if only_reads && self.unrecorded_reads == UnrecordedReads::Answer => {
                let error: &dyn std::error::Error = &error;
                tracing::error!(error, "a call that reads is answered without being on the audit trail");
                Ok(())
            }
            written => Ok(written?),
        }
    }

    async fn write_routine(
        &self,
        trail: &Trail,
        node: &NodeId,
        operation: &'static str,
        mut record: Record,
    ) -> Result<(), TrailError> {
        let Verdict::Record(missed) = self.routine.judge(node, operation, &record) else {
            return Ok(());
        };
        for (name, count) in [("repeatedBefore", missed.repeated), ("changedBefore", missed.changed)] {
            if count > 0 {
                record.additional_event_data.insert(name.to_owned(), count.into());
            }
        }
        let written = trail.write(postern_audit::Class::Node, record).await;
        if written.is_err() {
            self.routine.forget(node, operation);
        }
        written
    }

    /// Whether a call that nobody signed for is recorded, or only counted.
    fn is_stranger_recorded(&self, peer: IpAddr, record: &mut Record) -> bool {
        if !self.strangers.admits(network(peer), Instant::now()) {
            self.strangers_not_recorded.fetch_add(1, Ordering::Relaxed);
            return false;
        }
        let missed = self.strangers_not_recorded.swap(0, Ordering::Relaxed);
        if missed > 0 {
            record.additional_event_data.insert("callsOfStrangersNotRecorded".to_owned(), missed.into());
        }
        true
    }

    fn record(&self, at: Timestamp, who: UserIdentity) -> Record {
        let event_id = uuid::Builder::from_random_bytes(self.random.bytes()).into_uuid();
        let mut record =
            Record::api_call(event_id, at, String::new(), String::new(), self.region.clone(), who);
        record.recipient_account_id = Some(self.account.clone());
        record
    }
}

/// The access key that a request names, if it can be one: people paste secrets in its place.
fn claimed_access_key(parts: &Parts) -> Option<String> {
    let credential = match text(parts, "authorization") {
        Some(header) => Authorization::parse(&header).ok()?.credential.access_key_id,
        None => {
            let query = parts.uri.query()?;
            let value = query.split('&').find_map(|pair| pair.strip_prefix("X-Amz-Credential="))?;
            value.split(['/', '%']).next()?.to_owned()
        }
    };
    let is_key = credential.parse::<AccessKeyId>().is_ok() || credential.parse::<NodeId>().is_ok();
    is_key.then_some(credential)
}

fn text(parts: &Parts, header: &str) -> Option<String> {
    Some(parts.headers.get(header)?.to_str().ok()?.to_owned())
}
