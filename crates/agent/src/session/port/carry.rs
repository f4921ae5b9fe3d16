//! The task that carries a port session: between its far end and the data channel to its user.
//!
//! As the carrier of programs, one loop owns everything and waits for whatever comes first. The far end is read only while
//! the user has little to catch up with, and what the user sends is acknowledged as the far end takes it.
//!
//! Whether connections are multiplexed is settled by the handshake: the client decides by this agent's version, and the
//! agent by the client's.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use postern_ids::SessionId;
use postern_protocol::PayloadType;
use postern_protocol::channel::{ChannelLimits, DataChannel, Event, Role};
use postern_protocol::payload::{Flag, SessionState, State};
use postern_protocol::smux::{STREAMS_MAX, SmuxError};
use postern_protocol::tunnel::TunnelError;
use postern_tunnel::smux::{Happened, Opening, STALL_MAX, STALL_MAX_WITHOUT_WINDOW, Tunnel};
use postern_tunnel::{Happened as StreamHappened, Socket, Streams};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

use super::super::input::Input;
use super::super::link::{Link, LinkEvent, Over};
use super::super::start::{Action, HandshakeError, Start};
use super::super::{EndCommand, Outcome};
use super::far::{Far, open_files};
use super::place::{self, Boxed, Place};
use super::reach::{Leads, Reach};
use super::task::{Destination, PortTask};
use crate::control_plane::ControlPlane;
use crate::credentials::CredentialSource;
use crate::destinations::{ConnectError, Destinations, Host};
use crate::stamps;

/// At the end, the longest pause between two signs that data still arrives.
const DRAIN_PAUSE_MAX: Duration = Duration::from_secs(60);
/// The same when the agent stops.
const STOPPING_DRAIN_PAUSE_MAX: Duration = Duration::from_secs(2);
/// What the file server gets to end after its input has.
const GRACE: Duration = Duration::from_secs(1);
/// What the far end has not taken; what is beyond is sent again by the client.
const UNCONSUMED_BYTES_MAX: usize = 4 * 1024 * 1024;

/// How often a multiplexing client hears of this end, if it is one that gives up after 30 seconds of silence.
const KEEP_ALIVE_EVERY: Duration = Duration::from_secs(10);

/// Why a session of a client that is too old, or not Postern's, ends.
const NEEDS_DIALECT: &str = "This session needs a client that speaks Postern's protocol of tunnels: use postern forward, of this version or a later one.";

/// What came first.
enum Step {
    Commanded(EndCommand),
    Link(LinkEvent),
    /// Whether the destination may be connected to at all.
    Checked(Result<(), String>),
    Place(place::Event),
    Timer,
}

/// How the session is to end, once it is known.
struct Ending {
    outcome: Outcome,
    drain_pause_max: Duration,
}

/// See the [module's documentation](self).
pub(in super::super) struct PortCarrier {
    task: PortTask,
    session_user: Option<String>,
    destinations: Arc<Destinations>,
    commands: mpsc::Receiver<EndCommand>,
    channel: DataChannel,
    link: Link,
    start: Option<Start>,
    checking: Option<Boxed<Result<(), String>>>,
    place: Place,
    keep_alive_at: Option<Instant>,
    input: Input,
    /// Nothing follows from the client.
    input_has_ended: bool,
    buffer: Vec<u8>,
    /// At most a few messages.
    outgoing: VecDeque<(PayloadType, Bytes)>,
    ending: Option<Ending>,
    client_is_away: bool,
    /// The last sign that data arrives, and how much was on its way then.
    progress: (Instant, usize),
}

impl PortCarrier {
    pub(in super::super) fn new(
        plane: Arc<ControlPlane>,
        credentials: CredentialSource,
        task: PortTask,
        session_user: Option<String>,
        destinations: Arc<Destinations>,
        commands: mpsc::Receiver<EndCommand>,
    ) -> Self {
        let limits = ChannelLimits { unconsumed_bytes_max: UNCONSUMED_BYTES_MAX, ..ChannelLimits::default() };
        let link = Link::new(plane, credentials, task.session_id.clone());
        Self {
            task,
            session_user,
            destinations,
            commands,
            channel: DataChannel::new(Role::Agent, limits),
            link,
            start: None,
            checking: None,
            place: Place::Closed,
            keep_alive_at: None,
            input: Input::default(),
            input_has_ended: false,
            buffer: Vec::new(),
            outgoing: VecDeque::new(),
            ending: None,
            client_is_away: false,
            progress: (Instant::now(), 0),
        }
    }

