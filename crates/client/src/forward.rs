//! Connections to a port of this machine that go through a session.
//!
//! As with a terminal, one task owns everything and waits for what comes first. A connection is read only while the channel
//! has room, and what arrives is acknowledged as connections take it.

mod in_dialect;
mod listener;
mod single;

use std::future::poll_fn;
use std::io;
use std::time::{Duration, Instant};

use bytes::Bytes;
use postern_protocol::handshake::{HandshakeRequest, RequestedAction};
use postern_protocol::payload::{ChannelClosed, Flag};
use postern_protocol::smux::STREAMS_MAX;
use postern_protocol::tunnel::Destination;
use postern_protocol::version::{AgentVersion, CHUNK_BYTES};
use postern_protocol::{Event, PayloadType};
use postern_tunnel::Socket;
use postern_tunnel::smux::{Happened, Tunnel};
use tokio::time::sleep_until;

pub(crate) use self::in_dialect::forward_in_dialect;

use self::listener::{Listener, Local};
use self::single::Single;
use crate::line::{Change, Line};
use crate::link::LinkEvent;
use crate::outcome::{Ended, Notice, SessionError};
use crate::signals::{Asked, Signals};

/// How long a node may take to end the session when the user wants to be gone.
const LEAVE_WITHIN: Duration = Duration::from_secs(2);
/// After a connection could not be accepted: there are too many open files, as a rule.
const ACCEPT_PAUSE: Duration = Duration::from_millis(200);
/// What a shell adds to the number of the signal that ended a program.
const SIGNALLED: i32 = 128;

/// What the agent wants of this side.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Wanted {
    local: Local,
    many: bool,
    takes_flag: bool,
    /// Where its document leads. Only in the dialect this side says it, too, and the node compares.
    to: Destination,
}

impl Wanted {
    /// Whether there can be many connections is settled by the agent's version, as the agent settles it by ours.
    pub(crate) fn of(request: &HandshakeRequest) -> Result<Self, SessionError> {
        let properties = request.requested_client_actions.iter().find_map(|action| match action {
            RequestedAction::SessionType { properties, .. } => Some(properties),
            _ => None,
        });
        let agent = AgentVersion::parse(&request.agent_version);
        let properties = properties.unwrap_or(&serde_json::Value::Null);
        Ok(Self {
            local: Local::of(properties)?,
            to: destination(properties),
            many: agent.is_some_and(AgentVersion::supports_multiplexing),
            takes_flag: agent.is_some_and(AgentVersion::supports_terminate_flag),
        })
    }
}

fn destination(properties: &serde_json::Value) -> Destination {
    let text = |name: &str| properties.get(name).and_then(serde_json::Value::as_str).unwrap_or_default();
    let host = match text("host") {
        "" => "localhost",
        host => host,
    };
    Destination::Tcp { host: host.to_owned(), port: text("portNumber").parse().unwrap_or_default() }
}

enum Connections {
    Many(Box<Tunnel>),
    /// One after the other, for agents that know no other way.
    Single(Single),
}

/// What ended a wait.
enum Turn {
    Link(LinkEvent),
    Accepted(io::Result<(Socket, String)>),
    Connections(Happened),
    Asked(Asked),
    Time,
}

/// See the [module's documentation](self).
pub(crate) struct Forwarder<'a> {
    line: Line<'a>,
    signals: Signals,
    listener: Listener,
    connections: Connections,
    takes_flag: bool,
    accept_at: Option<Instant>,
    was_accepted: bool,
    /// The signal that asked for the end, and how long that may take.
    leaving: Option<(i32, Instant)>,
    closed: Option<ChannelClosed>,
}

impl<'a> Forwarder<'a> {
    /// Begins to listen.
    pub(crate) fn new(line: Line<'a>, signals: Signals, wanted: &Wanted) -> Result<Self, SessionError> {
        let listener = Listener::bind(&wanted.local)?;
        (line.notify)(Notice::Listening { place: listener.place(), many: wanted.many });
        let connections = if wanted.many {
            Connections::Many(Box::new(Tunnel::of_client(STREAMS_MAX)))
        } else {
            Connections::Single(Single::default())
        };
        Ok(Self {
            line,
            signals,
            listener,
            connections,
            takes_flag: wanted.takes_flag,
            accept_at: None,
            was_accepted: false,
            leaving: None,
            closed: None,
        })
    }

