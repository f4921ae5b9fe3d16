//! The one who writes events: all that have come, in one transaction, and then an answer to each.

use std::sync::Arc;

use sqlx::{SqliteConnection, SqlitePool};
use tokio::sync::{broadcast, mpsc, oneshot};
use tokio::task::spawn_blocking;
use tokio_util::sync::CancellationToken;

use super::blocks::{self, Owner};
use super::transaction::Transaction;
use super::{groups, streams};
use crate::block::{self, Block};
use crate::{Append, AppendError, Arrived, GroupName, MissingStream, StorageError, StreamName, Written};

/// Batches of one transaction.
const TRANSACTION_JOBS_MAX: usize = 64;

/// A batch that is to be written, compressed already.
#[derive(Debug)]
pub(super) struct Job {
    arrived: Arc<Arrived>,
    missing_stream: MissingStream,
    blocks: Vec<Block>,
    answer: oneshot::Sender<Result<Written, AppendError>>,
}

/// Has events written.
pub(super) async fn append(jobs: &mpsc::Sender<Job>, append: Append) -> Result<Written, AppendError> {
    let Append { group, stream, missing_stream, events, ingested_at_ms } = append;
    let compressed = spawn_blocking(move || block::of_events(events, ingested_at_ms)).await;
    let (blocks, events) = compressed.ok().flatten().ok_or(StorageError::Closed)?;
    let arrived = Arc::new(Arrived { group, stream, ingested_at_ms, events });
    let (answer, answered) = oneshot::channel();
    let job = Job { arrived, missing_stream, blocks, answer };
    jobs.send(job).await.map_err(|_| StorageError::Closed)?;
    answered.await.map_err(|_| StorageError::Closed)?
}

/// Writes until told to stop, and then what has been taken.
pub(super) async fn run(
    writer: SqlitePool,
    mut queue: mpsc::Receiver<Job>,
    arrived: broadcast::Sender<Arc<Arrived>>,
    stop: CancellationToken,
) {
    let mut taken = Vec::with_capacity(TRANSACTION_JOBS_MAX);
    loop {
        tokio::select! {
            biased;
            count = queue.recv_many(&mut taken, TRANSACTION_JOBS_MAX) => {
                if count == 0 {
                    return;
                }
            }
            () = stop.cancelled(), if !queue.is_closed() => {
                queue.close();
                continue;
            }
        }
        write(&writer, &mut taken, &arrived).await;
    }
}

/// Writes batches and answers them. If the transaction fails, none of them is written.
async fn write(writer: &SqlitePool, taken: &mut Vec<Job>, arrived: &broadcast::Sender<Arc<Arrived>>) {
    match write_all(writer, taken).await {
        Ok(outcomes) => {
            for (job, outcome) in taken.drain(..).zip(outcomes) {
                if outcome.is_ok() {
                    // Nobody may be following.
                    let _ = arrived.send(job.arrived);
                }
                let _ = job.answer.send(outcome);
            }
        }
        Err(error) => {
            let is_full = matches!(error, StorageError::Full(_));
            let shown: &dyn std::error::Error = &error;
            tracing::error!(error = shown, batches = taken.len(), "log events cannot be written");
            let mut first = Some(error);
            for job in taken.drain(..) {
                let again =
                    if is_full { StorageError::Full(refused()) } else { StorageError::Database(refused()) };
                let _ = job.answer.send(Err(first.take().unwrap_or(again).into()));
            }
        }
    }
}

/// The same failure, for all others of its transaction.
fn refused() -> sqlx::Error {
    sqlx::Error::Protocol("the transaction failed".to_owned())
}

async fn write_all(
    writer: &SqlitePool,
    jobs: &[Job],
) -> Result<Vec<Result<Written, AppendError>>, StorageError> {
    let mut transaction = Transaction::begin(writer).await?;
    let next = sqlx::query_scalar("SELECT next_event FROM numbers").fetch_one(&mut *transaction).await?;
    let mut next: i64 = next;
    let mut outcomes = Vec::with_capacity(jobs.len());
    for job in jobs {
        let outcome = match write_one(&mut transaction, job, &mut next).await {
            Err(AppendError::Storage(error)) => return Err(error),
            outcome => outcome,
        };
        outcomes.push(outcome);
    }
    let count = sqlx::query("UPDATE numbers SET next_event = ?").bind(next);
    count.execute(&mut *transaction).await?;
    transaction.commit().await?;
    Ok(outcomes)
}

async fn write_one(
    connection: &mut SqliteConnection,
    job: &Job,
    next: &mut i64,
) -> Result<Written, AppendError> {
    let Arrived { group, stream, ingested_at_ms, .. } = &*job.arrived;
    let owner = owner(connection, group, stream, job.missing_stream, *ingested_at_ms).await?;
    for block in &job.blocks {
        blocks::insert(connection, owner, block, *next).await?;
        *next = next.saturating_add(blocks::count(block.events));
    }
    if let (Some(first), Some(last)) = (job.blocks.first(), job.blocks.last()) {
        let seen = sqlx::query(
            "UPDATE streams SET last_ingestion = ?1, last_event = max(last_event, ?3),
                 first_event = CASE WHEN first_event < 0 THEN ?2 ELSE min(first_event, ?2) END
             WHERE id = ?4",
        );
        let seen = seen.bind(ingested_at_ms).bind(first.first_ms).bind(last.last_ms).bind(owner.stream);
        seen.execute(connection).await.map_err(StorageError::from)?;
    }
    Ok(Written { last_event_id: *next - 1 })
}

async fn owner(
    connection: &mut SqliteConnection,
    group: &GroupName,
    name: &StreamName,
    missing_stream: MissingStream,
    now_ms: i64,
) -> Result<Owner, AppendError> {
    let group = groups::id(connection, group).await?.ok_or(AppendError::GroupUnknown)?;
    let stream = match (streams::id(connection, group, name).await?, missing_stream) {
        (Some(stream), _) => stream,
        (None, MissingStream::Create) => streams::insert(connection, group, name, now_ms).await?,
        (None, MissingStream::Refuse) => return Err(AppendError::StreamUnknown),
    };
    Ok(Owner { group, stream })
}
