//! A forwarded port between Postern's own ends: the same for its user, in the dialect of tunnels.

use std::cell::Cell;

use postern_protocol::tunnel::Open;
use tokio::sync::mpsc;
use tokio::time::sleep;

use super::listener::Listener;
use super::{ACCEPT_PAUSE, SIGNALLED, Wanted};
use crate::line::Line;
use crate::outcome::{Ended, Notice, SessionError};
use crate::signals::{Asked, Signals};
use crate::tunnel::{Carrier, ForwardId, Offered, Order, TunnelEnds, TunnelEvent};

/// What is accepted waits in the system's queue, not in ours.
const OFFERS_MAX: usize = 1;
/// The only one.
const FORWARD: ForwardId = ForwardId(0);

/// Listens as the document says, and carries what is accepted until the session ends.
pub(crate) async fn forward_in_dialect(
    line: Line<'_>,
    mut signals: Signals,
    wanted: &Wanted,
) -> Result<Ended, SessionError> {
    let listener = Listener::bind(&wanted.local)?;
    let notify = line.notify;
    notify(Notice::Listening { place: listener.place(), many: true });
    let tell = |event: TunnelEvent<'_>| {
        if let TunnelEvent::Refused { .. } = event {
            notify(Notice::DestinationFailed);
        }
    };
    let (offer, mut offers) = mpsc::channel(OFFERS_MAX);
    let (order, orders) = mpsc::channel(OFFERS_MAX);
    let ends =
        TunnelEnds { offers: &mut offers, orders, remotes: Vec::new(), traffic_every: None, tell: &tell };
    let leaving = Cell::new(None);
    let accepting = async {
        let mut was_accepted = false;
        loop {
            let Some(offered) = accept(&listener, wanted).await else { continue };
            if !std::mem::replace(&mut was_accepted, true) {
                notify(Notice::Accepted { many: true });
            }
            if offer.send(offered).await.is_err() {
                return std::future::pending().await;
            }
        }
    };
    let asked = async {
        loop {
            let signal = match signals.next().await {
                Asked::Resize => continue,
                Asked::Interrupt => 2,
                Asked::Quit => 3,
                Asked::End(signal) => signal,
            };
            if leaving.replace(Some(signal)).is_some() || order.try_send(Order::Leave).is_err() {
                return signal;
            }
            notify(Notice::Leaving);
        }
    };
    tokio::select! {
        ended = Carrier::new(line, ends).carry() => ended.map(|ended| told(ended, leaving.get())),
        signal = asked => Ok(Ended::Signalled(signal)),
        never = accepting => never,
    }
}

/// The signal that asked for the end tells how it ended.
fn told(ended: Ended, signal: Option<i32>) -> Ended {
    match (ended, signal) {
        (Ended::Closed { reason, .. }, Some(signal)) => {
            Ended::Closed { reason, exit_code: Some(SIGNALLED + signal) }
        }
        (Ended::Left, Some(signal)) => Ended::Signalled(signal),
        (ended, _) => ended,
    }
}

/// The next connection; `None` where there was no room for one, for a while.
async fn accept(listener: &Listener, wanted: &Wanted) -> Option<Offered> {
    match listener.accept().await {
        Ok((socket, source)) => {
            let open = Open { destination: wanted.to.clone(), source };
            Some(Offered { forward: FORWARD, open, socket, answers: None })
        }
        Err(_) => {
            sleep(ACCEPT_PAUSE).await;
            None
        }
    }
}
