//! One connection, and what is on its way to and from it.

use std::task::{Context, Poll, ready};

use bytes::{BufMut as _, Bytes, BytesMut};
use postern_protocol::tunnel::{
    Content, DATA_BYTES_MAX, HEAD_BYTES, INITIAL_WINDOW_BYTES, Opened, Refused, StreamId, TunnelError,
    WINDOW_BYTES_MAX, data_head,
};

use super::outgoing::Outgoing;
use super::pending::Pending;
use super::ready::Bell;
use super::timer::Timer;
use super::window::{Giving, Growth, Window};
use super::{Answers, LINGER_MAX, Traffic, UDP_IDLE_MAX};
use crate::{Opening, Socket};

/// What is written to one connection before others have their turn.
const TURN_BYTES_MAX: usize = 1024 * 1024;

/// Room for what is read: several messages, as long as whoever gets them keeps them.
const BUFFER_BYTES: usize = 2 * (HEAD_BYTES + DATA_BYTES_MAX);

/// What all streams of a session share.
#[derive(Debug, Default)]
pub(super) struct Shared {
    pub(super) outgoing: Outgoing,
    pub(super) growth: Growth,
    pub(super) traffic: Traffic,
    buffer: BytesMut,
}

enum Far {
    Opening(Opening),
    Open(Socket),
}

/// What a stream did.
pub(super) enum Did {
    /// What the other end asked for is there.
    Opened(String),
    /// It is not.
    Refused(Refused),
    /// A frame of data.
    Read(Bytes),
    /// Nothing follows from here, and the rest is still being written.
    Lingers,
    /// It broke.
    Broke(String),
    /// Both ends have said all, and everything was written.
    Finished,
}

/// Whether the other end has said what became of what this one asked for.
enum Answer {
    Awaited(Option<Answers>),
    /// Or it was the other end that asked.
    Given,
}

/// See the [module's documentation](self).
pub(super) struct Stream {
    pub(super) id: StreamId,
    pub(super) bell: Bell,
    pub(super) timer: Option<Timer>,
    pub(super) traffic: Traffic,
    far: Far,
    answer: Answer,
    is_of_datagrams: bool,
    pending: Pending,
    /// What of it, at its beginning, did not come from the other end.
    own_pending_bytes: usize,
    window: Window,
    /// Nothing follows from the other end.
    peer_has_ended: bool,
    /// And everything was written, and that is the end.
    is_shut: bool,
    /// Nobody reads what is written.
    is_deaf: bool,
    /// What may be sent.
    credit: usize,
    has_ended: bool,
    /// It would read, and has had no room.
    pub(super) wants_room: bool,
}

impl Stream {
    /// This end asked for what the other connects it to.
    pub(super) fn own(id: StreamId, socket: Socket, answers: Option<Answers>, bell: Bell) -> Self {
        let is_of_datagrams = socket.is_of_datagrams();
        Self::new(id, Far::Open(socket), Answer::Awaited(answers), is_of_datagrams, bell)
    }

    /// The other end asked for it.
    pub(super) fn of_peer(id: StreamId, opening: Opening, is_of_datagrams: bool, bell: Bell) -> Self {
        Self::new(id, Far::Opening(opening), Answer::Given, is_of_datagrams, bell)
    }

    fn new(id: StreamId, far: Far, answer: Answer, is_of_datagrams: bool, bell: Bell) -> Self {
        let giving = if is_of_datagrams { Giving::Everything } else { Giving::Halves };
        Self {
            id,
            bell,
            timer: is_of_datagrams.then(|| Timer::new(UDP_IDLE_MAX)),
            traffic: Traffic::default(),
            far,
            answer,
            is_of_datagrams,
            pending: Pending::default(),
            own_pending_bytes: 0,
            window: Window::new(giving),
            peer_has_ended: false,
            is_shut: false,
            is_deaf: false,
            credit: INITIAL_WINDOW_BYTES,
            has_ended: false,
            wants_room: false,
        }
    }

