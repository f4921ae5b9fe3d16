//! One session, from the first connection to its end.
//!
//! One task owns everything. Each turn it handles what happened, then waits for the first of: a frame from the
//! connection (which also writes what is due), room on standard output, something typed, a signal, a time. What
//! is typed is read only while the channel has room, and output is acknowledged only when it is written, so a
//! slow side slows the other down instead of filling memory.

use std::future::poll_fn;
use std::io;
use std::os::fd::AsFd as _;
use std::pin::Pin;
use std::time::{Duration, Instant};

use bytes::Bytes;
use postern_api::ssm::TerminateSessionInput;
use postern_cipher::SessionCipher;
use postern_protocol::encryption::{EncryptionChallenge, is_encrypted};
use postern_protocol::handshake::{HandshakeComplete, HandshakeRequest};
use postern_protocol::payload::{ChannelClosed, Flag, exit_code_from_text};
use postern_protocol::{Event, PayloadType, Role};

use crate::api::Api;
use crate::encryption::{Asked as AskedKey, DataKey};
use crate::end_of_input::EndOfInput;
use crate::escape::{Escapes, HELP, Typed};
use crate::forward::{Forwarder, Wanted, forward_in_dialect};
use crate::handshake::{Kind, Purpose, answer};
use crate::input::Input;
use crate::line::{Change, Line};
use crate::link::LinkEvent;
use crate::outcome::{Ended, Notice, SessionError};
use crate::output::{Layout, Output};
use crate::raw_mode::RawMode;
use crate::signals::{Asked, Signals};
use crate::start::{SessionStart, Stdio};
use crate::tunnel::{Carrier, TunnelEnds};
use crate::window;

/// Output that may wait before the connection is left unread: enough to keep a terminal busy.
const PENDING_OUTPUT_BYTES_MAX: usize = 512 * 1024;
/// AWS's agent starts a shell without a handshake, and we learn of it by its first output. A program that waits
/// for input prints none: after this time, counted from the connection, input is sent all the same.
const ASSUME_STARTED_AFTER: Duration = Duration::from_secs(5);
/// How long ending the session may take when the user wants to be gone.
const TERMINATE_FOR: Duration = Duration::from_secs(5);
/// The bytes of Ctrl-C and Ctrl-\.
const INTERRUPT: &[u8] = &[0x03];
const QUIT: &[u8] = &[0x1c];

/// Carries a session between its data channel and `stdio` until it ends. The terminal
/// is as before when this returns.
///
/// Input that is no terminal's ends at its end of file, which a PTY is told by Ctrl-D; the session goes on until
/// the remote side ends it, so `echo ls | postern start-session …` prints everything.
///
/// # Errors
/// [`SessionError`]. The session has been terminated then, if the server could be reached.
pub async fn run(
    api: &Api,
    start: &SessionStart,
    stdio: Stdio<'_>,
    notify: &dyn Fn(Notice<'_>),
) -> Result<Ended, SessionError> {
    let result = match Session::new(api, start, stdio, notify) {
        Ok(session) => session.carry().await,
        Err(error) => Err(error),
    };
    settle(api, start, result).await
}

/// Carries a session with the document `Postern-StartTunnelSession` until it ends: connections of any kind, each of which leads
/// elsewhere. It has no standard streams; signals are the caller's business once it runs.
///
/// # Errors
/// As of [`run`].
pub async fn run_tunnel(
    api: &Api,
    start: &SessionStart,
    ends: TunnelEnds<'_>,
    notify: &dyn Fn(Notice<'_>),
) -> Result<Ended, SessionError> {
    let opened = std::fs::File::options().read(true).write(true).open("/dev/null");
    let result = match opened {
        Err(source) => Err(SessionError::Local { what: "/dev/null", source }),
        Ok(null) => {
            let null = null.as_fd();
            let stdio = Stdio { stdin: null, stdout: null, stderr: null };
            match Session::new(api, start, stdio, notify) {
                Ok(session) => Session { ends: Some(ends), ..session }.carry().await,
                Err(error) => Err(error),
            }
        }
    };
    settle(api, start, result).await
}

/// Terminates a session that is not over.
async fn settle(
    api: &Api,
    start: &SessionStart,
    result: Result<Ended, SessionError>,
) -> Result<Ended, SessionError> {
    let is_over = matches!(result, Ok(Ended::Closed { .. } | Ended::TimedOut) | Err(SessionError::Resume(_)));
    if !is_over {
        // Whether or not it works, the user is done; the server ends abandoned sessions by itself.
        let request = TerminateSessionInput { session_id: start.session_id.clone() };
        let _ = tokio::time::timeout(TERMINATE_FOR, api.call(&request)).await;
    }
    result
}

struct Session<'a> {
    line: Line<'a>,
    stdio: Stdio<'a>,
    phase: Phase,
    signals: Signals,
    input: Input,
    input_is_terminal: bool,
    end_of_input: Option<EndOfInput>,
    /// How the stream of a port session stands.
    stream: StreamEnds,
    last_typed: u8,
    escapes: Escapes,
    raw_mode: Option<RawMode>,
    output: Output,
    resize_due: bool,
    interrupted: bool,
    exit_code: Option<i32>,
    closed: Option<ChannelClosed>,
    keying: Option<Keying<'a>>,
    /// Of a session that is encrypted.
    cipher: Option<SessionCipher>,
    /// Of a session that forwards connections, what this side listens on.
    forwarding: Option<Wanted>,
    /// Of a tunnel, what it is for.
    ends: Option<TunnelEnds<'a>>,
}

/// A data key on its way, and what is answered with it.
struct Keying<'a> {
    request: HandshakeRequest,
    generated: Pin<Box<dyn Future<Output = Result<DataKey, String>> + 'a>>,
}

