//! The task that carries one session: between the program on this node and the data channel to its user.
//!
//! One loop owns everything and waits for whatever comes first. Nothing in it waits for anything else: output goes on
//! while the terminal takes no input, and the program goes on while the server is away.

use std::collections::VecDeque;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use postern_cipher::SessionCipher;
use postern_protocol::PayloadType;
use postern_protocol::channel::{ChannelLimits, DataChannel, Event, Role};
use postern_protocol::encryption::is_encrypted;
use postern_protocol::notice::{self, Notice};
use postern_protocol::payload::{Flag, SessionState, Size, State, exit_code_text};
use postern_pty::{Child, ExitStatus, StillRunning};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};
use zeroize::Zeroizing;

use super::input::{self, Input};
use super::link::{Fetching, Link, LinkEvent, Over};
use super::program::{Launch, LaunchError, Program, Source, fill_any, launch, window};
use super::start::{Action, HandshakeError, Start};
use super::task::{Run, Separation, Task};
use super::{EndCommand, Outcome};
use crate::control_plane::{CallError, ControlPlane};
use crate::credentials::CredentialSource;
use crate::stamps;

/// Output on its way: enough for 20 MB/s over 50 ms, and little to wait for after Ctrl-C.
const UNACKNOWLEDGED_BYTES_MAX: usize = 1024 * 1024;
/// From this much on its way on, output is collected into full messages. Less is what keystrokes, prompts and redrawn
/// screens bring, and never waits; with more the user is catching up, and what is collected would arrive no sooner.
const COLLECT_FROM_BYTES: usize = 16 * 1024;
/// Input that the terminal has not taken. What is beyond is sent again by the client.
const UNCONSUMED_BYTES_MAX: usize = 1024 * 1024;
/// Between SIGHUP and SIGKILL to what is left of a session.
const GRACE: Duration = Duration::from_secs(1);
/// At the end, the longest pause between two signs that output still arrives.
const DRAIN_PAUSE_MAX: Duration = Duration::from_secs(60);
/// The same when the agent stops.
const STOPPING_DRAIN_PAUSE_MAX: Duration = Duration::from_secs(2);

type Boxed<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// The program's processes.
enum Processes {
    /// Not started, or not any more.
    None,
    /// It is being started.
    Starting(Boxed<Result<(Program, Child), LaunchError>>),
    Running(Child),
    /// What is left is being ended.
    Ending(Boxed<Result<ExitStatus, StillRunning>>),
}

/// What came first.
enum Step {
    Commanded(EndCommand),
    Link(LinkEvent),
    Written(std::io::Result<usize>),
    /// The data key was fetched, or not.
    Fetched(Result<Zeroizing<Vec<u8>>, CallError>),
    Started(Result<(Program, Child), LaunchError>),
    Exited(ExitStatus),
    Gone(Result<ExitStatus, StillRunning>),
    Output(usize),
    Timer,
}

/// How the session is to end, once it is known.
struct Ending {
    outcome: Outcome,
    /// The program's own end, for the client.
    exit_status: Option<ExitStatus>,
    /// Whether the last output still has somewhere to go.
    drain_pause_max: Duration,
}

/// See the [module's documentation](self).
pub(super) struct Carrier {
    task: Task,
    session_user: Option<String>,
    commands: mpsc::Receiver<EndCommand>,
    channel: DataChannel,
    link: Link,
    start: Option<Start>,
    fetching: Option<Fetching>,
    /// Of a session that is encrypted, once both ends have the data key.
    cipher: Option<SessionCipher>,
    processes: Processes,
    program: Option<Program>,
    input: Input,
    /// Nothing follows for the program's standard input.
    input_has_ended: bool,
    /// What this agent has to say itself, and output that has been read. At most a few messages.
    outgoing: VecDeque<(PayloadType, Bytes)>,
    ending: Option<Ending>,
    /// Input was written just now: what the terminal echoes at once goes out together with the acknowledgement, which
    /// spares server and client a wake-up in the middle of a keystroke's way.
    echo_comes_first: bool,
    /// Whether the client has been told the exit code as a payload.
    exit_code_is_said: bool,
    /// Whether the client is known to be away: nothing is sent again in vain.
    client_is_away: bool,
    /// The last sign that output arrives, and how much was on its way then.
    progress: (Instant, usize),
}

