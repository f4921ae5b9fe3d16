//! How many records a second the trail takes: `cargo run --release -p postern-audit --example append [SECONDS [CALLERS [DIR]]]`.
//!
//! Callers that each wait for their record, as calls of an API do, with the records of calls that read; then the same
//! with an intent and an outcome for each call. Durable: each batch waits for the disk.

#![expect(clippy::disallowed_methods, reason = "a program may ask for the time")]

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use postern_audit::{Class, Clock, Durability, IdentityType, Record, Trail, TrailOptions, UserIdentity};
use serde_json::json;
use tokio::task::JoinSet;
use uuid::Uuid;

/// What a caller does again and again.
#[derive(Debug, Clone, Copy)]
enum Call {
    Read,
    Change,
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let seconds: u64 = arguments.next().map_or(Ok(5), |text| text.parse())?;
    let callers: usize = arguments.next().map_or(Ok(64), |text| text.parse())?;
    // The directory given keeps the trails. Otherwise they are on the disk of the sources, since /tmp may be in memory.
    let temp = tempfile::tempdir_in(env!("CARGO_MANIFEST_DIR"))?;
    let directory = arguments.next().map_or_else(|| temp.path().to_owned(), PathBuf::from);
    for durability in [Durability::PowerFailure, Durability::ServerCrash] {
        for call in [Call::Read, Call::Change] {
            let directory = directory.join(format!("{durability:?}-{call:?}"));
            let rate = measure(&directory, durability, call, callers, Duration::from_secs(seconds)).await?;
            println!("{durability:?}, {call:?}, {callers} callers: {rate:.0} calls/s");
        }
    }
    Ok(())
}

async fn measure(
    directory: &Path,
    durability: Durability,
    call: Call,
    callers: usize,
    time: Duration,
) -> Result<f64, Box<dyn std::error::Error>> {
    let options = TrailOptions {
        durability,
        ..TrailOptions::new(directory, "111122223333".parse()?, "us-east-1".parse()?)
    };
    let trail = Trail::open(options, [7; 32], Clock::new(Timestamp::now)).await?;
    let start = Instant::now();
    let mut running = JoinSet::new();
    for caller in 0..callers {
        let trail = trail.clone();
        running.spawn(async move {
            let mut calls = 0_u32;
            while start.elapsed() < time {
                let record = record(caller, calls);
                match call {
                    Call::Read => trail.write(Class::Read, record).await?,
                    Call::Change => {
                        let pending = trail.begin(Class::Write, record.clone()).await?;
                        trail.complete(pending, record).await?;
                    }
                }
                calls += 1;
            }
            Ok::<u32, postern_audit::TrailError>(calls)
        });
    }
    let mut calls = 0_u32;
    for done in running.join_all().await {
        calls += done?;
    }
    let rate = f64::from(calls) / start.elapsed().as_secs_f64();
    trail.close().await;
    Ok(rate)
}

/// As long as real ones are.
fn record(caller: usize, number: u32) -> Record {
    let identity = UserIdentity {
        principal_id: Some("AIDAALICEEXAMPLE0001".to_owned()),
        arn: Some("arn:aws:iam::111122223333:user/alice".to_owned()),
        access_key_id: Some("AKIAEXAMPLE000000001".to_owned()),
        user_name: Some("alice".to_owned()),
        ..UserIdentity::new(IdentityType::IamUser)
    };
    let id = Uuid::from_u64_pair(u64::try_from(caller).unwrap_or(0), u64::from(number));
    let region = "us-east-1".parse().expect("it is a region");
    let mut record =
        Record::api_call(id, Timestamp::now(), "ssm.amazonaws.com", "DescribeSessions", region, identity);
    record.source_ip_address = "203.0.113.10".to_owned();
    record.user_agent = Some(
        "aws-cli/2.31.0 md/awscrt#0.27.6 ua/2.1 os/linux#6.8 md/arch#x86_64 lang/python#3.13".to_owned(),
    );
    record.request_parameters = Some(json!({"state": "Active", "maxResults": 50}));
    record.request_id = Some(id.to_string());
    record.read_only = Some(true);
    record
}