    pub(crate) async fn carry(mut self) -> Result<Ended, SessionError> {
        loop {
            self.handle_events()?;
            if let Some(closed) = self.closed.take() {
                let left = self.leaving.map(|(signal, _)| SIGNALLED + signal);
                return Ok(Ended::Closed { reason: closed.output, exit_code: left.or(closed.exit_code) });
            }
            let now = Instant::now();
            if let Some((signal, _)) = self.leaving.filter(|(_, until)| *until <= now) {
                return Ok(Ended::Signalled(signal));
            }
            self.handle_times(now)?;
            match self.next_turn().await {
                Turn::Link(event) => {
                    if let Change::Ended(ended) = self.line.handle_link(event)? {
                        return Ok(ended);
                    }
                }
                Turn::Accepted(accepted) => self.handle_accepted(accepted),
                Turn::Connections(happened) => self.handle_happened(happened),
                Turn::Asked(asked) => {
                    if let Some(ended) = self.handle_asked(asked) {
                        return Ok(ended);
                    }
                }
                Turn::Time => {}
            }
        }
    }

    /// Waits for the first thing to happen. Which of several is random, so none can starve the others.
    async fn next_turn(&mut self) -> Turn {
        let deadline = self.next_time();
        let timer = async {
            match deadline {
                Some(at) => sleep_until(at.into()).await,
                None => std::future::pending().await,
            }
        };
        let accepts = self.leaving.is_none() && self.accept_at.is_none() && self.connections.has_room();
        let may_send = self.leaving.is_none() && self.line.channel.has_room();
        let room = may_send.then_some(CHUNK_BYTES);
        let Self { line: Line { link, channel, stamps, .. }, signals, listener, connections, .. } = self;
        let reading = channel.wants_frames();
        tokio::select! {
            event = poll_fn(|cx| link.poll(cx, channel, stamps, reading)) => Turn::Link(event),
            accepted = listener.accept(), if accepts => Turn::Accepted(accepted),
            happened = poll_fn(|cx| connections.poll(cx, room)) => Turn::Connections(happened),
            asked = signals.next() => Turn::Asked(asked),
            () = timer => Turn::Time,
        }
    }

    fn next_time(&self) -> Option<Instant> {
        let connections = match &self.connections {
            Connections::Many(tunnel) => tunnel.poll_timeout().map(tokio::time::Instant::into_std),
            Connections::Single(_) => None,
        };
        let leaving = self.leaving.map(|(_, until)| until);
        [self.line.next_time(), self.accept_at, connections, leaving].into_iter().flatten().min()
    }

    fn handle_times(&mut self, now: Instant) -> Result<(), SessionError> {
        if self.accept_at.is_some_and(|at| at <= now) {
            self.accept_at = None;
        }
        if let Connections::Many(tunnel) = &mut self.connections {
            tunnel.handle_timeout(now.into());
        }
        self.acknowledge();
        self.line.handle_times(now)
    }

    fn handle_events(&mut self) -> Result<(), SessionError> {
        while let Some(event) = self.line.channel.poll_event() {
            match event {
                Event::Stream { sequence_number, payload_type, payload } => {
                    self.handle_stream(sequence_number, payload_type, payload)?;
                }
                Event::Closed(closed) => self.closed = Some(closed),
                Event::Notice(notice) => (self.line.notify)(Notice::Warning(&notice.text)),
                Event::StartPublication(_) | Event::PausePublication | Event::SessionState(_) => {}
            }
        }
        self.acknowledge();
        Ok(())
    }

    fn handle_stream(
        &mut self,
        sequence_number: i64,
        payload_type: PayloadType,
        payload: Bytes,
    ) -> Result<(), SessionError> {
        match (payload_type, &mut self.connections) {
            (PayloadType::Output, Connections::Many(tunnel)) => {
                tunnel.receive(sequence_number, payload, tokio::time::Instant::now())?;
            }
            (PayloadType::Output, Connections::Single(single)) => single.receive(sequence_number, payload),
            (other, _) => {
                if other == PayloadType::Flag && Flag::from_payload(&payload) == Ok(Flag::ConnectToPortError)
                {
                    (self.line.notify)(Notice::DestinationFailed);
                }
                self.line.channel.acknowledge(sequence_number);
            }
        }
        Ok(())
    }