impl Carrier {
    pub(super) fn new(
        plane: Arc<ControlPlane>,
        credentials: CredentialSource,
        task: Task,
        session_user: Option<String>,
        commands: mpsc::Receiver<EndCommand>,
    ) -> Self {
        let limits = ChannelLimits {
            unacknowledged_bytes_max: UNACKNOWLEDGED_BYTES_MAX,
            unconsumed_bytes_max: UNCONSUMED_BYTES_MAX,
            ..ChannelLimits::default()
        };
        let link = Link::new(plane, credentials, task.session_id.clone());
        Self {
            task,
            session_user,
            commands,
            channel: DataChannel::new(Role::Agent, limits),
            link,
            start: None,
            fetching: None,
            cipher: None,
            processes: Processes::None,
            program: None,
            input: Input::default(),
            input_has_ended: false,
            outgoing: VecDeque::new(),
            ending: None,
            echo_comes_first: false,
            exit_code_is_said: false,
            client_is_away: false,
            progress: (Instant::now(), 0),
        }
    }

    /// Carries the session to its end.
    pub(super) async fn run(mut self) -> Outcome {
        while !self.is_over(Instant::now()) {
            let step = self.next_step().await;
            self.handle_step(step);
            self.handle_events();
            self.act();
        }
        let Some(ending) = self.ending.take() else { return Outcome::Success };
        if let Some(status) = ending.exit_status {
            let mut state = SessionState::new(State::Terminating, self.task.session_id.as_str());
            state.exit_code = Some(status.shell_code());
            self.channel.send_control(state.to_message(stamps::stamp()));
        }
        self.link.close(&mut self.channel).await;
        ending.outcome
    }

    async fn next_step(&mut self) -> Step {
        let own_deadline = self.own_deadline();
        // Checked here, because what is ready in front of a timer can keep it from its turn.
        if Instant::now() >= own_deadline {
            return Step::Timer;
        }
        let deadline = self.resend_at().map_or(own_deadline, |at| at.min(own_deadline));
        let may_send = self.may_send();
        let chunk_bytes = self.chunk_bytes();
        let reads_echo = std::mem::take(&mut self.echo_comes_first) && may_send;
        let Self { commands, link, channel, processes, program, input, fetching, .. } = self;
        let (sources, terminal, stdin) = match program {
            Some(program) => {
                (program.sources.as_mut_slice(), program.terminal.as_mut(), program.stdin.as_mut())
            }
            None => (&mut [][..], None, None),
        };
        if reads_echo && sources.first_mut().is_some_and(|source| source.fill_echo(chunk_bytes)) {
            return Step::Output(0);
        }
        let write = async {
            match (terminal, stdin, input.front()) {
                (Some(terminal), _, Some(bytes)) => terminal.writer.write(bytes).await,
                (None, Some(stdin), Some(bytes)) => stdin.write(bytes).await,
                _ => std::future::pending().await,
            }
        };
        let fetch = async {
            match fetching {
                Some(fetching) => fetching.await,
                None => std::future::pending().await,
            }
        };
        // In this order, so that a flood of output holds up neither the end of the session nor a keystroke, which goes to
        // the terminal before its acknowledgement goes to the client.
        tokio::select! {
            biased;
            Some(command) = commands.recv() => Step::Commanded(command),
            written = write => Step::Written(written),
            event = poll_fn(|cx| link.poll(channel, cx)) => Step::Link(event),
            fetched = fetch => Step::Fetched(fetched),
            which = fill_any(sources, chunk_bytes), if may_send => Step::Output(which),
            step = processes.next() => step,
            () = sleep_until(deadline) => Step::Timer,
        }
    }

    /// Whether the program's output may be read: not while the user has much to catch up with.
    fn may_send(&self) -> bool {
        self.outgoing.is_empty() && self.channel.has_room() && !self.is_cancelled()
    }

