//! One node: what is forwarded through it, and the session that carries it.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::net::SocketAddr;

use postern_client::{
    Destination as Leads, ForwardId, Lead, Listen, LocalListener, Offered, Order, Remote, Target, TunnelEvent,
};
use tokio::sync::{mpsc, oneshot};
use tokio::task::AbortHandle;

use super::show::{Said, Show, word};
use super::words::{Destination, Forward, Place};

/// Connections that were accepted and that no session has taken; the system's queues hold more.
const OFFERS_MAX: usize = 16;
/// Orders that the session has not taken.
const ORDERS_MAX: usize = 64;

/// Whether a node listens, and where; or why not.
pub(super) type Listens = Result<String, String>;

/// See the [module's documentation](self).
pub(super) struct Node {
    pub(super) id: String,
    offer: mpsc::Sender<Offered>,
    /// Until the session takes them.
    pub(super) offers: RefCell<Option<mpsc::Receiver<Offered>>>,
    forwards: RefCell<BTreeMap<ForwardId, Kept>>,
    /// While there is a session.
    orders: RefCell<Option<mpsc::Sender<Order>>>,
}

/// A forward that is there.
struct Kept {
    forward: Forward,
    /// What it listens on, once that is known.
    address: Option<String>,
    port: Option<u16>,
    /// Of what this machine listens on.
    serving: Option<AbortHandle>,
    is_told: bool,
    /// The node has refused to listen, and is to be asked again.
    is_refused: bool,
    /// Who waits to hear whether the node listens.
    waiting: Option<oneshot::Sender<Listens>>,
}

impl Kept {
    fn new(forward: Forward) -> Self {
        Self {
            forward,
            address: None,
            port: None,
            serving: None,
            is_told: false,
            is_refused: false,
            waiting: None,
        }
    }
}

/// What a forward listens on, if it is on this machine, and where that leads.
pub(super) fn listener(forward: &Forward) -> std::io::Result<Option<(LocalListener, Lead)>> {
    let tcp = |to: &Destination| match to {
        Destination::Port(to) => Leads::Tcp { host: to.host.clone(), port: to.port },
        Destination::Socket(path) => Leads::Unix { path: path.clone() },
    };
    Ok(Some(match forward {
        Forward::Local { listen: Place::Port(address), to } => {
            (LocalListener::port(*address)?, Lead::Fixed(tcp(to)))
        }
        Forward::Local { listen: Place::Socket(path), to } => {
            (LocalListener::socket_file(path)?, Lead::Fixed(tcp(to)))
        }
        Forward::Dynamic { listen } => (LocalListener::port(*listen)?, Lead::Socks),
        Forward::Udp { listen, to } => {
            let to = Leads::Udp { host: to.host.clone(), port: to.port };
            (LocalListener::datagrams(*listen)?, Lead::Fixed(to))
        }
        Forward::Remote { .. } => return Ok(None),
    }))
}

/// What the node shall listen on.
fn remote(id: ForwardId, forward: &Forward) -> Option<Remote> {
    let Forward::Remote { listen, to } = forward else { return None };
    let to = match to {
        Destination::Port(to) => Target::Port { host: to.host.clone(), port: to.port },
        Destination::Socket(path) => Target::Socket(path.into()),
    };
    let listen = Listen { host: listen.host.clone(), port: listen.port };
    Some(Remote { forward: id, listen, to })
}

impl Node {
    pub(super) fn new(id: String) -> Self {
        let (offer, offers) = mpsc::channel(OFFERS_MAX);
        Self {
            id,
            offer,
            offers: RefCell::new(Some(offers)),
            forwards: RefCell::default(),
            orders: RefCell::default(),
        }
    }

    /// Where listeners of this machine bring what they accept.
    pub(super) fn offer(&self) -> mpsc::Sender<Offered> {
        self.offer.clone()
    }