    /// Carries the session to its end.
    pub(in super::super) async fn run(mut self) -> Outcome {
        while !self.is_over(Instant::now()) {
            let step = self.next_step().await;
            self.handle_step(step);
            self.handle_events();
            self.act();
        }
        // No state is told: clients of port sessions learn of the end from the server (as with AWS's agent).
        self.link.close(&mut self.channel).await;
        self.ending.map_or(Outcome::Success, |ending| ending.outcome)
    }

    async fn next_step(&mut self) -> Step {
        let own_deadline = self.own_deadline();
        // Checked here, because what is ready in front of a timer can keep it from its turn.
        if Instant::now() >= own_deadline {
            return Step::Timer;
        }
        let deadline = self.resend_at().map_or(own_deadline, |at| at.min(own_deadline));
        let may_read = self.outgoing.is_empty() && self.channel.has_room() && self.ending.is_none();
        let chunk_bytes = self.start.as_ref().map_or(1, Start::chunk_bytes);
        let Self { commands, link, channel, checking, place, input, buffer, .. } = self;
        buffer.resize(chunk_bytes, 0);
        let check = async {
            match checking {
                Some(checking) => checking.await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            Some(command) = commands.recv() => Step::Commanded(command),
            event = poll_fn(|cx| link.poll(channel, cx)) => Step::Link(event),
            checked = check => Step::Checked(checked),
            event = place.next(input.front(), buffer, may_read) => Step::Place(event),
            () = sleep_until(deadline) => Step::Timer,
        }
    }

    fn handle_step(&mut self, step: Step) {
        match step {
            Step::Commanded(EndCommand::Closed) => self.cancel(),
            Step::Commanded(EndCommand::AgentStops) => self.end(
                Outcome::Failed("The agent of this node was stopped.".to_owned()),
                STOPPING_DRAIN_PAUSE_MAX,
            ),
            Step::Link(event) => self.handle_link(event),
            Step::Checked(checked) => {
                self.checking = None;
                if let Err(text) = checked {
                    self.end(Outcome::Failed(text), Duration::ZERO);
                }
            }
            Step::Place(event) => self.handle_place(event),
            Step::Timer => self.handle_timer(Instant::now()),
        }
    }

    fn handle_place(&mut self, event: place::Event) {
        match event {
            place::Event::Opened(Ok(far)) => {
                tracing::info!(session.id = %self.task.session_id, "the connection of session {} is open", self.task.session_id);
                self.place = Place::Open(far);
                if self.ending.is_some() {
                    self.close();
                }
            }
            // No flag says so: AWS's plugin would write it to standard output, as AWS's agent knows.
            place::Event::Opened(Err(text)) => {
                self.place = Place::Closed;
                self.end(Outcome::Failed(text), DRAIN_PAUSE_MAX);
            }
            place::Event::Written(Ok(count)) => {
                if let Some(number) = self.input.written(count) {
                    self.channel.acknowledge(number);
                }
            }
            // It does not read any more; what it still says is passed on, and its end is met there.
            place::Event::Written(Err(_)) => self.stop_writing(),
            place::Event::Read(Ok(count)) if count > 0 => {
                let data = self.buffer.get(..count).map(Bytes::copy_from_slice).unwrap_or_default();
                self.outgoing.push_back((PayloadType::Output, data));
            }
            place::Event::Read(read) => match (read, &self.task.destination) {
                // The next data makes the next connection, as with AWS's agent.
                (_, Destination::Forward(_)) => self.disconnect(),
                (Ok(_), _) => self.handle_end_of_far(),
                (Err(error), _) => {
                    self.end(Outcome::Failed(format!("The connection was lost: {error}")), DRAIN_PAUSE_MAX);
                }
            },
            place::Event::Tunnel(happened) => self.handle_tunnel(happened),
            place::Event::Streams(StreamHappened::Message(message)) => {
                self.outgoing.push_back((PayloadType::Output, message));
            }
            place::Event::Streams(happened) => note(&self.task.session_id, &happened),
            place::Event::Ended => self.place = Place::Closed,
        }
    }

    fn handle_tunnel(&mut self, happened: Happened) {
        match happened {
            Happened::Message(message) => self.outgoing.push_back((PayloadType::Output, message)),
            Happened::NotOpened(error) => {
                tracing::info!(session.id = %self.task.session_id, "a connection of session {} failed: {error}", self.task.session_id);
                self.outgoing.push_back((PayloadType::Flag, Flag::ConnectToPortError.to_payload()));
            }
            Happened::Opened => {
                tracing::debug!(session.id = %self.task.session_id, "a connection of session {} is open", self.task.session_id);
            }
            Happened::Moved => {}
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
                    self.start = Some(Start::of_port(self.task.properties.clone(), Instant::now()));
                    self.check_destination();
                }
            }
            LinkEvent::Over(over) => self.handle_over(&over),
        }
    }

    fn handle_over(&mut self, over: &Over) {
        let outcome = match over {
            Over::Terminated => Outcome::Cancelled,
            Over::Lost => Outcome::Failed("The node lost its connection for too long.".to_owned()),
        };
        self.end(outcome, Duration::ZERO);
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
                // That data is not read any more is the work of back-pressure.
                Event::PausePublication => self.client_is_away = true,
                Event::SessionState(_) | Event::Notice(_) => {}
            }
        }
    }

    fn handle_stream(&mut self, sequence_number: i64, payload_type: PayloadType, payload: Bytes) {
        self.client_is_away = false;
        let acknowledged = match payload_type {
            PayloadType::Output => self.handle_data(sequence_number, payload),
            PayloadType::Flag => {
                self.handle_flag(&payload);
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
            _ => Some(sequence_number),
        };
        if let Some(number) = acknowledged {
            self.channel.acknowledge(number);
        }
    }

    /// The number to acknowledge at once, if so.
    fn handle_data(&mut self, sequence_number: i64, payload: Bytes) -> Option<i64> {
        if let Some(start) = &mut self.start {
            start.handle_data();
        }
        let nobody_takes_it = match &self.place {
            Place::Open(far) => far.writer.is_none(),
            Place::Closed | Place::Opening(_) | Place::Many(_) | Place::Streams(_) => false,
            Place::Ending(_) => true,
        };
        if self.ending.is_some() || self.input_has_ended || nobody_takes_it {
            return Some(sequence_number);
        }
        self.open();
        match &mut self.place {
            Place::Many(tunnel) => {
                if let Err(error) = tunnel.receive(sequence_number, payload, Instant::now()) {
                    self.end(Outcome::Failed(not_smux(error)), Duration::ZERO);
                }
                None
            }
            Place::Streams(streams) => {
                if let Err(error) = streams.receive(payload, std::time::Instant::now()) {
                    self.end(Outcome::Failed(not_the_dialect(&error)), Duration::ZERO);
                }
                // Their windows bound what waits for connections.
                Some(sequence_number)
            }
            _ => self.input.push(sequence_number, payload),
        }
    }

    fn handle_flag(&mut self, payload: &[u8]) {
        match Flag::from_payload(payload) {
            Ok(Flag::TerminateSession) => self.end(Outcome::Success, Duration::ZERO),
            // Each of many connections has an end of its own.
            Ok(Flag::EndOfStream | Flag::DisconnectToPort)
                if matches!(self.place, Place::Many(_) | Place::Streams(_)) => {}
            Ok(Flag::EndOfStream) => self.input_has_ended = true,
            // What the file server does is on record as one stream.
            Ok(Flag::DisconnectToPort) if matches!(self.task.destination, Destination::Files(_)) => {
                self.end(Outcome::Success, Duration::ZERO);
            }
            // The stream begins anew with the next data, which a port takes for a new connection.
            Ok(Flag::DisconnectToPort) => self.disconnect(),
            Ok(Flag::ConnectToPortError | Flag::Unknown(_)) | Err(_) => {}
        }
    }

    fn check_handshake(&mut self, handled: Result<(), HandshakeError>) {
        if let Err(error) = handled {
            // To a client that did not shake hands nothing else can be said.
            self.end(Outcome::Failed(error.to_string()), Duration::ZERO);
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
                Action::Start(_) => self.open(),
                // Connections are never encrypted by this layer, as on AWS: TLS or SSH is inside.
                Action::FetchKey(_) | Action::SendChallenge(_) => {}
            }
        }
        if self.input_has_ended && self.input.front().is_none() {
            self.stop_writing();
        }
        if let Place::Many(tunnel) = &mut self.place {
            while let Some(number) = tunnel.poll_acknowledge() {
                self.channel.acknowledge(number);
            }
        }
        while self.channel.has_room()
            && let Some((payload_type, payload)) = self.outgoing.pop_front()
        {
            let sent = self.channel.send(payload_type, payload, stamps::stamp(), std::time::Instant::now());
            debug_assert!(sent.is_ok(), "there is room");
        }
    }

    /// Finds out whether the destination is one that is forbidden, so that the user is told at the beginning and in words. A
    /// name that cannot be looked up yet may be one later; each connection asks again.
    fn check_destination(&mut self) {
        let Destination::Forward(host) = self.task.destination.clone() else { return };
        let destinations = Arc::clone(&self.destinations);
        self.checking = Some(Box::pin(async move {
            match destinations.resolve(&host).await {
                Err(error @ ConnectError::Forbidden { .. }) => Err(error.to_string()),
                Ok(_) | Err(_) => Ok(()),
            }
        }));
    }

    /// Opens the far end, if it is not.
    fn open(&mut self) {
        let Some(start) = self.start.as_ref().filter(|start| start.is_started()) else { return };
        if self.ending.is_some() || !matches!(self.place, Place::Closed) {
            return;
        }
        let client = start.client();
        let destinations = Arc::clone(&self.destinations);
        if start.speaks_dialect() {
            return self.open_streams();
        }
        self.place = match self.task.destination.clone() {
            Destination::Anywhere(_) => {
                return self.end(Outcome::Failed(NEEDS_DIALECT.to_owned()), DRAIN_PAUSE_MAX);
            }
            Destination::Files(run_as) => {
                Place::Opening(Box::pin(open_files(run_as, self.session_user.clone())))
            }
            Destination::Forward(host) if client.supports_multiplexing() => {
                let is_silent = client.disables_keep_alive();
                self.keep_alive_at = (!is_silent).then(|| Instant::now() + KEEP_ALIVE_EVERY);
                let stall_max = if client.is_postern() { STALL_MAX } else { STALL_MAX_WITHOUT_WINDOW };
                Place::Many(Box::new(tunnel(destinations, host).with_stall_max(stall_max)))
            }
            Destination::Stream(host) | Destination::Forward(host) => Place::Opening(Box::pin(async move {
                let connected = destinations.connect(&host).await;
                connected.map(Far::of_port).map_err(|error| error.to_string())
            })),
        };
    }

    /// From now on this end and the client's speak the dialect of Postern's own.
    fn open_streams(&mut self) {
        let leads = match self.task.destination.clone() {
            Destination::Forward(host) => Leads::To(host),
            Destination::Anywhere(run_as) => {
                Leads::Anywhere { run_as, session_user: self.session_user.clone() }
            }
            // It is offered for these two only.
            Destination::Stream(_) | Destination::Files(_) => return,
        };
        self.channel.begin_tunnel();
        let reach = Reach::new(leads, Arc::clone(&self.destinations));
        self.place = Place::Streams(Box::new(Streams::of_node(Box::new(reach))));
    }

    /// The far end says nothing more. A client that understands it is told, and may go on; to any other it is the end.
    fn handle_end_of_far(&mut self) {
        let Place::Open(far) = &mut self.place else { return };
        far.reader = None;
        let goes_on = far.writer.is_some() && matches!(self.task.destination, Destination::Stream(_));
        if goes_on && self.start.as_ref().is_some_and(|start| start.client().is_postern()) {
            self.outgoing.push_back((PayloadType::Flag, Flag::EndOfStream.to_payload()));
        } else {
            self.end(Outcome::Success, DRAIN_PAUSE_MAX);
        }
    }

    /// Nothing more goes to the far end.
    fn stop_writing(&mut self) {
        self.discard_input();
        let Place::Open(far) = &mut self.place else { return };
        far.writer = None;
        if far.reader.is_none() {
            self.end(Outcome::Success, DRAIN_PAUSE_MAX);
        }
    }

    /// Closes the one connection; the session goes on.
    fn disconnect(&mut self) {
        self.discard_input();
        self.place = Place::Closed;
    }

    fn handle_timer(&mut self, now: Instant) {
        if let Place::Many(tunnel) = &mut self.place {
            let given_up = tunnel.handle_timeout(now);
            if given_up > 0 {
                tracing::warn!(session.id = %self.task.session_id, "gave up {given_up} connections of session {} that held up the others", self.task.session_id);
            }
            if self.keep_alive_at.is_some_and(|at| at <= now) {
                tunnel.keep_alive();
                self.keep_alive_at = Some(now + KEEP_ALIVE_EVERY);
            }
        }
        if let Place::Streams(streams) = &mut self.place {
            streams.handle_timeout(now.into_std());
        }
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
        let own = match &self.ending {
            None => self.start.as_ref().and_then(Start::poll_timeout),
            Some(ending) if matches!(self.place, Place::Closed) => {
                Some(self.progress.0 + ending.drain_pause_max)
            }
            // What is being opened or ended is waited for: there is nothing to look at before.
            Some(_) => None,
        };
        let tunnel = match &self.place {
            Place::Many(tunnel) => [tunnel.poll_timeout(), self.keep_alive_at],
            Place::Streams(streams) => [streams.poll_timeout().map(Instant::from_std), None],
            _ => [None, None],
        };
        let link = self.link.poll_timeout();
        own.into_iter().chain(tunnel.into_iter().flatten()).fold(link, Instant::min)
    }

    /// When the link has something to send again. While it is full it will say so itself.
    fn resend_at(&self) -> Option<Instant> {
        let at = self.channel.poll_timeout().map(Instant::from_std);
        at.filter(|_| self.link.is_ready() && !self.client_is_away)
    }

    /// Whether the session has ended: its far end is closed, and its data has arrived or cannot.
    fn is_over(&mut self, now: Instant) -> bool {
        let unacknowledged = self.channel.unacknowledged_bytes();
        if unacknowledged < self.progress.1 {
            self.progress.0 = now;
        }
        self.progress.1 = unacknowledged;
        let Some(ending) = &self.ending else { return false };
        if !matches!(self.place, Place::Closed) {
            return false;
        }
        let has_said_all = self.outgoing.is_empty() && self.channel.is_drained();
        has_said_all || ending.drain_pause_max.is_zero() || now >= self.progress.0 + ending.drain_pause_max
    }

    fn discard_input(&mut self) {
        for number in self.input.discard() {
            self.channel.acknowledge(number);
        }
    }

    /// The session is over for its server and client; nothing that it still has to say matters.
    fn cancel(&mut self) {
        self.end(Outcome::Cancelled, Duration::ZERO);
    }

    /// Begins the end. The first reason counts, the shortest patience too.
    fn end(&mut self, outcome: Outcome, drain_pause_max: Duration) {
        self.progress.0 = Instant::now();
        let ending = self.ending.get_or_insert(Ending { outcome, drain_pause_max });
        ending.drain_pause_max = ending.drain_pause_max.min(drain_pause_max);
        self.discard_input();
        self.close();
    }

    fn close(&mut self) {
        self.place = match std::mem::replace(&mut self.place, Place::Closed) {
            Place::Open(Far { child: Some(mut child), .. }) => Place::Ending(Box::pin(async move {
                if let Err(error) = child.end(GRACE).await {
                    tracing::error!(%error, "a file server cannot be ended");
                }
            })),
            // A server that is being started cannot be left: it would be nobody's.
            Place::Opening(opening) if matches!(self.task.destination, Destination::Files(_)) => {
                Place::Opening(opening)
            }
            Place::Ending(ending) => Place::Ending(ending),
            Place::Open(_) | Place::Opening(_) | Place::Many(_) | Place::Streams(_) | Place::Closed => {
                Place::Closed
            }
        };
    }
}

