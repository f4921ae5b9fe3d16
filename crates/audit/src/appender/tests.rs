//! The thread over a disk that can be full, slow, or counted.

use std::sync::atomic::AtomicUsize;

use jiff::Timestamp;
use postern_audit_format::UserIdentity;
use postern_audit_format::chain::{Hash, Line};
use uuid::Uuid;

use super::*;

/// What the disk holds, and what it refuses.
#[derive(Debug, Default)]
struct State {
    /// The segments with their first lines' numbers; what was synced, and what was only written.
    segments: Vec<(u64, Vec<u8>, Vec<u8>)>,
    room: usize,
    syncs: usize,
    fails_sync: bool,
    fails_truncate: bool,
}

#[derive(Debug, Clone)]
struct FakeDisk(Arc<Mutex<State>>);

impl FakeDisk {
    fn new() -> Self {
        let state =
            State { segments: vec![(1, Vec::new(), Vec::new())], room: usize::MAX, ..State::default() };
        Self(Arc::new(Mutex::new(state)))
    }

    fn with<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        change(&mut self.0.lock().unwrap())
    }

    /// The lines that would be there after a power failure, after their links have been checked.
    fn durable(&self) -> Vec<(Kind, Option<u64>, String)> {
        let mut last = (0, Hash::ZERO);
        let mut lines = Vec::new();
        for (_, synced, _) in &self.0.lock().unwrap().segments {
            for line in synced.split_inclusive(|byte| *byte == b'\n') {
                let line = Line::parse(line.strip_suffix(b"\n").unwrap()).unwrap();
                assert_eq!((line.sequence, line.previous), (last.0 + 1, last.1));
                last = (line.sequence, line.hash);
                let body = String::from_utf8_lossy(line.body.unwrap()).into_owned();
                lines.push((line.kind, line.completes, body));
            }
        }
        lines
    }

    fn kinds(&self) -> Vec<(Kind, Option<u64>)> {
        self.durable().into_iter().map(|(kind, completes, _)| (kind, completes)).collect()
    }
}

impl Disk for FakeDisk {
    fn begin_segment(&mut self, first: u64, line: &[u8]) -> io::Result<()> {
        self.with(|state| {
            if line.len() > state.room {
                return Err(io::ErrorKind::StorageFull.into());
            }
            state.segments.push((first, line.to_owned(), Vec::new()));
            Ok(())
        })
    }

    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.with(|state| {
            let fits = bytes.len().min(state.room);
            state.room -= fits;
            state.segments.last_mut().unwrap().2.extend_from_slice(&bytes[..fits]);
            if fits < bytes.len() { Err(io::ErrorKind::StorageFull.into()) } else { Ok(()) }
        })
    }

    fn sync(&mut self) -> io::Result<()> {
        self.with(|state| {
            state.syncs += 1;
            if state.fails_sync {
                return Err(io::ErrorKind::Other.into());
            }
            let (_, synced, written) = state.segments.last_mut().unwrap();
            synced.append(written);
            Ok(())
        })
    }

    fn truncate(&mut self, length: u64) -> io::Result<()> {
        self.with(|state| {
            if state.fails_truncate {
                return Err(io::ErrorKind::Other.into());
            }
            let (_, synced, written) = state.segments.last_mut().unwrap();
            assert_eq!(u64::try_from(synced.len()).unwrap(), length, "only what never counted is cut");
            written.clear();
            Ok(())
        })
    }
}

fn appender(disk: &FakeDisk, commands: &mpsc::Sender<Command>) -> (Appender, watch::Receiver<Health>) {
    let (progress, _) = watch::channel(Progress { position: Position::START, segment: 1, segment_bytes: 0 });
    let (health, shown) = watch::channel(Health::Sound);
    let appender = Appender {
        disk: Box::new(disk.clone()),
        durability: Durability::PowerFailure,
        segment_bytes_max: u64::MAX,
        segment_began: Timestamp::UNIX_EPOCH,
        trail: TrailName {
            account_id: "111122223333".parse().unwrap(),
            region: "us-east-1".parse().unwrap(),
            name: "postern".to_owned(),
        },
        clock: Clock::new(|| Timestamp::UNIX_EPOCH),
        open: BTreeMap::new(),
        open_shown: Arc::default(),
        drops: Arc::default(),
        drops_seen: 0,
        commands: commands.downgrade(),
        delivery: DeliveryState::beginning(Timestamp::UNIX_EPOCH),
        keys: Vec::new(),
        is_dirty: false,
        progress,
        health,
    };
    (appender, shown)
}