    /// Keeps a forward of this machine that is listened for.
    pub(super) fn keep_local(
        &self,
        id: ForwardId,
        forward: Forward,
        address: Option<SocketAddr>,
        serving: AbortHandle,
    ) {
        let place = match &forward {
            Forward::Local { listen: Place::Socket(path), .. } => Some(path.display().to_string()),
            _ => address.map(|address| address.to_string()),
        };
        let port = address.map(|address| address.port());
        let kept = Kept { address: place, port, serving: Some(serving), ..Kept::new(forward) };
        self.forwards.borrow_mut().insert(id, kept);
    }

    /// Keeps a forward of the node, which begins to listen if there is a session. Whether it does is told to who waits.
    pub(super) fn keep_remote(&self, id: ForwardId, forward: Forward) -> oneshot::Receiver<Listens> {
        let (tell, told) = oneshot::channel();
        let remote = remote(id, &forward);
        let kept = Kept { waiting: Some(tell), ..Kept::new(forward) };
        self.forwards.borrow_mut().insert(id, kept);
        if let Some(remote) = remote {
            self.order(Order::Listen(remote));
        }
        told
    }

    /// Takes a forward away, if there is such a one; what it has carried goes on.
    pub(super) fn cancel(&self, asked: &Forward, show: &Show) -> bool {
        let found = {
            let forwards = self.forwards.borrow();
            forwards.iter().find(|(_, kept)| kept.forward.is_meant_by(asked, kept.port)).map(|(id, _)| *id)
        };
        let Some(id) = found else { return false };
        let Some(kept) = self.forwards.borrow_mut().remove(&id) else { return false };
        match kept.serving {
            Some(serving) => serving.abort(),
            None => {
                self.order(Order::Unlisten(id));
            }
        }
        show.say(&self.id, &Said::Cancelled { forward: &kept.forward.to_string() });
        true
    }

    /// Takes everything away, when there will be no session any more.
    pub(super) fn give_up(&self) {
        for kept in std::mem::take(&mut *self.forwards.borrow_mut()).into_values() {
            if let Some(serving) = kept.serving {
                serving.abort();
            }
        }
    }

    pub(super) fn is_idle(&self) -> bool {
        self.forwards.borrow().is_empty()
    }

    pub(super) fn has_session(&self) -> bool {
        self.orders.borrow().is_some()
    }

    /// Each forward as it can be typed, and where it listens.
    pub(super) fn forwards(&self) -> Vec<(String, Option<String>)> {
        let forwards = self.forwards.borrow();
        forwards.values().map(|kept| (kept.forward.to_string(), kept.address.clone())).collect()
    }

    /// For the document of a session: at most so many are declared there; others are asked for when they are needed.
    pub(super) fn declared(&self, most: usize) -> Vec<String> {
        let forwards = self.forwards.borrow();
        forwards.values().filter_map(|kept| kept.forward.declared()).take(most).collect()
    }

    /// A session begins: how it hears orders, and what the node listens on in it.
    pub(super) fn begin(&self) -> (mpsc::Receiver<Order>, Vec<Remote>) {
        let (order, orders) = mpsc::channel(ORDERS_MAX);
        *self.orders.borrow_mut() = Some(order);
        (orders, self.remotes())
    }

    /// It is over.
    pub(super) fn end(&self) {
        *self.orders.borrow_mut() = None;
    }

    /// Tells the session something, if there is one.
    pub(super) fn order(&self, order: Order) -> bool {
        self.orders.borrow().as_ref().is_some_and(|orders| orders.try_send(order).is_ok())
    }

    /// What the node shall listen on.
    pub(super) fn remotes(&self) -> Vec<Remote> {
        let forwards = self.forwards.borrow();
        forwards.iter().filter_map(|(id, kept)| remote(*id, &kept.forward)).collect()
    }

