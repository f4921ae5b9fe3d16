//! Tokens that go on reading events: a place between two events, and in which direction.

use postern_logs::{Cut, Direction};

use crate::app::App;
use crate::page_token::Listing;

/// The token behind which to go on.
pub(super) fn seal(app: &App, listing: &Listing, direction: Direction, cut: Cut) -> String {
    let letter = match direction {
        Direction::Forward => 'f',
        Direction::Backward => 'b',
    };
    let cursor = (letter, cut.timestamp_ms, cut.event_id);
    format!("{letter}/{}", app.page_tokens.seal(listing, &cursor))
}

/// What a token says. `None`: it is not of this listing.
pub(super) fn open(app: &App, listing: &Listing, token: &str) -> Option<(Direction, Cut)> {
    let (direction, sealed) = match token.split_once('/')? {
        ("f", sealed) => (Direction::Forward, sealed),
        ("b", sealed) => (Direction::Backward, sealed),
        _ => return None,
    };
    let (letter, timestamp_ms, event_id): (char, i64, i64) = app.page_tokens.open(listing, sealed)?;
    token.starts_with(letter).then_some((direction, Cut { timestamp_ms, event_id }))
}
