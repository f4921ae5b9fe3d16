//! Opening a trail: what was left is taken up, and everything that runs is started.

use std::io;
use std::path::PathBuf;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use postern_audit_format::Layout;
use postern_audit_format::chain::{Class, Kind};
use tokio::sync::{Mutex as AsyncMutex, mpsc, watch};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::appender::{Appender, Command, Health, Item, News, Progress, QUEUE_LINES};
use crate::clock::Clock;
use crate::deliver::Deliverer;
use crate::disk;
use crate::error::OpenError;
use crate::event;
use crate::heads::Heads;
use crate::index::Index;
use crate::keys::Keys;
use crate::objects::Objects;
use crate::options::TrailOptions;
use crate::recover;
use crate::tend::{Due, Tender, item, key_item, later};
use crate::trail::{Inner, Trail, index_always, tend_always};

/// What is on the files, and the thread that writes them.
struct Opened {
    commands: mpsc::Sender<Command>,
    progress: watch::Receiver<Progress>,
    health: watch::Receiver<Health>,
    keys: Arc<Mutex<Keys>>,
    objects: Objects,
    tender: Tender,
    writer: JoinHandle<()>,
}

pub(crate) async fn open(
    options: TrailOptions,
    sealing_key: [u8; 32],
    clock: Clock,
) -> Result<Trail, OpenError> {
    let layout = Layout::new(&options.directory);
    let opening = {
        let (layout, options, clock) = (layout.clone(), options.clone(), clock.clone());
        tokio::task::spawn_blocking(move || open_files(&layout, options, sealing_key, clock))
    };
    let opened = opening.await.map_err(io::Error::other)??;
    let index = Arc::new(Index::open(&layout).await?);
    let tender = Arc::new(AsyncMutex::new(opened.tender));
    let (tasks, end) = (TaskTracker::new(), CancellationToken::new());
    tasks.spawn(tend_always(Arc::clone(&tender), end.clone()));
    tasks.spawn(index_always(Arc::clone(&index), opened.progress.clone(), end.clone()));
    Ok(Trail(Arc::new(Inner {
        options,
        clock,
        commands: opened.commands,
        progress: opened.progress,
        health: opened.health,
        keys: opened.keys,
        objects: opened.objects,
        index,
        tender,
        writer: Mutex::new(Some(opened.writer)),
        tasks,
        end: end.drop_guard(),
    })))
}

fn open_files(
    layout: &Layout,
    options: TrailOptions,
    sealing_key: [u8; 32],
    clock: Clock,
) -> Result<Opened, OpenError> {
    let directories: [PathBuf; 3] = [layout.directory().to_owned(), layout.chain(), layout.keys()];
    directories.iter().try_for_each(|directory| disk::create_directory(directory))?;
    let now = clock.now();
    let heads = Heads::open(layout, &options.trail)?;
    let recovered = recover::recover(layout, &options.trail, heads.last(), now)?;
    let keys = Keys::open(layout, sealing_key, options.key_lifetime, &recovered.keys, now)?;
    let objects = Objects::new(layout, &options.bucket);
    let deliverer = Deliverer::open(layout, &options.trail, objects.clone(), recovered.delivery.clone())?;
    let (commands, queue) = mpsc::channel(QUEUE_LINES);
    let (progress_sender, progress) = watch::channel(recovered.progress);
    let (health_sender, health) = watch::channel(Health::Sound);
    let started = event::started(&options.trail, now, recovered.torn_bytes, recovered.open.len());
    let open_intents = Arc::new(Mutex::new(recovered.open.keys().copied().collect()));
    let mut appender = Appender {
        disk: Box::new(recovered.disk),
        durability: options.durability,
        segment_bytes_max: options.segment_bytes_max,
        segment_began: recovered.segment_began,
        trail: options.trail.clone(),
        clock: clock.clone(),
        open: recovered.open,
        open_shown: Arc::clone(&open_intents),
        drops: Arc::new(AtomicU64::new(0)),
        drops_seen: 0,
        commands: commands.downgrade(),
        delivery: recovered.delivery,
        keys: recovered.keys,
        is_dirty: false,
        progress: progress_sender,
        health: health_sender,
    };
    let unnamed = keys.public().iter().filter(|key| !appender.keys.contains(key));
    let mut items: Vec<Item> = unnamed.map(key_item).collect();
    items.push(Item { class: Some(Class::Write), ..item(Kind::Record, &started, News::None).0 });
    // With it goes what became of the calls that a crash interrupted.
    appender.commit(items);
    if let Health::Broken { error, .. } = &*appender.health.borrow() {
        return Err(io::Error::new(error.kind(), error.to_string()).into());
    }
    let thread = std::thread::Builder::new().name("audit".to_owned());
    let writer = thread.spawn(move || appender.run(queue))?;
    let due = Due { head: later(now, options.head_interval), logs: later(now, options.log_file_interval) };
    let keys = Arc::new(Mutex::new(keys));
    let tender = Tender {
        options,
        clock,
        commands: commands.downgrade(),
        progress: progress.clone(),
        keys: Arc::clone(&keys),
        heads,
        deliverer,
        objects: objects.clone(),
        open_intents,
        due,
        is_handed_over: false,
    };
    Ok(Opened { commands, progress, health, keys, objects, tender, writer })
}