    fn handle_step(&mut self, step: Step) {
        match step {
            Step::Commanded(EndCommand::Closed) => self.cancel(),
            Step::Commanded(EndCommand::AgentStops) => {
                self.fail("The agent of this node was stopped.".to_owned());
                if let Some(ending) = &mut self.ending {
                    ending.drain_pause_max = ending.drain_pause_max.min(STOPPING_DRAIN_PAUSE_MAX);
                }
            }
            Step::Link(event) => self.handle_link(event),
            Step::Written(Ok(count)) => {
                self.echo_comes_first = true;
                if let Some(number) = self.input.written(count) {
                    self.channel.acknowledge(number);
                }
            }
            Step::Written(Err(_)) => {
                // Nobody reads it any more.
                self.input_has_ended = true;
                self.discard_input();
            }
            Step::Started(started) => self.handle_started(started),
            Step::Fetched(fetched) => self.handle_fetched(fetched),
            Step::Exited(status) => {
                self.end(Ending {
                    outcome: Outcome::Success,
                    exit_status: Some(status),
                    drain_pause_max: DRAIN_PAUSE_MAX,
                });
            }
            Step::Gone(result) => {
                self.processes = Processes::None;
                self.progress.0 = Instant::now();
                self.discard_input();
                if let Err(error) = result {
                    tracing::error!(session.id = %self.task.session_id, %error, "session {} leaves processes behind", self.task.session_id);
                    // They keep their end of the terminal open, so there would be no end of the output.
                    self.program = None;
                }
            }
            Step::Output(which) => self.send_output(which),
            Step::Timer => self.handle_timer(Instant::now()),
        }
    }

    fn handle_link(&mut self, event: LinkEvent) {
        match event {
            LinkEvent::Received => {}
            LinkEvent::Connected { is_first } => {
                self.progress.0 = Instant::now();
                if is_first {
                    let state = SessionState::new(State::Connected, self.task.session_id.as_str());
                    self.channel.send_control(state.to_message(stamps::stamp()));
                    let start = Start::new(&self.task.run, Instant::now());
                    match start.encrypted_with(self.task.kms_key_id.clone()) {
                        Ok(start) => self.start = Some(start),
                        Err(error) => self.check_handshake(Err(error)),
                    }
                }
            }
            LinkEvent::Over(over) => self.handle_over(&over),
        }
    }

    fn handle_over(&mut self, over: &Over) {
        match over {
            Over::Terminated => self.cancel(),
            Over::Lost => {
                self.cancel();
                if let Some(ending) = &mut self.ending {
                    ending.outcome = Outcome::Failed("The node lost its connection for too long.".to_owned());
                }
            }
        }
    }

    fn handle_events(&mut self) {
        while let Some(event) = self.channel.poll_event() {
            match event {
                Event::Stream { sequence_number, payload_type, payload } => {
                    self.handle_stream(sequence_number, payload_type, payload);
                }
                Event::Closed(_) => self.cancel(),
                Event::StartPublication(attached) => {
                    self.client_is_away = false;
                    if let Some(start) = &mut self.start {
                        start.handle_attached(attached, Instant::now());
                    }
                }
                // That output is not read any more is the work of back-pressure.
                Event::PausePublication => self.client_is_away = true,
                Event::Notice(notice) => self.handle_notice(&notice),
                Event::SessionState(_) => {}
            }
        }
    }

    /// The server has a word for a user whose client shows nothing but the stream. It needs no room in the queue of a client
    /// that takes nothing.
    fn handle_notice(&mut self, notice: &Notice) {
        if self.program.is_some() && self.may_send() {
            self.outgoing.push_back((notice::PAYLOAD_TYPE, notice.in_stream()));
        }
    }