    /// What happens in the session.
    pub(super) fn hear(&self, event: &TunnelEvent<'_>, show: &Show) {
        match event {
            TunnelEvent::Ready => self.tell_local(show),
            TunnelEvent::Listening { forward, address } => self.hear_listening(*forward, *address, show),
            TunnelEvent::NotListening { forward, refused } => {
                let text = self.text(*forward);
                let reason = word(refused);
                let message = refused.message.as_str();
                if let Some(waiting) = self.waiting(*forward) {
                    let _ = waiting.send(Err(format!("{reason}: {message}")));
                }
                show.say(&self.id, &Said::NotListening { forward: &text, reason, message });
            }
            TunnelEvent::Opened { forward, stream, source, destination, address } => {
                let forward = &self.text(*forward);
                let (connection, address) = (stream.0, *address);
                show.say(&self.id, &Said::Opened { forward, connection, source, destination, address });
            }
            TunnelEvent::Refused { forward, stream, source, destination, refused } => {
                let forward = &self.text(*forward);
                let (connection, reason, message) = (stream.0, word(refused), refused.message.as_str());
                let said = Said::Refused { forward, connection, source, destination, reason, message };
                show.say(&self.id, &said);
            }
            TunnelEvent::Closed { forward, stream, sent, received, message } => {
                let forward = &self.text(*forward);
                let (connection, sent, received, message) = (stream.0, *sent, *received, *message);
                show.say(&self.id, &Said::Closed { forward, connection, sent, received, message });
            }
            TunnelEvent::Traffic { count, sent, received } => {
                let (connections, sent, received) = (*count, *sent, *received);
                show.say(&self.id, &Said::Status { connections, sent, received });
            }
        }
    }

    /// Says what this machine listens on, once, when it is of use.
    pub(super) fn tell_local(&self, show: &Show) {
        let mut told = Vec::new();
        for kept in self.forwards.borrow_mut().values_mut() {
            if let (Some(address), Some(_), false) = (&kept.address, &kept.serving, kept.is_told) {
                kept.is_told = true;
                told.push((kept.forward.to_string(), address.clone()));
            }
        }
        for (forward, address) in &told {
            show.say(&self.id, &Said::Listening { forward, address, is_at_node: false });
        }
    }

    fn hear_listening(&self, id: ForwardId, address: Option<&str>, show: &Show) {
        let text = self.text(id);
        let address = {
            let mut forwards = self.forwards.borrow_mut();
            // It was cancelled meanwhile.
            let Some(kept) = forwards.get_mut(&id) else { return };
            let Forward::Remote { listen, .. } = &kept.forward else { return };
            let address = address.map_or_else(|| listen.to_string(), ToOwned::to_owned);
            kept.port = address.rsplit_once(':').and_then(|(_, port)| port.parse().ok());
            kept.address = Some(address.clone());
            if let Some(waiting) = kept.waiting.take() {
                let _ = waiting.send(Ok(address.clone()));
            }
            address
        };
        show.say(&self.id, &Said::Listening { forward: &text, address: &address, is_at_node: true });
    }

    fn waiting(&self, id: ForwardId) -> Option<oneshot::Sender<Listens>> {
        self.forwards.borrow_mut().get_mut(&id).and_then(|kept| kept.waiting.take())
    }

    /// A forward that the node refuses is not asked for any more.
    pub(super) fn forget(&self, id: ForwardId) {
        self.forwards.borrow_mut().remove(&id);
    }

    /// It is asked for once more, at the next [`Self::ask_again`].
    pub(super) fn keep_asking(&self, id: ForwardId) {
        if let Some(kept) = self.forwards.borrow_mut().get_mut(&id) {
            kept.is_refused = true;
        }
    }

    /// Asks for what the node has refused.
    pub(super) fn ask_again(&self) {
        let mut refused = Vec::new();
        for (id, kept) in self.forwards.borrow_mut().iter_mut().filter(|(_, kept)| kept.is_refused) {
            kept.is_refused = false;
            refused.extend(remote(*id, &kept.forward));
        }
        for remote in refused {
            self.order(Order::Listen(remote));
        }
    }

    fn text(&self, id: ForwardId) -> String {
        self.forwards.borrow().get(&id).map(|kept| kept.forward.to_string()).unwrap_or_default()
    }
}
