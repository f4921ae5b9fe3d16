//! Where the connections of a session in the dialect of Postern's own ends may lead, and how they get there.

use std::future::ready;
use std::io;
use std::sync::Arc;

use postern_protocol::tunnel::{Accepted, Destination as Asked, Listen, Open, Reason, Refused, StreamId};
use postern_tunnel::{Bound, Connected, Far, Listening, Opening, Socket};

use super::super::task::RunAs;
use super::relay::{self, Relays};
use crate::destinations::{ConnectError, Destinations, Host};

/// What the session's task permits; what the node does is checked besides.
#[derive(Debug, Clone)]
pub(super) enum Leads {
    /// To one port.
    To(Host),
    /// Wherever each connection asks to go; to socket files as this user.
    Anywhere { run_as: RunAs, session_user: Option<String> },
}

/// See the [module's documentation](self).
pub(super) struct Reach {
    leads: Leads,
    destinations: Arc<Destinations>,
    relays: Relays,
}

impl Reach {
    pub(super) fn new(leads: Leads, destinations: Arc<Destinations>) -> Self {
        Self { leads, destinations, relays: Relays::default() }
    }
}

impl Far for Reach {
    fn connect(&mut self, open: &Open) -> Opening {
        let destinations = Arc::clone(&self.destinations);
        match (&self.leads, &open.destination) {
            (Leads::To(host), Asked::Tcp { host: name, port }) if host.is(name, *port) => {
                Box::pin(connect_stream(destinations, host.clone()))
            }
            (Leads::To(host), _) => {
                let text = format!("The connections of this session lead to {host} only.");
                Box::pin(ready(Err(Refused::new(Reason::Forbidden, text))))
            }
            (Leads::Anywhere { .. }, Asked::Tcp { host, port }) => {
                Box::pin(connect_stream(destinations, Host::new(host, *port)))
            }
            (Leads::Anywhere { .. }, Asked::Udp { host, port }) => {
                Box::pin(connect_datagrams(destinations, Host::new(host, *port)))
            }
            (Leads::Anywhere { run_as, session_user }, Asked::Unix { path }) => {
                let relays = self.relays.clone();
                Box::pin(relay::connect(relays, run_as.clone(), session_user.clone(), path.clone()))
            }
        }
    }

    /// Clients accept nothing for a node.
    fn accept(&mut self, _: StreamId, _: &Accepted) -> Opening {
        Box::pin(ready(Err(Refused::new(Reason::Forbidden, "A node accepts only for itself."))))
    }

    fn listen(&mut self, listen: &Listen) -> Listening {
        if let Leads::To(_) = self.leads {
            let text = "A session for one destination has its node listen on nothing.";
            return Box::pin(ready(Err(Refused::new(Reason::Forbidden, text))));
        }
        let (destinations, Listen { host, port }) = (Arc::clone(&self.destinations), listen.clone());
        Box::pin(async move {
            let listener = destinations.listen(&host, port).await.map_err(|error| refused(&error))?;
            let address = listener.local_addr().map_err(|error| lost(&error))?.to_string();
            Ok(Bound { listener, address })
        })
    }
}

async fn connect_stream(destinations: Arc<Destinations>, host: Host) -> Result<Connected, Refused> {
    let stream = destinations.connect(&host).await.map_err(|error| refused(&error))?;
    let address = stream.peer_addr().map_err(|error| lost(&error))?.to_string();
    Ok(Connected { socket: Socket::from(stream), address })
}

async fn connect_datagrams(destinations: Arc<Destinations>, host: Host) -> Result<Connected, Refused> {
    let socket = destinations.connect_datagrams(&host).await.map_err(|error| refused(&error))?;
    let address = socket.peer_addr().map_err(|error| lost(&error))?.to_string();
    Ok(Connected { socket: Socket::from(socket), address })
}

fn refused(error: &ConnectError) -> Refused {
    Refused::new(error.reason(), error.to_string())
}

/// It was there, and is gone.
fn lost(error: &io::Error) -> Refused {
    Refused::new(Reason::Failed, error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(destination: Asked) -> Open {
        Open { destination, source: String::new() }
    }

    fn tcp(host: &str, port: u16) -> Open {
        open(Asked::Tcp { host: host.to_owned(), port })
    }

    fn anywhere(destinations: Destinations) -> Reach {
        let leads = Leads::Anywhere { run_as: RunAs::Default, session_user: None };
        Reach::new(leads, Arc::new(destinations))
    }

    #[tokio::test]
    async fn a_session_for_one_destination_leads_nowhere_else() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let mut reach = Reach::new(Leads::To(Host::new("", port)), Arc::new(Destinations::default()));
        let connected = reach.connect(&tcp("localhost", port)).await.unwrap();
        assert_eq!(connected.address, format!("127.0.0.1:{port}"));
        for other in [
            tcp("localhost", port + 1),
            tcp("127.0.0.1", port),
            tcp("db.internal", port),
            open(Asked::Udp { host: "localhost".to_owned(), port }),
            open(Asked::Unix { path: "/run/x.sock".to_owned() }),
        ] {
            assert_eq!(reach.connect(&other).await.unwrap_err().reason, Reason::Forbidden, "{other:?}");
        }
        let listening = reach.listen(&Listen { host: String::new(), port: 0 }).await;
        assert_eq!(listening.unwrap_err().reason, Reason::Forbidden);
    }

    #[tokio::test]
    async fn what_the_node_denies_is_forbidden_however_it_is_written() {
        let mut reach = anywhere(Destinations::default());
        for host in
            ["169.254.169.254", "::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe", "fe80::1", "0xA9FEA9FE"]
        {
            assert_eq!(reach.connect(&tcp(host, 80)).await.unwrap_err().reason, Reason::Forbidden, "{host}");
            let datagrams = open(Asked::Udp { host: host.to_owned(), port: 53 });
            assert_eq!(reach.connect(&datagrams).await.unwrap_err().reason, Reason::Forbidden, "{host}");
        }
    }

    #[tokio::test]
    async fn what_goes_wrong_has_a_reason() {
        let taken = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = taken.local_addr().unwrap().port();
        let mut reach = anywhere(Destinations::default());
        for (host, asked, expected) in [
            ("", port, Reason::InUse),
            ("0.0.0.0", 0, Reason::Forbidden),
            ("*", 8080, Reason::Forbidden),
            ("127.0.0.1", 80, Reason::Forbidden),
            ("db.internal", 8080, Reason::Failed),
        ] {
            let listening = reach.listen(&Listen { host: host.to_owned(), port: asked }).await;
            assert_eq!(listening.unwrap_err().reason, expected, "{host}:{asked}");
        }
        let bound = reach.listen(&Listen { host: String::new(), port: 0 }).await.unwrap();
        let free = bound.listener.local_addr().unwrap();
        assert_eq!(bound.address, free.to_string());
        drop(bound);
        let error = reach.connect(&tcp("127.0.0.1", free.port())).await.unwrap_err();
        assert_eq!(error.reason, Reason::RefusedByPeer);
        let error = reach.connect(&tcp("no-such-host.invalid", 80)).await.unwrap_err();
        assert_eq!(error.reason, Reason::NotFound, "{error:?}");
    }
}