    fn handle_stream(&mut self, sequence_number: i64, payload_type: PayloadType, payload: Bytes) {
        self.client_is_away = false;
        let Some(payload) = self.opened(payload_type, payload) else {
            return self.channel.acknowledge(sequence_number);
        };
        let number = match payload_type {
            PayloadType::Output => self.handle_input(sequence_number, payload),
            PayloadType::Size => {
                self.handle_size(&payload);
                Some(sequence_number)
            }
            PayloadType::Flag => {
                self.input_has_ended |= Flag::from_payload(&payload) == Ok(Flag::EndOfStream);
                Some(sequence_number)
            }
            PayloadType::HandshakeResponse => {
                let handled = match &mut self.start {
                    Some(start) => start.handle_response(&payload, Instant::now()),
                    None => Ok(()),
                };
                self.check_handshake(handled);
                Some(sequence_number)
            }
            PayloadType::EncChallengeResponse => {
                let handled = match (&mut self.start, &self.cipher) {
                    (Some(start), Some(cipher)) => {
                        start.handle_challenge_answer(&payload, cipher, Instant::now())
                    }
                    _ => Ok(()),
                };
                self.check_handshake(handled);
                Some(sequence_number)
            }
            _ => Some(sequence_number),
        };
        if let Some(number) = number {
            self.channel.acknowledge(number);
        }
    }

    /// What the client sent, decrypted where it has to be. `None`: it is nothing that may be taken in.
    fn opened(&mut self, payload_type: PayloadType, payload: Bytes) -> Option<Bytes> {
        if self.task.kms_key_id.is_none() || !is_encrypted(Role::Client, payload_type) {
            return Some(payload);
        }
        // Before the key is agreed nobody has anything to type.
        let opened = self.cipher.as_ref()?.open(&payload);
        match opened {
            Ok(opened) => Some(opened),
            Err(error) => {
                self.fail(format!("The session was ended: {error}."));
                None
            }
        }
    }

    fn handle_fetched(&mut self, fetched: Result<Zeroizing<Vec<u8>>, CallError>) {
        self.fetching = None;
        let Some(start) = &mut self.start else { return };
        let key = fetched.map_err(|error| HandshakeError::Key(error.to_string()));
        let cipher = key.and_then(|key| Ok(SessionCipher::new(Role::Agent, &key)?));
        let handled = cipher.and_then(|cipher| {
            start.handle_key(&cipher, Instant::now())?;
            self.cipher = Some(cipher);
            Ok(())
        });
        self.check_handshake(handled);
    }

    /// The number to acknowledge at once, if so.
    fn handle_input(&mut self, sequence_number: i64, payload: Bytes) -> Option<i64> {
        let is_on_terminal = !matches!(self.task.run, Run::Piped(_));
        let is_fed = self.start.as_ref().is_some_and(Start::feeds_input);
        if (is_on_terminal || is_fed && !self.input_has_ended) && self.ending.is_none() {
            return self.input.push(sequence_number, payload);
        }
        if let (false, Some(signal), Processes::Running(child)) =
            (is_fed, input::signal(&payload), &self.processes)
        {
            child.killer().signal(signal);
        }
        Some(sequence_number)
    }

    fn handle_size(&mut self, payload: &[u8]) {
        let Ok(size) = Size::from_json(payload) else { return };
        let is_news = self.start.as_mut().is_some_and(|start| start.handle_size(size));
        let terminal = self.program.as_ref().and_then(|program| program.terminal.as_ref());
        if let Some(terminal) = terminal.filter(|_| is_news) {
            // Fails only when the program is gone.
            let _ = terminal.resizer.resize(window(size));
        }
    }

    fn check_handshake(&mut self, handled: Result<(), HandshakeError>) {
        if let Err(error) = handled {
            // To a client that did not shake hands nothing else can be said.
            self.end(Ending {
                outcome: Outcome::Failed(error.to_string()),
                exit_status: None,
                drain_pause_max: Duration::ZERO,
            });
        }
    }

    fn handle_started(&mut self, started: Result<(Program, Child), LaunchError>) {
        match started {
            Ok((program, child)) => {
                tracing::info!(session.id = %self.task.session_id, process.id = child.id(), "session {} runs", self.task.session_id);
                if let Run::LoginShell { profile } = &self.task.run
                    && !profile.trim().is_empty()
                {
                    self.input.push_own(format!("{profile}\n").into());
                }
                if let Some(size) = self.start.as_ref().and_then(Start::size)
                    && let Some(terminal) = &program.terminal
                {
                    // It may have changed while the program was being started.
                    let _ = terminal.resizer.resize(window(size));
                }
                self.program = Some(program);
                self.processes = Processes::Running(child);
                if self.ending.is_some() {
                    self.end_processes();
                }
            }
            Err(error) => {
                self.processes = Processes::None;
                self.fail(error.text());
            }
        }
    }