fn body(name: &str) -> Vec<u8> {
    let identity = UserIdentity::service("test");
    let region = "us-east-1".parse().unwrap();
    Record::api_call(Uuid::nil(), Timestamp::UNIX_EPOCH, "ssm", name, region, identity).to_body()
}

type Answer = oneshot::Receiver<Result<Appended, TrailError>>;

fn item(kind: Kind, completes: Option<u64>, name: &str) -> (Item, Answer) {
    let (reply, answer) = oneshot::channel();
    let class = Some(Class::Write);
    (Item { kind, class, completes, body: body(name), news: News::None, reply }, answer)
}

fn record(name: &str) -> (Item, Answer) {
    item(Kind::Record, None, name)
}

#[test]
fn whoever_waits_shares_one_sync() {
    let (disk, (commands, queue)) = (FakeDisk::new(), mpsc::channel(QUEUE_LINES));
    let (appender, _) = appender(&disk, &commands);
    let answers: Vec<Answer> = (0..1000)
        .map(|number| {
            let (item, answer) = record(&format!("Call{number}"));
            commands.try_send(Command::Append(Box::new(item))).unwrap();
            answer
        })
        .collect();
    commands.try_send(Command::Stop).unwrap();
    appender.run(queue);
    let sequences: Vec<u64> =
        answers.into_iter().map(|answer| answer.blocking_recv().unwrap().unwrap().sequence).collect();
    assert_eq!(sequences, (1..=1000).collect::<Vec<_>>());
    assert_eq!((disk.durable().len(), disk.with(|state| state.syncs)), (1000, 1));
}

#[test]
fn callers_at_the_same_time_share_syncs() {
    let (disk, (commands, queue)) = (FakeDisk::new(), mpsc::channel(QUEUE_LINES));
    let (appender, _) = appender(&disk, &commands);
    let done = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        scope.spawn(|| appender.run(queue));
        let callers: Vec<_> = (0..8)
            .map(|_| {
                let commands = commands.clone();
                let done = &done;
                scope.spawn(move || {
                    for _ in 0..50 {
                        let batch: Vec<Answer> = (0..10)
                            .map(|_| {
                                let (item, answer) = record("Call");
                                commands.blocking_send(Command::Append(Box::new(item))).unwrap();
                                answer
                            })
                            .collect();
                        for answer in batch {
                            answer.blocking_recv().unwrap().unwrap();
                            done.fetch_add(1, Ordering::Relaxed);
                        }
                    }
                })
            })
            .collect();
        callers.into_iter().for_each(|caller| caller.join().unwrap());
        commands.blocking_send(Command::Stop).unwrap();
    });
    assert_eq!((done.into_inner(), disk.durable().len()), (4000, 4000));
    let syncs = disk.with(|state| state.syncs);
    assert!(syncs < 4000, "{syncs}");
}

#[test]
fn a_full_disk_refuses_and_recovers_without_a_trace() {
    // Wherever in the batch the disk gets full.
    for room in 0..600 {
        let (disk, (commands, _queue)) = (FakeDisk::new(), mpsc::channel(8));
        let (mut appender, health) = appender(&disk, &commands);
        let (first, mut answer) = record("First");
        appender.commit(vec![first]);
        assert!(answer.try_recv().unwrap().is_ok());
        disk.with(|state| state.room = room);
        let (intent, mut answer) = item(Kind::Intent, None, "Refused");
        let (other, mut other_answer) = record("AlsoRefused");
        appender.commit(vec![intent, other]);
        assert!(matches!(answer.try_recv().unwrap(), Err(TrailError::Broken(_))));
        assert!(matches!(other_answer.try_recv().unwrap(), Err(TrailError::Broken(_))));
        assert!(matches!(*health.borrow(), Health::Broken { .. }));
        // Every attempt is a probe.
        let (probe, mut answer) = record("StillRefused");
        appender.commit(vec![probe]);
        assert!(answer.try_recv().unwrap().is_err(), "{room}");
        disk.with(|state| state.room = usize::MAX);
        let (again, mut answer) = record("Again");
        appender.commit(vec![again]);
        assert_eq!(answer.try_recv().unwrap().unwrap().sequence, 2);
        assert!(matches!(*health.borrow(), Health::Sound));
        assert_eq!(disk.kinds(), [(Kind::Record, None); 2]);
        if room > 300 {
            break;
        }
    }
}

