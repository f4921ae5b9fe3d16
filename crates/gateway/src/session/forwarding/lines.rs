//! What a recording says of connections. Words of nodes and clients are shown without what a terminal would obey.

use crate::authorizer::ConnectionDenied;
use crate::forwarded::{Connection, ConnectionEnd};
use crate::witness::Traffic;

/// Of a session whose connections nobody can tell apart any more.
pub(super) const BLIND: &str =
    "The server was started anew. From here on connections are not told apart; the whole is counted.";

/// What is shown of somebody's words.
const CHARS_MAX: usize = 512;

pub(super) fn opened(connection: &Connection) -> String {
    let from = from(connection);
    match connection.listener {
        Some(listener) => format!("{}{from}, by listener {listener}.", name(connection)),
        None => format!("{}{from}.", name(connection)),
    }
}

pub(super) fn denied(connection: &Connection, denied: &ConnectionDenied) -> String {
    format!("{}{} was denied: {}", name(connection), from(connection), plain(&denied.message))
}

pub(super) fn closed(connection: &Connection, end: &ConnectionEnd) -> String {
    if let ConnectionEnd::Refused { reason, message } = end {
        return format!("{} was refused ({}): {}", name(connection), plain(reason), plain(message));
    }
    let Traffic { input, output } = connection.bytes;
    let address = connection.address.as_deref().map(|address| format!(" ({})", plain(address)));
    let since = connection.counted_since.map(|since| format!(" since {since:.0}"));
    let details = Some(plain(end.details())).filter(|text| !text.is_empty()).map(|text| format!(", {text}"));
    format!(
        "{}{} ended ({}{}): {input} bytes to the node, {output} bytes from it{}.",
        name(connection),
        address.unwrap_or_default(),
        end.code(),
        details.unwrap_or_default(),
        since.unwrap_or_default(),
    )
}

/// For the client.
pub(super) fn revoked(connection: &Connection) -> String {
    format!("{} was ended: the permission for it was revoked.", name(connection))
}

fn name(connection: &Connection) -> String {
    let id = connection.id;
    let place = connection.route.as_ref().map(|route| plain(&route.to_string()));
    match (place, connection.is_listener, connection.listener) {
        (Some(place), true, _) => format!("Listener {id} on {place}"),
        (Some(place), false, Some(_)) => format!("Connection {id} at {place}"),
        (Some(place), false, None) => format!("Connection {id} to {place}"),
        (None, _, _) => format!("Connection {id}"),
    }
}

fn from(connection: &Connection) -> String {
    if connection.source.is_empty() { String::new() } else { format!(", from {}", plain(&connection.source)) }
}

fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).take(CHARS_MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_a_terminal_would_obey_is_shown() {
        assert_eq!(plain("a\u{1b}[2Jb\r\n"), "a\u{fffd}[2Jb\u{fffd}\u{fffd}");
        assert_eq!(plain(&"x".repeat(5000)).len(), CHARS_MAX);
    }
}
