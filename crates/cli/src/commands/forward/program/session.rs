//! The sessions of one node, one after another.

use std::time::{Duration, Instant};

use postern_api::Secret;
use postern_api::ssm::StartSessionInput;
use postern_client::{
    CallError, Ended, Layout, Notice, Offered, Order, Reason, SessionError, SessionStart, TunnelEnds,
    TunnelEvent, run_tunnel,
};
use postern_dial::Backoff;
use tokio::sync::mpsc;

use super::{Outcome, Program};
use crate::commands::forward::node::Node;
use crate::commands::forward::show::Said;
use crate::commands::start_session::CLIENT_VERSION;
use crate::failure::{self, Failure, SESSION_FAILED};

/// The document whose sessions carry connections that lead anywhere.
const DOCUMENT_NAME: &str = "Postern-StartTunnelSession";
/// What its parameter takes.
const DECLARED_MAX: usize = 64;
/// Between two attempts to start a session.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// A session that lasted so long was a good one: what comes next is tried soon.
const GOOD_AFTER: Duration = Duration::from_secs(60);
/// For the line that shows rates, and for `--status`.
const TRAFFIC_EVERY: Duration = Duration::from_secs(1);
/// Between two attempts to have the node listen on what is in use.
const ASK_AGAIN_AFTER: Duration = Duration::from_secs(5);
/// What works with agents that do not know the document.
const HINT: &str = "forwarding by `postern forward` needs postern-agent of this version or later on the node; with any agent, \
`postern start-session NODE --document-name AWS-StartPortForwardingSessionToRemoteHost --parameters \
host=HOST,portNumber=PORT,localPortNumber=PORT` forwards a port";

impl Program<'_> {
    /// Carries what goes through a node, until that is over for good.
    pub(super) async fn carry(&self, node: &Node) -> Outcome {
        let Some(mut offers) = node.offers.take() else { return Outcome::Left };
        let outcome = self.carry_sessions(node, &mut offers).await;
        match &outcome {
            Outcome::NotStarted(failure) => {
                self.show.say(&node.id, &Said::Failed { message: &failure.text() });
            }
            Outcome::Left | Outcome::Nothing => self.show.say(&node.id, &Said::Ended { reason: "" }),
            // Why, has been told.
            Outcome::Lost => {}
        }
        node.give_up();
        outcome
    }

    async fn carry_sessions(&self, node: &Node, offers: &mut mpsc::Receiver<Offered>) -> Outcome {
        let mut backoff = Backoff::new(FIRST_PAUSE, LONGEST_PAUSE);
        while !self.is_leaving.get() {
            let began = Instant::now();
            let started = tokio::select! {
                started = self.start(node) => started,
                () = self.left.notified() => return Outcome::Left,
            };
            let why = match started {
                Err(error) if self.reconnects && may_pass(&error) => failure::text(&error),
                Err(error) => return Outcome::NotStarted(explained(error)),
                Ok(start) => match self.session(node, &start, offers).await {
                    // It is over because somebody wanted that.
                    _ if self.is_leaving.get() => return Outcome::Left,
                    Ok(_) if node.is_idle() && self.control.is_none() => return Outcome::Nothing,
                    Ok(Ended::Signalled(_) | Ended::Left) => return Outcome::Left,
                    Err(error) if !may_come_back(&error) => {
                        return Outcome::NotStarted(Failure::new(error).with_status(SESSION_FAILED));
                    }
                    Err(error) => failure::text(&error),
                    Ok(ended) => why(&ended),
                },
            };
            if !self.reconnects {
                self.show.say(&node.id, &Said::Ended { reason: &why });
                return Outcome::Lost;
            }
            if began.elapsed() >= GOOD_AFTER {
                backoff.reset();
            }
            let pause = backoff.next_pause();
            self.show.say(&node.id, &Said::Waiting { reason: &why, seconds: pause.as_secs_f32() });
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = self.left.notified() => return Outcome::Left,
            }
        }
        Outcome::Left
    }

    async fn start(&self, node: &Node) -> Result<SessionStart, CallError> {
        let declared = node.declared(DECLARED_MAX);
        let parameters =
            (!declared.is_empty()).then(|| [("destinations".to_owned(), declared)].into_iter().collect());
        let request = StartSessionInput {
            target: node.id.clone(),
            document_name: Some(DOCUMENT_NAME.to_owned()),
            reason: self.reason.clone(),
            parameters,
        };
        let started = self.api.call(&request).await?;
        Ok(SessionStart {
            session_id: started.session_id.unwrap_or_default(),
            target: node.id.clone(),
            stream_url: started.stream_url.unwrap_or_default(),
            token_value: started.token_value.map(Secret::into_exposed).unwrap_or_default(),
            client_version: CLIENT_VERSION.to_owned(),
            layout: Layout::Apart,
            feeds_commands: false,
        })
    }

    async fn session(
        &self,
        node: &Node,
        start: &SessionStart,
        offers: &mut mpsc::Receiver<Offered>,
    ) -> Result<Ended, SessionError> {
        self.show.say(&node.id, &Said::Started { session: &start.session_id });
        let (orders, remotes) = node.begin();
        if self.is_leaving.get() {
            node.order(Order::Leave);
        }
        let tell = |event: TunnelEvent<'_>| self.hear(node, &event);
        let traffic_every = self.show.wants_traffic().then_some(TRAFFIC_EVERY);
        let ends = TunnelEnds { offers, orders, remotes, traffic_every, tell: &tell };
        let notify = |notice: Notice<'_>| match notice {
            Notice::ConnectionLost => self.show.say(&node.id, &Said::Disconnected),
            Notice::Reconnected => self.show.say(&node.id, &Said::Reconnected),
            Notice::Message(message) | Notice::Warning(message) => {
                self.show.say(&node.id, &Said::Message { message });
            }
            _ => {}
        };
        let asking = async {
            loop {
                tokio::time::sleep(ASK_AGAIN_AFTER).await;
                node.ask_again();
            }
        };
        let ended = tokio::select! {
            ended = run_tunnel(self.api, start, ends, &notify) => ended,
            never = asking => never,
        };
        node.end();
        ended
    }

    fn hear(&self, node: &Node, event: &TunnelEvent<'_>) {
        node.hear(event, &self.show);
        if let TunnelEvent::NotListening { forward, refused } = event {
            // What the last session had may not be free yet.
            if self.reconnects && refused.reason == Reason::InUse {
                node.keep_asking(*forward);
                return;
            }
            node.forget(*forward);
            if node.is_idle() && self.control.is_none() {
                node.order(Order::Leave);
            }
        }
    }
}

/// Whether a session may start a little later.
fn may_pass(error: &CallError) -> bool {
    let is_away = matches!(error, CallError::Refused { code, .. } if code == "TargetNotConnected");
    is_away || error.is_transient()
}

/// Whether the next session may be better.
fn may_come_back(error: &SessionError) -> bool {
    matches!(error, SessionError::Open(_) | SessionError::Resume(_))
}

fn explained(error: CallError) -> Failure {
    let is_unknown = matches!(&error, CallError::Refused { code, .. } if code == "InvalidDocument");
    let failure = Failure::new(error).with_status(SESSION_FAILED);
    if is_unknown { failure.with_hint(HINT) } else { failure }
}

fn why(ended: &Ended) -> String {
    match ended {
        Ended::Closed { reason, .. } if !reason.is_empty() => reason.trim().to_owned(),
        Ended::TimedOut => "the session timed out".to_owned(),
        _ => "the session ended".to_owned(),
    }
}
