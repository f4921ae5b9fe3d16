//! How a session begins: who the client is, the handshake with it, and when to start the program.
//!
//! The rules and their reasons are those of the clients in use (data channel of aws/session-manager-plugin,
//! src/sessionmanagerplugin/session/):
//! - The first message to a client is Output or a handshake; after anything else the plugin hangs.
//! - Shells start with a handshake only if the client said who it is: some browser clients print it.
//! - After the handshake the plugin drops what comes before it has set itself up; then it sends its size.
//! - Without a handshake the plugin sends its size only after the first output.

use std::time::Duration;

use bytes::Bytes;
use postern_cipher::{Challenge, CipherError, SessionCipher, context_challenge};
use postern_documents::SessionType;
use postern_protocol::encryption::{EncryptedDataKey, EncryptionChallenge};
use postern_protocol::handshake::{HandshakeComplete, HandshakeRequest, HandshakeResponse, RequestedAction};
use postern_protocol::payload::{ClientAttached, STANDARD_INPUT_PROPERTY, Size};
use postern_protocol::tunnel::{TUNNEL_PROPERTY, TUNNEL_VERSION};
use postern_protocol::version::{CHUNK_BYTES_UNKNOWN_CLIENT, ClientVersion};
use serde_json::{Value, json};
use tokio::time::Instant;

use super::encryption::{Encryption, SealedKey};
use super::task::{Run, Separation};
use crate::AGENT_VERSION;

/// What a client gets to answer the handshake, as in AWS's agent.
const HANDSHAKE_WITHIN: Duration = Duration::from_secs(15);
/// What the plugin gets to set itself up and send its size; it takes some milliseconds.
const SIZE_WITHIN: Duration = Duration::from_millis(250);
/// A server that does not say when a client is there is not Postern's: shells then start without being told.
const CLIENT_WITHIN: Duration = Duration::from_secs(15);
/// A session that needs a handshake waits for the client as long as the server does.
const HANDSHAKING_CLIENT_WITHIN: Duration = Duration::from_secs(60);
/// For a client that never says how large it is.
const DEFAULT_SIZE: Size = Size { cols: 80, rows: 24 };

/// What to do next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Action {
    SendHandshakeRequest(Bytes),
    SendHandshakeComplete(Bytes),
    /// Have the data key decrypted; then [`Start::handle_key`].
    FetchKey(SealedKey),
    SendChallenge(Bytes),
    /// Start the program.
    Start(Size),
}

/// The client did not do its part. The texts are those of AWS's agent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum HandshakeError {
    #[error(
        "Encountered error while initiating handshake. Handshake timed out. Please ensure that you have the latest version of the session manager plugin."
    )]
    TimedOut,
    #[error(
        "Encountered error while initiating handshake. {action} failed on client with status {status} error: {error}"
    )]
    ActionFailed { action: String, status: i64, error: String },
    #[error("Encountered error while initiating handshake. The client's answer cannot be read: {0}")]
    Unreadable(String),
    #[error(
        "Encountered error while initiating handshake. The client sent no data key to encrypt the session with."
    )]
    NoDataKey,
    #[error("Encountered error while initiating handshake. Fetching data key failed: {0}")]
    Key(String),
    #[error("Encountered error while initiating handshake. Timed out waiting for encryption challenge.")]
    ChallengeTimedOut,
    #[error("Encountered error while initiating handshake. {0}")]
    Cipher(#[from] CipherError),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    AwaitingClient {
        until: Instant,
    },
    Handshaking {
        since: Instant,
    },
    /// The data key is being decrypted.
    AwaitingKey {
        since: Instant,
        until: Instant,
    },
    /// The client is to prove that it has the key.
    Challenging {
        since: Instant,
        until: Instant,
    },
    AwaitingSize {
        until: Instant,
    },
    Started,
}