    /// Does what the start of the session asks for, and says what is to be said.
    fn act(&mut self) {
        while let Some(action) = self.start.as_mut().and_then(Start::poll_action) {
            match action {
                Action::SendHandshakeRequest(json) => {
                    self.outgoing.push_back((PayloadType::HandshakeRequest, json));
                }
                Action::SendHandshakeComplete(json) => {
                    self.outgoing.push_back((PayloadType::HandshakeComplete, json));
                }
                Action::FetchKey(sealed) => self.fetching = Some(self.link.data_key(&sealed)),
                Action::SendChallenge(json) => {
                    self.outgoing.push_back((PayloadType::EncChallengeRequest, json));
                }
                Action::Start(size) if self.ending.is_none() => {
                    let client_separates =
                        self.start.as_ref().is_some_and(|start| start.client().is_postern());
                    let is_fed = self.start.as_ref().is_some_and(Start::feeds_input);
                    self.processes = Processes::Starting(Box::pin(launch(Launch {
                        run: self.task.run.clone(),
                        run_as: self.task.run_as.clone(),
                        session_user: self.session_user.clone(),
                        size,
                        client_separates,
                        input: if is_fed { postern_pty::Input::Pipe } else { postern_pty::Input::Nothing },
                    })));
                }
                Action::Start(_) => {}
            }
        }
        if self.separates()
            && !self.exit_code_is_said
            && self.is_all_read()
            && matches!(self.processes, Processes::None)
            && let Some(status) = self.ending.as_ref().and_then(|ending| ending.exit_status)
        {
            self.exit_code_is_said = true;
            self.outgoing.push_back((PayloadType::ExitCode, exit_code_text(status.shell_code())));
        }
        if self.input_has_ended
            && self.input.front().is_none()
            && let Some(program) = &mut self.program
        {
            program.stdin = None;
        }
        self.send_outgoing();
        self.send_collected();
    }

    fn send_outgoing(&mut self) {
        while self.channel.has_room()
            && let Some((payload_type, payload)) = self.outgoing.pop_front()
        {
            let payload = match &self.cipher {
                Some(cipher) if is_encrypted(Role::Agent, payload_type) => match cipher.seal(&payload) {
                    Ok(sealed) => sealed,
                    // It does not happen; in clear it must not go.
                    Err(_) => return self.cancel(),
                },
                _ => payload,
            };
            let sent = self.channel.send(payload_type, payload, stamps::stamp(), std::time::Instant::now());
            debug_assert!(sent.is_ok(), "there is room");
        }
    }

    /// A stream of output has more, or has ended. Small pieces of a flood are kept until they fill a message, or until
    /// the user has caught up (see [`Self::send_collected`]).
    fn send_output(&mut self, which: usize) {
        let chunk_bytes = self.chunk_bytes();
        let is_flood = self.channel.unacknowledged_bytes() >= COLLECT_FROM_BYTES;
        let source = self.program.as_mut().and_then(|program| program.sources.get_mut(which));
        let source = source.filter(|source| !is_flood || source.is_over() || source.is_full(chunk_bytes));
        if let Some(source) = source {
            self.outgoing.extend(std::iter::from_fn(|| source.take(chunk_bytes)));
            self.send_outgoing();
        }
    }

    /// Sends what was kept, once little is on its way.
    fn send_collected(&mut self) {
        let sources = self.program.as_ref().map_or(0, |program| program.sources.len());
        for which in 0..sources {
            if self.may_send() && self.channel.unacknowledged_bytes() < COLLECT_FROM_BYTES {
                self.send_output(which);
            }
        }
    }

    fn chunk_bytes(&self) -> usize {
        self.start.as_ref().map_or(1, Start::chunk_bytes)
    }

    fn handle_timer(&mut self, now: Instant) {
        if let Some(over) = self.link.handle_timeout(&mut self.channel, now) {
            self.handle_over(&over);
        }
        if let Some(start) = &mut self.start {
            let handled = start.handle_timeout(now);
            self.check_handshake(handled);
        }
    }