    /// Whether the other end waits for a connection that this one is to make.
    pub(super) fn is_opening(&self) -> bool {
        matches!(self.far, Far::Opening(_))
    }

    /// Whether the other end may reset it: what it has not answered it refuses.
    pub(super) fn may_be_reset(&self) -> bool {
        matches!(self.answer, Answer::Given)
    }

    /// Why it is given up if it stands still for too long.
    pub(super) fn idle_message(&self) -> &'static str {
        if self.is_of_datagrams { "idle" } else { "what was sent at the end is not read" }
    }

    fn misplaced(&self, content: &Content) -> TunnelError {
        TunnelError::Misplaced { kind: content.kind(), id: self.id }
    }

    fn moved(&mut self) {
        if let Some(timer) = &mut self.timer {
            timer.moved();
        }
    }

    /// The other end has connected it.
    pub(super) fn handle_opened(&mut self, opened: &Opened) -> Result<(), TunnelError> {
        match std::mem::replace(&mut self.answer, Answer::Given) {
            Answer::Given => Err(self.misplaced(&Content::Opened(opened.clone()))),
            Answer::Awaited(None) => Ok(()),
            Answer::Awaited(Some(answers)) => {
                let answer = answers(Ok(opened));
                self.own_pending_bytes = answer.len();
                self.pending.push_front(answer);
                self.bell.ring();
                Ok(())
            }
        }
    }

    /// The other end will not connect it. The program here learns it in its own words, or as well as a socket can say it.
    pub(super) fn handle_refused(mut self, refused: &Refused) -> Result<(), TunnelError> {
        match std::mem::replace(&mut self.answer, Answer::Given) {
            Answer::Given => return Err(self.misplaced(&Content::Refused(refused.clone()))),
            Answer::Awaited(answers) => self.say_farewell(answers, refused),
        }
        Ok(())
    }

    fn say_farewell(mut self, answers: Option<Answers>, refused: &Refused) {
        let answer = answers.map(|answers| answers(Err(refused))).unwrap_or_default();
        let Far::Open(socket) = &mut self.far else { return };
        if answer.is_empty() {
            self.abort();
            return;
        }
        // A few bytes, the first that are written there: they have room, or their reader cares for none.
        let mut cx = Context::from_waker(std::task::Waker::noop());
        let _ = socket.poll_write(&mut cx, &answer);
        socket.close_write();
    }

    /// Takes what the other end says of an open stream; it came in a message of so many bytes.
    pub(super) fn receive(
        &mut self,
        content: Content,
        message_bytes: usize,
        shared: &mut Shared,
    ) -> Result<(), TunnelError> {
        if matches!(self.answer, Answer::Awaited(_)) {
            return Err(self.misplaced(&content));
        }
        match content {
            Content::Data(data) => self.receive_data(data, message_bytes, shared)?,
            Content::End if self.is_of_datagrams => return Err(self.misplaced(&content)),
            Content::End if self.peer_has_ended => return Err(TunnelError::AfterEnd(self.id)),
            Content::End => {
                self.peer_has_ended = true;
                self.linger();
            }
            Content::Credit(bytes) => {
                self.credit += usize::try_from(bytes).unwrap_or(usize::MAX).min(WINDOW_BYTES_MAX + 1);
                if self.credit > WINDOW_BYTES_MAX {
                    return Err(TunnelError::WindowTooLarge(self.id));
                }
            }
            _ => return Err(self.misplaced(&content)),
        }
        self.bell.ring();
        Ok(())
    }

    fn receive_data(
        &mut self,
        data: Bytes,
        message_bytes: usize,
        shared: &mut Shared,
    ) -> Result<(), TunnelError> {
        if self.peer_has_ended {
            return Err(TunnelError::AfterEnd(self.id));
        }
        if data.is_empty() && !self.is_of_datagrams {
            return Err(TunnelError::Length { kind: Content::Data(data).kind(), length: 0 });
        }
        if !self.window.receive(self.cost(data.len())) {
            return Err(TunnelError::BeyondWindow(self.id));
        }
        self.traffic.received += data.len() as u64;
        shared.traffic.received += data.len() as u64;
        self.moved();
        if self.is_deaf {
            return Ok(());
        }
        if self.is_of_datagrams {
            self.pending.push_datagram(data, message_bytes);
        } else {
            self.pending.push(data, message_bytes);
        }
        Ok(())
    }

    /// What data of so many bytes uses of a window. Empty datagrams are not for nothing.
    fn cost(&self, data_bytes: usize) -> usize {
        if self.is_of_datagrams { data_bytes + HEAD_BYTES } else { data_bytes }
    }

    /// Opens it, writes what waits, and reads what a message of `room` bytes has room for: what of these comes first.
    pub(super) fn poll(&mut self, room: Option<usize>, shared: &mut Shared) -> Poll<Did> {
        let waker = self.bell.waker().clone();
        let mut cx = Context::from_waker(&waker);
        if let Far::Opening(opening) = &mut self.far {
            return Poll::Ready(match ready!(opening.as_mut().poll(&mut cx)) {
                Ok(connected) => {
                    self.far = Far::Open(connected.socket);
                    self.bell.ring();
                    Did::Opened(connected.address)
                }
                Err(refused) => Did::Refused(refused),
            });
        }
        let written = if self.is_of_datagrams {
            self.send_datagrams(&mut cx, shared)
        } else {
            self.write(&mut cx, shared)
        };
        if let Err(did) = written {
            return Poll::Ready(did);
        }
        if self.has_ended { Poll::Pending } else { self.poll_read(&mut cx, room, shared) }
    }

    fn write(&mut self, cx: &mut Context<'_>, shared: &mut Shared) -> Result<(), Did> {
        let Far::Open(socket) = &mut self.far else { return Ok(()) };
        let mut turn_bytes = 0;
        while self.pending.bytes() > 0 {
            match self.pending.next(|pieces| socket.poll_write_vectored(cx, pieces)) {
                Poll::Ready(Ok(count)) if count > 0 => {
                    self.pending.advance(count);
                    turn_bytes += count;
                }
                Poll::Pending => break,
                // It does not read any more; what it still says is passed on, and its end is met there.
                Poll::Ready(_) => {
                    self.pending.clear();
                    self.is_deaf = true;
                }
            }
            if turn_bytes >= TURN_BYTES_MAX {
                self.bell.ring();
                break;
            }
        }
        if turn_bytes > 0 {
            self.moved();
            self.give(turn_bytes, shared);
        }
        if self.is_deaf && self.has_ended {
            return Err(Did::Broke(BROKEN.to_owned()));
        }
        self.finish_writing()
    }

    /// Lets the other end send as much again as was taken.
    fn give(&mut self, taken: usize, shared: &mut Shared) {
        let own = taken.min(self.own_pending_bytes);
        self.own_pending_bytes -= own;
        if self.peer_has_ended || self.is_deaf {
            return;
        }
        let left = self.pending.bytes();
        if let Some(credit) = self.window.take(taken - own, left, &mut shared.growth) {
            shared.outgoing.push(self.id, Content::Credit(credit));
        }
    }

    fn finish_writing(&mut self) -> Result<(), Did> {
        if !self.peer_has_ended || self.pending.bytes() > 0 {
            return Ok(());
        }
        if let Far::Open(socket) = &mut self.far
            && !std::mem::replace(&mut self.is_shut, true)
        {
            socket.close_write();
        }
        if self.has_ended { Err(Did::Finished) } else { Ok(()) }
    }

    fn send_datagrams(&mut self, cx: &mut Context<'_>, shared: &mut Shared) -> Result<(), Did> {
        let mut taken = 0;
        while let Far::Open(socket) = &mut self.far
            && let Some(datagram) = self.pending.next_datagram()
        {
            match socket.poll_write(cx, datagram) {
                Poll::Pending => break,
                Poll::Ready(Err(error)) if is_end_of_datagrams(&error) => {
                    return Err(Did::Broke(error.to_string()));
                }
                // What is not taken whole is lost, as on any way that datagrams take.
                Poll::Ready(_) => {
                    taken += datagram.len() + HEAD_BYTES;
                    self.pending.pop_datagram();
                }
            }
        }
        if taken > 0 {
            self.give(taken, shared);
        }
        Ok(())
    }

    fn poll_read(&mut self, cx: &mut Context<'_>, room: Option<usize>, shared: &mut Shared) -> Poll<Did> {
        let Far::Open(socket) = &mut self.far else { return Poll::Pending };
        if self.credit == 0 && !self.is_of_datagrams {
            return Poll::Pending;
        }
        let Some(room) = room else {
            self.wants_room = true;
            return Poll::Pending;
        };
        let most = room.saturating_sub(HEAD_BYTES).clamp(1, DATA_BYTES_MAX);
        let most = if self.is_of_datagrams { most } else { most.min(self.credit) };
        loop {
            let Shared { buffer, .. } = shared;
            if buffer.capacity() < HEAD_BYTES + most {
                buffer.reserve(BUFFER_BYTES);
            }
            buffer.put_bytes(0, HEAD_BYTES);
            let read = socket.poll_read_buf(cx, &mut (&mut *buffer).limit(most));
            let count = match read {
                Poll::Ready(Ok(count)) if count > 0 || self.is_of_datagrams => count,
                Poll::Pending => {
                    buffer.clear();
                    return Poll::Pending;
                }
                Poll::Ready(Ok(_)) => {
                    buffer.clear();
                    return Poll::Ready(self.end(shared));
                }
                Poll::Ready(Err(error)) => {
                    buffer.clear();
                    return Poll::Ready(Did::Broke(error.to_string()));
                }
            };
            let cost = if self.is_of_datagrams { count + HEAD_BYTES } else { count };
            let Some(credit) = self.credit.checked_sub(cost) else {
                buffer.clear();
                continue;
            };
            self.credit = credit;
            if let Some(head) = buffer.first_chunk_mut::<HEAD_BYTES>() {
                *head = data_head(self.id, count);
            }
            let frame = buffer.split().freeze();
            self.traffic.sent += count as u64;
            shared.traffic.sent += count as u64;
            self.moved();
            self.bell.ring();
            return Poll::Ready(Did::Read(frame));
        }
    }

    /// The connection says nothing more.
    fn end(&mut self, shared: &mut Shared) -> Did {
        if self.is_deaf {
            return Did::Broke(BROKEN.to_owned());
        }
        self.has_ended = true;
        shared.outgoing.push(self.id, Content::End);
        if self.is_shut {
            return Did::Finished;
        }
        self.linger();
        Did::Lingers
    }

    /// Once both ends have said all, what is left of it is not waited for for ever.
    fn linger(&mut self) {
        if self.has_ended && self.peer_has_ended {
            self.timer = Some(Timer::new(LINGER_MAX));
        }
    }

    /// What is given up when it is removed.
    pub(super) fn release(&mut self, shared: &mut Shared) {
        self.window.release(&mut shared.growth);
    }

    /// Closes the connection as one that broke.
    pub(super) fn abort(self) {
        if let Far::Open(socket) = self.far {
            socket.abort();
        }
    }

    /// As [`Self::abort`], with an answer to a program that still waits for one.
    pub(super) fn give_up(mut self, refused: &Refused) {
        match std::mem::replace(&mut self.answer, Answer::Given) {
            Answer::Awaited(answers) => self.say_farewell(answers, refused),
            Answer::Given => self.abort(),
        }
    }
}

const BROKEN: &str = "the connection is not read any more";

/// Not each error of a datagram is one of the conversation: some are only too long.
fn is_end_of_datagrams(error: &std::io::Error) -> bool {
    use std::io::ErrorKind::{BrokenPipe, ConnectionRefused, ConnectionReset, NotConnected};
    matches!(error.kind(), BrokenPipe | ConnectionRefused | ConnectionReset | NotConnected)
}
