//! `postern recordings list`.

use postern_api::postern::{ListSessionRecordingsInput, ListSessionRecordingsOutput, SessionRecording};
use postern_client::Api;
use postern_recording::{RecordingDirectory, RecordingSummary};

use super::source::Source;
use crate::arguments::Global;
use crate::commands::{cell, print};
use crate::failure::Failure;

/// The most that one call gives.
const PAGE: i32 = 200;
const HEADER: [&str; 7] = ["SESSION", "NODE", "STATUS", "STARTED", "ENDED", "OWNER", "END"];

pub(super) async fn run(source: &Source, global: &Global) -> Result<(), Failure> {
    match source {
        Source::Server(api) => of_server(api, global).await,
        Source::Directory(directory) => of_directory(directory, global),
    }
}

async fn of_server(api: &Api, global: &Global) -> Result<(), Failure> {
    let mut recordings: Vec<SessionRecording> = Vec::new();
    let mut request = ListSessionRecordingsInput { max_results: Some(PAGE), next_token: None, filters: None };
    loop {
        let page = api.call(&request).await?;
        recordings.extend(page.recordings.unwrap_or_default());
        request.next_token = page.next_token.filter(|token| !token.is_empty());
        if request.next_token.is_none() {
            break;
        }
    }
    let rows: Vec<_> = recordings.iter().map(row).collect();
    let all = ListSessionRecordingsOutput { recordings: Some(recordings), next_token: None };
    print(global.output, &all, HEADER, &rows)?;
    Ok(())
}

fn row(recording: &SessionRecording) -> [String; 7] {
    [
        cell(recording.session_id.as_ref()),
        cell(recording.node.as_ref()),
        cell(recording.status.as_ref()).to_lowercase(),
        cell(recording.started_at.as_ref()),
        cell(recording.ended_at.as_ref()),
        cell(recording.owner.as_ref()),
        cell(recording.end_reason.as_ref()),
    ]
}

fn of_directory(directory: &RecordingDirectory, global: &Global) -> Result<(), Failure> {
    let listing = directory.list()?;
    for problem in &listing.unreadable {
        eprintln!("postern: {problem}");
    }
    let summaries: Vec<RecordingSummary> = listing.recordings.into_iter().rev().collect();
    let rows: Vec<_> = summaries.iter().map(row_of_file).collect();
    print(global.output, &summaries, HEADER, &rows)?;
    Ok(())
}

fn row_of_file(summary: &RecordingSummary) -> [String; 7] {
    [
        summary.info.session_id.to_string(),
        summary.info.node.to_string(),
        format!("{:?}", summary.status).to_lowercase(),
        summary.info.started_at.to_string(),
        cell(summary.ended_at.as_ref()),
        summary.info.owner.to_string(),
        cell(summary.end_reason.as_ref()),
    ]
}
