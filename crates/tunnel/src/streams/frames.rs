//! What the other end says.

use std::time::Instant;

use bytes::Bytes;
use postern_protocol::tunnel::{
    Accepted, Content, End, Frame, Frames, Listen, Open, Reason, Refused, StreamId, TunnelError,
};

use super::listener::Listener;
use super::stream::Stream;
use super::{Entry, Happened, Streams, is_of_datagrams};

impl Streams {
    /// Takes a message from the other end. It may be acknowledged: what of it waits here, the windows bound.
    ///
    /// # Errors
    /// The other end does not keep to the dialect. It stays that way.
    pub fn receive(&mut self, payload: Bytes, _now: Instant) -> Result<(), TunnelError> {
        if let Some(broken) = &self.broken {
            return Err(broken.clone());
        }
        let received = self.receive_frames(payload);
        if let Err(error) = &received {
            self.broken = Some(error.clone());
        }
        received
    }

    fn receive_frames(&mut self, payload: Bytes) -> Result<(), TunnelError> {
        let message_bytes = payload.len();
        for frame in Frames::new(payload) {
            self.handle(frame?, message_bytes)?;
        }
        if self.shared.outgoing.is_unheard() { Err(TunnelError::Unheard) } else { Ok(()) }
    }

    fn handle(&mut self, frame: Frame, message_bytes: usize) -> Result<(), TunnelError> {
        let Frame { id, content } = frame;
        let kind = content.kind();
        match (content, self.end) {
            (Content::Open(open), End::Node) => {
                self.take_number(id, kind)?;
                self.handle_open(id, &open);
            }
            (Content::Listen(listen), End::Node) => {
                self.take_number(id, kind)?;
                self.handle_listen(id, &listen);
            }
            (Content::Denied(refused), End::Node) => {
                self.take_number(id, kind)?;
                self.refuse(id, refused);
            }
            (Content::Accepted(accepted), End::Client) => {
                self.take_number(id, kind)?;
                self.handle_accepted(id, accepted)?;
            }
            (Content::Open(_) | Content::Listen(_) | Content::Denied(_) | Content::Accepted(_), _) => {
                return Err(TunnelError::Misplaced { kind, id });
            }
            (content, _) => self.handle_known(id, content, message_bytes)?,
        }
        Ok(())
    }

    fn take_number(&mut self, id: StreamId, kind: u8) -> Result<(), TunnelError> {
        if End::giver_of(id) == self.end {
            return Err(TunnelError::Misplaced { kind, id });
        }
        if self.numbers.take(id) { Ok(()) } else { Err(TunnelError::Reused(id)) }
    }

    fn handle_open(&mut self, id: StreamId, open: &Open) {
        if !self.has_room() {
            return self.refuse(id, too_many());
        }
        let opening = self.far.connect(open);
        self.insert(Stream::of_peer(id, opening, is_of_datagrams(open), self.ready.bell(id)));
    }

    fn handle_listen(&mut self, id: StreamId, listen: &Listen) {
        if !self.has_room() {
            return self.refuse(id, too_many());
        }
        let listening = self.far.listen(listen);
        let listener = Listener::new(listening, self.ready.bell(id));
        self.entries.insert(id, Entry::Listener(Box::new(listener)));
    }

    fn handle_accepted(&mut self, id: StreamId, accepted: Accepted) -> Result<(), TunnelError> {
        let listener = StreamId(accepted.listener);
        match self.entries.get(&listener) {
            Some(Entry::Asked { is_open: true }) => {}
            None if self.numbers.is_used(listener) => {
                // It was on its way when the listener was taken away.
                self.refuse(id, Refused::new(Reason::NotFound, "nothing is listened for there any more"));
                return Ok(());
            }
            None => return Err(TunnelError::NeverOpened(listener)),
            Some(_) => {
                return Err(TunnelError::Misplaced {
                    kind: Content::Accepted(accepted).kind(),
                    id: listener,
                });
            }
        }
        let source = accepted.source.clone();
        self.happened.push_back(Happened::Accepted { id, listener, source });
        if !self.has_room() {
            self.refuse(id, too_many());
            return Ok(());
        }
        let opening = self.far.accept(listener, &accepted);
        self.insert(Stream::of_peer(id, opening, false, self.ready.bell(id)));
        Ok(())
    }

    /// What belongs to something that was opened.
    fn handle_known(
        &mut self,
        id: StreamId,
        content: Content,
        message_bytes: usize,
    ) -> Result<(), TunnelError> {
        match self.entries.get_mut(&id) {
            Some(Entry::Stream(stream)) => match content {
                Content::Opened(opened) => {
                    stream.handle_opened(&opened)?;
                    self.happened.push_back(Happened::Opened { id, address: opened.address });
                }
                Content::Refused(refused) => return self.handle_refused(id, refused),
                Content::Reset(reset) => {
                    if !stream.may_be_reset() {
                        return Err(TunnelError::Misplaced { kind: Content::Reset(reset).kind(), id });
                    }
                    self.close(id, Some(reset.message));
                }
                content => {
                    stream.receive(content, message_bytes, &mut self.shared)?;
                    if stream.timer.is_some() {
                        self.timed.insert(id);
                    }
                }
            },
            Some(Entry::Listener(_)) => match content {
                Content::Reset(reset) => self.close(id, Some(reset.message)),
                content => return Err(TunnelError::Misplaced { kind: content.kind(), id }),
            },
            Some(Entry::Asked { is_open }) => match content {
                Content::Opened(opened) if !*is_open => {
                    *is_open = true;
                    self.happened.push_back(Happened::Opened { id, address: opened.address });
                }
                Content::Refused(refused) if !*is_open => {
                    self.remove(id);
                    self.happened.push_back(Happened::Refused { id, refused });
                }
                Content::Reset(reset) if *is_open => self.close(id, Some(reset.message)),
                content => return Err(TunnelError::Misplaced { kind: content.kind(), id }),
            },
            // What comes for one that is over was on its way when it ended.
            None if self.numbers.is_used(id) => {}
            None => return Err(TunnelError::NeverOpened(id)),
        }
        Ok(())
    }

    fn handle_refused(&mut self, id: StreamId, refused: Refused) -> Result<(), TunnelError> {
        if let Some(Entry::Stream(stream)) = self.remove(id) {
            stream.handle_refused(&refused)?;
        }
        self.happened.push_back(Happened::Refused { id, refused });
        Ok(())
    }
}

fn too_many() -> Refused {
    Refused::new(Reason::TooMany, "the session has as many connections as it may")
}
