//! The first events of a page, chosen from blocks that come in any number and overlap.
//!
//! Of all events that were seen it keeps those that fit on the page and comes before all others; so memory is that of a
//! page, however many streams are read at a time.

use std::collections::BTreeMap;

use crate::{Cut, Direction, EVENT_OVERHEAD_BYTES, StoredEvent};

/// Events of a page.
#[derive(Debug)]
pub(crate) struct Selection {
    direction: Direction,
    events_max: usize,
    bytes_max: usize,
    events: BTreeMap<Cut, StoredEvent>,
    bytes: usize,
    /// The next event that found no room: the page ends before it.
    end: Option<Cut>,
}

impl Selection {
    pub(crate) fn new(direction: Direction, events_max: usize, bytes_max: usize) -> Self {
        Self {
            direction,
            events_max: events_max.max(1),
            bytes_max,
            events: BTreeMap::new(),
            bytes: 0,
            end: None,
        }
    }

    /// Whether an event at this place could come on the page.
    pub(crate) fn has_room_at(&self, cut: Cut) -> bool {
        self.end.is_none_or(|end| match self.direction {
            Direction::Forward => cut < end,
            Direction::Backward => cut > end,
        })
    }

    /// Takes an event that is to be on the page, if it has room there.
    pub(crate) fn offer(&mut self, event: StoredEvent) {
        if !self.has_room_at(event.cut()) {
            return;
        }
        self.bytes += weight(&event);
        self.events.insert(event.cut(), event);
        while self.events.len() > self.events_max || (self.bytes > self.bytes_max && self.events.len() > 1) {
            let last = match self.direction {
                Direction::Forward => self.events.pop_last(),
                Direction::Backward => self.events.pop_first(),
            };
            let Some((cut, event)) = last else { break };
            self.bytes -= weight(&event);
            self.end = Some(cut);
        }
    }

    /// Nothing from this place on is on the page: it has not been looked at.
    pub(crate) fn end_before(&mut self, cut: Cut) {
        if self.has_room_at(cut) {
            self.end = Some(cut);
        }
        let direction = self.direction;
        self.events.retain(|at, _| match direction {
            Direction::Forward => *at < cut,
            Direction::Backward => *at > cut,
        });
    }

    /// The events in order, and the event that the next page begins with, if there is one.
    pub(crate) fn finish(self) -> (Vec<StoredEvent>, Option<Cut>) {
        let events = self.events.into_values();
        let events = match self.direction {
            Direction::Forward => events.collect(),
            Direction::Backward => events.rev().collect(),
        };
        (events, self.end)
    }
}

fn weight(event: &StoredEvent) -> usize {
    event.message.len() + EVENT_OVERHEAD_BYTES
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use proptest::prelude::*;

    use super::*;

    fn event(timestamp_ms: i64, id: i64, bytes: usize) -> StoredEvent {
        let stream = Arc::new("s".parse().unwrap());
        StoredEvent { stream, id, timestamp_ms, ingested_at_ms: 0, message: "m".repeat(bytes) }
    }

    proptest! {
        #[test]
        fn a_page_is_the_beginning_of_all_there_is(
            times in proptest::collection::vec((0_i64..20, 0_usize..60), 0..40),
            events_max in 1_usize..8,
            is_forward: bool,
        ) {
            let direction = if is_forward { Direction::Forward } else { Direction::Backward };
            let mut selection = Selection::new(direction, events_max, 200);
            let mut all: Vec<StoredEvent> =
                times.iter().enumerate().map(|(id, (time, bytes))| event(*time, id as i64, *bytes)).collect();
            all.iter().for_each(|event| selection.offer(event.clone()));
            all.sort_by_key(StoredEvent::cut);
            if !is_forward {
                all.reverse();
            }
            let (page, end) = selection.finish();
            prop_assert_eq!(&page[..], &all[..page.len()]);
            prop_assert_eq!(end, all.get(page.len()).map(StoredEvent::cut));
            prop_assert!(page.len() <= events_max && (page.len() <= 1 || page.iter().map(weight).sum::<usize>() <= 200));
            prop_assert!(all.is_empty() || !page.is_empty());
        }
    }
}
