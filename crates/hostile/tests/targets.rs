//! Every property holds for its seeds and for what becomes of them by chance, and the fuzzer has a program for each.

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use postern_hostile::{TARGETS, Target};

/// Of each target. `fuzz/` tries millions.
const INPUTS: usize = 10_000;

/// Numbers by chance, the same in each run (xorshift64*).
struct Chance(u64);

impl Chance {
    fn of(name: &str) -> Self {
        let seed = name.bytes().fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    fn below(&mut self, end: usize) -> usize {
        (self.next() >> 33) as usize % end.max(1)
    }

    fn bytes(&mut self, length_max: usize) -> Vec<u8> {
        let is_text = self.below(2) == 0;
        let length = self.below(length_max);
        let byte = |n: u64| if is_text { 0x20 + (n % 0x5f) as u8 } else { n as u8 };
        (0..length).map(|_| byte(self.next() >> 40)).collect()
    }

    /// One of `seeds` with a few changes, or something else altogether.
    fn input(&mut self, seeds: &[Vec<u8>]) -> Vec<u8> {
        if seeds.is_empty() || self.below(8) == 0 {
            return self.bytes(2_000);
        }
        let mut input = seeds[self.below(seeds.len())].clone();
        for _ in 0..=self.below(4) {
            self.change(&mut input, seeds);
        }
        input
    }

    fn change(&mut self, input: &mut Vec<u8>, seeds: &[Vec<u8>]) {
        let at = self.below(input.len());
        let end = at + self.below(input.len() - at);
        match self.below(7) {
            0 if !input.is_empty() => input[at] ^= 1 << self.below(8),
            1 if !input.is_empty() => input[at] = self.next() as u8,
            2 => input.truncate(at),
            3 => drop(input.drain(at..end)),
            4 => drop(input.splice(at..end, self.bytes(12))),
            5 => input.splice(at..at, input[at..end].to_vec()).for_each(drop),
            _ => {
                let other = &seeds[self.below(seeds.len())];
                input.truncate(at);
                input.extend_from_slice(&other[self.below(other.len())..]);
            }
        }
    }
}

fn withstands(target: &Target, input: &[u8]) {
    let held = catch_unwind(AssertUnwindSafe(|| (target.run)(input)));
    assert!(held.is_ok(), "{} does not withstand {:?}", target.name, input.escape_ascii().to_string());
}

/// One test a target, so that they run side by side and name themselves.
macro_rules! targets {
    ($($name:ident),+ $(,)?) => {
        $(#[test]
        fn $name() {
            let target = TARGETS.iter().find(|target| target.name == stringify!($name)).unwrap();
            let (seeds, mut chance) = ((target.seeds)(), Chance::of(target.name));
            seeds.iter().for_each(|seed| withstands(target, seed));
            for _ in 0..INPUTS {
                withstands(target, &chance.input(&seeds));
            }
        })+

        #[test]
        fn every_target_is_tried_here() {
            assert_eq!(TARGETS.map(|target| target.name), [$(stringify!($name)),+]);
        }
    };
}

targets!(
    agent_message,
    api_inputs,
    authorization,
    channel_path,
    data_channel,
    dial_answers,
    file_journal,
    filter_pattern,
    identifiers,
    node_public_key,
    passkey_answer,
    payloads,
    policy_document,
    session_token,
    signed_request,
    smux,
    transcript,
    tunnel,
);

#[test]
fn the_fuzzer_has_a_program_for_each() {
    let fuzz = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz");
    let manifest = fs::read_to_string(fuzz.join("Cargo.toml")).unwrap();
    let mut programs: Vec<String> = fs::read_dir(fuzz.join("fuzz_targets"))
        .unwrap()
        .map(|entry| entry.unwrap().path().file_stem().unwrap().to_str().unwrap().to_owned())
        .collect();
    programs.sort();
    assert_eq!(programs, TARGETS.map(|target| target.name));
    for name in programs {
        assert!(manifest.contains(&format!("path = \"fuzz_targets/{name}.rs\"")), "Cargo.toml lacks {name}");
        let source = fs::read_to_string(fuzz.join(format!("fuzz_targets/{name}.rs"))).unwrap();
        assert!(source.contains(&format!("run(\"{name}\", input)")), "{name} calls another target");
    }
}