/// The beginning of one session.
#[derive(Debug)]
pub(super) struct Start {
    session_type: SessionType,
    /// Of a port session: what the client is told of it.
    properties: Value,
    needs_handshake: bool,
    separates: bool,
    /// Whether the program can be given input by a client that knows how.
    offers_input: bool,
    /// Whether the client took that up.
    feeds_input: bool,
    /// The client took up the dialect of Postern's own ends.
    speaks_dialect: bool,
    encryption: Option<Encryption>,
    phase: Phase,
    actions: Vec<Action>,
    size: Option<Size>,
    client_id: Option<String>,
    client_version: String,
}

impl Start {
    pub(super) fn new(run: &Run, now: Instant) -> Self {
        let (needs_handshake, separates) = match run {
            Run::Piped(piped) => (true, piped.separation != Separation::Merged),
            Run::LoginShell { .. } | Run::OnTerminal { .. } => (false, false),
        };
        let within = if needs_handshake { HANDSHAKING_CLIENT_WITHIN } else { CLIENT_WITHIN };
        Self {
            session_type: run.session_type(),
            properties: Value::Null,
            needs_handshake,
            separates,
            offers_input: matches!(run, Run::Piped(_)),
            feeds_input: false,
            speaks_dialect: false,
            encryption: None,
            phase: Phase::AwaitingClient { until: now + within },
            actions: Vec::new(),
            size: None,
            client_id: None,
            client_version: String::new(),
        }
    }

    /// The beginning of a session that carries a connection.
    pub(super) fn of_port(properties: Value, now: Instant) -> Self {
        let until = now + HANDSHAKING_CLIENT_WITHIN;
        Self {
            session_type: SessionType::Port,
            properties,
            needs_handshake: true,
            separates: false,
            offers_input: false,
            feeds_input: false,
            speaks_dialect: false,
            encryption: None,
            phase: Phase::AwaitingClient { until },
            actions: Vec::new(),
            size: None,
            client_id: None,
            client_version: String::new(),
        }
    }

    /// Nothing of the session goes on its way before both ends have the data key.
    pub(super) fn encrypted_with(self, kms_key_id: Option<String>) -> Result<Self, HandshakeError> {
        let Some(kms_key_id) = kms_key_id else { return Ok(self) };
        let encryption = Encryption::new(kms_key_id, context_challenge()?);
        Ok(Self { needs_handshake: true, encryption: Some(encryption), ..self })
    }

    /// A client is there, for the first time or again. Only Postern's server tells more.
    pub(super) fn handle_attached(&mut self, attached: Option<ClientAttached>, now: Instant) {
        let attached = attached.unwrap_or_default();
        let is_other = attached.client_id != self.client_id;
        if is_other || matches!(self.phase, Phase::AwaitingClient { .. }) {
            self.client_version = attached.client_version.unwrap_or_default();
            self.client_id = attached.client_id;
        }
        self.size = attached.size.or(self.size);
        match self.phase {
            Phase::AwaitingClient { .. } => {}
            // The request is repeated to the client that is there now, which has its own time to answer.
            Phase::Handshaking { .. } => return self.phase = Phase::Handshaking { since: now },
            Phase::AwaitingKey { .. }
            | Phase::Challenging { .. }
            | Phase::AwaitingSize { .. }
            | Phase::Started => return,
        }
        if self.needs_handshake || self.client_id.is_some() {
            self.phase = Phase::Handshaking { since: now };
            let properties = if self.offers_input && self.client().is_postern() {
                json!({ STANDARD_INPUT_PROPERTY: "true" })
            } else {
                self.properties.clone()
            };
            let session_type = self.session_type.as_str().to_owned();
            let action = RequestedAction::SessionType { session_type, properties };
            let request = HandshakeRequest {
                agent_version: AGENT_VERSION.to_owned(),
                requested_client_actions: [action]
                    .into_iter()
                    .chain(self.encryption.as_ref().map(Encryption::action))
                    .collect(),
            };
            self.actions.push(Action::SendHandshakeRequest(request.to_json()));
        } else {
            self.start();
        }
    }

