//! What must hold whatever strangers send, for each parser that is reached before authentication.
//!
//! Each module has one property, which panics where it does not hold. `fuzz/` looks for input that breaks one, guided
//! by coverage and for as long as somebody likes; the tests of this crate try each with what its seeds become by
//! chance, so that the properties are compiled and hold in every run of the tests.

mod agent_message;
mod api_inputs;
mod authorization;
mod channel_path;
mod data_channel;
mod dial_answers;
mod file_journal;
mod filter_pattern;
mod identifiers;
mod node_public_key;
mod passkey_answer;
mod payloads;
mod policy_document;
mod session_token;
mod signed_request;
mod smux;
mod transcript;
mod tunnel;

use arbitrary::{Arbitrary, Unstructured};

/// A property of one parser.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    /// Also the name of the program in `fuzz/` that calls it.
    pub name: &'static str,
    /// Panics if the property does not hold for this input.
    pub run: fn(&[u8]),
    /// Inputs that are understood, from which others are made.
    pub seeds: fn() -> Vec<Vec<u8>>,
}

/// All of them, sorted by name.
pub const TARGETS: [Target; 18] = [
    Target { name: "agent_message", run: agent_message::run, seeds: agent_message::seeds },
    Target { name: "api_inputs", run: api_inputs::run, seeds: api_inputs::seeds },
    Target { name: "authorization", run: authorization::run, seeds: authorization::seeds },
    Target { name: "channel_path", run: channel_path::run, seeds: channel_path::seeds },
    Target { name: "data_channel", run: data_channel::run, seeds: Vec::new },
    Target { name: "dial_answers", run: dial_answers::run, seeds: dial_answers::seeds },
    Target { name: "file_journal", run: file_journal::run, seeds: file_journal::seeds },
    Target { name: "filter_pattern", run: filter_pattern::run, seeds: filter_pattern::seeds },
    Target { name: "identifiers", run: identifiers::run, seeds: identifiers::seeds },
    Target { name: "node_public_key", run: node_public_key::run, seeds: node_public_key::seeds },
    Target { name: "passkey_answer", run: passkey_answer::run, seeds: passkey_answer::seeds },
    Target { name: "payloads", run: payloads::run, seeds: payloads::seeds },
    Target { name: "policy_document", run: policy_document::run, seeds: policy_document::seeds },
    Target { name: "session_token", run: session_token::run, seeds: session_token::seeds },
    Target { name: "signed_request", run: signed_request::run, seeds: Vec::new },
    Target { name: "smux", run: smux::run, seeds: smux::seeds },
    Target { name: "transcript", run: transcript::run, seeds: transcript::seeds },
    Target { name: "tunnel", run: tunnel::run, seeds: tunnel::seeds },
];

/// Runs the target called `name`.
///
/// # Panics
/// If its property does not hold for `input`, or there is no such target.
pub fn run(name: &str, input: &[u8]) {
    let target = TARGETS.iter().find(|target| target.name == name).expect("a target of this name");
    (target.run)(input);
}

/// A value that bytes stand for, as the fuzzer makes them. `None` if they are too few.
fn value<'a, T: Arbitrary<'a>>(bytes: &'a [u8]) -> Option<T> {
    T::arbitrary_take_rest(Unstructured::new(bytes)).ok()
}

fn seeds_of(texts: &[&str]) -> Vec<Vec<u8>> {
    texts.iter().map(|text| text.as_bytes().to_vec()).collect()
}