/// How far the agent is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// Nothing has been heard. The time is when to stop waiting for it.
    Waiting(Option<Instant>),
    /// A handshake is under way, for this kind of session.
    Handshaking(Option<Kind>),
    Running(Kind),
}

/// Which directions of a stream have ended.
#[derive(Debug, Default)]
struct StreamEnds {
    input: bool,
    /// The agent is to be told.
    input_untold: bool,
    output: bool,
    /// Whoever reads standard output is to see its end, once all of it is written.
    output_untold: bool,
}

/// What ended a wait.
enum Turn {
    Link(LinkEvent),
    Written(io::Result<Option<i64>>),
    Typed(io::Result<Bytes>),
    Asked(Asked),
    Generated(Result<DataKey, String>),
    Time,
}

impl<'a> Session<'a> {
    fn new(
        api: &'a Api,
        start: &'a SessionStart,
        stdio: Stdio<'a>,
        notify: &'a dyn Fn(Notice<'_>),
    ) -> Result<Self, SessionError> {
        let local = |what| move |source| SessionError::Local { what, source };
        let input_is_terminal = rustix::termios::isatty(stdio.stdin);
        Ok(Self {
            line: Line::new(api, start, notify),
            stdio,
            phase: Phase::Waiting(None),
            signals: Signals::new().map_err(local("signals"))?,
            input: Input::new(stdio.stdin).map_err(local("standard input"))?,
            input_is_terminal,
            end_of_input: None,
            stream: StreamEnds::default(),
            last_typed: b'\n',
            escapes: if input_is_terminal { Escapes::new() } else { Escapes::off() },
            raw_mode: None,
            output: Output::new(start.layout, stdio.stdout, stdio.stderr)
                .map_err(local("standard output"))?,
            resize_due: false,
            interrupted: false,
            exit_code: None,
            closed: None,
            keying: None,
            cipher: None,
            forwarding: None,
            ends: None,
        })
    }

    async fn carry(mut self) -> Result<Ended, SessionError> {
        loop {
            self.handle_events()?;
            match (self.phase, &self.forwarding, &self.ends) {
                (Phase::Running(Kind::Forwarding), Some(wanted), _) => {
                    return Forwarder::new(self.line, self.signals, wanted)?.carry().await;
                }
                (Phase::Running(Kind::ForwardingInDialect), Some(wanted), _) => {
                    return forward_in_dialect(self.line, self.signals, wanted).await;
                }
                (Phase::Running(Kind::Tunnel), _, Some(_)) => {
                    let Some(ends) = self.ends.take() else { return Err(SessionError::UnknownKind) };
                    return Carrier::new(self.line, ends).carry().await;
                }
                _ => {}
            }
            if let Some(closed) = &self.closed
                && self.output.is_empty()
            {
                return Ok(Ended::Closed {
                    reason: closed.output.clone(),
                    exit_code: closed.exit_code.or(self.exit_code),
                });
            }
            if let Some(ended) = self.handle_stream_ends() {
                return Ok(ended);
            }
            self.handle_times(Instant::now())?;
            let ended = match self.next_turn().await {
                Turn::Link(event) => self.handle_link(event)?,
                Turn::Written(written) => self.handle_written(written)?,
                Turn::Typed(typed) => self.handle_typed(typed)?,
                Turn::Asked(asked) => self.handle_asked(asked),
                Turn::Generated(generated) => self.handle_generated(generated)?,
                Turn::Time => None,
            };
            if let Some(ended) = ended {
                return Ok(ended);
            }
        }
    }

    /// Waits for the first thing to happen. Which of several is random, so none can starve the others: Ctrl-C gets
    /// through while output floods.
    async fn next_turn(&mut self) -> Turn {
        let deadline = self.next_time();
        let timer = async {
            match deadline {
                Some(at) => tokio::time::sleep_until(at.into()).await,
                None => std::future::pending().await,
            }
        };
        let wants_typed = self.wants_typed();
        let reading =
            self.output.pending_bytes() < PENDING_OUTPUT_BYTES_MAX && self.line.channel.wants_frames();
        let Line { link, channel, stamps, .. } = &mut self.line;
        let keying = &mut self.keying;
        let generated = async {
            match keying {
                Some(keying) => keying.generated.as_mut().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            event = poll_fn(|cx| link.poll(cx, channel, stamps, reading)), if self.closed.is_none() => Turn::Link(event),
            written = self.output.write() => Turn::Written(written),
            typed = self.input.read(), if wants_typed => Turn::Typed(typed),
            asked = self.signals.next() => Turn::Asked(asked),
            generated = generated => Turn::Generated(generated),
            () = timer => Turn::Time,
        }
    }

    /// A command has no input unless it is fed, and an agent that is not ready would throw it away. It stays where it is, which also
    /// leaves it to the next command of a script.
    fn wants_typed(&self) -> bool {
        let takes_input = match self.phase {
            Phase::Running(Kind::Terminal) => self.end_of_input.is_none(),
            Phase::Running(Kind::Stream { .. } | Kind::Command { is_fed: true }) => !self.stream.input,
            _ => false,
        };
        takes_input && self.line.channel.has_room()
    }

    /// Passes on that a direction of a stream has ended, once all before it has been.
    fn handle_stream_ends(&mut self) -> Option<Ended> {
        let knows_end = match self.phase {
            Phase::Running(Kind::Stream { knows_end }) => knows_end,
            Phase::Running(Kind::Command { is_fed }) => is_fed,
            _ => return None,
        };
        if self.stream.output_untold && self.output.is_empty() {
            self.stream.output_untold = false;
            self.output.end();
            (self.line.notify)(Notice::OutputEnded);
        }
        if !self.stream.input_untold {
            return None;
        }
        if knows_end && self.line.channel.has_room() {
            self.stream.input_untold = false;
            self.send(PayloadType::Flag, Flag::EndOfStream.to_payload());
        }
        // An agent of AWS has no word for it: what it would still send is lost, as with AWS's plugin.
        (!knows_end && self.line.channel.is_drained()).then_some(Ended::InputEnded)
    }

    fn next_time(&self) -> Option<Instant> {
        let phase = match self.phase {
            Phase::Waiting(until) => until,
            _ => None,
        };
        let end_of_input = self.end_of_input.as_ref().map(EndOfInput::poll_timeout);
        [self.line.next_time(), phase, end_of_input].into_iter().flatten().min()
    }

    fn handle_times(&mut self, now: Instant) -> Result<(), SessionError> {
        self.line.handle_times(now)?;
        if matches!(self.phase, Phase::Waiting(Some(until)) if until <= now) {
            self.begin(Kind::Terminal);
        }
        if self.line.channel.has_room() {
            if std::mem::take(&mut self.resize_due) {
                self.send(PayloadType::Size, window::size().to_json());
            }
            if let Some(bytes) = self.end_of_input.as_mut().and_then(|end| end.poll_due(now)) {
                self.send(PayloadType::Output, bytes);
            }
        }
        Ok(())
    }

    fn handle_events(&mut self) -> Result<(), SessionError> {
        while !self.is_forwarding()
            && let Some(event) = self.line.channel.poll_event()
        {
            match event {
                Event::Stream { sequence_number, payload_type, payload } => {
                    self.handle_stream(sequence_number, payload_type, payload)?;
                }
                Event::Closed(closed) => self.closed = Some(closed),
                Event::Notice(notice) => (self.line.notify)(Notice::Warning(&notice.text)),
                Event::StartPublication(_) | Event::PausePublication | Event::SessionState(_) => {}
            }
        }
        Ok(())
    }

    fn handle_stream(
        &mut self,
        sequence_number: i64,
        payload_type: PayloadType,
        payload: Bytes,
    ) -> Result<(), SessionError> {
        let payload = match &self.cipher {
            Some(cipher) if is_encrypted(Role::Agent, payload_type) => {
                cipher.open(&payload).map_err(SessionError::Encryption)?
            }
            _ => payload,
        };
        match payload_type {
            PayloadType::HandshakeRequest => {
                if let Ok(request) = HandshakeRequest::from_json(&payload) {
                    match AskedKey::of(&request) {
                        Some(asked) => {
                            // Nothing else is to be waited for: the agent says nothing before it has its answer.
                            self.phase = Phase::Handshaking(None);
                            let generated = Box::pin(asked.data_key(self.line.api, self.line.start));
                            self.keying = Some(Keying { request, generated });
                        }
                        None => self.answer(&request, None)?,
                    }
                }
            }
            PayloadType::EncChallengeRequest => {
                if let (Some(cipher), Ok(asked)) = (&self.cipher, EncryptionChallenge::from_json(&payload)) {
                    let answer = cipher.answer(&asked).map_err(SessionError::Encryption)?;
                    self.send(PayloadType::EncChallengeResponse, answer.to_json());
                }
            }
            PayloadType::HandshakeComplete => {
                let complete = HandshakeComplete::from_json(&payload).unwrap_or_default();
                if !complete.customer_message.is_empty() {
                    (self.line.notify)(Notice::Message(&complete.customer_message));
                }
                match self.phase {
                    Phase::Handshaking(Some(kind)) => self.begin(kind),
                    Phase::Handshaking(None) => return Err(SessionError::UnknownKind),
                    Phase::Waiting(_) | Phase::Running(_) => {}
                }
            }
            PayloadType::ExitCode if self.line.start.layout == Layout::Apart => {
                self.exit_code = exit_code_from_text(&payload);
            }
            PayloadType::Flag if self.is_stream() => self.handle_flag(&payload),
            // What is not of the stream must not be on standard output.
            PayloadType::StdErr | PayloadType::Error | PayloadType::ExitCode if self.is_stream() => {}
            PayloadType::Output | PayloadType::StdErr | PayloadType::Error | PayloadType::ExitCode => {
                if !matches!(self.phase, Phase::Running(_)) {
                    self.begin(Kind::Terminal);
                }
                self.output.push(sequence_number, payload_type, payload);
                return Ok(());
            }
            // Nothing else is for the user: AWS's plugin would print it.
            _ => {}
        }
        self.line.channel.acknowledge(sequence_number);
        Ok(())
    }

    fn handle_flag(&mut self, payload: &[u8]) {
        if Flag::from_payload(payload) == Ok(Flag::EndOfStream) && !self.stream.output {
            self.stream.output = true;
            self.stream.output_untold = true;
        }
    }

    /// What comes now is for others.
    fn is_forwarding(&self) -> bool {
        matches!(self.phase, Phase::Running(Kind::Forwarding | Kind::ForwardingInDialect | Kind::Tunnel))
    }

    /// Standard input is passed on as it is.
    fn is_fed(&self) -> bool {
        matches!(self.phase, Phase::Running(Kind::Stream { .. } | Kind::Command { is_fed: true }))
    }

    fn is_stream(&self) -> bool {
        matches!(self.phase, Phase::Running(Kind::Stream { .. }))
    }

    fn answer(
        &mut self,
        request: &HandshakeRequest,
        data_key: Option<Result<&DataKey, &str>>,
    ) -> Result<(), SessionError> {
        let encrypted = data_key.map(|key| key.map(|key| &key.encrypted));
        let purpose = match &self.ends {
            Some(_) => Purpose::Tunnel,
            None if self.line.start.feeds_commands => Purpose::Feeding,
            None => Purpose::Other,
        };
        let (response, kind) = answer(request, &self.line.identity.client_version, purpose, encrypted);
        if matches!(kind, Some(Kind::Forwarding | Kind::ForwardingInDialect)) {
            self.forwarding = Some(Wanted::of(request)?);
        }
        self.phase = Phase::Handshaking(kind);
        self.send(PayloadType::HandshakeResponse, response.to_json());
        if matches!(kind, Some(Kind::Tunnel | Kind::ForwardingInDialect)) {
            // The agent's next message is already one of a tunnel.
            self.line.channel.begin_tunnel();
        }
        Ok(())
    }

    /// The data key is there, or will not be: the agent is told, and the server ends the session then.
    fn handle_generated(
        &mut self,
        generated: Result<DataKey, String>,
    ) -> Result<Option<Ended>, SessionError> {
        let Some(Keying { request, .. }) = self.keying.take() else { return Ok(None) };
        self.answer(&request, Some(generated.as_ref().map_err(String::as_str)))?;
        match generated {
            Ok(key) => self.cipher = Some(key.cipher),
            Err(error) => {
                let told = format!("This session is to be encrypted, and cannot be. {error}");
                (self.line.notify)(Notice::Message(&told));
            }
        }
        Ok(None)
    }

    /// The agent is ready for what is typed.
    fn begin(&mut self, kind: Kind) {
        self.phase = Phase::Running(kind);
        if kind == Kind::Terminal {
            self.resize_due = true;
            if self.input_is_terminal {
                // Only a terminal that went away cannot be raw; reading it will tell.
                self.raw_mode = RawMode::enter(self.stdio.stdin).ok();
            }
        }
    }

    fn handle_link(&mut self, event: LinkEvent) -> Result<Option<Ended>, SessionError> {
        match self.line.handle_link(event)? {
            Change::None => {}
            Change::Connected if self.phase == Phase::Waiting(None) => {
                self.phase = Phase::Waiting(Some(Instant::now() + ASSUME_STARTED_AFTER));
            }
            Change::Connected => {}
            Change::Ended(ended) => return Ok(Some(ended)),
        }
        Ok(None)
    }

    fn handle_written(&mut self, written: io::Result<Option<i64>>) -> Result<Option<Ended>, SessionError> {
        match written {
            Ok(Some(sequence_number)) => self.line.channel.acknowledge(sequence_number),
            Ok(None) => {}
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => return Ok(Some(Ended::OutputClosed)),
            // The terminal went away.
            Err(error) if error.raw_os_error() == Some(rustix::io::Errno::IO.raw_os_error()) => {
                return Ok(Some(Ended::Left));
            }
            Err(source) => return Err(SessionError::Local { what: "standard output", source }),
        }
        Ok(None)
    }

    fn handle_typed(&mut self, typed: io::Result<Bytes>) -> Result<Option<Ended>, SessionError> {
        let typed = typed.map_err(|source| SessionError::Local { what: "standard input", source })?;
        if self.is_fed() {
            if typed.is_empty() {
                self.stream.input = true;
                self.stream.input_untold = true;
            } else {
                self.send(PayloadType::Output, typed);
            }
            return Ok(None);
        }
        let Some(&last) = typed.last() else {
            if self.input_is_terminal {
                return Ok(Some(Ended::Left));
            }
            self.end_of_input = Some(EndOfInput::new(Instant::now(), self.last_typed));
            return Ok(None);
        };
        self.last_typed = last;
        let input = match self.escapes.handle(&typed) {
            Typed::Leave => return Ok(Some(Ended::Left)),
            Typed::Help(input) => {
                (self.line.notify)(Notice::Escapes(HELP));
                input
            }
            Typed::Input(input) => input,
        };
        if !input.is_empty() {
            self.send(PayloadType::Output, input.into());
        }
        Ok(None)
    }

    fn handle_asked(&mut self, asked: Asked) -> Option<Ended> {
        let running = matches!(self.phase, Phase::Running(_));
        match asked {
            Asked::Resize => self.resize_due = self.phase == Phase::Running(Kind::Terminal),
            Asked::End(signal) => return Some(Ended::Signalled(signal)),
            Asked::Interrupt | Asked::Quit
                if running && !self.is_fed() && !self.interrupted && self.line.channel.has_room() =>
            {
                // The remote command decides; whoever asks a second time is obeyed here.
                self.interrupted = true;
                let byte = if asked == Asked::Interrupt { INTERRUPT } else { QUIT };
                self.send(PayloadType::Output, Bytes::from_static(byte));
            }
            Asked::Interrupt => return Some(Ended::Signalled(2)),
            Asked::Quit => return Some(Ended::Signalled(3)),
        }
        None
    }

    /// Callers look for room first. Handshake answers need none: nothing else has been sent.
    fn send(&mut self, payload_type: PayloadType, payload: Bytes) {
        let sealed = match &self.cipher {
            Some(cipher) if is_encrypted(Role::Client, payload_type) => cipher.seal(&payload),
            _ => Ok(payload),
        };
        // It does not fail; in clear nothing of an encrypted session goes.
        let Ok(payload) = sealed else { return };
        self.line.send(payload_type, payload);
    }
}