#[test]
fn a_sync_that_fails_counts_as_nothing_written() {
    let (disk, (commands, _queue)) = (FakeDisk::new(), mpsc::channel(8));
    let (mut appender, _) = appender(&disk, &commands);
    disk.with(|state| (state.fails_sync, state.fails_truncate) = (true, true));
    for _ in 0..2 {
        let (lost, mut answer) = record("Lost");
        appender.commit(vec![lost]);
        assert!(answer.try_recv().unwrap().is_err());
    }
    // Until what was written can be cut, nothing is written behind it.
    disk.with(|state| state.fails_sync = false);
    let (lost, mut answer) = record("Lost");
    appender.commit(vec![lost]);
    assert!(answer.try_recv().unwrap().is_err());
    disk.with(|state| state.fails_truncate = false);
    let (kept, mut answer) = record("Kept");
    appender.commit(vec![kept]);
    assert!(answer.try_recv().unwrap().is_ok());
    let [(_, _, body)] = &disk.durable()[..] else { panic!("{:?}", disk.durable()) };
    assert!(body.contains("Kept"));
}

#[test]
fn an_outcome_that_could_not_be_written_follows_as_soon_as_it_can() {
    let (disk, (commands, _queue)) = (FakeDisk::new(), mpsc::channel(8));
    let (mut appender, _) = appender(&disk, &commands);
    let (intent, mut answer) = item(Kind::Intent, None, "StartSession");
    appender.commit(vec![intent]);
    let begun = answer.try_recv().unwrap().unwrap();
    disk.with(|state| state.room = 10);
    let (outcome, mut answer) = item(Kind::Record, Some(begun.sequence), "StartSession");
    appender.commit(vec![outcome]);
    assert!(answer.try_recv().unwrap().is_err());
    // The caller is told that it failed, and goes.
    drop(begun);
    disk.with(|state| state.room = usize::MAX);
    let (other, _answer) = record("Other");
    appender.commit(vec![other]);
    assert_eq!(disk.kinds(), [(Kind::Intent, None), (Kind::Record, None), (Kind::Record, Some(1))]);
    assert!(!disk.durable()[2].2.contains("OutcomeUnknown"), "it is the outcome that was given");
}

#[test]
fn a_caller_that_goes_leaves_an_unknown_outcome_or_nothing() {
    let (disk, (commands, _queue)) = (FakeDisk::new(), mpsc::channel(8));
    let (mut appender, _) = appender(&disk, &commands);
    let (intent, answer) = item(Kind::Intent, None, "NeverBegun");
    drop(answer);
    appender.commit(vec![intent]);
    assert!(disk.durable().is_empty(), "the call cannot run any more");
    let (intent, mut answer) = item(Kind::Intent, None, "CutOff");
    appender.commit(vec![intent]);
    drop(answer.try_recv().unwrap().unwrap());
    appender.commit(Vec::new());
    assert_eq!(disk.kinds(), [(Kind::Intent, None), (Kind::Record, Some(1))]);
    assert!(disk.durable()[1].2.contains("OutcomeUnknown"));
}

#[test]
fn a_new_segment_begins_with_what_is_going_on() {
    let (disk, (commands, _queue)) = (FakeDisk::new(), mpsc::channel(8));
    let (mut appender, _) = appender(&disk, &commands);
    appender.segment_bytes_max = 1;
    let (intent, mut answer) = item(Kind::Intent, None, "StartSession");
    appender.commit(vec![intent]);
    let _held = answer.try_recv().unwrap().unwrap();
    let (other, _answer) = record("Other");
    appender.commit(vec![other]);
    assert_eq!(disk.kinds(), [(Kind::Intent, None), (Kind::Segment, None), (Kind::Record, None)]);
    let start: SegmentStart = serde_json::from_str(&disk.durable()[1].2).unwrap();
    assert_eq!(start.open_intents, [1]);
    assert_eq!(disk.with(|state| state.segments[1].0), 2);
    // A disk that is too full for another segment refuses, and nothing is lost.
    disk.with(|state| state.room = 5);
    let (refused, mut answer) = record("Refused");
    appender.commit(vec![refused]);
    assert!(answer.try_recv().unwrap().is_err());
    assert_eq!(disk.durable().len(), 3);
}