    /// The client answered the handshake.
    pub(super) fn handle_response(&mut self, payload: &[u8], now: Instant) -> Result<(), HandshakeError> {
        let Phase::Handshaking { since } = self.phase else { return Ok(()) };
        let response = HandshakeResponse::from_json(payload);
        let response = response.map_err(|error| HandshakeError::Unreadable(error.to_string()))?;
        if let Some(failed) = response.failure() {
            return Err(HandshakeError::ActionFailed {
                action: failed.action_type.clone(),
                status: failed.action_status.into(),
                error: failed.error.clone(),
            });
        }
        self.feeds_input = self.offers_input && response.takes_up(STANDARD_INPUT_PROPERTY, "true");
        let offers_dialect = self.properties.get(TUNNEL_PROPERTY).is_some();
        self.speaks_dialect = offers_dialect && response.takes_up(TUNNEL_PROPERTY, TUNNEL_VERSION);
        self.client_version = response.client_version;
        if let Some(encryption) = &self.encryption {
            let asked = encryption.action();
            let mut done = response.processed_client_actions.iter();
            let done = done.find(|done| done.action_type == asked.action_type());
            let key = done.and_then(EncryptedDataKey::of).ok_or(HandshakeError::NoDataKey)?;
            self.actions.push(Action::FetchKey(encryption.sealed(key)));
            self.phase = Phase::AwaitingKey { since, until: now + HANDSHAKE_WITHIN };
            return Ok(());
        }
        self.complete(since, now);
        Ok(())
    }

    /// The data key is there: the client is asked to prove that it has it, too.
    pub(super) fn handle_key(&mut self, cipher: &SessionCipher, now: Instant) -> Result<(), HandshakeError> {
        let Phase::AwaitingKey { since, .. } = self.phase else { return Ok(()) };
        let encryption = self.encryption.as_mut().ok_or(HandshakeError::NoDataKey)?;
        let (asked, request) = Challenge::new(cipher)?;
        encryption.asked = Some(asked);
        self.actions.push(Action::SendChallenge(request.to_json()));
        self.phase = Phase::Challenging { since, until: now + HANDSHAKE_WITHIN };
        Ok(())
    }

    /// The client answered the challenge.
    pub(super) fn handle_challenge_answer(
        &mut self,
        payload: &[u8],
        cipher: &SessionCipher,
        now: Instant,
    ) -> Result<(), HandshakeError> {
        let Phase::Challenging { since, .. } = self.phase else { return Ok(()) };
        let answer = EncryptionChallenge::from_json(payload);
        let answer = answer.map_err(|error| HandshakeError::Unreadable(error.to_string()))?;
        let asked = self.encryption.as_ref().and_then(|encryption| encryption.asked.as_ref());
        asked.ok_or(HandshakeError::NoDataKey)?.check(cipher, &answer)?;
        self.complete(since, now);
        Ok(())
    }

    fn complete(&mut self, since: Instant, now: Instant) {
        let lacks_streams = self.separates && ClientVersion(&self.client_version).lacks_separate_output();
        let complete = HandshakeComplete {
            handshake_time_to_complete: now.duration_since(since),
            customer_message: [(lacks_streams, UPDATE_PLUGIN), (self.encryption.is_some(), IS_ENCRYPTED)]
                .into_iter()
                .filter_map(|(is_due, text)| is_due.then_some(text))
                .collect(),
        };
        self.actions.push(Action::SendHandshakeComplete(complete.to_json()));
        self.phase = Phase::AwaitingSize { until: now + SIZE_WITHIN };
        // Postern's client is ready when it answers, and has said its size when it came.
        if self.client().is_postern() && (self.size.is_some() || self.needs_handshake) {
            self.start();
        }
    }

    /// The client's terminal has this size. Whether the program is to be told: it runs already.
    pub(super) fn handle_size(&mut self, size: Size) -> bool {
        self.size = Some(size);
        if matches!(self.phase, Phase::AwaitingSize { .. }) {
            self.start();
            return false;
        }
        self.phase == Phase::Started
    }

    /// The client sends data, so it is set up; clients of port sessions say no size.
    pub(super) fn handle_data(&mut self) {
        if matches!(self.phase, Phase::AwaitingSize { .. }) {
            self.start();
        }
    }

    pub(super) fn poll_action(&mut self) -> Option<Action> {
        (!self.actions.is_empty()).then(|| self.actions.remove(0))
    }

