//! All nodes and their forwards, from the first session to the last.

mod session;

use std::cell::{Cell, RefCell};
use std::pin::pin;

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use postern_client::{Api, ForwardId, Order};
use tokio::sync::Notify;
use tokio::task::JoinSet;

use super::Forward as Arguments;
use super::control::ControlSocket;
use super::node::{Node, listener};
use super::plan::{Plan, PlanError};
use super::show::Show;
use super::words::Forward;
use crate::failure::{FAILED, Failure, SESSION_FAILED};
use crate::screen::Interrupts;

/// How one node's sessions came to their end.
pub(super) enum Outcome {
    /// Somebody wanted it.
    Left,
    /// There was never one.
    NotStarted(Failure),
    /// The last one is over, and was told.
    Lost,
    /// The node listens on nothing that it was asked for, which was told.
    Nothing,
}

/// See the [module's documentation](self).
pub(super) struct Program<'a> {
    pub(super) api: &'a Api,
    pub(super) show: Show,
    pub(super) nodes: Vec<Node>,
    reconnects: bool,
    reason: Option<String>,
    control: Option<ControlSocket>,
    /// What this machine listens on.
    listening: RefCell<JoinSet<()>>,
    last_id: Cell<u32>,
    /// Somebody wants the end of all.
    is_leaving: Cell<bool>,
    left: Notify,
}

impl<'a> Program<'a> {
    /// Begins to listen on everything, or says what cannot be listened on.
    pub(super) fn listening(api: &'a Api, plan: Plan, arguments: &Arguments) -> Result<Self, Failure> {
        let control = arguments.control.as_deref().map(ControlSocket::bind).transpose()?;
        let show = Show::new(arguments.json, arguments.status, plan.0.len() > 1);
        let mut program = Self {
            api,
            show,
            nodes: Vec::new(),
            reconnects: arguments.reconnect,
            reason: arguments.reason.clone(),
            control,
            listening: RefCell::default(),
            last_id: Cell::new(0),
            is_leaving: Cell::new(false),
            left: Notify::new(),
        };
        let mut wrong = Vec::new();
        for (id, forwards) in plan.0 {
            let node = Node::new(id);
            for forward in forwards {
                if matches!(forward, Forward::Remote { .. }) {
                    drop(node.keep_remote(program.next_id(), forward));
                } else if let Err(error) = program.listen(&node, forward) {
                    wrong.push(error);
                }
            }
            program.nodes.push(node);
        }
        if wrong.is_empty() {
            return Ok(program);
        }
        Err(Failure::new(PlanError(wrong)).with_status(FAILED).with_hint(
            "choose another local port, or 0 for any that is free; a socket file must not exist yet",
        ))
    }

    pub(super) fn next_id(&self) -> ForwardId {
        let id = self.last_id.get() + 1;
        self.last_id.set(id);
        ForwardId(id)
    }

    /// Begins to listen on this machine; the error says on what it cannot.
    pub(super) fn listen(&self, node: &Node, forward: Forward) -> Result<(), String> {
        let listened = listener(&forward).map_err(|error| format!("{forward}: cannot listen: {error}"))?;
        let Some((listener, lead)) = listened else { return Ok(()) };
        let (id, address) = (self.next_id(), listener.address());
        let serving = self.listening.borrow_mut().spawn(listener.serve(id, lead, node.offer()));
        node.keep_local(id, forward, address, serving);
        Ok(())
    }

    /// Forwards until the last session is over.
    pub(super) async fn run(self) -> Result<u8, Failure> {
        let result = self.carry_all().await;
        self.show.end();
        self.listening.into_inner().shutdown().await;
        result
    }

    async fn carry_all(&self) -> Result<u8, Failure> {
        let mut interrupts = Interrupts::catch()?;
        let mut sessions: FuturesUnordered<_> = self.nodes.iter().map(|node| self.carry(node)).collect();
        let mut orders = pin!(self.take_orders());
        let mut status = 0;
        let mut failures = Vec::new();
        loop {
            tokio::select! {
                outcome = sessions.next() => match outcome {
                    None => break,
                    Some(Outcome::Left) => {}
                    Some(Outcome::Lost) => status = SESSION_FAILED,
                    Some(Outcome::Nothing) => status = status.max(FAILED),
                    Some(Outcome::NotStarted(failure)) => {
                        failures.push(failure);
                        self.leave();
                    }
                },
                signalled = interrupts.next() => {
                    status = signalled;
                    if self.is_leaving.get() {
                        break;
                    }
                    self.leave();
                }
                () = &mut orders => {}
            }
        }
        self.show.end();
        let last = failures.pop();
        for failure in failures {
            failure.report();
        }
        last.map_or(Ok(status), Err)
    }

    /// Obeys those who write to the control socket, for ever.
    async fn take_orders(&self) {
        match &self.control {
            Some(control) => control.serve(self).await,
            None => std::future::pending().await,
        }
    }

    /// Ends all sessions.
    pub(super) fn leave(&self) {
        self.is_leaving.set(true);
        self.left.notify_waiters();
        for node in &self.nodes {
            node.order(Order::Leave);
        }
    }
}