/// Connections to `host`, one for each stream.
fn tunnel(destinations: Arc<Destinations>, host: Host) -> Tunnel {
    let opener = move || -> Opening {
        let (destinations, host) = (Arc::clone(&destinations), host.clone());
        Box::pin(async move {
            let connected = destinations.connect(&host).await;
            connected.map(Socket::from).map_err(|error| format!("{host}: {error}"))
        })
    };
    Tunnel::of_node(STREAMS_MAX, Box::new(opener))
}

/// What happened to a connection, for the log.
fn note(session_id: &SessionId, happened: &StreamHappened) {
    match happened {
        StreamHappened::Opened { id, address } => {
            let address = address.as_deref().unwrap_or("?");
            tracing::info!(session.id = %session_id, "connection {id} of session {session_id} leads to {address}");
        }
        StreamHappened::Refused { id, refused } => {
            tracing::info!(session.id = %session_id, "connection {id} of session {session_id} was refused ({}): {}", refused.reason.as_str(), refused.message);
        }
        StreamHappened::Closed { id, sent, received, message } => {
            let why = message.as_deref().unwrap_or("its ends had said all");
            tracing::debug!(session.id = %session_id, "connection {id} of session {session_id} is over after {received} bytes in and {sent} out: {why}");
        }
        StreamHappened::Accepted { id, listener, source } => {
            tracing::info!(session.id = %session_id, "{source} connected to listener {listener} of session {session_id} as {id}");
        }
        StreamHappened::Message(_) | StreamHappened::Moved => {}
    }
}

fn not_the_dialect(error: &TunnelError) -> String {
    format!("The client does not speak the protocol of tunnels: {error}.")
}

fn not_smux(error: SmuxError) -> String {
    format!("The client does not speak the protocol of forwarded connections: {error}.")
}