    fn acknowledge(&mut self) {
        while let Some(number) = self.connections.poll_acknowledge() {
            self.line.channel.acknowledge(number);
        }
    }

    fn handle_accepted(&mut self, accepted: io::Result<(Socket, String)>) {
        let Ok((socket, _)) = accepted else {
            self.accept_at = Some(Instant::now() + ACCEPT_PAUSE);
            return;
        };
        let many = matches!(self.connections, Connections::Many(_));
        if !std::mem::replace(&mut self.was_accepted, true) {
            (self.line.notify)(Notice::Accepted { many });
        }
        match &mut self.connections {
            Connections::Many(tunnel) => {
                // There was room.
                tunnel.add(socket, tokio::time::Instant::now());
            }
            Connections::Single(single) => single.connect(socket),
        }
    }

    fn handle_happened(&mut self, happened: Happened) {
        match (happened, &self.connections) {
            (Happened::Message(message), _) => self.line.send(PayloadType::Output, message),
            // What the next connection says is another connection for the node, too.
            (Happened::Moved, Connections::Single(single)) if single.has_ended() => {
                self.line.send(PayloadType::Flag, Flag::DisconnectToPort.to_payload());
            }
            (Happened::Moved | Happened::Opened | Happened::NotOpened(_), _) => {}
        }
        if let Connections::Single(single) = &mut self.connections {
            single.settle();
        }
        self.acknowledge();
    }

    fn handle_asked(&mut self, asked: Asked) -> Option<Ended> {
        let signal = match asked {
            Asked::Resize => return None,
            Asked::Interrupt => 2,
            Asked::Quit => 3,
            Asked::End(signal) => signal,
        };
        if self.leaving.is_some() || !self.takes_flag || !self.line.channel.has_room() {
            return Some(Ended::Signalled(signal));
        }
        (self.line.notify)(Notice::Leaving);
        self.line.send(PayloadType::Flag, Flag::TerminateSession.to_payload());
        self.leaving = Some((signal, Instant::now() + LEAVE_WITHIN));
        None
    }
}

impl Connections {
    fn has_room(&self) -> bool {
        match self {
            Self::Many(tunnel) => tunnel.has_room(),
            Self::Single(single) => single.is_free(),
        }
    }

    fn poll(&mut self, cx: &mut std::task::Context<'_>, room: Option<usize>) -> std::task::Poll<Happened> {
        match self {
            Self::Many(tunnel) => tunnel.poll(cx, room),
            Self::Single(single) => single.poll(cx, room),
        }
    }

    fn poll_acknowledge(&mut self) -> Option<i64> {
        match self {
            Self::Many(tunnel) => tunnel.poll_acknowledge(),
            Self::Single(single) => single.poll_acknowledge(),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn wanted(agent_version: &str, properties: serde_json::Value) -> Result<Wanted, SessionError> {
        let action = RequestedAction::SessionType { session_type: "Port".into(), properties };
        let requested_client_actions = vec![action];
        Wanted::of(&HandshakeRequest { agent_version: agent_version.into(), requested_client_actions })
    }

    #[test]
    fn the_agents_version_settles_how_many_connections_there_are() {
        for (version, many, takes_flag) in [
            ("3.3.987.0", true, true),
            ("3.0.196.0", false, true),
            ("2.3.722.0", false, false),
            ("3.3.987", false, false),
        ] {
            let wanted = wanted(version, json!({"type": "LocalPortForwarding"})).unwrap();
            assert_eq!((wanted.many, wanted.takes_flag), (many, takes_flag), "{version}");
        }
    }

    #[test]
    fn the_properties_say_what_to_listen_on() {
        let local = |properties| wanted("3.3.987.0", properties).map(|wanted| wanted.local);
        assert_eq!(local(json!({"localPortNumber": "8080"})).unwrap(), Local::Port(8080));
        for any in [json!({}), json!({"localPortNumber": ""}), json!({"localPortNumber": "0"})] {
            assert_eq!(local(any).unwrap(), Local::Port(0));
        }
        let socket = json!({"localConnectionType": "unix", "localUnixSocket": "/tmp/s"});
        assert_eq!(local(socket).unwrap(), Local::Socket("/tmp/s".into()));
        for wrong in ["x", "65536", "-1"] {
            assert!(matches!(
                local(json!({"localPortNumber": wrong})),
                Err(SessionError::LocalPort(text)) if text == wrong
            ));
        }
    }
}
