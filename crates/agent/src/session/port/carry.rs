//! The task that carries one connection: between its far end and the data channel to its user.
//!
//! As the carrier of programs, one loop owns everything and waits for whatever comes first. The far end is read only while
//! the user has little to catch up with, and what the user sends is acknowledged as the far end takes it.

use std::collections::VecDeque;
use std::future::{Future, poll_fn};
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use postern_protocol::PayloadType;
use postern_protocol::channel::{ChannelLimits, DataChannel, Event, Role};
use postern_protocol::payload::{Flag, SessionState, State};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

use super::super::input::Input;
use super::super::link::{Link, LinkEvent, Over};
use super::super::start::{Action, HandshakeError, Start};
use super::super::{EndCommand, Outcome};
use super::far::{Far, open};
use super::task::{Destination, PortTask};
use crate::control_plane::ControlPlane;
use crate::credentials::CredentialSource;
use crate::stamps;

/// At the end, the longest pause between two signs that data still arrives.
const DRAIN_PAUSE_MAX: Duration = Duration::from_secs(60);
/// The same when the agent stops.
const STOPPING_DRAIN_PAUSE_MAX: Duration = Duration::from_secs(2);
/// What the file server gets to end after its input has.
const GRACE: Duration = Duration::from_secs(1);
/// What the far end has not taken; what is beyond is sent again by the client.
const UNCONSUMED_BYTES_MAX: usize = 4 * 1024 * 1024;

type Boxed<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// The other end of the stream.
enum Place {
    /// Not open yet, or not any more; data opens it again.
    Closed,
    Opening(Boxed<Result<Far, String>>),
    Open(Far),
    /// The file server is being ended.
    Ending(Boxed<()>),
}

/// What came first.
enum Step {
    Commanded(EndCommand),
    Link(LinkEvent),
    Opened(Result<Far, String>),
    Written(io::Result<usize>),
    Read(io::Result<usize>),
    Ended,
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
    commands: mpsc::Receiver<EndCommand>,
    channel: DataChannel,
    link: Link,
    start: Option<Start>,
    place: Place,
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
        commands: mpsc::Receiver<EndCommand>,
    ) -> Self {
        let limits = ChannelLimits { unconsumed_bytes_max: UNCONSUMED_BYTES_MAX, ..ChannelLimits::default() };
        let link = Link::new(plane, credentials, task.session_id.clone());
        Self {
            task,
            session_user,
            commands,
            channel: DataChannel::new(Role::Agent, limits),
            link,
            start: None,
            place: Place::Closed,
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
        let Self { commands, link, channel, place, input, buffer, .. } = self;
        buffer.resize(chunk_bytes, 0);
        tokio::select! {
            biased;
            Some(command) = commands.recv() => Step::Commanded(command),
            event = poll_fn(|cx| link.poll(channel, cx)) => Step::Link(event),
            step = place.next(input.front(), buffer, may_read) => step,
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
            Step::Opened(Ok(far)) => {
                tracing::info!(session.id = %self.task.session_id, "the connection of session {} is open", self.task.session_id);
                self.place = Place::Open(far);
                if self.ending.is_some() {
                    self.close();
                }
            }
            // No flag says so: AWS's plugin would write it to standard output, as AWS's agent knows.
            Step::Opened(Err(text)) => {
                self.place = Place::Closed;
                self.end(Outcome::Failed(text), DRAIN_PAUSE_MAX);
            }
            Step::Written(Ok(count)) => {
                if let Some(number) = self.input.written(count) {
                    self.channel.acknowledge(number);
                }
            }
            // It does not read any more; what it still says is passed on, and its end is met there.
            Step::Written(Err(_)) => self.stop_writing(),
            Step::Read(Ok(0)) => self.handle_end_of_far(),
            Step::Read(Ok(count)) => {
                let data = self.buffer.get(..count).map(Bytes::copy_from_slice).unwrap_or_default();
                self.outgoing.push_back((PayloadType::Output, data));
            }
            Step::Read(Err(error)) => {
                self.end(Outcome::Failed(format!("The connection was lost: {error}")), DRAIN_PAUSE_MAX);
            }
            Step::Ended => self.place = Place::Closed,
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
                    self.start = Some(Start::of_port(self.task.properties.clone(), Instant::now()));
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
            Place::Closed | Place::Opening(_) => false,
            Place::Ending(_) => true,
        };
        if self.ending.is_some() || self.input_has_ended || nobody_takes_it {
            return Some(sequence_number);
        }
        self.open();
        self.input.push(sequence_number, payload)
    }

    fn handle_flag(&mut self, payload: &[u8]) {
        match Flag::from_payload(payload) {
            Ok(Flag::EndOfStream) => self.input_has_ended = true,
            Ok(Flag::TerminateSession) => self.end(Outcome::Success, Duration::ZERO),
            // The stream begins anew with the next data, which a port takes for a new connection. What the file server
            // does is on record as one stream.
            Ok(Flag::DisconnectToPort) if matches!(self.task.destination, Destination::Port(_)) => {
                self.discard_input();
                self.place = Place::Closed;
            }
            Ok(Flag::DisconnectToPort) => self.end(Outcome::Success, Duration::ZERO),
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
        while self.channel.has_room()
            && let Some((payload_type, payload)) = self.outgoing.pop_front()
        {
            let sent = self.channel.send(payload_type, payload, stamps::stamp(), std::time::Instant::now());
            debug_assert!(sent.is_ok(), "there is room");
        }
    }

    /// Opens the far end, if it is not.
    fn open(&mut self) {
        let may_open = self.ending.is_none() && self.start.as_ref().is_some_and(Start::is_started);
        if may_open && matches!(self.place, Place::Closed) {
            let opening = open(self.task.destination.clone(), self.session_user.clone());
            self.place = Place::Opening(Box::pin(opening));
        }
    }

    /// The far end says nothing more. A client that understands it is told, and may go on; to any other it is the end.
    fn handle_end_of_far(&mut self) {
        let Place::Open(far) = &mut self.place else { return };
        far.reader = None;
        let goes_on = far.writer.is_some() && matches!(self.task.destination, Destination::Port(_));
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
        let own = match &self.ending {
            None => self.start.as_ref().and_then(Start::poll_timeout),
            Some(ending) if matches!(self.place, Place::Closed) => {
                Some(self.progress.0 + ending.drain_pause_max)
            }
            // What is being opened or ended is waited for: there is nothing to look at before.
            Some(_) => None,
        };
        let link = self.link.poll_timeout();
        own.map_or(link, |at| at.min(link))
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
            Place::Open(_) | Place::Opening(_) | Place::Closed => Place::Closed,
        };
    }
}

impl Place {
    /// Waits for what happens there next. Dropping the future loses nothing.
    async fn next(&mut self, front: Option<&[u8]>, buffer: &mut [u8], may_read: bool) -> Step {
        match self {
            Self::Closed => std::future::pending().await,
            Self::Opening(opening) => Step::Opened(opening.await),
            Self::Ending(ending) => {
                ending.await;
                Step::Ended
            }
            Self::Open(Far { reader, writer, .. }) => {
                let write = async {
                    match (writer, front) {
                        (Some(writer), Some(bytes)) => writer.write(bytes).await,
                        _ => std::future::pending().await,
                    }
                };
                let read = async {
                    match reader.as_mut().filter(|_| may_read) {
                        Some(reader) => reader.read(buffer).await,
                        None => std::future::pending().await,
                    }
                };
                tokio::select! {
                    written = write => Step::Written(written),
                    read = read => Step::Read(read),
                }
            }
        }
    }
}