    /// When something is due although nothing happens.
    fn own_deadline(&self) -> Instant {
        let mut deadline = self.link.poll_timeout();
        let mut consider = |at: Option<Instant>| deadline = at.map_or(deadline, |at| at.min(deadline));
        match &self.ending {
            None => consider(self.start.as_ref().and_then(Start::poll_timeout)),
            Some(ending) if matches!(self.processes, Processes::None) => {
                consider(Some(self.progress.0 + ending.drain_pause_max));
            }
            Some(_) => {}
        }
        deadline
    }

    /// When the link has something to send again. While it is full it will say so itself.
    fn resend_at(&self) -> Option<Instant> {
        let at = self.channel.poll_timeout().map(Instant::from_std);
        at.filter(|_| self.link.is_ready() && !self.client_is_away)
    }

    /// Whether the session has ended: its processes are gone, its output is read, and has arrived or cannot.
    fn is_over(&mut self, now: Instant) -> bool {
        let unacknowledged = self.channel.unacknowledged_bytes();
        if unacknowledged < self.progress.1 {
            self.progress.0 = now;
        }
        self.progress.1 = unacknowledged;
        let Some(ending) = &self.ending else { return false };
        if !matches!(self.processes, Processes::None) {
            return false;
        }
        let has_said_all = self.is_all_read() && self.outgoing.is_empty() && self.channel.is_drained();
        has_said_all || self.is_cancelled() || now >= self.progress.0 + ending.drain_pause_max
    }
    fn is_all_read(&self) -> bool {
        self.program.as_ref().is_none_or(|program| program.sources.iter().all(Source::is_over))
    }

    fn is_cancelled(&self) -> bool {
        self.ending.as_ref().is_some_and(|ending| ending.drain_pause_max.is_zero())
    }

    /// Whether the client wants errors apart from output, and the exit code in the stream.
    fn separates(&self) -> bool {
        matches!(&self.task.run, Run::Piped(piped) if piped.separation != Separation::Merged)
    }

    fn discard_input(&mut self) {
        for number in self.input.discard() {
            self.channel.acknowledge(number);
        }
    }

    /// The session has failed: the user is told on the terminal, the server in the result.
    fn fail(&mut self, text: String) {
        if self.ending.is_none() && self.start.as_ref().is_some_and(Start::is_started) {
            if self.separates() {
                // As AWS's agent has it when a command cannot be started.
                self.outgoing.push_back((PayloadType::ExitCode, exit_code_text(1)));
                self.exit_code_is_said = true;
            }
            let payload_type = match self.task.run {
                Run::Piped(_) => PayloadType::StdErr,
                Run::LoginShell { .. } | Run::OnTerminal { .. } => PayloadType::Output,
            };
            self.outgoing.push_back((payload_type, format!("{text}\r\n").into()));
        }
        self.end(Ending {
            outcome: Outcome::Failed(text),
            exit_status: None,
            drain_pause_max: DRAIN_PAUSE_MAX,
        });
    }

    /// The session is over for its server and client; nothing that it still has to say matters.
    fn cancel(&mut self) {
        self.end(Ending { outcome: Outcome::Cancelled, exit_status: None, drain_pause_max: Duration::ZERO });
        if let Some(ending) = &mut self.ending {
            ending.drain_pause_max = Duration::ZERO;
        }
    }

    /// Begins the end. The first reason counts.
    fn end(&mut self, ending: Ending) {
        self.progress.0 = Instant::now();
        self.ending.get_or_insert(ending);
        self.discard_input();
        self.end_processes();
    }

    fn end_processes(&mut self) {
        self.processes = match std::mem::replace(&mut self.processes, Processes::None) {
            Processes::Running(mut child) => {
                Processes::Ending(Box::pin(async move { child.end(GRACE).await }))
            }
            other => other,
        };
    }
}

impl Processes {
    /// Waits for what happens to them next. Dropping the future loses nothing.
    async fn next(&mut self) -> Step {
        match self {
            Self::None => std::future::pending().await,
            Self::Starting(starting) => Step::Started(starting.await),
            Self::Running(child) => Step::Exited(child.wait().await),
            Self::Ending(ending) => Step::Gone(ending.await),
        }
    }
}