    /// When to call [`Self::handle_timeout`].
    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        match self.phase {
            Phase::AwaitingClient { until }
            | Phase::AwaitingKey { until, .. }
            | Phase::Challenging { until, .. }
            | Phase::AwaitingSize { until } => Some(until),
            Phase::Handshaking { since } => Some(since + HANDSHAKE_WITHIN),
            Phase::Started => None,
        }
    }

    pub(super) fn handle_timeout(&mut self, now: Instant) -> Result<(), HandshakeError> {
        if self.poll_timeout().is_none_or(|until| now < until) {
            return Ok(());
        }
        match self.phase {
            Phase::AwaitingClient { .. } => self.handle_attached(None, now),
            Phase::AwaitingKey { .. } => {
                return Err(HandshakeError::Key("the control plane did not answer in time".to_owned()));
            }
            Phase::Challenging { .. } => return Err(HandshakeError::ChallengeTimedOut),
            Phase::Handshaking { .. } if self.needs_handshake => return Err(HandshakeError::TimedOut),
            // AWS's agent would not have asked: whoever does not answer gets a shell all the same.
            Phase::Handshaking { .. } => self.start(),
            Phase::AwaitingSize { .. } => self.start(),
            Phase::Started => {}
        }
        Ok(())
    }

    /// Bytes of data for one message to the present client.
    pub(super) fn chunk_bytes(&self) -> usize {
        if self.client_version.is_empty() { CHUNK_BYTES_UNKNOWN_CLIENT } else { self.client().chunk_bytes() }
    }

    /// Whether the program may run and the client be told things.
    pub(super) fn is_started(&self) -> bool {
        self.phase == Phase::Started
    }

    /// Whether connections go through this session in the dialect of Postern's own ends.
    pub(super) fn speaks_dialect(&self) -> bool {
        self.speaks_dialect
    }

    /// Whether what the client sends is the program's standard input.
    pub(super) fn feeds_input(&self) -> bool {
        self.feeds_input
    }

    /// The client's size, if it said one.
    pub(super) fn size(&self) -> Option<Size> {
        self.size
    }

    pub(super) fn client(&self) -> ClientVersion<'_> {
        ClientVersion(&self.client_version)
    }

    fn start(&mut self) {
        self.phase = Phase::Started;
        self.actions.push(Action::Start(self.size.unwrap_or(DEFAULT_SIZE)));
    }
}

/// The text of AWS's agent, agent/session/datachannel/.
const UPDATE_PLUGIN: &str = "Please update session manager plugin version (minimum required version 1.2.312.0) for \
                             fully support of separate StdOut/StdErr output.\r\n";

/// What the user is told, as AWS's agent does.
const IS_ENCRYPTED: &str = "This session is encrypted with a KMS key.";

#[cfg(test)]
mod tests {
    use postern_protocol::channel::Role;
    use postern_protocol::version::CHUNK_BYTES;

    use super::super::task::Piped;
    use super::*;

    const SIZE: Size = Size { cols: 132, rows: 43 };

    fn shell() -> Run {
        Run::LoginShell { profile: String::new() }
    }

    fn piped() -> Run {
        let separation = Separation::Separate { stdout_prefix: String::new(), stderr_prefix: String::new() };
        Run::Piped(Piped { words: vec!["ls".into()], separation })
    }

    fn attached(id: Option<&str>, version: Option<&str>, size: Option<Size>) -> Option<ClientAttached> {
        Some(ClientAttached {
            client_id: id.map(str::to_owned),
            client_version: version.map(str::to_owned),
            size,
        })
    }

    fn response(version: &str) -> String {
        format!(
            r#"{{"ClientVersion":"{version}","ProcessedClientActions":[{{"ActionType":"SessionType","ActionStatus":1}}]}}"#
        )
    }

    fn is_request(action: Option<Action>) -> bool {
        matches!(action, Some(Action::SendHandshakeRequest(json)) if json.starts_with(b"{\"AgentVersion\":\"3.3."))
    }

