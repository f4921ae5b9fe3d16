//! A data channel's first frame: it shows a token, and with it which session and which side the channel is.

use std::sync::Arc;
use std::time::Duration;

use postern_ids::{NodeId, SessionId};
use postern_protocol::payload::{ChannelClosed, ClientAttached, OpenDataChannel, Stamps as _};
use postern_store::{ChannelSide, TokenHash, TokenScope};
use tokio::time::{Instant, timeout};
use tokio_websockets::CloseCode;

use crate::control_channel::close;
use crate::gateway::Shared;
use crate::session::{Claim, Command};
use crate::socket::{Incoming, Socket};
use crate::stamps::SystemStamps;
use crate::token::{self, Grant};

/// AWS's programs send the first frame right after the upgrade, the plugin a ping before it.
const HELLO_WITHIN: Duration = Duration::from_secs(10);
/// Stream messages of the known programs have 1 to 64 KiB. Four times that leaves room, and still bounds what
/// a peer can make the gateway hold for one message.
const FRAME_BYTES_MAX: usize = 256 * 1024;

/// Why a channel was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Refusal {
    /// No first frame, or none that can be read.
    NoHello,
    /// The token is unknown, used, expired or for something else.
    Token,
    /// The session has ended meanwhile.
    SessionOver,
    /// The store cannot be asked.
    Store,
}

impl Refusal {
    /// What the client is shown. AWS's plugin hangs for ever if it is refused in any other way than this.
    fn notice(self) -> &'static str {
        match self {
            Self::NoHello => "The data channel was refused: it did not say what it opens.",
            Self::Token => "The data channel was refused: its token is not valid, was used, or has expired.",
            Self::SessionOver => "The session has ended.",
            Self::Store => "The data channel was refused: the server cannot read its store at the moment.",
        }
    }
}

/// Hands the channel over to its session, or refuses it.
pub(crate) async fn serve(
    shared: &Arc<Shared>,
    mut socket: Socket,
    session: SessionId,
    node: Option<NodeId>,
) {
    let admitted = match timeout(HELLO_WITHIN, receive_hello(&mut socket)).await {
        Ok(Some(hello)) => admit(shared, &session, node.as_ref(), hello).await,
        Ok(None) | Err(_) => Err(Refusal::NoHello),
    };
    let refusal = match admitted {
        Ok(side) => {
            socket.allow_messages_of(FRAME_BYTES_MAX);
            match hand_over(shared, &session, side, socket).await {
                Ok(()) => return,
                Err(returned) => {
                    socket = returned;
                    Refusal::SessionOver
                }
            }
        }
        Err(refusal) => refusal,
    };
    tracing::info!(session.id = %session, ?refusal, "refused a data channel of session {session}");
    refuse(shared, &mut socket, &session, refusal).await;
}

async fn receive_hello(socket: &mut Socket) -> Option<OpenDataChannel> {
    loop {
        match socket.receive().await? {
            Incoming::Text(text) => return OpenDataChannel::from_json(&text).ok(),
            Incoming::Ping | Incoming::Pong(_) => {}
            Incoming::Binary(_) => return None,
        }
    }
}

/// Who opened the channel.
enum Admitted {
    Client(ClientAttached, Claim),
    Agent,
}

async fn admit(
    shared: &Shared,
    session: &SessionId,
    node: Option<&NodeId>,
    hello: OpenDataChannel,
) -> Result<Admitted, Refusal> {
    let hash = token::hash(&hello.token_value);
    // A node has signed its request, so it can only be the agent; its token is its own and of this session.
    if let Some(node) = node {
        let grant = shared.tokens().redeem(&hash, Instant::now());
        let is_granted = grant == Some(Grant::DataChannel(node.clone(), session.clone()));
        return if is_granted { Ok(Admitted::Agent) } else { Err(Refusal::Token) };
    }
    let scope = shared.store.redeem_token(&TokenHash(hash), shared.clock.now()).await;
    match scope {
        Ok(Some(TokenScope::DataChannel { session: granted, side: ChannelSide::Client }))
            if granted == *session =>
        {
            let client_id = hello.client_id.filter(|id| !id.is_empty());
            let claim = if hello.takes_over { Claim::TakesOver } else { Claim::GoesOn };
            let attached =
                ClientAttached { client_id, client_version: hello.client_version, size: hello.size };
            Ok(Admitted::Client(attached, claim))
        }
        Ok(_) => Err(Refusal::Token),
        Err(error) => {
            tracing::error!(session.id = %session, error = &error as &dyn std::error::Error, "cannot look up the token of a data channel");
            Err(Refusal::Store)
        }
    }
}

async fn hand_over(
    shared: &Shared,
    session: &SessionId,
    side: Admitted,
    socket: Socket,
) -> Result<(), Socket> {
    let Some(handle) = shared.sessions.get(session) else { return Err(socket) };
    let command = match side {
        Admitted::Client(hello, claim) => Command::AttachClient(socket, hello, claim),
        Admitted::Agent => Command::AttachAgent(socket),
    };
    handle.commands.send(command).await.map_err(|unsent| match unsent.0 {
        Command::AttachClient(socket, ..) | Command::AttachAgent(socket) => socket,
        Command::TaskComplete { .. }
        | Command::NodeReturned
        | Command::ReviewConnections
        | Command::End(_) => {
            unreachable!("what comes back is what was sent")
        }
    })
}

async fn refuse(shared: &Shared, socket: &mut Socket, session: &SessionId, refusal: Refusal) {
    let closed = ChannelClosed {
        session_id: session.to_string(),
        output: refusal.notice().to_owned(),
        ..ChannelClosed::default()
    };
    let stamp = SystemStamps::new(&*shared.clock).stamp();
    let _ = socket.send(closed.into_message(stamp).encode());
    close(socket, CloseCode::POLICY_VIOLATION, "refused").await;
}
