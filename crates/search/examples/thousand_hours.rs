//! Fills an index with a thousand recorded hours and says how long searches take.
//!
//! `cargo run --release -p postern-search --example thousand_hours -- DIRECTORY [HOURS]`: recordings and the index are
//! made in that directory, which should be empty. An hour is 300 commands with 20 lines of output each, of words as logs
//! and listings have them: more than most people make. `bench/search.py` runs it.

use std::error::Error;
use std::path::Path;
use std::time::Instant;

use jiff::{SignedDuration, Timestamp};
use postern_ids::SessionId;
use postern_recording::{Entry, RecordingDirectory, RecordingEnd, RecordingInfo};
use postern_search::{SearchIndex, SearchQuery, Step, Words};

const COMMANDS_PER_HOUR: u64 = 300;
const LINES_PER_COMMAND: u64 = 20;
/// One session.
const HOURS_PER_SESSION: u64 = 1;
/// Each query this often; the slowest counts.
const REPEATS: usize = 5;
const WORDS: [&str; 24] = [
    "error",
    "info",
    "warning",
    "connection",
    "from",
    "port",
    "started",
    "failed",
    "systemd",
    "kernel",
    "docker",
    "request",
    "GET",
    "/var/log/syslog",
    "status",
    "200",
    "user",
    "session",
    "opened",
    "root",
    "nginx",
    "timeout",
    "the",
    "of",
];

/// Numbers by chance, the same in each run (xorshift64*).
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 16
    }

    fn word(&mut self) -> String {
        match self.next() % 8 {
            0 => format!("{:x}", self.next() & 0xffff_ffff),
            1 => format!("10.{}.{}.{}", self.next() % 256, self.next() % 256, self.next() % 256),
            2 => format!("w{}", self.next() % 20_000),
            _ => WORDS.get((self.next() % 24) as usize).copied().unwrap_or("x").to_owned(),
        }
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let directory = arguments.next().ok_or("a directory is needed")?;
    let hours: u64 = arguments.next().map_or(Ok(1000), |hours| hours.parse())?;
    let recordings = RecordingDirectory::open(Path::new(&directory).join("recordings"))?;
    let path = Path::new(&directory).join("search.db");
    let index = SearchIndex::open(&path).await?;
    let (mut sessions, mut bytes) = (Vec::new(), 0);
    let mut indexing = std::time::Duration::ZERO;
    let mut chance = Chance(0x9e37_79b9_7f4a_7c15);
    for number in 0..hours / HOURS_PER_SESSION {
        let info = record(&recordings, number, &mut chance)?;
        let began = Instant::now();
        let mut reading = index.begin(&info).await?;
        loop {
            let recording = recordings.recording(&info.session_id)?.ok_or("no recording")?;
            let (next, step) = index.advance(reading, recording).await?;
            reading = next;
            if step == Step::Complete {
                break;
            }
        }
        indexing += began.elapsed();
        let cast = recordings.path().join(format!("{}.cast", info.session_id));
        bytes += std::fs::metadata(&cast)?.len();
        // What is searched is the index.
        std::fs::remove_file(cast)?;
        sessions.push(info.session_id);
    }
    let mebibytes = |bytes: u64| bytes as f64 / f64::from(1 << 20);
    println!(
        "{hours} hours: {:.0} MiB recorded, index {:.0} MiB, read at {:.1} MiB/s",
        mebibytes(bytes),
        mebibytes(std::fs::metadata(&path)?.len()),
        mebibytes(bytes) / indexing.as_secs_f64(),
    );
    for query in [
        "needle4711",
        "error",
        "\"connection from 10.1\"",
        "10.0.0.5",
        "/var/log/syslog failed docker",
        "w123",
        "con",
        "nothing-like-it",
        "the of error from",
    ] {
        report(&index, query, &sessions).await?;
    }
    index.close().await;
    Ok(())
}

async fn report(index: &SearchIndex, query: &str, sessions: &[SessionId]) -> Result<(), Box<dyn Error>> {
    let (mut slowest_ms, mut hits) = (0.0_f64, 0);
    for _ in 0..REPEATS {
        let asked =
            SearchQuery { words: Words::parse(query)?, sessions: sessions.to_vec(), after: None, limit: 100 };
        let began = Instant::now();
        hits = index.search(&asked).await?.hits.len();
        slowest_ms = slowest_ms.max(began.elapsed().as_secs_f64() * 1000.0);
    }
    println!("search {query}: {slowest_ms:.1} ms, {hits} hits");
    Ok(())
}

/// A recorded session.
fn record(
    recordings: &RecordingDirectory,
    number: u64,
    chance: &mut Chance,
) -> Result<RecordingInfo, Box<dyn Error>> {
    let start = Timestamp::from_second(1_700_000_000 + i64::try_from(number * HOURS_PER_SESSION * 3600)?)?;
    let info = RecordingInfo {
        session_id: format!("user{}-{number:017x}", number % 50).parse()?,
        owner: format!("arn:aws:iam::000000000000:user/user{}", number % 50).parse()?,
        node: format!("mi-{:017x}", number % 200).parse()?,
        node_name: Some(format!("web-{}", number % 200)),
        document: "SSM-SessionManagerRunShell".to_owned(),
        session_type: "Standard_Stream".to_owned(),
        reason: None,
        started_at: start,
    };
    let mut recorder = recordings.create(&info)?;
    let mut at = start;
    for command in 0..COMMANDS_PER_HOUR * HOURS_PER_SESSION {
        let mut output = format!(
            "\x1b]133;A\x07user@web:~$ \x1b]133;B\x07{} {}\r\n\x1b]133;C\x07",
            chance.word(),
            chance.word()
        );
        for line in 0..LINES_PER_COMMAND {
            let words: Vec<String> = (0..10).map(|_| chance.word()).collect();
            let needle = if number % 100 == 7 && command == 3 && line == 0 { "needle4711 " } else { "" };
            output.push_str(&format!("{needle}{}\r\n", words.join(" ")));
        }
        output.push_str("\x1b]133;D;0\x07");
        at += SignedDuration::from_secs(12);
        let entry = Entry::Output { sequence_number: recorder.next_sequence(), bytes: output.into(), at };
        recorder.append(&[entry])?;
    }
    recorder.finish(&RecordingEnd { at, reason: "shell-exit".to_owned(), exit_code: Some(0) })?;
    Ok(info)
}