    fn completed(action: Option<Action>) -> String {
        match action {
            Some(Action::SendHandshakeComplete(json)) => {
                HandshakeComplete::from_json(&json).unwrap().customer_message
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn awss_plugin_shakes_hands_and_then_sends_its_size() {
        let now = Instant::now();
        let mut start = Start::new(&shell(), now);
        start.handle_attached(attached(Some("id"), Some("1.2.707.0"), None), now);
        assert!(is_request(start.poll_action()));
        assert_eq!(start.poll_timeout(), Some(now + Duration::from_secs(15)));
        start.handle_response(response("1.2.707.0").as_bytes(), now).unwrap();
        assert_eq!(completed(start.poll_action()), "");
        assert_eq!(start.poll_action(), None, "the plugin is not ready for output");
        assert!(!start.handle_size(SIZE));
        assert_eq!(start.poll_action(), Some(Action::Start(SIZE)));
        assert_eq!(start.chunk_bytes(), CHUNK_BYTES);
        assert!(start.handle_size(SIZE), "from now on the terminal is told");
        assert_eq!(start.poll_timeout(), None);
    }

    #[test]
    fn a_client_that_never_says_its_size_waits_no_longer_than_a_blink() {
        let now = Instant::now();
        let mut start = Start::new(&shell(), now);
        start.handle_attached(attached(Some("id"), None, None), now);
        start.handle_response(response("0.0.1").as_bytes(), now).unwrap();
        let later = now + Duration::from_millis(250);
        assert_eq!(start.poll_timeout(), Some(later));
        start.handle_timeout(later).unwrap();
        start.poll_action();
        start.poll_action();
        assert_eq!(start.poll_action(), Some(Action::Start(DEFAULT_SIZE)));
        assert_eq!(start.chunk_bytes(), CHUNK_BYTES_UNKNOWN_CLIENT);
    }

    #[test]
    fn a_client_without_an_id_gets_its_shell_at_once_and_no_handshake() {
        let now = Instant::now();
        for attached in [None, attached(None, None, None)] {
            let mut start = Start::new(&shell(), now);
            start.handle_attached(attached, now);
            assert_eq!(start.poll_action(), Some(Action::Start(DEFAULT_SIZE)));
            assert_eq!(start.chunk_bytes(), CHUNK_BYTES_UNKNOWN_CLIENT);
        }
    }

    #[test]
    fn posterns_client_is_ready_with_its_answer() {
        let now = Instant::now();
        let mut start = Start::new(&shell(), now);
        start.handle_attached(attached(Some("id"), Some("postern/0.1.0"), Some(SIZE)), now);
        start.poll_action();
        start.handle_response(response("postern/0.1.0").as_bytes(), now).unwrap();
        completed(start.poll_action());
        assert_eq!(start.poll_action(), Some(Action::Start(SIZE)));
    }

    #[test]
    fn commands_without_a_terminal_always_shake_hands() {
        let now = Instant::now();
        let mut start = Start::new(&piped(), now);
        assert_eq!(start.poll_timeout(), Some(now + Duration::from_secs(60)));
        start.handle_attached(None, now);
        assert!(is_request(start.poll_action()));
        start.handle_response(response("1.2.295").as_bytes(), now).unwrap();
        assert!(completed(start.poll_action()).starts_with("Please update session manager plugin version"));
    }

    #[test]
    fn a_server_that_tells_nothing_is_not_waited_for_for_ever() {
        let now = Instant::now();
        let mut start = Start::new(&shell(), now);
        start.handle_timeout(now + Duration::from_secs(14)).unwrap();
        assert_eq!(start.poll_action(), None);
        start.handle_timeout(now + Duration::from_secs(15)).unwrap();
        assert_eq!(start.poll_action(), Some(Action::Start(DEFAULT_SIZE)));
    }

    #[test]
    fn a_silent_or_unable_client_is_an_error_in_awss_words() {
        let now = Instant::now();
        let mut start = Start::new(&piped(), now);
        start.handle_attached(None, now);
        assert_eq!(start.handle_timeout(now + Duration::from_secs(15)), Err(HandshakeError::TimedOut));
        let unsupported = br#"{"ClientVersion":"1.2","ProcessedClientActions":[{"ActionType":"SessionType","ActionStatus":2,"Error":"no"}]}"#;
        let error = start.handle_response(unsupported, now).unwrap_err().to_string();
        assert!(error.ends_with("SessionType failed on client with status 2 error: no"), "{error}");
        assert!(matches!(start.handle_response(b"{", now), Err(HandshakeError::Unreadable(_))));
    }

    #[test]
    fn a_shell_does_not_depend_on_an_answer() {
        let now = Instant::now();
        let mut start = Start::new(&shell(), now);
        start.handle_attached(attached(Some("id"), None, None), now);
        start.poll_action();
        let later = now + Duration::from_secs(10);
        start.handle_attached(attached(Some("other"), None, None), later);
        assert_eq!(start.poll_timeout(), Some(later + Duration::from_secs(15)), "each client has its time");
        start.handle_timeout(later + Duration::from_secs(15)).unwrap();
        assert_eq!(start.poll_action(), Some(Action::Start(DEFAULT_SIZE)));
    }

    #[test]
    fn an_encrypted_session_starts_when_the_client_has_proved_that_it_has_the_key() {
        let now = Instant::now();
        let data_key: Vec<u8> = (0..64).collect();
        let cipher = |end| SessionCipher::new(end, &data_key).unwrap();
        let (agent, client) = (cipher(Role::Agent), cipher(Role::Client));
        let mut start = Start::new(&shell(), now).encrypted_with(Some("alias/a".to_owned())).unwrap();
        // Also a client that does not say who it is shakes hands.
        start.handle_attached(attached(None, None, Some(SIZE)), now);
        let Some(Action::SendHandshakeRequest(request)) = start.poll_action() else { panic!() };
        let request = HandshakeRequest::from_json(&request).unwrap();
        let names: Vec<_> =
            request.requested_client_actions.iter().map(RequestedAction::action_type).collect();
        assert_eq!(names, ["SessionType", "KMSEncryption"]);
        let without = start.handle_response(response("postern/0.1.0").as_bytes(), now);
        assert_eq!(without, Err(HandshakeError::NoDataKey));
        let key =
            EncryptedDataKey { ciphertext: "AQID".into(), hash: Value::Null, acknowledges_challenge: true };
        let answer = HandshakeResponse {
            client_version: "postern/0.1.0".to_owned(),
            processed_client_actions: vec![key.answer(&request.requested_client_actions[1])],
            errors: None,
        };
        start.handle_response(&answer.to_json(), now).unwrap();
        assert!(matches!(start.poll_action(), Some(Action::FetchKey(_))));
        start.handle_key(&agent, now).unwrap();
        let Some(Action::SendChallenge(asked)) = start.poll_action() else { panic!() };
        let answer = client.answer(&EncryptionChallenge::from_json(&asked).unwrap()).unwrap();
        assert_eq!(start.poll_action(), None, "nothing before it is proved");
        let wrong = start.handle_challenge_answer(&asked, &agent, now);
        assert_eq!(wrong, Err(HandshakeError::Cipher(CipherError::Undecipherable)));
        start.handle_challenge_answer(&answer.to_json(), &agent, now).unwrap();
        assert_eq!(completed(start.poll_action()), IS_ENCRYPTED);
        assert_eq!(start.poll_action(), Some(Action::Start(SIZE)));
    }

    #[test]
    fn the_chunk_size_follows_the_client_that_is_there() {
        let now = Instant::now();
        let mut start = Start::new(&shell(), now);
        start.handle_attached(attached(Some("id"), None, None), now);
        start.handle_response(response("1.2.295.0").as_bytes(), now).unwrap();
        start.handle_attached(attached(Some("id"), None, None), now);
        assert_eq!(start.chunk_bytes(), CHUNK_BYTES, "the same client reconnected");
        start.handle_attached(attached(None, None, None), now);
        assert_eq!(start.chunk_bytes(), CHUNK_BYTES_UNKNOWN_CLIENT, "another one took over");
        start.handle_attached(attached(Some("other"), Some("postern/0.1.0"), None), now);
        assert_eq!(start.chunk_bytes(), CHUNK_BYTES);
    }
}
