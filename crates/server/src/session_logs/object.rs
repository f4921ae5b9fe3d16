//! What a recording shows, as the contents of an object: the terminal's output as it came.

use std::io;

use bytes::Bytes;
use futures_util::StreamExt as _;
use futures_util::stream;
use postern_recording::{Place, Reached, Recording};
use tokio::task::spawn_blocking;

use super::sinks::Contents;

/// Bytes of a recording that are read at a time.
const WINDOW_BYTES: u64 = 1 << 20;

/// The output of a complete recording, read as it is asked for.
pub(super) fn contents(recording: Recording) -> Contents {
    let reading = Some((recording, Place::default()));
    stream::unfold(reading, async |reading| {
        let (recording, place) = reading?;
        match read(recording, place).await {
            Ok((text, rest)) => Some((Ok(text), rest)),
            Err(error) => Some((Err(error), None)),
        }
    })
    .boxed()
}

async fn read(recording: Recording, place: Place) -> io::Result<(Bytes, Option<(Recording, Place)>)> {
    let read = spawn_blocking(move || recording.outputs(place, WINDOW_BYTES).map(|read| (recording, read)));
    let (recording, read) = read.await.map_err(io::Error::other)??;
    let text: String = read.outputs.into_iter().map(|output| output.text).collect();
    let rest = (read.reached == Reached::More).then_some((recording, read.next));
    Ok((text.into(), rest))
}
