//! Section `limits`: bounds on what peers may use.

use std::time::Duration;

use super::reader::Reader;

/// Bounds on what peers may use. Each but those on sessions, uploads and the disk is checked before the peer is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Connections open at a time; each idle node holds one. Further ones wait in the listener's backlog.
    pub connections_max: usize,
    /// Connections of one address, loopback included; further ones are closed at once. All nodes behind one
    /// translating router count as one address, and everybody does behind a proxy that does not keep addresses.
    pub connections_per_address_max: usize,
    /// Sessions that may be live at a time; one that is busy holds some 100 KiB, at most some 20 MiB.
    pub sessions_max: usize,
    /// Bytes of a request's body. AWS's own clients stay below 64 KiB, but for inventories.
    pub body_bytes_max: usize,
    /// Bytes of the bodies of all requests that are being received or answered; further ones are told to come again
    /// later. A quarter of it for one address.
    pub held_body_bytes_max: usize,
    /// Time from a request's head to its answer, its body included.
    pub request_time_max: Duration,
    /// Registrations and other unsigned calls of one address in a minute.
    pub unsigned_calls_per_minute_max: usize,
    /// `UpdateInstanceInformation` of one node in a minute. Agents call it at their start and every five minutes.
    pub node_updates_per_minute_max: usize,
    /// What a node may upload in an hour, as objects and log events, and at once; logs of its sessions are what it needs.
    pub node_upload_bytes_per_hour_max: usize,
    /// Room on the disk below which uploads to buckets and log events are refused, so that sessions, recordings and the trail
    /// go on.
    pub free_disk_bytes_min: usize,
    /// Time that open requests and sessions get to end after the first signal.
    pub drain_time_max: Duration,
}

impl Limits {
    pub(super) fn read(reader: &mut Reader) -> Self {
        let seconds = Duration::from_secs;
        let body_bytes_max = reader.number("limits.body_bytes_max", 4096..=16 << 20).unwrap_or(256 << 10);
        Self {
            connections_max: reader.number("limits.connections_max", 1..=1_000_000).unwrap_or(100_000),
            connections_per_address_max: reader
                .number("limits.connections_per_address_max", 1..=1_000_000)
                .unwrap_or(5_000),
            sessions_max: reader.number("limits.sessions_max", 1..=1_000_000).unwrap_or(20_000),
            body_bytes_max,
            held_body_bytes_max: reader
                .number("limits.held_body_bytes_max", body_bytes_max..=1 << 40)
                .unwrap_or(64 << 20),
            request_time_max: reader.duration("limits.request_time_max", seconds(600)).unwrap_or(seconds(30)),
            unsigned_calls_per_minute_max: reader
                .number("limits.unsigned_calls_per_minute_max", 1..=1_000_000)
                .unwrap_or(60),
            node_updates_per_minute_max: reader
                .number("limits.node_updates_per_minute_max", 1..=1_000_000)
                .unwrap_or(30),
            // Four recordings of the greatest length.
            node_upload_bytes_per_hour_max: reader
                .number("limits.node_upload_bytes_per_hour_max", 1 << 20..=1 << 50)
                .unwrap_or(4 << 30),
            // One recording of the greatest length.
            free_disk_bytes_min: reader.number("limits.free_disk_bytes_min", 0..=1 << 50).unwrap_or(1 << 30),
            drain_time_max: reader.duration("limits.drain_time_max", seconds(600)).unwrap_or(seconds(10)),
        }
    }
}
