//! The signed heads, and which keys to believe.

use std::collections::BTreeMap;
use std::fs;
use std::io;

use super::chain::Contents;
use super::keys::TrustedKey;
use super::{Last, Report};
use crate::head::Head;
use crate::key;
use crate::layout::Layout;
use crate::segment::TrailName;

/// A head and where it is in the file.
#[derive(Debug)]
pub(super) struct ReadHead {
    pub(super) head: Head,
    line: u64,
    byte: u64,
}

/// Reads the heads. Those that are not laid out as such are findings.
pub(super) fn read(layout: &Layout, report: &mut Report) -> Vec<ReadHead> {
    let path = layout.heads();
    let contents = match fs::read(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            report.find_in(&path, "there are no signed heads");
            return Vec::new();
        }
        Err(error) => {
            report.find_in(&path, format!("the file cannot be read: {error}"));
            return Vec::new();
        }
        Ok(contents) => contents,
    };
    let mut heads: Vec<ReadHead> = Vec::new();
    let mut byte = 0;
    for (number, line) in (1..).zip(contents.split_inclusive(|byte| *byte == b'\n')) {
        let start = byte;
        byte += u64::try_from(line.len()).expect("a length fits 64 bits");
        match serde_json::from_slice::<Head>(line) {
            Ok(head) if head.to_line() == line => {
                if heads.last().is_some_and(|last| last.head.sequence >= head.sequence) {
                    report.find(&path, Some(number), Some(start), "the heads are not in order");
                }
                heads.push(ReadHead { head, line: number, byte: start });
            }
            Ok(_) => report.find(&path, Some(number), Some(start), "the head is not written as heads are"),
            Err(error) => {
                let what = format!("the head cannot be read: {error}");
                report.find(&path, Some(number), Some(start), what);
            }
        }
    }
    heads
}

/// Keys that are believed, by their fingerprints: their DER forms.
pub(super) type Believed = BTreeMap<String, Vec<u8>>;

/// Checks the heads against the chain, and finds out which keys to believe: those that were given, and those that the
/// chain names up to a line that a believed key vouches for.
pub(super) fn check(
    layout: &Layout,
    heads: &[ReadHead],
    contents: &Contents,
    trusted: &[TrustedKey],
    report: &mut Report,
) -> Believed {
    let path = layout.heads();
    // A key counts only with its own fingerprint.
    let named = contents.keys.iter().filter_map(|(sequence, key)| {
        let der = key.der().ok()?;
        Some((*sequence, key::fingerprint(&der), der))
    });
    let named: Vec<(u64, String, Vec<u8>)> = named.collect();
    let mut believed: Believed =
        trusted.iter().map(|key| (key.fingerprint().to_owned(), key.der().to_owned())).collect();
    if trusted.is_empty() {
        report.notes.push(
            "no public key was given: the keys on the chain are believed, which shows only that the files fit each other"
                .to_owned(),
        );
        believed.extend(named.iter().map(|(_, fingerprint, der)| (fingerprint.clone(), der.clone())));
    }
    let Some(trail) = &contents.trail else { return believed };
    let vouched = vouching(heads, contents, trail, &named, &mut believed);
    let mut last_signed: Option<&Head> = None;
    for (read, is_signed) in heads.iter().zip(vouched) {
        report.checked.heads += 1;
        if let Some(what) = wrong(read, is_signed, contents, &believed) {
            report.find(&path, Some(read.line), Some(read.byte), what);
        } else {
            last_signed = Some(&read.head);
        }
    }
    if let Some(Head { sequence, hash, time, .. }) = last_signed {
        report.last_signed = Some(Last { sequence: *sequence, hash: hash.to_string(), time: *time });
    }
    let signed = heads.iter().map(|read| read.head.sequence).max();
    if let Some(said) = contents.head_sequence.filter(|said| signed.is_none_or(|signed| signed < *said)) {
        report.find_in(&path, format!("the head of line {said} is missing at the end of the file"));
    }
    let (last, signed) = (contents.last.map_or(0, |last| last.sequence), signed.unwrap_or(0));
    if last > signed {
        report.notes.push(format!("no head is signed yet for the last {} lines of the chain", last - signed));
    }
    believed
}

/// Which heads carry good signatures of believed keys; believes more keys on the way.
fn vouching(
    heads: &[ReadHead],
    contents: &Contents,
    trail: &TrailName,
    named: &[(u64, String, Vec<u8>)],
    believed: &mut Believed,
) -> Vec<bool> {
    let mut vouched = vec![false; heads.len()];
    loop {
        for (index, ReadHead { head, .. }) in heads.iter().enumerate() {
            let previous = index.checked_sub(1).and_then(|before| heads.get(before));
            let previous = previous.map(|read| read.head.signature.as_str());
            let text = Head::text_to_sign(trail, head.position(), head.time, previous);
            let der = believed.get(&head.fingerprint).filter(|_| !vouched[index]);
            if der.is_some_and(|der| key::verifies(der, &text, &head.signature)) {
                vouched[index] = true;
            }
        }
        let fits = |(head, vouched): (&ReadHead, &bool)| {
            let position = head.head.position();
            (*vouched && contents.hashes.get(&position.sequence) == Some(&position.hash))
                .then_some(position.sequence)
        };
        let through = heads.iter().zip(&vouched).filter_map(fits).max().unwrap_or(0);
        let before = believed.len();
        for (sequence, fingerprint, der) in named {
            if *sequence <= through && !believed.contains_key(fingerprint) {
                believed.insert(fingerprint.clone(), der.clone());
            }
        }
        if believed.len() == before {
            return vouched;
        }
    }
}

/// What is wrong with a head.
fn wrong(read: &ReadHead, is_signed: bool, contents: &Contents, believed: &Believed) -> Option<String> {
    let Head { sequence, hash, fingerprint, .. } = &read.head;
    if !believed.contains_key(fingerprint) {
        return Some(format!("the head is signed with key {fingerprint}, which nobody vouches for"));
    }
    if !is_signed {
        return Some(
            "the signature does not fit the head, or the head before it is not the one that was there"
                .to_owned(),
        );
    }
    // A line that is not there has been told of, or was removed.
    let found = contents.hashes.get(sequence).filter(|found| *found != hash);
    found.map(|_| format!("line {sequence} of the chain is not the one that the head was signed for"))
}
