//! A connection inside a session, as records have it.

use jiff::Timestamp;
use postern_gateway::{Connection, ConnectionEnd, Protocol};
use serde_json::{Value, json};

/// What is known when it begins.
pub(super) fn opened(connection: &Connection) -> Value {
    let mut shown = json!({
        "id": connection.id.to_string(),
        "openedAt": connection.opened_at.to_string(),
    });
    if let Some(route) = &connection.route {
        shown["direction"] = route.direction.as_str().into();
        shown["protocol"] = route.protocol.as_str().into();
        if route.protocol == Protocol::Unix {
            shown["path"] = route.path.as_str().into();
        } else {
            shown["host"] = route.host.as_str().into();
            shown["port"] = route.port.parse::<u16>().map_or(Value::Null, Value::from);
        }
    }
    if connection.is_listener {
        shown["isListener"] = true.into();
    }
    if let Some(listener) = connection.listener {
        shown["listener"] = listener.to_string().into();
    }
    if !connection.source.is_empty() {
        shown["source"] = connection.source.as_str().into();
    }
    if let Some(address) = &connection.address {
        shown["address"] = address.as_str().into();
    }
    shown
}

/// What is known when it is over.
pub(super) fn closed(connection: &Connection, at: Timestamp, end: &ConnectionEnd) -> Value {
    let mut shown = opened(connection);
    shown["closedAt"] = at.to_string().into();
    shown["bytesIn"] = connection.bytes.input.into();
    shown["bytesOut"] = connection.bytes.output.into();
    shown["endReason"] = end.code().into();
    if !end.details().is_empty() {
        shown["details"] = end.details().into();
    }
    if let Some(since) = connection.counted_since {
        shown["bytesCountedSince"] = since.to_string().into();
    }
    shown
}

#[cfg(test)]
mod tests {
    use postern_gateway::{Direction, Route, Side};

    use super::*;

    #[test]
    fn what_is_not_known_is_not_there() {
        let connection = |route: Option<Route>| -> Connection {
            serde_json::from_value(json!({"id": 7, "route": route, "opened_at": "2026-11-27T08:00:00Z"}))
                .unwrap()
        };
        let (direction, protocol) = (Direction::Local, Protocol::Tcp);
        let port = Route { direction, protocol, host: "db".into(), port: "5432".into(), path: String::new() };
        let socket = Route {
            protocol: Protocol::Unix,
            host: String::new(),
            port: String::new(),
            path: "/s".into(),
            ..port.clone()
        };
        let at = "2026-11-27T08:00:00Z";
        assert_eq!(opened(&connection(None)), json!({"id": "7", "openedAt": at}));
        assert_eq!(
            opened(&connection(Some(port.clone()))),
            json!({"id": "7", "openedAt": at, "direction": "local", "protocol": "tcp", "host": "db", "port": 5432})
        );
        assert_eq!(
            opened(&connection(Some(socket))),
            json!({"id": "7", "openedAt": at, "direction": "local", "protocol": "unix", "path": "/s"})
        );
        let end = ConnectionEnd::Reset(Side::Agent, "idle".into());
        assert_eq!(
            closed(&connection(Some(port)), at.parse().unwrap(), &end),
            json!({
                "id": "7", "openedAt": at, "direction": "local", "protocol": "tcp", "host": "db", "port": 5432,
                "closedAt": at, "bytesIn": 0, "bytesOut": 0, "endReason": "node-reset", "details": "idle",
            })
        );
    }
}
