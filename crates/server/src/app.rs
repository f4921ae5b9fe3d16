//! What every operation works with.

use std::net::IpAddr;
use std::sync::Arc;

use postern_api::ssm::StartSessionOutput;
use postern_gateway::Gateway;
use postern_ids::{AccountId, NodeId, Region};
use postern_objects::Vault;
use postern_search::SearchIndex;
use postern_store::Store;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::audit::Audit;
use crate::auth::{Authenticator, Authorizer, Invocations, MfaCodes, Passwords, SessionTokens};
use crate::body_budget::BodyBudget;
use crate::clock::Clock;
use crate::config::{Limits, PublicUrl, Sessions};
use crate::console::Console;
use crate::disk_reserve::DiskReserve;
use crate::follow;
use crate::kms::Kms;
use crate::logs::Logs;
use crate::node_uploads::NodeUploads;
use crate::oidc::OidcVerifier;
use crate::page_token::PageTokens;
use crate::random::Random;
use crate::rate_limit::RateLimit;
use crate::recordings::Recordings;
use crate::session_logs::SessionLogs;

/// What every operation works with.
pub(crate) struct App {
    pub(crate) account: AccountId,
    pub(crate) region: Region,
    pub(crate) public_url: PublicUrl,
    pub(crate) sessions: Sessions,
    pub(crate) limits: Limits,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) gateway: Gateway,
    pub(crate) recordings: Recordings,
    /// What writes the logs of sessions.
    pub(crate) session_logs: SessionLogs,
    /// Log groups and what is in them.
    pub(crate) logs: Logs,
    /// Buckets and what is in them.
    pub(crate) vault: Vault,
    /// What was shown in recordings, by words.
    pub(crate) search: SearchIndex,
    /// What works with encryption keys.
    pub(crate) kms: Arc<Kms>,
    /// Leave to follow sessions, given and not used yet.
    pub(crate) follow_tickets: follow::Tickets,
    /// What puts every call on the trail.
    pub(crate) audit: Audit,
    /// What is younger is not removed from the trail by order, in days.
    pub(crate) audit_expire_min_days: u32,
    /// S3 over buckets, and what the trail delivers.
    pub(crate) s3: postern_s3::Endpoint,
    pub(crate) authenticator: Arc<Authenticator>,
    pub(crate) authorizer: Arc<Authorizer>,
    pub(crate) session_tokens: Arc<SessionTokens>,
    pub(crate) mfa_codes: MfaCodes,
    pub(crate) passwords: Passwords,
    pub(crate) oidc: OidcVerifier,
    pub(crate) console: Console,
    /// Answers of `StartSession` for clients that repeat a call.
    pub(crate) started_sessions: Invocations<StartSessionOutput>,
    /// Told when a session started under rights that have changed meanwhile.
    pub(crate) sessions_changed: Notify,
    pub(crate) page_tokens: PageTokens,
    /// Room for the bodies of requests that are not answered yet.
    pub(crate) bodies: BodyBudget,
    /// Calls that nobody has signed, by the address they come from.
    pub(crate) unsigned_calls: RateLimit<IpAddr>,
    /// What nodes say of themselves, each of which is a write to the store.
    pub(crate) node_updates: RateLimit<NodeId>,
    /// What nodes upload.
    pub(crate) node_uploads: NodeUploads,
    /// Room on the disk for what must go on.
    pub(crate) disk_reserve: DiskReserve,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) random: Arc<dyn Random>,
    /// Owns the tasks that take over websockets.
    pub(crate) tasks: TaskTracker,
    /// Cancelled when the server stops: long polls end.
    pub(crate) shutdown: CancellationToken,
}
